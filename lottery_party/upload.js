// A button that takes a file. Of one that is too large it sends only the name and the size: a page that sends more than
// its server takes loses its connection, without a word.

function render({ model, el }) {
  const button = document.createElement("button");
  const input = Object.assign(document.createElement("input"), { type: "file", hidden: true });
  button.className = "jupyter-button";
  button.textContent = model.get("text");
  input.accept = model.get("accept");
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    const content = file.size > model.get("most") ? [] : [await file.arrayBuffer()];
    model.send({ name: file.name, type: file.type, size: file.size }, undefined, content);
    input.value = ""; // the same file can be chosen again
  });
  el.append(button, input);
}

export default { render };
