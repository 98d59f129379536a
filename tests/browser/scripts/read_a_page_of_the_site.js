// What a page has and where it leads, as the browser understands it.
() => ({
  ids: [...document.querySelectorAll('[id]')].map((one) => one.id),
  links: [...document.querySelectorAll('a[href]')].map((one) => one.href),
  exercises: document.querySelectorAll('.how-to-run + .tag_exercise').length,
  broken: [...document.images].filter((one) => one.complete && !one.naturalWidth).map((one) => one.outerHTML),
})
