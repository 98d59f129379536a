// Renders the stage for a model that has no kernel.
async ([source, state]) => {
  const listeners = {};
  window.sent = [];
  window.turned = [];
  window.seen = 0;
  window.model = {
    get: key => state[key],
    set: (key, value) => { state[key] = value; (listeners[`change:${key}`] ?? []).forEach(each => each()); },
    on: (event, callback) => (listeners[event] ??= []).push(callback),
    save_changes: () => {},
    widget_manager: {kernel: window.kernel},
    send: ({ press, turned: to, seen: winners }) => {
      if (press) sent.push(press);
      if (to !== undefined) turned.push(to);
      if (winners) seen++;
    },
  };
  window.closeStage?.();
  document.body.innerHTML = '<input aria-label="Other"><div id="stage"></div>';
  const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
  const {default: widget} = await import(url);
  window.closeStage = widget.render({model, el: document.querySelector('#stage')});
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
}
