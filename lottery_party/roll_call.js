// The winners of a prize, each with a box to mark who is absent. A long list can be searched.

const MANY = 12; // from so many winners on, there is a field to search

function render({ model, el }) {
  const list = document.createElement("ul");
  const sent = new Map(); // marks of this page that Python has not told back yet
  const search = Object.assign(document.createElement("input"), { type: "search", placeholder: model.get("search") });
  search.setAttribute("aria-label", model.get("search"));

  function filter() {
    const wanted = search.value.trim().toLowerCase();
    for (const row of list.children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
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
    list.replaceChildren(...people.map(([id, name, note]) => {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: id });
      const small = Object.assign(document.createElement("small"), { textContent: [id, note].filter(Boolean).join(", ") });
      const label = document.createElement("label");
      const row = document.createElement("li");
      label.append(box, Object.assign(document.createElement("span"), { textContent: name }), small);
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
