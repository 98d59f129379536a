// A workflow that one can look into: choose a state with a click or the arrow keys, hover, zoom.
// The SVG comes from Graphviz, with groups of the ids `state-N` and `edge-N`. It is put on the page once.
// After that only colours and texts change (`paint`).

const LETTERS = 11; // the size of the letters in the SVG, in points
const SMALLEST = 12; // in pixels: at first, letters are hardly smaller (`scale`). `Fit` shows the whole graph
const BAR = 16; // pixels of a scroll bar
const WHOLE = 4 / 3; // pixels for each point, at 100 %

function graph({ model, el }) {
  el.classList.add("lottery-graph", "lottery-picture");
  const stage = document.createElement("div");
  stage.className = "stage";
  stage.setAttribute("role", "group");
  // JupyterLab would take the arrow keys to go to another cell.
  stage.dataset.lmSuppressShortcuts = "true";
  const tools = document.createElement("div");
  tools.className = "tools";
  el.append(stage, tools);
  let svg, size, groups, edges, begun;
  let zoom = "legible"; // or "fit", or pixels for each point
  const words = model.get("words"); // in the attendee's language

  const buttons = [
    ["−", words.zoomOut, () => scale() / 1.2],
    ["100 %", words.zoomTo100, () => WHOLE],
    ["+", words.zoomIn, () => scale() * 1.2],
    [words.fit, words.zoomToFit, () => "fit"],
  ].map(([text, label, next]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.setAttribute("data-lm-suppress-shortcuts", "true");
    button.addEventListener("click", () => {
      zoom = next();
      resize();
    });
    tools.append(button);
    return button;
  });

  // It does not depend on whether the stage has a scroll bar: a bar that comes would change the size, and go.
  function scale() {
    if (typeof zoom === "number") return Math.min(Math.max(zoom, 0.4), 4);
    const room = model.get("fill") ? el.clientHeight : 0.75 * window.innerHeight;
    const high = room / size.height;
    const fitting = (width) => {
      const wide = width / size.width;
      const legible = SMALLEST / LETTERS;
      // To scroll to the side for a few pixels helps nobody.
      const least = wide > 0.9 * legible ? Math.min(wide, legible) : legible;
      return Math.min(WHOLE, zoom === "fit" ? Math.min(wide, high) : Math.max(Math.min(wide, high), least));
    };
    const most = fitting(el.clientWidth);
    return most > high ? fitting(el.clientWidth - BAR) : most;
  }

  function resize() {
    if (!svg || !stage.clientWidth) return;
    // A screen reader needs it for its voice, and the browser for the forms of Chinese letters.
    (el.closest(".lottery-panel") ?? el.closest(".lottery-execution") ?? el).lang = words.language;
    svg.setAttribute("width", Math.floor(size.width * scale()));
    svg.setAttribute("height", Math.floor(size.height * scale()));
    const shown = `${Math.round(100 * scale() / WHOLE)} %`;
    buttons[1].textContent = shown;
    buttons[1].setAttribute("aria-label", `${shown}. ${words.zoomTo100}`);
    // A drawing that is wider than the stage would be below the buttons.
    el.classList.toggle("wide", size.width * scale() > stage.clientWidth);
    centre();
  }

  function layOut() {
    stage.replaceChildren();
    svg = undefined;
    if (!model.get("layout_svg")) return;
    const parsed = new DOMParser().parseFromString(model.get("layout_svg"), "image/svg+xml");
    svg = document.importNode(parsed.documentElement, true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    size = { width, height };
    svg.querySelector("polygon")?.remove(); // the white ground
    svg.querySelector(".graph > title")?.remove(); // it would be shown wherever no state is
    svg.setAttribute("role", "presentation");
    groups = model.get("states").flatMap((name, number) => {
      const group = svg.getElementById(`state-${number}`);
      if (!group) return []; // the names of the drawing before
      group.setAttribute("role", "button");
      group.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's, such as r for a raw cell
      group.addEventListener("click", () => choose(name));
      return group;
    });
    edges = [...svg.querySelectorAll(".edge")];
    for (const edge of edges) edge.querySelector("title").remove();
    for (const title of svg.querySelectorAll(".node:not(.state) > title")) title.remove();
    stage.append(svg);
    begun = false;
    paint();
    resize();
  }

  function paint() {
    // The states of another drawing come with its layout, which may be told a moment later.
    if (!svg || groups.length !== model.get("paints").length) return;
    stage.setAttribute("aria-label", model.get("alt"));
    const chosen = model.get("states").indexOf(model.get("chosen"));
    model.get("paints").forEach((paint, number) => {
      const group = groups[number];
      group.dataset.status = paint.status;
      group.classList.toggle("chosen", number === chosen);
      group.setAttribute("aria-pressed", number === chosen);
      group.setAttribute("aria-label", paint.tip);
      group.setAttribute("tabindex", number === Math.max(chosen, 0) ? 0 : -1);
      group.querySelector("title").textContent = paint.tip;
      group.querySelectorAll("text").forEach((text, line) => (text.textContent = paint.lines[line]));
    });
    const taken = new Set(model.get("taken").map((number) => `edge-${number}`));
    for (const edge of edges) edge.classList.toggle("taken", taken.has(edge.id));
  }

  function choose(name) {
    model.set("chosen", name);
    model.save_changes();
    groups[model.get("states").indexOf(name)]?.focus();
  }

  stage.addEventListener("click", (event) => event.target.closest(".state") ?? choose(""));

  stage.addEventListener("keydown", (event) => {
    const states = model.get("states");
    const now = states.indexOf(model.get("chosen"));
    if (event.key === "Escape" && now >= 0) return choose("");
    const next = {
      ArrowDown: now + 1,
      ArrowRight: now + 1,
      ArrowUp: now - 1,
      ArrowLeft: now - 1,
      Home: 0,
      End: states.length - 1,
      Enter: Math.max(now, 0),
      " ": Math.max(now, 0),
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(states[Math.min(Math.max(next, 0), states.length - 1)]);
  });

  // Where the drawing is larger than its box, the state that was chosen moves into the middle.
  // A drawing that is too wide begins where the workflow does.
  function centre() {
    const chosen = groups?.[model.get("states").indexOf(model.get("chosen"))];
    if (chosen?.contains(document.activeElement)) return; // a person has chosen it
    const group = chosen ?? (begun ? undefined : groups?.[0]);
    begun = true;
    if (!group) return;
    const [box, own] = [stage.getBoundingClientRect(), group.getBoundingClientRect()];
    const down = chosen ? own.y + own.height / 2 - box.y - box.height / 2 : 0;
    stage.scrollBy(own.x + own.width / 2 - box.x - box.width / 2, down);
  }

  for (const trait of ["layout_svg", "states"]) model.on(`change:${trait}`, layOut);
  model.on("change:chosen", centre);
  for (const trait of ["paints", "taken", "chosen"]) model.on(`change:${trait}`, paint);
  // A click on Draw asks for it: most of the panel may be below the window, as the output of the last cell.
  model.on("msg:custom", (message) => {
    if (message.do === "scroll") (el.closest(".lottery-panel") ?? el).scrollIntoView({ block: "nearest" });
  });
  const watch = new ResizeObserver(resize);
  watch.observe(stage);
  layOut();
  return () => watch.disconnect();
}
