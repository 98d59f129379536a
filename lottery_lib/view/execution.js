// One execution: a header, the graph, and beside it tabs for the chosen state or for the whole execution.
// Everything that comes from the execution becomes a text node, never HTML.

const ROW = 24; // the height of a row of events, in pixels
const PAGE = 200; // so many events are asked for at once

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  // Else JupyterLab takes the arrow keys, and r makes the cell a raw one.
  if (["button", "select", "summary"].includes(tag) || ["range", "radio"].includes(attributes.type)) element.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function copier(text, words) {
  const button = make("button", { type: "button", class: "copy", title: words.copy, onclick: copy }, words.copy);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page without https has no clipboard
      const field = make("textarea", {}, text);
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = words.copy), 1500);
  }
  return button;
}

// JSON as a tree that folds. Numbers stay as they are written: JavaScript would round long ones.
function json(text) {
  const tokens = text.match(/"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*|true|false|null|[{}[\]]/g) ?? [];
  let at = 0;
  function value() {
    const token = tokens[at++];
    if (token !== "{" && token !== "[") return token;
    const [items, close] = [[], token === "{" ? "}" : "]"];
    while (tokens[at] !== close) items.push(token === "{" ? [tokens[at++], value()] : [undefined, value()]);
    at += 1;
    return { open: token, close, items };
  }
  function shown(it, depth, comma) {
    if (typeof it === "string") {
      const kind = it[0] === '"' ? "text" : /[-\d]/.test(it[0]) ? "number" : "word";
      return [make("span", { class: kind }, it), comma, ...(/^"[{[]/.test(it) ? [jsonInside(JSON.parse(it))] : [])];
    }
    if (!it.items.length) return [it.open + it.close + comma];
    const body = make("div", { class: "inner" });
    const fill = () => body.childElementCount || body.append(...it.items.map(([key, inner], number) => make(
      "div", {},
      ...(key === undefined ? [] : [make("span", { class: "key" }, key), ": "]),
      ...shown(inner, depth + 1, number < it.items.length - 1 ? "," : ""),
    )));
    const open = depth < 2 || it.items.length < 20;
    if (open) fill();
    const count = make("span", { class: "count" }, ` ${it.items.length} `);
    const head = make("summary", {}, it.open, count, make("span", { class: "count" }, it.close + comma));
    return [make("details", { ontoggle: fill, ...(open && { open: "" }) }, head, body, it.close + comma)];
  }
  return make("div", { class: "json" }, ...shown(value(), 0, ""));
}

// A text that is JSON itself, as the cause of a function's error is. It is read once more when it is opened.
function jsonInside(text) {
  try {
    JSON.parse(text);
  } catch {
    return "";
  }
  const fold = make("details", { class: "inside", ontoggle: () => fold.childElementCount > 1 || fold.append(json(text)) });
  fold.append(make("summary", {}, "JSON"));
  return fold;
}

function shownValue(text, words) {
  let body;
  try {
    JSON.parse(text);
    body = json(text);
  } catch {
    body = make("pre", {}, text);
  }
  return make("div", { class: "value" }, copier(text, words), body);
}

// A table. If a row chooses something, its first cell is a button.
function table({ headings, rows }, choose) {
  const line = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, {}, cell)));
  const button = ([name, ...cells]) => [make("button", { type: "button", class: "link", onclick: () => choose(name) }, name), ...cells];
  return make("table", {}, make("thead", {}, line(headings, "th")),
    make("tbody", {}, ...rows.map((row) => line(choose ? button(row) : row, "td"))));
}

// Tabs, and what the chosen one shows. The last choice stays while there is a tab of this name.
function tabbed(shown) {
  const list = make("div", { role: "tablist" });
  const panel = make("div", { role: "tabpanel", tabindex: 0, "data-lm-suppress-shortcuts": "true" });
  let given = [], last;
  function show(tabs) {
    given = tabs;
    const chosen = given.find((tab) => tab.title === last) ?? given[0];
    list.replaceChildren(...given.map((tab) => make("button", {
      type: "button", role: "tab", "aria-selected": tab === chosen, tabindex: tab === chosen ? 0 : -1,
      onclick: () => { open(tab.title); list.querySelector("[aria-selected=true]").focus(); },
    }, tab.title)));
    panel.replaceChildren(...(chosen ? shown(chosen) : []));
    panel.scrollTo(0, 0);
    chosen?.begin?.();
  }
  function open(title) {
    last = title;
    show(given);
  }
  list.addEventListener("keydown", (event) => {
    const all = [...list.children], now = all.indexOf(document.activeElement);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || now < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[(next + all.length) % all.length].click();
  });
  return { list, panel, show, open };
}

