// Clicks on a state. The milliseconds until it has a thick border, and until its name is beside the graph.
async (panel, name) => {
  const state = [...panel.querySelectorAll('.state')].find(one => one.ariaLabel.startsWith(name));
  const until = async shown => {
    while (!shown() && performance.now() < begun + 9e3) await new Promise(requestAnimationFrame);
    return performance.now() - begun;
  };
  const begun = performance.now();
  state.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  return [await until(() => state.classList.contains('chosen')),
          await until(() => panel.querySelector('.side h4').innerText.startsWith(name))];
}
