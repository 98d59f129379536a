// How wide a picture is in each of twenty frames, after two in which the page is laid out.
async (svg) => {
  const widths = [];
  for (let frame = 0; frame < 22; frame++) {
    await new Promise(requestAnimationFrame);
    if (frame > 1) widths.push(svg.getBoundingClientRect().width);
  }
  return widths;
}
