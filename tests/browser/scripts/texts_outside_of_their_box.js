// The texts of the drawing that are wider than their box, or lie on another box.
panel => {
  const box = one => one.getBoundingClientRect();
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const nodes = [...panel.querySelectorAll('svg .node, svg .cluster')];
  const shapes = nodes.map(node => node.querySelector('path, ellipse'));
  const out = nodes.flatMap((node, n) => [...node.querySelectorAll('text')].filter(
    text => box(text).left < box(shapes[n]).left || box(text).right > box(shapes[n]).right));
  const covered = [...panel.querySelectorAll('svg .edge text')].filter(
    text => shapes.some((shape, n) => nodes[n].matches('.node') && !apart(box(text), box(shape))));
  return [...out, ...covered].map(text => text.textContent);
}
