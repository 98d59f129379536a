// What is wrong with a drawn workflow, each as a sentence.
() => {
  const svg = document.querySelector('svg'), wrong = [];
  const all = (selector, from = svg) => [...from.querySelectorAll(selector)];
  const box = element => element.getBoundingClientRect();
  // Without the spaces around its letters.
  const letters = text => {
    const [first, last] = [text.textContent.search(/\S/), text.textContent.trimEnd().length - 1];
    const [from, to] = [first, last].map(each => text.getExtentOfChar(each)), matrix = text.getScreenCTM();
    const [a, b] = [new DOMPoint(from.x, from.y), new DOMPoint(to.x + to.width, to.y + to.height)];
    const [start, end] = [a.matrixTransform(matrix), b.matrixTransform(matrix)];
    return {left: start.x, right: end.x, top: start.y, bottom: end.y};
  };
  const union = boxes => ({
    left: Math.min(...boxes.map(it => it.left)), right: Math.max(...boxes.map(it => it.right)),
    top: Math.min(...boxes.map(it => it.top)), bottom: Math.max(...boxes.map(it => it.bottom))});
  const meet = (a, b, room = 0) => a.left < b.right + room && b.left < a.right + room
    && a.top < b.bottom + room && b.top < a.bottom + room;
  const holds = (a, b) => a.left <= b.left && b.right <= a.right && a.top <= b.top && b.bottom <= a.bottom;
  const states = all('.state').map(it => ({name: it.querySelector('text').textContent, it,
    outline: box(it.querySelector('path')), isBox: it.classList.contains('cluster'),
    texts: union(all('text', it).map(box)), icons: all('.icon', it).map(box)}));
  const labels = all('.edge').filter(it => it.querySelector('text')).map(it => ({it,
    words: all('text', it).map(text => text.textContent.trim()).join(' '),
    box: union(all('text', it).map(letters)), path: it.querySelector('path')}));
  for (const state of states) {
    if (!state.icons.length) wrong.push(`${state.name} has no sign`);
    if (state.icons.some(icon => meet(icon, state.texts, 1))) wrong.push(`${state.name} lies on a sign`);
    if (!holds(state.outline, state.texts)) wrong.push(`${state.name} is wider than its state`);
  }
  labels.forEach((label, number) => {
    const told = `${label.words} (${label.it.id})`;
    if (!holds(box(svg), label.box)) wrong.push(`${told} is cut off`);
    for (const other of labels.slice(0, number))
      if (meet(label.box, other.box)) wrong.push(`${told} lies on ${other.words}`);
    for (const state of states) {
      if (!state.isBox && meet(label.box, state.outline)) wrong.push(`${told} lies on ${state.name}`);
      if (state.isBox && meet(label.box, state.texts)) wrong.push(`${told} lies on the title ${state.name}`);
      if (state.isBox && meet(label.box, state.outline) && !holds(state.outline, label.box))
        wrong.push(`${told} crosses the border of ${state.name}`);
    }
    const matrix = label.path.getScreenCTM(), length = label.path.getTotalLength();
    let nearest = Infinity, inside = 0;
    for (let at = 0; at <= length; at += length / 200) {
      const point = label.path.getPointAtLength(at).matrixTransform(matrix);
      const x = Math.max(label.box.left - point.x, 0, point.x - label.box.right);
      const y = Math.max(label.box.top - point.y, 0, point.y - label.box.bottom);
      nearest = Math.min(nearest, Math.hypot(x, y));
    }
    if (nearest > 40) wrong.push(`${told} stands ${Math.round(nearest)} px from its edge`);
    if (nearest < 1) wrong.push(`${told} touches its edge`);
  });
  return wrong;
}
