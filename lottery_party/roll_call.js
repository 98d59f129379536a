// The winners of a prize, each with a box to mark who is absent. A long list can be searched.
// Who was drawn in place of somebody absent comes first, with a mark.

const MANY = 12; // from so many winners on, there is a field to search

function render({ model, el }) {
  const words = model.get("words");
  const list = document.createElement("ul");
  const sent = new Map(); // marks of this page that Python has not told back yet
  const search = Object.assign(document.createElement("input"), { type: "search", placeholder: words.search });
  search.setAttribute("aria-label", words.search);

  // Full-width letters and digits are found, too
  const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");

  function filter() {
    const wanted = plain(search.value);
    for (const row of list.children) row.hidden = !plain(row.textContent).includes(wanted);
  }

  function mark() {
    const absent = new Set(model.get("absent"));
    for (const box of list.querySelectorAll("input")) {
      const told = absent.has(box.value);
      if (sent.get(box.value) === told) sent.delete(box.value);
      box.checked = sent.get(box.value) ?? told;
    }
  }

  function show() {
    const people = model.get("people");
    list.replaceChildren(...people.map(([id, name, note, fresh]) => {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: id });
      const small = Object.assign(document.createElement("small"), { textContent: [id, note].filter(Boolean).join(" · ") });
      const label = document.createElement("label");
      const row = document.createElement("li");
      label.append(box, Object.assign(document.createElement("span"), { textContent: name }), small);
      if (fresh) label.append(Object.assign(document.createElement("em"), { textContent: words.new }));
      row.append(label);
      return row;
    })); // prettier-ignore
    search.hidden = people.length <= MANY;
    search.value = "";
    sent.clear();
    mark();
  }

  // Python keeps the mark for all pages, and then changes "absent"
  list.addEventListener("change", ({ target }) => {
    sent.set(target.value, target.checked);
    model.send({ id: target.value, absent: target.checked });
  });
  search.addEventListener("input", filter);
  el.classList.add("lottery-roll-call");
  el.append(search, list);
  model.on("change:people", show);
  model.on("change:absent", mark);
  show();
}

export default { render };
