// The width of the timeline, its smallest letters, and the texts that are cut off or covered.
() => {
  const picture = document.querySelector('svg').getBoundingClientRect();
  const texts = [...document.querySelectorAll('text')];
  const boxes = texts.map(text => text.getBoundingClientRect());
  const scale = picture.width / document.querySelector('svg').viewBox.baseVal.width;
  const apart = (a, b) => a.right <= b.left || b.right <= a.left
    || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
  return {
    width: picture.width,
    letters: Math.min(...texts.map(text => parseFloat(getComputedStyle(text).fontSize) * scale)),
    clipped: texts.filter((text, n) => boxes[n].left < picture.left || boxes[n].right > picture.right
      || boxes[n].top < picture.top || boxes[n].bottom > picture.bottom).map(text => text.textContent),
    covered: texts.filter((text, n) => boxes.some((box, m) => m < n && !apart(box, boxes[n])))
      .map(text => text.textContent),
  };
}
