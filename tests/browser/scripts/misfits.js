// What does not fit, with its text: wider than its box, or outside of the window. `but` and what is in it may be.
(root, {among = '*', but, more}) => [root, ...root.querySelectorAll(among)]
  .filter(one => one.clientWidth && !one.closest(but))
  .filter(one => one.scrollWidth > one.clientWidth + more || one.getBoundingClientRect().right > innerWidth + more)
  .map(one => `${one.tagName} ${one.className}: ${one.innerText.slice(0, 80)}`)
