// Where each name stands, and how wide it is.
stage => Object.fromEntries([...stage.querySelectorAll('.name')].map(one => {
  const { x, y, width } = one.getBoundingClientRect();
  return [one.textContent, [x, y, width].map(Math.round)];
}))
