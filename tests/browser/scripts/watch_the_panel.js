// Notes what the panel showed, and when: the status line, and the statuses of the states.
panel => {
  window.seen = [];
  window.drawing = panel.querySelector('svg');
  const note = () => window.seen.push([
    panel.querySelector('[role=status]')?.innerText ?? '',
    [...panel.querySelectorAll('.state')].map(state => state.dataset.status)]);
  const all = {childList: true, subtree: true, characterData: true, attributes: true};
  new MutationObserver(note).observe(panel, all);
}
