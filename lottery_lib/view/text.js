// A definition as text beside its graph. A chosen state shows its lines; a click on a line chooses its state.

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;

function withText({ model, el }) {
  el.classList.add("lottery-text", "lottery-picture");
  const [box, text] = [document.createElement("div"), document.createElement("pre")];
  el.append(text, box);
  const parts = model.get("parts"); // by state: its first line, and the line after its last
  const lines = model.get("text").split("\n").map((line, number) => {
    const row = document.createElement("div");
    let end = 0;
    for (const token of line.matchAll(TOKEN)) {
      const span = document.createElement("span");
      span.className = token[2] ? "key" : token[1] ? "text" : /[-\d]/.test(token[0][0]) ? "number" : "word";
      span.textContent = token[1] ?? token[0];
      row.append(line.slice(end, token.index), span, token[2] ?? "");
      end = token.index + token[0].length;
    }
    row.append(line.slice(end) || (end ? "" : "\u200b"));
    const around = Object.entries(parts).filter(([, [first, last]]) => first <= number && number < last);
    const [name] = around.sort(([, a], [, b]) => b[0] - a[0])[0] ?? [""];
    row.addEventListener("click", () => {
      model.set("chosen", name);
      model.save_changes();
    });
    return row;
  });
  text.append(...lines);
  const ended = graph({ model, el: box });
  function show() {
    const [first, last] = parts[model.get("chosen")] ?? [0, 0];
    lines.forEach((line, number) => line.classList.toggle("chosen", first <= number && number < last));
    if (last) text.scrollTo({ top: lines[first].offsetTop - text.offsetTop - 24, behavior: "smooth" });
  }
  model.on("change:chosen", show);
  show();
  return ended;
}
