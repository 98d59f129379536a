// What is wider than the window, or than the box that cuts it off, without a tip that says all of it.
() => [...document.querySelectorAll('main *, header *')].filter(one => {
  const box = one.getBoundingClientRect();
  const isSeen = box.width > 1 && !one.closest('.unseen') && getComputedStyle(one).clipPath === 'none';
  const isCut = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === 'hidden';
  return isSeen && (box.right > innerWidth + 1 || (isCut && !one.title));
}).map(one => one.outerHTML.slice(0, 150))
