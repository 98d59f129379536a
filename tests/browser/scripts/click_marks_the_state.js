// Clicks on a state. Whether it has a thick border when the click is done.
(panel, name) => {
  const state = [...panel.querySelectorAll('.state')].find(one => one.ariaLabel.startsWith(name));
  const before = state.classList.contains('chosen');
  state.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  return !before && state.classList.contains('chosen');
}
