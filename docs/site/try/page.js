// The page: an editor, the workbench of the notebooks, and a worker in which Python runs. Nothing is sent anywhere.
import { json } from "@codemirror/lang-json";
import { syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { classHighlighter } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { edits } from "./edits.js";
import { workbench } from "./view.js";

const { words, first, language } = JSON.parse(document.getElementById("given").textContent);
const at = (id) => document.getElementById(id);
const base = document.currentScript.src;
const PAUSE = 250; // milliseconds without a key before the text is looked at
const MOST = 15_000; // milliseconds that Python may take
const LONGEST = 1_000_000; // letters

// What the widget of a notebook has of its model. Python's answers arrive as `said`.
const listeners = {}, state = {};
const of = (name) => (listeners[name] ??= new Set());
let changed = {};
const model = {
  get: (name) => state[name],
  set(name, value) {
    changed[name] = value;
    take({ [name]: value });
  },
  save_changes() {
    ask("told", JSON.stringify({ set: changed }));
    changed = {};
  },
  on: (name, heard) => of(name).add(heard),
  off: (name, heard) => of(name).delete(heard),
  send: (msg) => ask("told", JSON.stringify({ msg })),
};

function take(traits) {
  const news = Object.keys(traits).filter((name) => JSON.stringify(state[name]) !== JSON.stringify(traits[name]));
  Object.assign(state, traits);
  for (const name of news) for (const heard of of(`change:${name}`)) heard();
}

// Python. What is asked before it is there waits. What takes too long is ended, and Python starts again.
let worker, number, waiting, isReady, slow, timer;
function startPython() {
  worker = new Worker(new URL("worker.js", base), { type: "module" });
  [number, waiting, isReady] = [0, new Set(), false];
  const begun = performance.now();
  at("loading").textContent = words.loading;
  worker.onerror = (event) => tell(words.broken.replace("{error}", event.message ?? ""));
  worker.onmessage = ({ data: { said, done, failed, number: failing } }) => {
    if (failed && waiting.delete(failing)) watch();
    if (failed) return tell(words.broken.replace("{error}", failed));
    if (done === 1) {
      isReady = true;
      at("loading").textContent = words.ready;
      document.body.dataset.ready = Math.round(performance.now() - begun);
      keepOffline();
    }
    if (said) {
      const { set = {}, msg } = JSON.parse(said);
      take(set);
      if (msg) for (const heard of of("msg:custom")) heard(msg);
    }
    if (done && waiting.delete(done)) watch();
  };
  ask("start", { language });
  ask("open", machine());
}

function ask(what, value) {
  if (!worker) return;
  waiting.add(++number);
  worker.postMessage({ number, what, value });
  watch();
}

// *Stop* is there while Python works for longer than a moment.
function watch() {
  clearTimeout(slow);
  clearTimeout(timer);
  at("stop").hidden = true;
  if (!waiting.size || !isReady) return;
  slow = setTimeout(() => (at("stop").hidden = false), 400);
  timer = setTimeout(() => stop(words.slow), MOST);
}

function stop(why) {
  worker.terminate();
  at("stop").hidden = true;
  take({ paints: [], taken: [], header: {}, below: {} });
  startPython();
  tell(why);
}

function tell(text) {
  at("told").textContent = text;
  at("told").hidden = !text;
}

const machine = () => ({ text: editor.state.doc.toString(), answers: state.answers, data: state.data });

// The editor
let pause;
const editor = new EditorView({
  parent: at("editor"),
  extensions: [EditorView.domEventHandlers({ keydown: ({ key, ctrlKey, metaKey }) => {
      if (key !== "Enter" || !(ctrlKey || metaKey)) return false;
      at("view").querySelector(".run").click();
      return true;
    } }),
    basicSetup, json(), lintGutter(), syntaxHighlighting(classHighlighter), EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": words.definition, tabindex: "0" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        clearTimeout(pause);
        pause = setTimeout(look, PAUSE);
        keep();
      }
      if (update.selectionSet && editor.hasFocus) showWhich();
    })],
});
const change = edits(editor);

function look() {
  const { length } = editor.state.doc;
  tell(length > LONGEST ? words.long : "");
  if (length <= LONGEST) ask("edit", editor.state.doc.toString());
}

function replaceText(text) {
  editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text }, selection: { anchor: 0 }, scrollIntoView: true });
  clearTimeout(pause);
}

function goTo(line) {
  const { from } = editor.state.doc.line(Math.min(line ?? 1, editor.state.doc.lines));
  editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
  editor.focus();
}

function showFaults() {
  const { doc } = editor.state;
  const shown = (state.bench?.faults ?? []).map(([number, , text, , isError]) => {
    const line = doc.line(Math.min(number, doc.lines)), from = line.from + line.text.search(/\S|$/);
    return { from, to: line.to, severity: isError ? "error" : "warning", message: text };
  });
  editor.dispatch(setDiagnostics(editor.state, shown));
}

// The buttons change the state that is chosen, or the one in which the cursor stands.
const which = () => (editor.hasFocus && change.stateAt(editor.state.selection.main.head)) || state.chosen || change.stateAt(editor.state.selection.main.head);
let edited = "";
function showWhich() {
  edited = which() || change.names()[0] || "";
  at("which").textContent = edited;
  for (const button of document.querySelectorAll("[data-edit]")) button.disabled = !change.fits(button.dataset.edit, edited);
}

