// What a page has and where it leads, as the browser understands it. An example of *Try it* is a place, too.
() => ({
  ids: [...document.querySelectorAll('[id], #examples option')].map((one) => one.id || one.value),
  links: [...document.querySelectorAll('a[href]')].map((one) => one.href),
  exercises: document.querySelectorAll('.how-to-run + .tag_exercise').length,
  broken: [...document.images].filter((one) => one.complete && !one.naturalWidth).map((one) => one.outerHTML),
})
