// How many letters have room on the widest of some elements' lines.
all => Math.max(...all.map(one => {
  const zero = Object.assign(document.createElement('span'), {textContent: '0'.repeat(100)});
  one.append(zero);
  const width = zero.getBoundingClientRect().width / 100;
  zero.remove();
  return one.clientWidth / width;
}))
