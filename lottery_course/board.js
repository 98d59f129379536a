// Shows what the server sends: the lines that changed, their order, and how many there are.
const { lessons, words } = JSON.parse(document.getElementById('data').textContent);
const at = id => document.getElementById(id);
const body = document.querySelector('tbody');
const still = matchMedia('(prefers-reduced-motion: reduce)');
const rows = new Map();
const shown = new Map();
const marks = { '-1': ['d', '✓'], 0: ['o', ''] };

function element(name, role, className = '', text = '') {
  const made = document.createElement(name);
  if (role) made.setAttribute('role', role);
  made.className = className;
  made.textContent = text;
  return made;
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function inWords(tries) {
  if (tries < 0) return words.done;
  return tries ? fill(words.tried, { count: tries }) : words.open;
}

function cellOf(line, lesson, tries) {
  const cell = element('td', 'cell', `lesson${line.lesson === lesson.number ? ' here' : ''}`);
  cell.dataset.lesson = lesson.number;
  const box = cell.appendChild(element('span', '', 'marks'));
  box.setAttribute('aria-hidden', 'true');
  for (const each of tries) {
    const [kind, sign] = marks[each] ?? ['t', each > 9 ? '+' : each];
    box.append(element('i', '', kind, sign));
  }
  cell.title = lesson.checks.map((name, index) => `${name}: ${inWords(tries[index])}`).join('\n');
  if (tries.some(Boolean)) {
    const count = { done: tries.filter(each => each < 0).length, count: tries.length };
    cell.append(element('span', '', 'unseen', fill(words.some, count)));
  }
  return cell;
}

function rowOf(line) {
  const row = element('tr', 'row');
  row.dataset.kind = line.kind;
  const name = element('th', 'rowheader', '', line.name);
  name.scope = 'row';
  name.title = line.name;
  const why = element('td', 'cell', 'why');
  why.append(element('span', '', '', line.why));
  row.append(name, why, ...lessons.map((lesson, index) => cellOf(line, lesson, line.cells[index])));
  return row;
}

function arrange(order) {
  const before = new Map([...rows].map(([number, row]) => [number, row.offsetTop]));
  order.forEach((number, index) => {
    const row = rows.get(number);
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  if (still.matches || document.hidden) return;
  for (const [number, row] of rows) {
    const moved = (before.get(number) ?? row.offsetTop) - row.offsetTop;
    if (moved) row.animate([{ transform: `translateY(${moved}px)` }, {}], { duration: 250, easing: 'ease-out' });
  }
}

// A lesson that nobody has begun is a narrow column. The others get its place.
function narrow() {
  const all = [...shown.values()];
  const isBegun = (lesson, index) => all.some(line => line.lesson === lesson.number || line.cells[index].some(Boolean));
  const begun = new Set(lessons.filter(isBegun).map(lesson => lesson.number));
  for (const cell of document.querySelectorAll('.lesson')) cell.classList.toggle('idle', !begun.has(cell.dataset.lesson));
  document.body.style.setProperty('--begun', begun.size);
}

function show({ lines, order, top }) {
  for (const line of lines) {
    const row = rowOf(line);
    rows.get(line.number)?.replaceWith(row);
    rows.set(line.number, row);
    if (line.kind === 'help' && shown.get(line.number)?.kind !== 'help') at('said').textContent = `${line.name}: ${line.why}`;
    shown.set(line.number, line);
  }
  const there = new Set(order);
  for (const [number, row] of rows) {
    if (there.has(number)) continue;
    row.remove();
    rows.delete(number);
    shown.delete(number);
  }
  arrange(order);
  narrow();
  at('nobody').hidden = order.length > 0;
  at('board').hidden = order.length === 0;
  at('attendees').textContent = top.attendees;
  at('words').textContent = top.words;
  at('done').textContent = top.lesson ? `${top.done} / ${top.attendees}` : '–';
  at('share').value = top.attendees ? top.done / top.attendees : 0;
  for (const tile of document.querySelectorAll('[data-kind]:is(b)')) {
    const count = [...shown.values()].filter(line => line.kind === tile.dataset.kind).length;
    tile.textContent = count;
    tile.parentElement.classList.toggle('some', count > 0);
    if (tile.dataset.kind === 'help') document.title = count ? `(${count}) ${words.title}` : words.title;
  }
  for (const head of document.querySelectorAll('thead .lesson')) {
    head.classList.toggle('now', head.dataset.lesson === top.lesson);
  }
}

const events = new EventSource('events');
events.onopen = () => { at('connection').hidden = true; };
events.onerror = () => { at('connection').hidden = false; };
events.onmessage = event => show(JSON.parse(event.data));

at('copy').onclick = async () => {
  const range = document.createRange();
  range.selectNodeContents(at('command'));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  try { await navigator.clipboard.writeText(at('command').textContent); } catch { document.execCommand('copy'); }
  at('copy').textContent = words.copied;
};
if (at('save')) {
  at('save').onclick = async () => {
    const reply = await fetch('save', { method: 'POST' }).catch(() => ({}));
    at('save').textContent = reply.ok ? words.saved : words.unsaved;
  };
}