// All events, or those of one state. Rows are loaded when they are scrolled to.
function eventTable(model, words, ofState) {
  const filter = make("input", { type: "search", placeholder: words.filter, "aria-label": words.filter });
  const count = make("span", { class: "count", "aria-live": "polite" });
  const space = make("div", { class: "space" });
  const list = make("div", { class: "rows", tabindex: 0, role: "region", "aria-label": words.events }, space);
  const event = make("div", { class: "event" });
  const head = make("div", { class: "row head" }, ...words.columns.map((word) => make("span", {}, word)));
  let pages = new Map(), asked = `${ofState}${Math.random()}`, waiting, open;

  function ask(page) {
    pages.set(page, null);
    model.send({ do: "events", asked, state: ofState ? model.get("chosen") : "", filter: filter.value, page, size: PAGE });
  }
  function restart() {
    pages = new Map();
    asked += "+";
    list.scrollTop = 0;
    open = undefined;
    event.replaceChildren();
    ask(0);
  }
  function paint() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const last = first + Math.ceil(list.clientHeight / ROW) + 10;
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page++)
      if (!pages.has(page) && page * PAGE * ROW < space.clientHeight) ask(page);
    const rows = [];
    for (let number = first; number < last; number++) {
      const cells = pages.get(Math.floor(number / PAGE))?.[number % PAGE];
      if (!cells) continue;
      const [id] = cells, show = () => model.send({ do: "event", id: (open = id) });
      rows.push(make("div", { class: id === open ? "row open" : "row", style: `top: ${number * ROW}px`, onclick: show },
        ...cells.map((cell) => make("span", { title: cell }, cell))));
    }
    space.replaceChildren(...rows);
  }
  const answered = (message) => {
    if (message.do === "event" && message.id === open) {
      event.replaceChildren(shownValue(message.text, words));
      paint();
    }
    if (message.do !== "events" || message.asked !== asked) return;
    pages.set(message.page, message.rows);
    space.style.height = `${message.count * ROW}px`;
    count.textContent = message.told;
    paint();
  };
  model.on("msg:custom", answered);
  list.addEventListener("scroll", paint);
  filter.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(restart, 150);
  });
  const element = make("div", { class: "events" }, make("div", { class: "tools" }, filter, count), head, list, event);
  element.restart = restart;
  element.more = () => [...pages.keys()].forEach(ask); // the execution has gone on
  element.end = () => model.off("msg:custom", answered);
  return element;
}

