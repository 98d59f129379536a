// The audience's page: it shows the scene that the server sends, and tells it when the presenter presses a key.
// All texts come from the server and are put on the page as text. Entries (names, prizes) are laid out as large as they
// fit. If their letters would be too small for the last row of the room, there are pages.

const FORWARD = [" ", "Enter", "PageDown", "ArrowRight", "ArrowDown"];
const BACK = ["PageUp", "ArrowLeft", "ArrowUp"];
const APART = 400; // milliseconds: if two presses are closer, only the first counts
const ROLL = 90; // milliseconds until the next name is in a reel
const GRAINS = 140; // of gold dust, for the greatest prize
const READ = 12000; // milliseconds for a page of the last screen
const STRUCK = 900; // milliseconds before a free place rolls, so that the room sees who is absent
// Sizes in letters (em), as in the CSS
const GAP = 0.6; // between two columns
const PADDING = 0.8; // of an entry, left and right together
const LINE = 1.2; // from one line to the next
const ROW = 0.22; // of a row, above and below its lines together
const COUNT = 3.3; // for "50 ×"
const CREDITS = 0.76; // of the width is for names, where their prize stands beside them
const PRIZE = 0.21; // of the width is for the prize there
const ICONS = {
  sound: "M4 9v6h4l5 4V5L8 9zM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12",
  full_screen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};
const SHOWN = ["scene", "title", "words", "theme", "pictures"]; // what the page shows of the model

// What each kind of scene shows. An entry has a name, and perhaps a note, a count, a status, and a group.
const hero = (name, note) => [{ name: name || "", note }];
const ready = ({ place, prize, count }) => ({ above: place, entries: hero(prize, count > 1 && `× ${count}`) });
const SCENES = {
  opening: ({ prizes = [], words = [], code, guests }, word) => ({
    above: word("guests", { guests }), entries: prizes, aside: words, code,
  }),
  // Before the value is given, the room sees how it is typed
  public: ({ question, value, typed, told, code, words: aside }) =>
    value || typed ? { heading: question, entries: [], value: value || typed, told, code, aside } : { entries: hero(question) },
  ready,
  rolling: (scene, word, rolls) => ({
    ...(rolls ? { heading: scene.prize, entries: [] } : ready(scene)), above: word("drawing"),
  }),
  winners: ({ prize, winners = [] }) => ({ heading: prize, entries: winners }),
  closed: ({ prizes = [], words: [first, ...aside] = [], code }) => {
    const entries = prizes.flatMap(({ name: prize, place, winners }) =>
      winners.map((name) => ({ name, group: place ? `${place}. ${prize}` : prize })));
    return entries.length ? { heading: first, entries, aside, code } : { entries: hero(first), aside, code };
  },
  "": () => ({ entries: [] }),
}; // prettier-ignore

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children.filter(Boolean));
  node.normalize();
  return node;
}

/** The parts of a text between which a line may end. A number stays with its word: "iPhone 17", "Pro"; an id is whole. */
const wordsOf = (text) => text.match(/[^\s（]+(\s+\d\S*)*\s*|（\S*\s*/g) ?? [];

/** A text that breaks only between its words, if none of them is wider than its box. */
function textOf(text) {
  return wordsOf(text ?? "").flatMap((part) => {
    const word = part.trimEnd();
    return [/[\s·‐-]|^（/.test(word) ? make("span", "word", word) : word, part.slice(word.length)];
  });
}

function box({ name, note, count, status }) {
  const text = make(status === "absent" ? "s" : "span", "name", ...textOf(name));
  return make("li", `box ${status || ""}`, count && make("b", "count", `${count} ×`), text, note && make("span", "note", ...textOf(note)));
}

/** The public value, letter by letter: each in a box of its own. A gap stands between two groups. */
function valueOf(value) {
  const letters = (group) => make("span", "group", ...[...group].map((letter) => make("span", "letter", letter)));
  const node = make("p", "value", ...value.split(" ").flatMap((group, at) => [at ? " " : "", letters(group)]));
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", value);
  return node;
}

const keyOf = ({ name, note }) => `${name}\n${note}`;

/**
 * Winners in the places that they have. Who is drawn in place of somebody absent gets that place: nobody else moves.
 * If these are the first winners that the room sees, it sees everybody who was called absent before, too.
 */
