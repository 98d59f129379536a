// How many titles and names a mark covers.
mark => [...document.querySelectorAll('h1, .above, h2, .name')].filter(one => {
  const [a, b] = [mark, one].map(each => each.getBoundingClientRect());
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}).length
