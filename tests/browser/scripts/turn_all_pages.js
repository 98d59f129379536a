// Turns all pages with a clicker's key until a press goes out. Returns what they show, and what is wrong.
([least, wrongIn]) => {
  const names = [], numbers = [], wrong = [], look = eval(wrongIn);
  sent.length = 0;
  for (let page = 0; !sent.length && page < 60; page++) {
    names.push([...document.querySelectorAll('.lottery-stage .name')].map(one => one.textContent));
    numbers.push(document.querySelector('.lottery-stage .page').textContent);
    wrong.push(...look(least));
    pass_time();
    document.dispatchEvent(new KeyboardEvent('keydown', {key: 'PageDown'}));
  }
  return [names, numbers, wrong, sent.map(({way}) => way)];
}
