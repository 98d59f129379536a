// Shows the stage with a model that no server is linked to. What it would tell one is in `sent` (presses), `turned`
// (first entries of pages) and `seen` (moments).
async state => {
  Object.assign(window, { sent: [], turned: [], seen: [] });
  const hear = {
    press: message => sent.push(message),
    turned: ({ first }) => turned.push(first),
    seen: message => seen.push(message.seen),
  };
  window.model = link.modelOf({ sound: false, lost_link: false, ...state }, message => hear[message.do](message));
  const other = document.createElement('input');
  other.setAttribute('aria-label', 'Other');
  document.body.prepend(other);
  stage({ model, el: document.getElementById('page') });
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
}
