
// A file with a definition: above the execution the run, its events and the faults, below it the answers of the tasks.
function workbench({ model, el }) {
  const words = model.get("words");
  const box = make("div", {});
  const ended = execution({ model, el: box });
  const press = (wish) => () => model.send({ do: wish });
  const open = make("button", { type: "button", class: "file", title: words.open, onclick: () => openFile() });
  const data = make("input", { type: "text", "aria-label": words.input, spellcheck: "false", onchange: () => keep("data", data.value) });
  const run = make("button", { type: "button", class: "run", title: words.limit, onclick: press("run") }, `▶ ${words.run}`);
  const slider = make("input", { type: "range", min: 1, "aria-label": words.moment, oninput: () => go(slider.valueAsNumber) });
  const back = make("button", { type: "button", "aria-label": words.earlier, onclick: () => go(model.get("at") - 1) }, "◀");
  const on = make("button", { type: "button", "aria-label": words.later, onclick: () => go(model.get("at") + 1) }, "▶");
  const moment = make("output", { class: "moment" });
  const problem = make("p", { role: "alert", class: "error" });
  const again = make("p", { class: "error", "aria-hidden": "true" }); // the same, where one types
  const faults = make("ul", { class: "faults" });
  const take = make("button", { type: "button", onclick: press("take") }, words.take);
  const rows = make("tbody", {});
  const heads = [words.task, words.gets, words.repeats].map((word) => make("th", {}, word));
  const tasks = make("section", { class: "tasks", "data-lm-suppress-shortcuts": "true" },
    make("div", { class: "bar" }, make("h4", {}, words.tasks), take), again,
    make("table", {}, make("thead", {}, make("tr", {}, ...heads)), rows));
  const steps = make("span", { class: "steps" }, back, slider, on, moment);
  let shape, opened = "";
  el.classList.add("lottery-bench", "lottery-picture");
  el.lang = words.language;
  el.append(make("div", { class: "bar" }, open, make("label", {}, words.input, " ", data), run, steps), problem, faults, box);
  box.querySelector(".below").before(tasks);

  function keep(name, value) {
    model.set(name, value);
    model.save_changes();
  }

  function go(place) {
    keep("at", Math.max(1, Math.min(place, model.get("bench").count)));
  }

  // JupyterLab opens the file beside the notebook. Elsewhere one opens it as any other file.
  async function openFile(line) {
    const app = window.jupyterapp, notebook = app?.shell.currentWidget;
    // A page with an editor of its own hears it.
    if (!app) return el.dispatchEvent(new CustomEvent("line", { detail: line, bubbles: true }));
    const parts = (notebook?.context?.path ?? "").split("/").slice(0, -1);
    for (const part of model.get("bench").path.split("/")) part === ".." ? parts.pop() : parts.push(part);
    const options = { mode: "split-right", ref: notebook?.id };
    await app.commands.execute("docmanager:open", { path: parts.join("/"), factory: "Editor", options });
    if (line) await app.commands.execute("fileeditor:go-to-line", { line });
  }

  function show() {
    const { file, problem: why, stale, left, faults: wrong, count, event, takes, open: task } = model.get("bench");
    open.textContent = window.jupyterapp ? `${file} ↗` : file;
    for (const place of [problem, again]) [place.textContent, place.hidden] = [why, !why];
    box.classList.toggle("stale", stale);
    el.classList.toggle("left", left);
    faults.replaceChildren(...wrong.map(([line, short, text, state, isError]) => {
      const look = () => { if (state) keep("chosen", state); openFile(line); };
      const place = make("button", { type: "button", class: "link", onclick: look }, words.line.replace("{number}", line));
      return make("li", { title: text }, place, make("span", {}, isError ? short : `${words.warning}: ${short}`));
    }));
    const at = model.get("at");
    steps.hidden = !count;
    [slider.max, slider.value] = [count, at];
    slider.setAttribute("aria-valuetext", event.join(" "));
    [back.disabled, on.disabled] = [at <= 1, at >= count];
    moment.replaceChildren(make("b", {}, `${at} / ${count}`), " ", event.filter(Boolean).join(" · "));
    take.hidden = !takes;
    showTasks();
    if (task && task !== opened && [run, take].includes(document.activeElement)) rows.querySelector("tr.open input")?.focus();
    opened = task;
  }

  // The table of answers. It is made again only if it has other rows: what somebody types stays.
  function showTasks() {
    const { tasks: all, open: task } = model.get("bench"), answers = model.get("answers");
    const now = JSON.stringify(all.map(([name]) => [name, answers[name]?.length || 1]));
    tasks.hidden = !all.length;
    if (now !== shape) {
      shape = now;
      const focus = [...tasks.querySelectorAll("input, select, button")].indexOf(document.activeElement);
      rows.replaceChildren(...all.map(([name]) => row(name)));
      if (focus >= 0) tasks.querySelectorAll("input, select, button")[focus]?.focus();
    }
    all.forEach(([name, gets], number) => {
      const line = rows.children[number], cell = line.querySelector(".gets");
      line.classList.toggle("open", name === task);
      [cell.textContent, cell.title] = [gets, gets];
      line.querySelectorAll(".answer").forEach((each, place) => {
        const { text, fails, never } = answers[name]?.[place] ?? { text: "", fails: false }, field = each.querySelector("input");
        each.classList.toggle("fails", fails);
        each.querySelector("select").value = never ? "never" : fails ? "error" : "value";
        field.disabled = Boolean(never);
        field.placeholder = fails ? "States.TaskFailed" : "{}";
        if (field !== document.activeElement) field.value = text;
      });
    });
  }

  function row(name) {
    const its = () => { const own = model.get("answers")[name] ?? []; return own.length ? own : [{ text: "", fails: false }]; };
    const put = (list) => keep("answers", { ...model.get("answers"), [name]: list });
    const change = (number, part) => put(its().map((each, at) => (at === number ? { ...each, ...part } : each)));
    const button = (sign, title, onclick) => make("button", { type: "button", title, "aria-label": `${name}: ${title}`, onclick }, sign);
    const lines = its().map((_, number) => {
      const other = [words.failure, "{}"]; // what stood there as an error, and as a result
      const field = make("input", {
        type: "text", spellcheck: "false", "aria-label": `${name}, ${words.answers} ${number + 1}`,
        onchange: () => change(number, { text: field.value }),
      });
      const turn = ({ target }) => {
        const fails = target.value === "error", { fails: failed, never } = its()[number];
        if (!never) other[failed ? 0 : 1] = field.value || other[failed ? 0 : 1];
        field.value = target.value === "never" ? "" : other[fails ? 0 : 1];
        change(number, { fails, text: field.value, never: target.value === "never" });
      };
      const options = [make("option", { value: "value" }, words.value), make("option", { value: "error" }, words.error),
        make("option", { value: "never" }, words.never)];
      return make("div", { class: "answer" }, make("select", { "aria-label": `${name} ${number + 1}`, onchange: turn }, ...options), field,
        button("×", words.less, () => put(its().filter((_, at) => at !== number))));
    });
    const last = lines.at(-1), first = lines[0];
    first.append(button("✗+", words.fail, () => put([{ text: words.failure, fails: true }, ...its()])));
    last.append(button("+", words.more, () => put([...its(), its().at(-1)])));
    const choose = make("button", { type: "button", class: "link", onclick: () => keep("chosen", name) }, name);
    return make("tr", {}, make("td", {}, choose), make("td", { class: "gets" }), make("td", {}, ...lines));
  }

  function showData() {
    if (data !== document.activeElement) data.value = model.get("data");
  }
  model.on("change:bench", show);
  model.on("change:answers", showTasks);
  model.on("change:data", showData);
  showData();
  show();
  return () => {
    ended();
    model.off("change:bench", show);
    model.off("change:answers", showTasks);
    model.off("change:data", showData);
  };
}