function placesOf(before, { winners, count, redraw }, first) {
  if (first && !before.length) return winners;
  const present = winners.filter(({ status }) => status !== "absent");
  const absent = winners.filter((one) => !present.includes(one));
  // A page that is loaded during a redraw: those who were absent earlier have been replaced
  if (!before.length && redraw) return count ? [...present, ...absent.slice(Math.min(-1, present.length - count))] : present;
  if (!before.length) return winners;
  const rest = [...winners];
  const stay = before.map((there) => {
    const at = rest.findIndex((one) => keyOf(one) === keyOf(there));
    return at < 0 ? undefined : rest.splice(at, 1)[0];
  });
  const drawn = rest.filter(({ status }) => status !== "absent");
  const places = stay.map((one) => (one && one.status !== "absent" ? one : (drawn.shift() ?? one)));
  return [...places.filter(Boolean), ...drawn];
}

/** One page. What belongs to a group stands beside the group's name, as in the credits of a film. */
function sheetOf(entries) {
  const sheet = make("div", "sheet");
  let list;
  entries.forEach((entry, at) => {
    if (!at || entry.group !== entries[at - 1].group) {
      list = make("ul", "");
      sheet.append(entry.group ? make("section", "", make("h3", "", ...textOf(entry.group)), list) : list);
    }
    list.append(box(entry));
  });
  return Object.assign(sheet, { entries, boxes: [...sheet.querySelectorAll(".box")] });
}

/** Puts a page's boxes into columns. Each column is two tracks, so that a last row that is not full can be centred. */
function place(sheet, columns) {
  const spans = sheet.entries.map(({ span }) => Math.min(span, columns));
  const places = spans.reduce((sum, span) => sum + span);
  const last = places % columns;
  sheet.rows = Math.ceil(places / columns);
  sheet.style.setProperty("--tracks", 2 * columns);
  sheet.style.removeProperty("--air");
  sheet.boxes.forEach((node, at) => (node.style.gridColumn = `span ${2 * spans[at]}`));
  if (sheet.entries[0].group || !spans.slice(-last).every((span) => span === 1)) return;
  for (let at = 0; at < last; at++) sheet.boxes.at(at - last).style.gridColumn = `${1 + columns - last + 2 * at} / span 2`;
}

/** The widest, without those that are far wider than most. */
function usual(widths) {
  const sorted = [...widths].sort((one, other) => one - other);
  return sorted.filter((width) => width <= 2 * sorted[Math.floor(sorted.length / 2)]).at(-1);
}

/** How many lines the words make, in a box that is so wide. */
function linesOf(words, wide) {
  let [lines, left] = [0, 0];
  for (const word of words) {
    const more = word <= left ? 0 : Math.ceil(word / wide);
    lines += more;
    left = more ? more * wide - word : left - word;
  }
  return lines;
}

