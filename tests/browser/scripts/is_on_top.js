// Whether nothing lies on an element, in its middle and in its corners.
one => {
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const points = [[left + 1, top + 1], [right - 2, top + 1], [left + 1, bottom - 2], [right - 2, bottom - 2],
    [(left + right) / 2, (top + bottom) / 2]];
  return points.every(([x, y]) => one.contains(document.elementFromPoint(x, y)));
}
