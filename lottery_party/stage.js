// The audience's page: it shows the scene that Python sends, and tells Python when the presenter presses a key.
// All texts come from Python and are put on the page as text. Entries (names, prizes) are laid out as large as they
// fit. If their letters would be too small for the last row of the room, there are pages.

const FORWARD = [" ", "Enter", "PageDown", "ArrowRight", "ArrowDown"];
const BACK = ["PageUp", "ArrowLeft", "ArrowUp"];
const APART = 400; // milliseconds: if two presses are closer, only the first counts
const REELS = 30; // at most so many names roll
const ROLL = 80; // milliseconds until the next name is in a reel
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

// What each kind of scene shows. An entry has a name, and perhaps a note, a count, a status, and a group.
const hero = (name, note) => [{ name: name || "", note }];
const ready = ({ place, prize, count }) => ({ above: place, entries: hero(prize, count > 1 && `× ${count}`) });
const SCENES = {
  opening: ({ prizes = [], words = [], code, guests }, word) => ({
    above: word("guests", { guests }), entries: prizes, aside: words, code,
  }),
  public: ({ question, value }) => ({ heading: value && question, entries: hero(value || question) }),
  ready,
  rolling: (scene, word, rolls) => ({
    ...(rolls ? { heading: scene.prize, entries: [] } : ready(scene)), above: word("drawing"),
  }),
  winners: ({ prize, winners = [] }) => ({ heading: prize, entries: winners }),
  closed: ({ prizes = [], words: [first, ...aside] = [], code }) => {
    const entries = prizes.flatMap(({ name: group, winners }) => winners.map((name) => ({ name, group })));
    return entries.length ? { heading: first, entries, aside, code } : { entries: hero(first), aside, code };
  },
  "": () => ({ entries: [] }),
}; // prettier-ignore

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children.filter(Boolean));
  return node;
}

function box({ name, note, count, status, reel }) {
  const text = make(status === "absent" ? "s" : "span", "name", name);
  return make("li", `box ${reel ? "reel" : status || ""}`, count && make("b", "count", `${count} ×`), text, note && make("span", "note", note));
}