function stage({ model, el, alone = true }) {
  const view = make("div", "view");
  const lost = make("div", "lottery-lost");
  lost.setAttribute("role", "alert");
  const canvas = make("canvas", "field");
  const beat = make("div", "beat"); // the numbers that the room counts
  beat.setAttribute("aria-hidden", "true");
  const said = make("p", "said"); // for screen readers
  said.setAttribute("aria-live", "polite");
  const pen = document.createElement("canvas").getContext("2d");
  let least; // the size of the smallest letters, in pixels
  let room, footer; // where the entries are, and the page's number
  let sheets = []; // the pages
  let page = 0;
  let shown; // the scene that is on the page
  let looked = []; // what `look` has shown
  let field; // everybody's names, while a prize is drawn
  let places = []; // the winners of the prize, each in the place that it has on the page
  let laid; // what the pages were laid out for
  let passing; // moves the names in places that are drawn again
  let steps = []; // what is still to come of the moment in which winners appear
  let frame, audio, timer, turning;
  let pressed = -APART;
  const others = new BroadcastChannel("lottery-stage");
  others.onmessage = () => steps.length && finish();

  const colour = (name) => getComputedStyle(el).getPropertyValue(`--${name}`);
  const pictureOf = ({ picture }) => Object.hasOwn(model.get("pictures"), picture) && model.get("pictures")[picture];
  const seen = () => model.send({ do: "seen", seen: model.get("moment") });

  function word(key, values = {}) {
    return (model.get("words")[key] ?? "").replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  function show() {
    if (!el.clientWidth) return;
    const scene = model.get("scene");
    const kind = Object.hasOwn(SCENES, scene.kind) ? scene.kind : "";
    const same = scene.prize === shown?.prize;
    const fresh = kind !== shown?.kind || !same;
    const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    const known = places.map(keyOf);
    if (!same || !["rolling", "winners"].includes(kind)) places = [];
    const ends = kind === "winners" && shown?.kind === "rolling" && same;
    if (scene.winners) places = placesOf(places, scene, ends);
    const again = kind === "rolling" && scene.redraw && places.some(({ status }) => status === "absent");
    const rolls = kind === "rolling" && !again && moves && model.get("names").length > 0;
    const comes = ends && moves; // the moment
    const content = again
      ? { heading: scene.prize, entries: places, above: word("drawing") }
      : SCENES[kind]({ ...scene, winners: places }, word, rolls);
    stop();
    clearInterval(turning);

    // Who is on the page already stays where they are.
    const around = [el.clientWidth, el.clientHeight, scene.mark, model.get("title"), model.get("pictures").logo?.length, model.get("theme"), pictureOf(scene)?.length];
    const layout = places.length && JSON.stringify([scene.prize, places.length, ...around]);
    const stays = layout && layout === laid;
    const size = stays && room.style.fontSize;
    build(kind, content, scene);
    laid = layout;
    if (stays) room.style.fontSize = size;
    else sheets = rolls ? [] : fit(content.entries, kind === "closed" ? 0.1 : places.length === 1 ? 0.4 : 0.28, least);
    const reels = stays && comes ? free() : [];
    if (stays && !reels.length) refill();
    const drawn = places.findIndex((one) => one.status === "new" && !known.includes(keyOf(one)));
    if (fresh && !stays) page = pageWith(model.get("first"));
    else if (kind === "winners" && drawn >= 0) page = pageWith(drawn);
    el.classList.toggle("fresh", fresh && !stays && !(comes && field));
    turn();
    if (content.value) spell();
    if (kind === "closed" && sheets.length > 1) turning = setInterval(turnByItself, READ);

    if (!rolls && !(comes && field)) field = field?.stop();
    if (rolls) field = newField();
    else if (again && moves) pass();
    else if (reels.length) land(reels);
    else if (comes && field) reveal(scene.rank ?? 0);
    else if (kind === "winners") {
      if (shown && fresh && model.get("sound")) chime();
      seen();
    }
    shown = { ...scene, kind };
  }

  /** Shows what has changed, once: news may have several of these, and a second time would end the moment. */
  function look() {
    const now = SHOWN.map((trait) => model.get(trait));
    if (now.some((each, at) => each !== looked[at])) show();
    looked = now;
  }

  function build(kind, { above, heading, aside = [], code, value, told }, scene) {
    const { mark, rank = 0 } = scene;
    el.dataset.kind = kind;
    el.style.setProperty("--rank", rank);
    el.classList.toggle("greatest", rank === 1);
    least = 15.15 + 0.0067 * el.clientWidth; // 22 at 1024, 28 at 1920
    el.style.setProperty("--least", `${least}px`);
    el.classList.toggle("with-code", Boolean(code));
    el.dataset.theme = model.get("theme");
    const ground = pictureOf({ picture: "background" });
    el.classList.toggle("with-ground", Boolean(ground));
    if (ground) el.style.setProperty("--ground", `url(${ground})`);
    const picture = (name, src, alt) => Object.assign(make("img", name), { src, alt });
    const shows = ["ready", "winners"].includes(kind) && pictureOf(scene);
    const { logo: source } = model.get("pictures");
    const logo = source && picture("logo", source, "");
    room = make("div", "room", value && valueOf(value));
    footer = make("footer", "");
    view.replaceChildren(
      make("header", "", mark && make("b", "mark", mark), logo, make("h1", "", model.get("title")), above && make("p", "above", above)),
      make("main", "", heading && make("h2", "", ...textOf(heading)), shows && picture("prize", shows, ""), room, told && make("p", "told", told)),
      make("aside", "", code && picture("code", code, word("code")),
        ...aside.map((text) => make("p", "", text))),
      footer,
    ); // prettier-ignore
  }

  /** Makes the letters of the public value as large as they fit. */
  function spell() {
    const value = room.firstChild;
    let [low, high] = [least, 0.25 * room.clientHeight];
    while (high - low > 1) {
      const size = (low + high) / 2;
      value.style.fontSize = `${size}px`;
      if (value.offsetHeight <= room.clientHeight && value.scrollWidth <= room.clientWidth) low = size;
      else high = size;
    }
    value.style.fontSize = `${low}px`;
  }

  /** The page that has a certain entry. Windows of other sizes have other pages, but the same entries. */
  function pageWith(at) {
    let entries = 0;
    return Math.max(0, sheets.findIndex((sheet) => (entries += sheet.entries.length) > at));
  }

  function turn() {
    page = Math.max(0, Math.min(page, sheets.length - 1));
    const entries = sheets[page]?.entries ?? [];
    if (sheets[page]) room.replaceChildren(sheets[page]);
    footer.replaceChildren(
      make("span", "legends", ...["new", "absent"].map((one) =>
        entries.some(({ status }) => status === one) && make("span", `legend is-${one}`, word(one)))),
      make("span", "page", sheets.length > 1 && word("page", { page: page + 1, pages: sheets.length })),
    );
    const names = entries.map(({ name, status }) => (status ? `${name} (${word(status)})` : name));
    const text = [...view.querySelectorAll(".mark, .above, h2, .value, .told")].map((node) => node.textContent).concat(names);
    said.textContent = text.filter(Boolean).join(", ");
  }

  /** The last screen shows all its pages, one after another, until somebody turns one. */
  function turnByItself() {
    page = (page + 1) % sheets.length;
    el.classList.add("fresh");
    turn();
  }

  const widths = new Map(); // in letters; to measure takes long
  function widthOf(text, weight = 600) {
    const key = `${weight} ${text}`;
    if (!widths.has(key)) {
      pen.font = `${weight} 100px ${getComputedStyle(el).fontFamily}`;
      widths.set(key, pen.measureText(text).width / 100);
    }
    return widths.get(key);
  }
  const parts = (text, weight) => wordsOf(text || "").map((part) => widthOf(part, weight));

  /** Returns the entries as pages: as few as there must be, all in letters of one size, as large as fit. */
  function fit(given, most, smallest) {
    if (!given.length) return [];
    const entries = given.map((entry) => ({
      words: parts(entry.name, 600),
      noted: parts(entry.note, 400),
      beside: entry.count ? COUNT : 0,
      ...entry,
    }));
    const whole = entries[0].words.reduce((sum, part) => sum + part, 0);
    const high = room.clientHeight;
    const wide = room.clientWidth * (entries[0].group ? CREDITS : 1);
    // One name stands on one line, if it does not become small there
    if (entries.length === 1 && wide / (whole + PADDING) > 0.3 * most * high) entries[0].words = [whole];
    const name = usual(entries.map(({ words, beside }) => words.reduce((sum, part) => sum + part, beside))) + PADDING;
    const longest = usual(entries.map(({ words }) => Math.max(0, ...words))) + PADDING;
    const column = (columns, size) => (wide + GAP * size) / columns - GAP * size;

    function heightOf(chunk, columns, size) {
      const small = Math.max(size / 2, least); // of a note
      let [sum, used, tall] = [0, 0, 0];
      for (const [at, entry] of chunk.entries()) {
        if (sum > high) return sum;
        const space = (span) => span * column(columns, size) + (span - 1) * GAP * size - PADDING * size;
        const lines = (span) => linesOf(entry.words, space(span) / size - entry.beside);
        entry.span = columns > 1 && lines(1) > 2 ? 2 : 1;
        const other = at > 0 && entry.group !== chunk[at - 1].group;
        if (other || used + entry.span > columns) {
          sum += tall + (other ? 0.5 * size : 0);
          used = tall = 0;
        }
        used += entry.span;
        const notes = linesOf(entry.noted, space(entry.span) / small) * small;
        tall = Math.max(tall, LINE * (lines(entry.span) * size + notes) + ROW * size);
      }
      return sum + tall;
    }

    /** The number of columns with which each page holds its chunk, or 0. */
    function columnsFor(chunks, size) {
      for (let columns = 1; columns === 1 || column(columns, size) >= name * size; columns++)
        if (chunks.every((chunk) => heightOf(chunk, columns, size) <= 0.98 * high)) return columns;
      return 0;
    }

    for (let number = 1; ; number++) {
      const each = Math.ceil(entries.length / number);
      const chunks = [];
      for (let at = 0; at < entries.length; at += each) chunks.push(entries.slice(at, at + each));
      if (each > 1 && !columnsFor(chunks, smallest)) continue;
      let low = each > 1 ? smallest : 1;
      let top = Math.max(low, Math.min(most * high, Math.max(wide / name, Math.min(wide / longest, 0.13 * high))));
      while (top > 1.01 * low) {
        const size = (low + top) / 2;
        if (columnsFor(chunks, size)) low = size;
        else top = size;
      }
      // The browser has the last word: it may break a line elsewhere.
      const pages = chunks.map(sheetOf);
      room.replaceChildren(...pages);
      for (let size = low; size >= smallest || each === 1; size *= 0.97) {
        const columns = columnsFor(chunks, size) || 1;
        room.style.fontSize = `${size}px`;
        for (const sheet of pages) {
          place(sheet, columns);
          sheet.column = column(columns, size) / size;
        }
        for (const prize of room.querySelectorAll("h3")) {
          const longest = Math.max(...parts(prize.textContent, 600)); // it is not broken
          const smallest = el.clientWidth < 600 ? 10 : least; // a phone is near
          prize.style.fontSize = `${Math.max(smallest, Math.min(size, (PRIZE * room.clientWidth) / longest))}px`;
        }
        const free = high - Math.max(...pages.map((sheet) => sheet.offsetHeight));
        if (free < 0 && size > 1) continue;
        for (const sheet of pages) sheet.style.setProperty("--air", `${Math.min(0.5 * size, free / (sheet.rows + 1))}px`);
        return pages;
      }
    }
  }

  // The moment. Who wins was drawn before; what the room sees is theatre.

  function newField() {
    field?.stop();
    const sharp = Math.min(devicePixelRatio, 2560 / el.clientWidth) * (el.getBoundingClientRect().width / el.clientWidth);
    canvas.width = Math.round(el.clientWidth * sharp);
    canvas.height = Math.round(el.clientHeight * sharp);
    const [across, down] = [room.offsetWidth / 2, room.offsetHeight / 2];
    return fieldOf(canvas, {
      names: model.get("names"), least: 1.3 * least, family: getComputedStyle(el).fontFamily, text: colour("text"), gold: colour("gold"), sharp,
      x: room.offsetLeft + across, y: room.offsetTop + down, across: 0.9 * across, down: 0.98 * down,
    }); // prettier-ignore
  }

  const at = (time, act) => steps.push(setTimeout(act, time));

  function stop() {
    steps.forEach(clearTimeout);
    steps = [];
    cancelAnimationFrame(frame);
    beat.textContent = "";
    delete el.dataset.moment;
  }

  /** Shows the result of the moment at once, in all windows of this browser. */
  function skip() {
    others.postMessage("skip");
    finish();
  }

  function finish() {
    stop();
    refill();
    for (const each of room.getAnimations({ subtree: true })) each.finish();
    turn();
    field?.fade(0);
    seen();
  }

  /** Everybody's names come to rest on the winners while the room counts: the greater the prize, the longer. */
  function reveal(rank) {
    const [build, step, hold, flight] = [300 + 1500 * rank, 600 + 350 * rank, 250 + 650 * rank, 800 + 500 * rank];
    const { entries, boxes } = sheets[page];
    const [counted, landed] = [build + 3 * step, build + 3 * step + hold];
    el.dataset.moment = "build";
    field.hurry(2 + 3 * rank);
    at(build, () => field.rest(entries.map(({ name }) => name), 3 * step));
    [3, 2, 1].forEach((number, since) => at(build + since * step, () => {
      el.dataset.moment = "count";
      beat.style.animationDuration = `${step}ms`;
      beat.replaceChildren(make("b", "", number));
      if (model.get("sound")) play([number === 1 ? 392 : 261.63], 0.2);
    })); // prettier-ignore
    at(counted, () => {
      el.dataset.moment = "hush";
      beat.textContent = "";
      field.light();
    });
    at(landed, () => {
      el.dataset.moment = "shine";
      if (model.get("sound")) chime();
      const names = boxes.map((node) => node.querySelector(".name"));
      const places = names.map((name, number) => { // all are read before one is written: the browser lays out once
        const from = field.take(entries[number].name);
        const [x, y] = [name.offsetLeft + name.offsetWidth / 2, name.offsetTop + name.offsetHeight / 2];
        const small = from.size / parseFloat(getComputedStyle(name).fontSize);
        return `translate(${from.x - x}px, ${from.y - y}px) scale(${small})`;
      }); // prettier-ignore
      names.forEach((name, number) => {
        const timing = { duration: flight, delay: Math.min(90, 700 / names.length) * number, fill: "backwards" };
        const path = [{ transform: places[number], color: colour("gold") }, { transform: "none" }];
        name.animate(path, { ...timing, easing: "cubic-bezier(0.3, 0.9, 0.3, 1)" });
        name.nextSibling?.animate([{ opacity: 0 }, { opacity: 0, offset: 0.6 }, { opacity: 1 }], timing);
      });
      field.fade(rank === 1 ? GRAINS : 0);
    });
    at(landed + flight + 700, () => {
      stop();
      seen();
    });
  }

  /** The boxes that are drawn again. */
  const free = () => sheets.flatMap(({ boxes }) => boxes.filter((node) => node.classList.contains("reel")));

  /** A redraw: names pass by in the free places, and nowhere else. No name stands in two places. */
  function pass() {
    const boxes = sheets.flatMap((sheet) => sheet.boxes.filter((node) => node.classList.contains("absent")));
    page = Math.max(0, sheets.findIndex((sheet) => sheet.boxes.includes(boxes[0])));
    turn();
    const held = new Set(places.map(({ name }) => name));
    const others = shuffled([...new Set(model.get("names"))].filter((name) => !held.has(name)));
    if (others.length <= boxes.length) return; // who remains would be told before
    for (const node of boxes) {
      node.style.height = getComputedStyle(node).height;
      node.classList.add("reel");
    }
    let next = 0;
    let start;
    passing = (now) => {
      start ??= now + STRUCK;
      boxes.forEach((node, number) => {
        const round = Math.floor((now - start) / ROLL + 0.37 * number); // not all at once
        if (now < start || round === node.round || !node.isConnected) return;
        const inside = node.clientWidth / parseFloat(room.style.fontSize) - PADDING;
        const name = others[next++ % others.length];
        const line = make("span", "name", name);
        line.style.fontSize = `${Math.min(1, inside / widthOf(name))}em`;
        node.round = round;
        node.classList.remove("absent");
        node.replaceChildren(line);
        footer.querySelector(".is-absent")?.style.setProperty("visibility", "hidden"); // nobody is struck out now
      });
      frame = requestAnimationFrame(passing);
    };
    frame = requestAnimationFrame(passing);
  }

  /** The free places come to rest, one after another. */
  function land(boxes) {
    el.dataset.moment = "land";
    frame = requestAnimationFrame(passing);
    const gap = Math.min(500, 2400 / boxes.length);
    boxes.forEach((node, number) => at(700 + gap * number, () => refill(node)));
    at(700 + gap * boxes.length, () => {
      if (model.get("sound")) chime();
      finish();
    });
  }

  /** Puts the winners into the boxes that are there, or into one of them. Nothing else moves. */
  function refill(only) {
    let number = 0;
    for (const sheet of sheets)
      sheet.boxes.forEach((old, at) => {
        const [was, now] = [sheet.entries[at], places[number++]];
        const stays = keyOf(was) === keyOf(now);
        if ((only && old !== only) || (stays && was.status === now.status && !old.classList.contains("reel"))) return;
        const entry = { ...was, ...now, words: parts(now.name, 600) };
        const node = box(entry);
        const inside = entry.span * (sheet.column + GAP) - GAP - PADDING;
        const lines = Math.max(1, linesOf(was.words, inside));
        let size = 1;
        while (size > 0.3 && linesOf(entry.words, inside / size) > lines) size -= 0.03;
        node.querySelector(".name").style.fontSize = size < 1 ? `${size}em` : "";
        node.style.gridColumn = old.style.gridColumn;
        node.classList.toggle("landed", !stays);
        old.replaceWith(node);
        [sheet.boxes[at], sheet.entries[at]] = [node, entry];
      });
  }

  // Keys, clicks and buttons

  function press(way) {
    const now = performance.now();
    if (now - pressed < APART) return;
    pressed = now;
    if (steps.length) skip();
    else if (sheets[page + way]) {
      clearInterval(turning);
      page += way;
      el.classList.add("fresh");
      turn();
      const before = sheets.slice(0, page).reduce((sum, sheet) => sum + sheet.entries.length, 0);
      model.send({ do: "turned", first: before });
    } else model.send({ do: "press", way: way > 0 ? "advance" : "back", seen: model.get("moment") });
  }

  function key(event) {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (target.isContentEditable || target.matches?.("input, textarea, select")) return;
    if (target.matches?.("button, a, summary") && [" ", "Enter"].includes(event.key)) return;
    const way = FORWARD.includes(event.key) - BACK.includes(event.key);
    const own = { f: fullScreen, s: toggleSound }[event.key.toLowerCase()];
    if (!way && !own) return;
    event.preventDefault();
    if (event.repeat) return;
    if (way) press(way);
    else own();
  }

  function button(name, act) {
    const node = make("button", name);
    node.type = "button";
    node.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    node.addEventListener("click", () => {
      act();
      node.blur(); // the next Space is a press again
    });
    return node;
  }

  function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  }

  function toggleSound() {
    model.set("sound", !model.get("sound"));
    model.save_changes();
    if (model.get("sound")) chime();
  }

  function play(frequencies, long) {
    audio ??= new AudioContext();
    audio.resume();
    frequencies.forEach((frequency, at) => {
      const start = audio.currentTime + 0.09 * at;
      const loud = audio.createGain();
      loud.gain.setValueAtTime(0.001, start);
      loud.gain.exponentialRampToValueAtTime(0.25, start + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, start + long);
      const tone = new OscillatorNode(audio, { type: "triangle", frequency });
      tone.connect(loud).connect(audio.destination);
      tone.start(start);
      tone.stop(start + long + 0.1);
    });
  }

  const chime = () => play([523.25, 659.25, 783.99, 1046.5], 0.9);

  function label() {
    el.lang = word("language");
    if (alone) {
      document.documentElement.lang = word("language");
      document.title = word("tab");
    }
    for (const name in ICONS) {
      const node = el.querySelector(`button.${name}`);
      node.title = word(name);
      node.setAttribute("aria-label", word(name));
    }
    el.querySelector("button.sound").setAttribute("aria-pressed", model.get("sound"));
    lost.replaceChildren(make("b", "", word("lost")), word("lost_next") && make("span", "", word("lost_next")));
  }

  function rest() {
    el.classList.remove("resting");
    clearTimeout(timer);
    timer = setTimeout(() => el.classList.add("resting"), 3000);
  }

  function tell() {
    lost.classList.toggle("is-lost", model.get("lost_link"));
  }

  el.classList.add("lottery-stage");
  el.append(canvas, view, make("div", "buttons", button("sound", toggleSound), button("full_screen", fullScreen)), beat, said);
  document.body.append(lost); // over the operator's page, too
  for (const trait of SHOWN) model.on(`change:${trait}`, look);
  model.on("change:names", () => shown?.kind === "rolling" && !field && !free().length && show()); // they came late
  for (const trait of ["sound", "words"]) model.on(`change:${trait}`, label);
  model.on("change:lost_link", tell);
  model.on("change:first", () => {
    page = pageWith(model.get("first"));
    turn();
  });
  document.addEventListener("keydown", key);
  el.addEventListener("pointermove", rest);
  el.addEventListener("click", (event) => event.target.closest("button") || press(1));
  label();
  rest();
  const resized = new ResizeObserver(show); // it also shows the first scene
  resized.observe(el);
  return { press };
}
