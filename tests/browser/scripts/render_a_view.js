// Renders a widget for a model without a kernel: Python is told by `changed` and `asked`.
async ([esm, css, state]) => {
  document.head.append(Object.assign(document.createElement('style'), {textContent: css}));
  const listeners = {}, of = name => listeners[name] ??= new Set();
  window.model = {
    get: name => state[name],
    set(name, value) { state[name] = value; for (const told of of(`change:${name}`)) told(); },
    save_changes() {
      const {chosen, predicted, answers, at, data} = state; // what a page changes
      window.changed(JSON.stringify({chosen, predicted, answers, at, data}));
    },
    on: (name, told) => of(name).add(told),
    off: (name, told) => of(name).delete(told),
    send: content => window.asked(JSON.stringify(content)),
    tell(content) { for (const told of of('msg:custom')) told(content); },
  };
  const url = URL.createObjectURL(new Blob([esm], {type: 'text/javascript'}));
  (await import(url)).default.render({model, el: document.querySelector('#view')});
}