function execution({ model, el }) {
  const words = model.get("words");
  el.classList.add("lottery-execution", "lottery-picture");
  el.lang = words.language;
  const header = make("header", {});
  const box = make("div", {});
  const heading = make("h4", { "aria-live": "polite" });
  const back = make("button", { type: "button", class: "back", title: words.whole, "aria-label": words.whole, onclick: () => choose("") }, "✕");
  const error = make("div", {});
  const question = make("form", { class: "question", onsubmit: (event) => event.preventDefault() });
  const [details, whole] = [tabbed(content), tabbed(content)];
  const [ofState, ofAll] = [eventTable(model, words, true), eventTable(model, words, false)];
  const side = make("section", { class: "side" }, back, heading, error, question, details.list, details.panel);
  const below = make("section", { class: "below" }, whole.list, whole.panel);
  const legend = make("details", { class: "legend" }, make("summary", {}, words.legend));
  legend.append(make("div", {},
    ...words.signs.map(([path, name]) => make("span", {}, sign(path), name)),
    ...words.statuses.map(([status, name]) => badge(status, name)),
    ...words.lines.map((line) => make("span", {}, line))));
  const main = make("div", { class: "main" }, make("div", { class: "left" }, box, legend), side);
  el.append(header, main, below);
  const ended = graph({ model, el: box });

  function badge(status, word) {
    return make("span", { class: "lottery-badge", "data-status": status }, word);
  }

  function sign(path) {
    const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14" width="14" height="14"><path class="icon"/></svg>`;
    const svg = picture(text);
    svg.firstChild.setAttribute("d", path);
    svg.setAttribute("aria-hidden", true);
    return svg;
  }

  function picture(text) {
    return document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
  }

  function showHeader() {
    const { status, word, name, facts = [], arn, link, earlier } = model.get("header");
    header.replaceChildren();
    el.classList.toggle("earlier", Boolean(earlier));
    if (!word) return;
    if (earlier) header.append(make("em", {}, earlier));
    header.append(badge(status, word), make("strong", {}, name));
    for (const [label, value] of facts) header.append(make("span", { class: "fact" }, make("b", {}, label), " ", value));
    if (arn) header.append(make("span", { class: "arn" }, make("code", { title: arn }, make("bdi", { dir: "ltr" }, arn)), copier(arn, words)));
    if (link) header.append(consoleLink(link));
  }

  function consoleLink(href) {
    return make("a", { href, target: "_blank", rel: "noopener" }, words.console);
  }

  function choose(name) {
    model.set("chosen", name);
    model.save_changes();
  }

  // What a tab shows.
  function content(tab) {
    const lines = (tab.lines ?? []).map((line) => make("p", {}, line));
    if (tab.kind === "log") model.send({ do: "log", state: model.get("chosen") });
    const shown = {
      events: () => tab.table,
      table: () => table(tab, tab.chooses && choose),
      picture: () => make("div", { class: "picture", role: "img", tabindex: 0, "aria-label": tab.alt }, picture(tab.value)),
      lines: () => "",
      people: () => people(tab),
      log: () => make("div", {}, ...(tab.link ? [consoleLink(tab.link)] : []), make("pre", { class: "log" }, words.loading)),
      json: () => (tab.value === "" ? make("p", {}, words.nothing) : shownValue(tab.value, words)),
    };
    return [...lines, shown[tab.kind]()];
  }

  // The winners of a draw, and what was mailed.
  function people({ groups, messages, note }) {
    const parts = groups.map(({ heading: title, people: those }) => make("div", {},
      ...(title ? [make("h3", {}, title)] : []),
      make("ol", { class: "lottery-winners", "aria-live": "polite" },
        ...those.map(([name, identity]) => make("li", {}, make("b", {}, name), " ", identity)))));
    if (note) parts.push(make("p", {}, note));
    if (messages) {
      const { heading: title, texts, where: [before, after], link } = messages;
      const place = link ? [make("a", { href: link, target: "_blank", rel: "noopener" }, words.mailbox)] : [];
      parts.push(make("p", {}, title), ...texts.map((text) => make("blockquote", {}, text)));
      parts.push(make("p", {}, before, ...place, after));
    }
    return make("div", { class: "people" }, ...parts);
  }

  // What somebody expects of the chosen state.
  function ask({ text, options, chosen }) {
    const radio = ([status, word]) => make("label", {},
      make("input", { type: "radio", name: "status", value: status, checked: status === chosen, onchange: () => answer(status) }),
      badge(status, word));
    const answer = (status) => {
      model.set("predicted", { ...model.get("predicted"), [model.get("chosen")]: status });
      model.save_changes();
    };
    question.replaceChildren(make("fieldset", {}, make("legend", {}, text), ...options.map(radio)));
  }

  function showDetails() {
    const { title, status, word, kind, question: asked, error: why = [], tabs = [] } = model.get("details");
    const focused = question.contains(document.activeElement);
    question.replaceChildren();
    if (asked) ask(asked);
    if (focused) question.querySelector(":checked")?.focus();
    heading.replaceChildren(title ?? "", ...(word ? [" ", badge(status, word)] : []));
    if (kind) heading.append(" ", make("small", {}, kind));
    back.hidden = !model.get("chosen");
    error.replaceChildren(...why.map((line) => make("p", { class: "error" }, line)));
    details.show(tabs.map((tab) => (tab.kind === "events" ? { ...tab, table: ofState, begin: ofState.restart } : tab)));
  }

  function showBelow() {
    const { events, tabs = [] } = model.get("below");
    if (events && !tabs.length && ofAll.isConnected) return ofAll.more();
    const all = { title: words.events, kind: "events", table: ofAll, begin: ofAll.restart };
    whole.show([...tabs, ...(events ? [all] : [])]);
  }

  const told = (message) => {
    const log = details.panel.querySelector(".log");
    if (message.do === "open") details.open(message.title);
    if (message.do === "log" && log && message.state === model.get("chosen")) log.textContent = message.text;
  };
  // The kernel has ended, so nothing may look as if it answered.
  function showGone() {
    if (main.inert) return;
    const panel = el.closest(".lottery-panel, .lottery-bench") ?? el;
    panel.prepend(make("p", { role: "alert", class: "lottery-picture lottery-error" }, `✗ ${words.gone}`));
    for (const control of panel.querySelectorAll(".lottery-controls :is(button, input)")) control.disabled = true;
    for (const part of [main, below, ...panel.querySelectorAll(".bar, .tasks")]) part.inert = true;
  }
  model.on("comm_live_update", showGone);
  // A notebook that is opened again shows what is left of its earlier kernel. At first, the panel is not yet around it.
  const shown = new ResizeObserver(() => el.matches(".jupyter-widgets-disconnected") && showGone());
  shown.observe(el);
  model.on("msg:custom", told);
  model.on("change:header", showHeader);
  model.on("change:details", showDetails);
  model.on("change:below", showBelow);
  showHeader();
  showDetails();
  showBelow();
  return () => {
    ended();
    ofState.end();
    ofAll.end();
    model.off("msg:custom", told);
    model.off("comm_live_update", showGone);
    shown.disconnect();
  };
}