/** One page. What belongs to a group stands beside the group's name, as in the credits of a film. */
function sheetOf(entries) {
  const sheet = make("div", "sheet");
  let list;
  entries.forEach((entry, at) => {
    if (!at || entry.group !== entries[at - 1].group) {
      list = make("ul", "");
      sheet.append(entry.group ? make("section", "", make("h3", "", entry.group), list) : list);
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

function render({ model, el }) {
  const view = make("div", "view");
  const lost = make("p", "lost");
  const said = make("p", "said"); // for screen readers
  said.setAttribute("aria-live", "polite");
  const pen = document.createElement("canvas").getContext("2d");
  let least; // the size of the smallest letters, in pixels
  let room, footer; // where the entries are, and the page's number
  let sheets = []; // the pages
  let page = 0;
  let shown; // the scene that is on the page
  let frame, audio, timer;
  let pressed = -APART;

  function word(key, values = {}) {
    return (model.get("words")[key] ?? "").replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  }

  function show() {
    if (!el.clientWidth) return;
    const scene = model.get("scene");
    const kind = Object.hasOwn(SCENES, scene.kind) ? scene.kind : "";
    const fresh = kind !== shown?.kind || scene.prize !== shown.prize;
    const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    const rolls = kind === "rolling" && moves && model.get("names").length > 0;
    const content = SCENES[kind](scene, word, rolls);
    cancelAnimationFrame(frame);
    build(kind, content);
    if (rolls) roll(scene.count);
    else sheets = fit(content.entries, kind === "closed" ? 0.1 : 0.28, least);
    if (fresh) page = pageWith(model.get("first"));
    else if (kind === "winners") {
      const known = shown.winners.map(({ name, note }) => `${name} ${note}`);
      const drawn = scene.winners.findIndex((one) => one.status === "new" && !known.includes(`${one.name} ${one.note}`));
      if (drawn >= 0) page = Math.floor(drawn / sheets[0].entries.length);
    }
    el.classList.toggle("fresh", fresh);
    turn();
    if (shown && fresh && kind === "winners" && model.get("sound")) chime();
    shown = { ...scene, kind };
  }

  function build(kind, { above, heading, aside = [], code }) {
    el.dataset.kind = kind;
    least = 15.15 + 0.0067 * el.clientWidth; // 22 at 1024, 28 at 1920
    el.style.setProperty("--least", `${least}px`);
    el.classList.toggle("with-code", Boolean(code));
    const picture = (name, src, alt) => Object.assign(make("img", name), { src, alt });
    const logo = model.get("logo").startsWith("data:image/") && picture("logo", model.get("logo"), "");
    const svg = code?.includes("xmlns") ? code : code?.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
    room = make("div", "room");
    footer = make("footer", "");
    view.replaceChildren(
      make("header", "", logo, make("h1", "", model.get("title")), above && make("p", "above", above)),
      make("main", "", heading && make("h2", "", heading), room),
      make("aside", "", svg && picture("code", `data:image/svg+xml,${encodeURIComponent(svg)}`, word("code")),
        ...aside.map((text) => make("p", "", text))),
      footer,
    ); // prettier-ignore
  }

  /** The page that has a certain entry. Windows of other sizes have other pages, but the same entries. */
  function pageWith(at) {
    let entries = 0;
    return Math.max(0, sheets.findIndex((sheet) => (entries += sheet.entries.length) > at));
  }

  function turn() {
    page = Math.max(0, Math.min(page, sheets.length - 1));
    const entries = sheets[page]?.entries ?? [];
    room.replaceChildren(sheets[page] ?? "");
    footer.replaceChildren(
      make("span", "legends", ...["new", "absent"].map((one) =>
        entries.some(({ status }) => status === one) && make("span", `legend is-${one}`, word(one)))),
      make("span", "page", sheets.length > 1 && word("page", { page: page + 1, pages: sheets.length })),
    );
    const names = entries.map(({ name, status }) => (status ? `${name} (${word(status)})` : name));
    const text = [...view.querySelectorAll(".above, h2")].map((node) => node.textContent).concat(names);
    said.textContent = text.filter(Boolean).join(", ");
  }

  function widthOf(text, weight = 600) {
    pen.font = `${weight} 100px ${getComputedStyle(el).fontFamily}`;
    return pen.measureText(text).width / 100;
  }

  /** Returns the entries as pages: as few as there must be, all in letters of one size, as large as fit. */
  function fit(given, most, smallest) {
    if (!given.length) return [];
    const parts = (text, weight) => (text || "").split(/(?<=[\s·-])/).map((part) => widthOf(part, weight));
    const entries = given.map((entry) => ({
      words: parts(entry.name, 600),
      noted: parts(entry.note, 400),
      beside: entry.count ? COUNT : entry.status === "new" ? PADDING : 0,
      ...entry,
    }));
    const high = room.clientHeight;
    const wide = room.clientWidth * (entries[0].group ? CREDITS : 1);
    const name = usual(entries.map(({ words, beside }) => words.reduce((sum, part) => sum + part, beside))) + PADDING;
    const column = (columns, size) => (wide + GAP * size) / columns - GAP * size;

    function heightOf(chunk, columns, size) {
      const small = Math.max(size / 2, least); // of a note
      let [sum, used, tall] = [0, 0, 0];
      chunk.forEach((entry, at) => {
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
      });
      return sum + tall;
    }

    /** The number of columns with which each page holds its chunk, or 0. */
    function columnsFor(chunks, size) {
      for (let columns = 1; columns === 1 || column(columns, size) >= name * size; columns++)
        if (chunks.every((chunk) => heightOf(chunk, columns, size) <= high)) return columns;
      return 0;
    }

    for (let number = 1; ; number++) {
      const each = Math.ceil(entries.length / number);
      const chunks = [];
      for (let at = 0; at < entries.length; at += each) chunks.push(entries.slice(at, at + each));
      if (each > 1 && !columnsFor(chunks, smallest)) continue;
      let low = each > 1 ? smallest : 1;
      let top = Math.max(low, Math.min(most * high, Math.max(wide / name, 0.13 * high)));
      while (top - low > 0.25) {
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
        for (const sheet of pages) place(sheet, columns);
        for (const prize of room.querySelectorAll("h3")) {
          const word = Math.max(...parts(prize.textContent, 600)); // it is not broken
          prize.style.fontSize = `${Math.max(least, Math.min(size, (PRIZE * room.clientWidth) / word))}px`;
        }
        const free = high - Math.max(...pages.map((sheet) => sheet.offsetHeight));
        if (free < 0 && size > 1) continue;
        for (const sheet of pages) sheet.style.setProperty("--air", `${Math.min(0.5 * size, free / (sheet.rows + 1))}px`);
        return pages;
      }
    }
  }

  /** Theatre: names roll by. Who wins was drawn before. */
  function roll(count) {
    const any = (list) => list[Math.floor(Math.random() * list.length)];
    const all = model.get("names"); // to measure 10,000 would take long
    const names = Array.from({ length: 400 }, () => any(all)).map((name) => [name, widthOf(name)]);
    const words = [usual(names.map(([, wide]) => wide))];
    const reels = Array.from({ length: Math.min(count, REELS) }, () => ({ reel: true, name: "", words }));
    sheets = fit(reels, 0.28, 1.5 * least).slice(0, 1);
    const lines = sheets[0].boxes.map((box) => box.querySelector(".name"));
    const inside = sheets[0].boxes[0].clientWidth / parseFloat(room.style.fontSize) - PADDING;

    function move(now) {
      lines.forEach((line, at) => {
        const turn = Math.floor(now / ROLL + 0.37 * at); // not all at once
        if (turn === line.turn) return;
        const [name, wide] = any(names);
        line.turn = turn;
        line.textContent = name;
        line.style.fontSize = `${Math.min(1, inside / wide)}em`;
      });
      frame = requestAnimationFrame(move);
    }
    move(performance.now());
  }

  // Keys, clicks and buttons

  function press(way) {
    const now = performance.now();
    if (now - pressed < APART) return;
    pressed = now;
    if (sheets[page + way]) {
      page += way;
      el.classList.add("fresh");
      turn();
      const before = sheets.slice(0, page).reduce((sum, sheet) => sum + sheet.entries.length, 0);
      if (!el.classList.contains("is-lost")) model.send({ turned: before });
    } else if (!el.classList.contains("is-lost")) model.send({ press: way > 0 ? "advance" : "back" });
  }

  function key(event) {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (target.isContentEditable || target.matches?.("input, textarea, select")) return;
    if (target.matches?.("button, a") && [" ", "Enter"].includes(event.key)) return;
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

  function chime() {
    audio ??= new AudioContext();
    audio.resume();
    [523.25, 659.25, 783.99, 1046.5].forEach((frequency, at) => {
      const start = audio.currentTime + 0.09 * at;
      const loud = audio.createGain();
      loud.gain.setValueAtTime(0.001, start);
      loud.gain.exponentialRampToValueAtTime(0.25, start + 0.02);
      loud.gain.exponentialRampToValueAtTime(0.001, start + 0.9);
      const tone = new OscillatorNode(audio, { type: "triangle", frequency });
      tone.connect(loud).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 1);
    });
  }

  function label() {
    el.lang = word("language");
    if (model.widget_manager && document.body.dataset.voila) {
      document.documentElement.lang = word("language");
      document.title = word("tab");
    }
    for (const name in ICONS) {
      const node = el.querySelector(`button.${name}`);
      node.title = word(name);
      node.setAttribute("aria-label", word(name));
    }
    el.querySelector("button.sound").setAttribute("aria-pressed", model.get("sound"));
    lost.textContent = word("lost");
  }

  function rest() {
    el.classList.remove("resting");
    clearTimeout(timer);
    timer = setTimeout(() => el.classList.add("resting"), 3000);
  }

  const kernel = model.widget_manager?.kernel;
  let comeBack; // a kernel that started again does not know this page
  function watch() {
    const ended = ["dead", "restarting", "autorestarting", "terminating"].includes(kernel.status);
    if (ended && document.body.dataset.voila) comeBack ??= setInterval(reload, 2000);
    el.classList.toggle("is-lost", Boolean(ended || comeBack || kernel.connectionStatus !== "connected"));
  }

  /** Loads the page again as soon as the server answers. Its new kernel finds the evening in the tables. */
  async function reload() {
    const asked = `${kernel.serverSettings.baseUrl}api/kernels/${kernel.id}`;
    const answer = await fetch(asked).catch(() => ({ status: 503 }));
    if (answer.status < 500) location.reload();
  }
  kernel?.statusChanged.connect(watch);
  kernel?.connectionStatusChanged.connect(watch);

  el.classList.add("lottery-stage");
  el.append(view, make("div", "buttons", button("sound", toggleSound), button("full_screen", fullScreen)), lost, said);
  for (const trait of ["scene", "title", "logo", "words"]) model.on(`change:${trait}`, show);
  model.on("change:names", () => shown?.kind === "rolling" && !room.querySelector(".reel") && show()); // they came late
  for (const trait of ["sound", "words"]) model.on(`change:${trait}`, label);
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
  model.send({ shown: true });
  return () => {
    document.removeEventListener("keydown", key);
    resized.disconnect();
    cancelAnimationFrame(frame);
    clearInterval(comeBack);
    kernel?.statusChanged.disconnect(watch);
    kernel?.connectionStatusChanged.disconnect(watch);
  };
}

export default { render };
