// What is wrong with the page that is shown: too small, too wide, or outside of the window.
least => {
  document.getAnimations().forEach(each => each.finish());
  const stage = document.querySelector('.lottery-stage');
  const room = stage.querySelector('.room').getBoundingClientRect();
  const root = document.scrollingElement;
  const wrong = root.scrollWidth > innerWidth || root.scrollHeight > innerHeight ? ['the page scrolls'] : [];
  for (const one of stage.querySelectorAll('.view, .view *')) {
    const box = one.getBoundingClientRect();
    const what = `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`;
    if (!box.width) continue;
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth) wrong.push(`wider than its box: ${what}`);
    if (box.left < -0.5 || box.right > innerWidth + 0.5 || box.top < -0.5 || box.bottom > innerHeight + 0.5)
      wrong.push(`outside of the window: ${what}`);
    if (one.closest('.room') && (box.top < room.top - 0.5 || box.bottom > room.bottom + 0.5))
      wrong.push(`outside of its room: ${what}`);
    const text = [...one.childNodes].some(node => node.nodeType === 3);
    if (text && parseFloat(getComputedStyle(one).fontSize) < least) wrong.push(`small letters: ${what}`);
  }
  const boxes = [...stage.querySelectorAll('.box')].map(one => one.getBoundingClientRect());
  const apart = (one, other) => one.right < other.left + 1 || one.bottom < other.top + 1;
  boxes.forEach((one, at) => boxes.slice(at + 1).forEach(other => {
    if (!apart(one, other) && !apart(other, one)) wrong.push(`box ${at} lies on another one`);
  }));
  return wrong;
}