function showChosen() {
  const found = state.chosen && change.placeOf(state.chosen);
  if (found && !editor.hasFocus) {
    editor.dispatch({ selection: { anchor: found } });
    editor.scrollDOM.scrollTop = editor.lineBlockAt(found).top - 40; // the page itself stays where it is
  }
  showWhich();
}

for (const button of document.querySelectorAll("[data-edit]")) button.addEventListener("click", () => {
  const added = change[button.dataset.edit](edited, words);
  if (added && !state.answers[added]) {
    model.set("answers", { ...state.answers, [added]: [{ text: '{"MessageId": "1"}', fails: false }] });
    model.save_changes();
  }
  showWhich();
});

// Machines: an example, a link, a file
let title = "machine", known;
function show({ text, answers, data, state: seen }) {
  replaceText(text);
  take(seen ?? {});
  take({ answers, data, chosen: "" });
  known = JSON.stringify(machine());
  tell("");
  showFaults();
  showWhich();
  if (isReady) ask("open", machine());
}

async function example(name) {
  const { [name]: found } = name === Object.keys(first)[0] ? first : await (await fetch(`examples.${language}.json`)).json();
  title = name;
  at("hint").textContent = words.hints[name] ?? "";
  at("examples").value = name;
  show(found);
}

const packed = async (stream, how) => new Response(new Blob([stream]).stream().pipeThrough(how)).arrayBuffer();
async function link() {
  const bytes = new Uint8Array(await packed(JSON.stringify(machine()), new CompressionStream("deflate-raw")));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `m=${text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

async function fromLink(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const found = JSON.parse(new TextDecoder().decode(await packed(bytes, new DecompressionStream("deflate-raw"))));
  const { answers = {} } = found;
  const right = (list) => Array.isArray(list) && list.every((each) => typeof each?.text === "string");
  if (Array.isArray(answers) || !Object.values(answers).every(right)) throw new Error(words.no_link);
  at("hint").textContent = words.linked;
  at("examples").value = "";
  show({ text: String(found.text), answers, data: String(found.data ?? "{}"), state: blank });
}
const blank = { layout_svg: "", states: [], paints: [], taken: [], header: {}, below: {} };

/** Keep what somebody has changed in the address: a reload, the other language and *Back* have it. */
let later;
function keep() {
  clearTimeout(later);
  later = setTimeout(async () => {
    if (JSON.stringify(machine()) === known || editor.state.doc.length > LONGEST) return;
    known = JSON.stringify(machine());
    history.replaceState(null, "", `#${await link()}`);
  }, PAUSE);
}

async function readAddress() {
  const fragment = location.hash.slice(1);
  try {
    if (fragment.startsWith("m=")) await fromLink(fragment.slice(2));
    else await example(fragment in words.examples ? fragment : Object.keys(first)[0]);
  } catch {
    await example(Object.keys(first)[0]);
    tell(words.no_link);
  }
}

at("examples").append(...Object.entries(words.examples).map(([name, shown]) => new Option(shown, name)));
at("examples").addEventListener("change", ({ target }) => (location.hash = target.value));
addEventListener("hashchange", async ({ oldURL }) => {
  await readAddress();
  if (oldURL.includes("#m=") && !location.hash.startsWith("#m=")) tell(words.back);
});
at("open").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", async () => {
  const [file] = at("file").files;
  if (!file) return;
  if (file.size > 2 * LONGEST) return tell(words.long);
  title = file.name.replace(/(\.asl)?\.json$/, "");
  at("hint").textContent = "";
  show({ text: await file.text(), answers: {}, data: "{}", state: blank });
  at("file").value = "";
});
at("save").addEventListener("click", () => {
  const href = URL.createObjectURL(new Blob([editor.state.doc.toString()], { type: "application/json" }));
  Object.assign(document.createElement("a"), { href, download: `${title}.asl.json` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
});
at("share").addEventListener("click", async () => {
  history.replaceState(null, "", `#${await link()}`);
  await navigator.clipboard?.writeText(location.href).then(() => tell(words.shared), () => tell(words.in_address));
});
at("stop").addEventListener("click", () => stop(words.stopped));
at("other").addEventListener("click", ({ target }) => (target.hash = location.hash));
at("view").addEventListener("line", ({ detail }) => goTo(detail));

// Once Python runs, all files are kept in the browser, and the page works without a network.
async function keepOffline() {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("offline.js").catch(() => {});
  if ((await navigator.serviceWorker.ready).active) at("loading").textContent = words.offline;
}

// What is there at once: the first example, as Python showed it when the site was made.
async function begin() {
  const [whole] = Object.values(first);
  take(whole.state);
  if (location.protocol === "file:") show(whole);
  else await readAddress();
  if (location.protocol === "file:") tell(words.as_file);
  workbench({ model, el: at("view") });
  model.on("change:bench", showFaults);
  model.on("change:chosen", showChosen);
  for (const name of ["answers", "data"]) model.on(`change:${name}`, keep);
  showWhich();
  document.body.dataset.shown = Math.round(performance.now());
  if (location.protocol !== "file:") startPython();
}
begin();
