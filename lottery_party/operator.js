// The operator's page: the step with its button, the forms, all prizes, the state machine, and a small stage.
// It shows what the server tells, and tells the server what somebody wishes. All texts are put on the page as text.

const MANY = 12; // from so many winners on, there is a field to search in the roll call
const LATER = 120; // milliseconds after the last letter until the server is asked

/** An element. Of its properties, `word` and `hint` name a text and a placeholder of the page's words. */
function make(tag, { word, hint, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  if (word) node.dataset.word = word;
  if (hint) node.dataset.hint = hint;
  node.append(...children.filter((child) => child || child === 0));
  return node;
}

const problem = (text) => text && make("p", { className: "problem", textContent: text });
const show = (node, shown) => (node.hidden = !shown);

/** A table with a row of heads, if there are any. A cell is a text, or a list of nodes. */
function table(heads, rows) {
  const cell = (tag, content) => make(tag, {}, ...[content].flat());
  const all = rows.map((row) => make("tr", {}, ...row.map((each) => cell("td", each))));
  return make("table", {}, heads.length ? make("tr", {}, ...heads.map((each) => cell("th", each))) : "", ...all);
}

link("operator", (model) => {
  const words = () => model.get("words");
  const send = (message) => model.send(message);
  /** Asks the server, and tells the answer, or why there is none: where `failed` puts it, or under the button. */
  const ask = (message, told, failed) =>
    model.send(message, true).then(
      (answer) => (failed || showWrong(), told(answer)),
      ({ message: why }) => why && (failed ?? refuse)(why),
    );
  const refuse = (why) => wrong.replaceChildren(problem(why));
  const doing = (what, more = () => ({})) => () => send({ do: what, ...more() });

  /** A button that does something. A text that names no word is told later. */
  function button(word, act, className = "") {
    const node = make("button", { type: "button", className, word });
    node.addEventListener("click", act);
    return node;
  }

  /** Asks the server a moment after the last letter. An answer that comes too late is not shown. */
  function asking(message, told, failed) {
    let timer;
    let number = 0;
    return () => {
      clearTimeout(timer);
      const mine = ++number;
      const fresh = (act) => (answer) => mine === number && act(answer);
      timer = setTimeout(() => ask(message(), fresh(told), failed && fresh(failed)), LATER);
    };
  }

  /** A button that takes a file. Of one that is too large, only the name and the size are sent. */
  function upload(word, what, accept, most, more = {}) {
    const input = make("input", { type: "file", hidden: true, accept });
    input.addEventListener("change", async () => {
      const [file] = input.files;
      if (!file) return;
      const bytes = file.size > most() ? new Uint8Array() : new Uint8Array(await file.arrayBuffer());
      let content = "";
      for (let at = 0; at < bytes.length; at += 8192) content += String.fromCharCode(...bytes.subarray(at, at + 8192));
      send({ do: what, ...more, file: { name: file.name, size: file.size, content: btoa(content) } });
      input.value = ""; // the same file can be chosen again
    });
    return make("span", {}, button(word, () => input.click()), input);
  }

  function choices(name, options, chosen, heard = () => {}) {
    return make("div", { className: "choices" }, ...options.map(([word, value, text]) => {
      const input = make("input", { type: "radio", name, value, checked: value === chosen });
      input.addEventListener("change", heard);
      return make("label", {}, input, make("span", { word, textContent: text ?? "" }));
    })); // prettier-ignore
  }
  const radios = (name) => [...document.querySelectorAll(`input[name="${name}"]`)];
  const chosen = (name) => radios(name).find((each) => each.checked)?.value ?? "";
  const choose = (name, value) => radios(name).forEach((each) => (each.checked = each.value === value));

  // The bar

  const head = make("div", { className: "head" });
  const speaks = make("select", {});
  let speaking; // the language that was chosen, until the pages have it
  speaks.addEventListener("change", () => {
    speaking = speaks.value;
    send({ do: "language", language: speaking });
  });
  const open = make("a", { className: "open", target: "_blank", word: "open" });
  const bar = make("div", { className: "bar" }, head, speaks, open);

  // The announcement

  const prizes = make("textarea", { rows: 6, hint: "prizes_example" });
  const prizesRead = make("div", { className: "read pictured" });
  const title = make("input", { type: "text", hint: "title", maxLength: 100 });
  const guestsRead = make("div", { className: "read" });
  const load = button("load", doing("load"));
  const absent = make("div", {});
  const theme = make("div", {});
  const count = make("input", { inputMode: "numeric", value: "5", size: 3 });
  const least = make("input", { inputMode: "numeric", value: "1", size: 4 });
  const most = make("input", { inputMode: "numeric", value: "99", size: 4 });
  const question = make("input", { type: "text", hint: "question" });
  const asked = make("div", { className: "read" });
  const field = (word, input) => make("label", { className: "inline" }, make("span", { word }), input);
  const numbers = make("div", { className: "row" }, field("how_many", count), field("from", least), field("to", most));
  const kinds = choices("kind", [["ask_numbers", "numbers"], ["ask_text", "text"]], "numbers", askQuestion);
  const readPrizes = asking(() => ({ do: "prizes", text: prizes.value }), ({ rows, twice }) => {
    const pictured = rows.map(([many, name, picture]) => [many, name, [pictureOf("picture", picture, name, false)]]);
    prizesRead.replaceChildren(table([], pictured), problem(twice) || "");
    tellWords(prizesRead);
    showPictures();
  }, (why) => prizesRead.replaceChildren(problem(why))); // prettier-ignore
  /** Takes a picture, of a prize or of the stage itself (`own`). Shows it, also when it comes later, and removes it. */
  function pictureOf(word, picture, name, own) {
    const remove = button("", doing("picture", () => ({ name, own })), "remove");
    const thumbnail = make("span", { className: "thumbnail" }, make("img", { alt: "" }), remove);
    Object.assign(remove, { textContent: "×" }).dataset.hint = "remove";
    thumbnail.dataset.picture = picture;
    return make("span", {}, thumbnail, upload(word, "picture", ".png,.jpg,.jpeg,.svg,.webp", () => model.get("most").picture, { name, own }));
  }
  function showPictures() {
    for (const node of document.querySelectorAll(".thumbnail")) {
      const { [node.dataset.picture]: source } = model.get("pictures");
      show(node, source);
      if (source) node.firstChild.src = source;
    }
  }
  const fields = { prizes, count, least, most, question };
  /** All that is written in the form. */
  function written() {
    const texts = Object.entries(fields).map(([name, { value }]) => [name, value]);
    return { rule: chosen("rule"), kind: chosen("kind"), ...Object.fromEntries(texts) };
  }
  const readQuestion = asking(() => ({ do: "question", ...written() }), ({ question: text, amber }) => {
    asked.replaceChildren(text ? make("b", { textContent: text }) : "", problem(amber) || "");
  }, (why) => asked.replaceChildren(problem(why))); // prettier-ignore

  function askQuestion() {
    show(numbers, chosen("kind") === "numbers");
    show(question, chosen("kind") === "text");
    readQuestion();
  }

  prizes.addEventListener("input", () => (prizes.value.trim() ? readPrizes() : prizesRead.replaceChildren()));
  title.addEventListener("input", () => send({ do: "title", text: title.value }));
  for (const each of [count, least, most]) each.addEventListener("input", readQuestion);
  const lists = ".csv,.json,.xlsx";
  const label = (word) => make("h3", { word });
  const preparation = make("div", { className: "columns" },
    make("div", {}, label("prizes_label"), prizes, prizesRead, label("title_label"),
      title, make("div", { className: "row" }, pictureOf("logo", "logo", "logo", true), pictureOf("background", "background", "background", true))),
    make("div", {}, label("who_label"),
      make("div", { className: "row" }, upload("guests_list", "guests", lists, () => model.get("most").guests), load),
      guestsRead, label("absent_label"), absent, label("question_label"), kinds, numbers, question, asked, label("colours"), theme),
  ); // prettier-ignore

  let known = "{}"; // the newest draft that this page knows
  const turnOf = (draft) => JSON.parse(draft).turn ?? 0; // each change of a draft has a turn more
  preparation.addEventListener("input", ({ target }) => {
    if (![...Object.values(fields), ...radios("rule"), ...radios("kind")].includes(target)) return;
    known = JSON.stringify({ ...written(), turn: turnOf(known) + 1 });
    send({ do: "draft", text: known });
  });

  /** Shows what was written before this page was loaded, or on another page after this one. */
  function showDraft() {
    const shown = model.get("draft");
    if (shown === known || turnOf(shown) < turnOf(known)) return;
    known = shown;
    const kept = JSON.parse(shown);
    for (const name in fields) fields[name].value = kept[name] ?? fields[name].value;
    for (const name of ["rule", "kind"]) if (kept[name]) choose(name, kept[name]);
    readForm();
  }

  function readForm() {
    if (prizes.value.trim()) readPrizes();
    askQuestion();
  }

  function showGuests(guests) {
    show(load, guests?.rows.length);
    if (!guests) return guestsRead.replaceChildren();
    const wrong = guests.wrong.map((text) => make("li", { textContent: text }));
    guestsRead.replaceChildren(
      make("p", { textContent: guests.told }), table(guests.heads, guests.rows),
      problem(guests.left_out) || "", wrong.length ? make("ul", {}, ...wrong) : "",
    ); // prettier-ignore
  }

  // The public value, and the roll call

  const value = make("input", { type: "text", className: "large", hint: "value_example", autocomplete: "off" });
  value.addEventListener("input", () => send({ do: "type", text: value.value }));
  const better = make("input", { type: "text", hint: "value_example", autocomplete: "off" });
  const correction = make("div", { className: "part" }, label("correct_label"),
    make("div", { className: "row" }, better, button("correct", doing("correct", () => ({ text: better.value }))))); // prettier-ignore

  const search = make("input", { type: "search", hint: "search" });
  const list = make("ul", {});
  const marks = new Map(); // of this page, which the server has not told back yet
  const roll = make("div", { className: "roll" }, search, list);
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");
  const boxes = () => [...list.querySelectorAll("input")];
  let called; // the people of the list

  search.addEventListener("input", () => {
    for (const row of list.children) row.hidden = !plain(row.textContent).includes(plain(search.value));
  });
  list.addEventListener("change", ({ target }) => {
    marks.set(target.value, target.checked);
    send({ do: "mark", id: target.value, absent: target.checked });
  });

  function showRoll() {
    const told = model.get("roll");
    const people = told?.people ?? [];
    if (JSON.stringify([told?.number, people]) !== called) {
      called = JSON.stringify([told?.number, people]);
      list.replaceChildren(...people.map(([id, name, note, fresh]) =>
        make("li", {}, make("label", {}, make("input", { type: "checkbox", value: id }), make("span", { textContent: name }),
          make("small", { textContent: [id, note].filter(Boolean).join(" · ") }),
          fresh && make("em", { textContent: words().fresh }))))); // prettier-ignore
      show(search, people.length > MANY);
      search.value = "";
      marks.clear();
    }
    const absentOnes = new Set(told?.absent);
    for (const box of boxes()) {
      const was = absentOnes.has(box.value);
      if (marks.get(box.value) === was) marks.delete(box.value);
      box.checked = marks.get(box.value) ?? was;
    }
  }

  // The step with its button

  const heading = make("h1", {});
  heading.setAttribute("aria-live", "polite");
  const text = make("p", {});
  const problems = make("div", {});
  // Two, because a button that is hidden loses the focus: a second Space cannot end a roll call.
  const main = button("", () => stageOf.press(1), "main");
  const answer = button("", () => forms[model.get("step").form]?.(), "main");
  main.hidden = answer.hidden = true; // until the server has looked
  const wrong = make("div", {});
  wrong.setAttribute("role", "alert");
  const restore = button("restore", doing("restore"), "main");
  const surprise = make("input", { type: "text", hint: "surprise_example" });
  const addSurprise = button("add", () => (send({ do: "surprise", text: surprise.value }), (surprise.value = "")));
  const end = button("end", doing("end"));
  const between = make("div", { className: "part" }, label("between"),
    make("div", { className: "row" }, surprise, addSurprise, end)); // prettier-ignore
  const files = make("div", { className: "row files" });
  const back = button("take_back", doing("take back"));
  const forms = {
    announce: doing("announce", written),
    end: doing("end"),
    "public value": () => send({ do: "give", text: value.value }),
    "roll call": () => {
      const told = model.get("roll");
      if (!told) return;
      const marked = boxes().filter((box) => box.checked).map((box) => box.value); // prettier-ignore
      send({ do: "roll", number: told.number, people: told.people.map(([id]) => id), absent: marked });
    },
  };
  const onEnter = (input, act) => input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) act();
  }); // prettier-ignore
  onEnter(value, () => answer.disabled || forms["public value"]());
  onEnter(surprise, () => addSurprise.click());
  for (const input of [surprise, better]) input.addEventListener("input", doing("corrected"));

  function busy(node, waits) {
    node.disabled = waits;
    node.classList.toggle("waits", waits);
  }

  function showStep() {
    const step = model.get("step"); // empty if the server could not look yet: then what is typed stays
    show(end, step.form !== "end");
    heading.textContent = step.heading ?? "";
    text.textContent = step.text ?? "";
    problems.replaceChildren(...(step.problems ?? []).map(problem));
    const parts = { announce: preparation, "public value": value, "roll call": roll };
    for (const form in parts) show(parts[form], step.form === form);
    if ("form" in step && step.form !== "public value") value.value = "";
    if ("form" in step && !step.correct) better.value = "";
    for (const [node, shown] of [[main, !step.form], [answer, step.form]]) {
      node.textContent = step.button ?? "";
      busy(node, Boolean(step.waits));
      show(node, shown && step.button);
    }
    for (const [node, shown] of [[between, step.between], [files, step.files], [back, step.take_back], [correction, step.correct], [withdrawal, step.withdraw]])
      show(node, shown); // prettier-ignore
    showGuests(step.guests);
  }

  function showFiles() {
    files.replaceChildren(...(model.get("files") ?? []).map(([words, name]) => {
      const node = button("", () => ask({ do: "file", name }, (content) => {
        const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
        const url = URL.createObjectURL(new Blob([bytes]));
        make("a", { href: url, download: name }).click();
        setTimeout(() => URL.revokeObjectURL(url), 1000);
      }));
      node.textContent = words;
      return node;
    })); // prettier-ignore
  }

  // The prizes, who can still win, and who does not take part

  const who = make("p", { className: "people", hidden: true });
  const left = make("b", { className: "left" });
  const askWho = button("who", () => {
    if (!who.hidden) return show(who, false);
    ask({ do: "who" }, (names) => show(who, (who.textContent = names)));
  });
  const wanted = make("input", { type: "search", hint: "withdraw" });
  const found = make("div", { className: "found" });
  const find = asking(() => ({ do: "find", text: wanted.value }), ({ found: people, told }) => {
    found.replaceChildren(...people.map(([id, words]) => {
      const node = button("", () => (send({ do: "withdraw", id }), (wanted.value = ""), found.replaceChildren()));
      node.textContent = words;
      return node;
    }), told && make("p", { textContent: told })); // prettier-ignore
  }); // prettier-ignore
  wanted.addEventListener("input", () => {
    send({ do: "corrected" });
    find();
  });
  onEnter(wanted, () => found.children.length === 1 && found.firstChild.click());
  const withdrawal = make("div", { className: "withdrawal" }, wanted, found);
  const won = make("div", {});
  const strange = make("div", {});

  function showPrizes() {
    const { rows = [], withdrawn } = model.get("prizes");
    const people = ({ winners, count, absent: missed }) => {
      const names = winners.join(words().comma);
      const long = count && make("details", {}, make("summary", { textContent: count }), names);
      return [long || names, missed.length ? " " : "", make("s", { textContent: missed.join(words().comma) })];
    };
    won.replaceChildren(
      rows.length
        ? table(words().heads, rows.map((row) => [String(row.number), row.prize, row.status, people(row)]))
        : make("p", { textContent: words().none_yet }),
      withdrawn && make("p", { textContent: withdrawn }),
    ); // prettier-ignore
    strange.replaceChildren(problem(model.get("strange")) || "");
  }

  // The state machine

  const machineHead = make("h2", {});
  const fold = button("show_machine", () => unfold(drawn.hidden));
  const drawn = make("div", { className: "drawn", hidden: true });
  const machine = make("section", { className: "machine" }, make("div", { className: "heads" }, machineHead, fold), drawn);
  const workflow = link.modelOf({ ...{ layout_svg: "", states: [], paints: [], taken: [], alt: "", chosen: "" }, fill: true, words: words().graph }, () => {}); // prettier-ignore

  function unfold(shown) {
    show(drawn, shown);
    machine.classList.toggle("unfolded", shown);
    fold.textContent = words()[(fold.dataset.word = shown ? "hide_machine" : "show_machine")];
  }

  function showMachine() {
    const { heading: told, ...painted } = model.get("machine");
    machineHead.textContent = told ?? "";
    workflow.update(painted);
  }

  // A question over the page

  const card = make("div", { className: "card" });
  const over = make("div", { className: "over", hidden: true }, card);
  card.setAttribute("role", "alertdialog");
  card.setAttribute("aria-modal", "true");

  function showQuestion() {
    const told = model.get("question");
    show(over, told);
    if (!told) return card.replaceChildren();
    const rows = (told.rows ?? []).map(([head, cells]) => [head, cells.map((cell) => make("div", { textContent: cell }))]);
    const yes = button("", () => {
      show(over, false);
      send({ do: "yes", number: told.number });
      if (model.get("step").form === "announce") busy(answer, true); // until the step or a problem comes
    }, "yes"); // prettier-ignore
    const no = button("no", () => (show(over, false), send({ do: "no" })));
    yes.textContent = told.yes;
    no.textContent = words().no;
    card.replaceChildren(
      make("h1", { textContent: told.title }), rows.length ? table([], rows) : "", ...(told.problems ?? []).map(problem),
      told.text ? make("p", { textContent: told.text }) : "", make("div", { className: "row" }, yes, no),
    ); // prettier-ignore
    no.focus(); // the next Space does nothing that cannot be undone
  }

  // The page

  const preview = make("div", {});
  const foot = make("div", { className: "foot" });
  const step = make("section", { className: "step" }, make("div", { className: "scroll" }, heading, text, problems, preparation, value, roll), main, answer, wrong, restore, correction, between, files, back); // prettier-ignore
  const lists_ = make("section", { className: "prizes" },
    make("div", { className: "heads" }, make("h2", { word: "prizes" }), left, askWho), who, withdrawal, won, strange); // prettier-ignore
  const body = make("div", { className: "body" }, make("div", { className: "side" }, step, machine),
    make("div", { className: "side" }, make("div", { className: "preview" }, preview), lists_)); // prettier-ignore
  document.getElementById("page").append(bar, body, foot, over);

  function tellWords(around) {
    for (const node of around.querySelectorAll("[data-word]")) node.textContent = words()[node.dataset.word];
    for (const node of around.querySelectorAll("[data-hint]")) {
      node.placeholder = words()[node.dataset.hint];
      node.setAttribute("aria-label", node.placeholder);
    }
  }

  function showWords() {
    document.documentElement.lang = words().language;
    tellWords(document);
    speaks.replaceChildren(...model.get("languages").map(([name, code]) => make("option", { value: code, textContent: name, selected: code === model.get("language") }))); // prettier-ignore
    speaks.setAttribute("aria-label", words().language_of_pages);
    prizes.setAttribute("aria-label", words().prizes_label);
    fold.title = words().machine_title;
    if (speaking && speaking !== model.get("language")) send({ do: "language", language: speaking });
    else speaking = undefined;
    const rule = chosen("rule") || model.get("rules")[0][1];
    absent.replaceChildren(choices("rule", model.get("rules").map(([name, code]) => ["", code, name]), rule)); // prettier-ignore
    const look = () => send({ do: "theme", name: chosen("theme") });
    theme.replaceChildren(choices("theme", model.get("themes").map(([name, code]) => ["", code, name]), model.get("theme"), look)); // prettier-ignore
    readForm();
    for (const each of [showStep, showFiles, showPrizes, showQuestion]) each();
  }

  function showHead() {
    const { name = "", value: told = "", left: number = "" } = model.get("head");
    head.replaceChildren(make("b", { textContent: model.get("title") }), ...[name, told].filter(Boolean).map((each) => make("span", { textContent: each }))); // prettier-ignore
    left.textContent = number;
    show(askWho, number);
    document.title = model.get("title");
    if (!document.hasFocus() || document.activeElement !== title) title.value = model.get("title");
  }

  function showFoot() {
    // The only address is that of the mailbox
    foot.replaceChildren(...model.get("foot").split(/(https?:\/\/[^\s<;]+)/).map((part, at) =>
      at % 2 ? make("a", { href: part, target: "_blank", rel: "noopener", textContent: words().mailbox }) : part)); // prettier-ignore
  }

  function showWrong() {
    wrong.replaceChildren(problem(model.get("problem")) || "");
    show(restore, model.get("lost"));
  }

  open.href = `${location.pathname}stage`;
  const hears = {
    words: showWords, step: showStep, roll: showRoll, files: showFiles, prizes: showPrizes, strange: showPrizes, head: showHead,
    title: showHead, foot: showFoot, problem: () => (showWrong(), showStep()), lost: showWrong, question: showQuestion, machine: showMachine,
    pictures: showPictures, draft: showDraft, theme: () => choose("theme", model.get("theme")),
    lost_link: () => {
      open.href = `${location.pathname}stage`;
      if (value.value) send({ do: "type", text: value.value }); // a new server does not know it
    },
  }; // prettier-ignore
  for (const name in hears) model.on(`change:${name}`, hears[name]);
  graph({ model: workflow, el: drawn });
  const stageOf = stage({ model, el: preview, alone: false });
  const sized = new ResizeObserver(([{ contentRect }]) => preview.style.setProperty("--small", contentRect.width / 1920));
  sized.observe(preview.parentNode);
  for (const each of new Set(Object.values(hears))) each();
});
