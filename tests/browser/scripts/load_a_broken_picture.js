// Ends when a picture that is none has failed to load. What the page had asked for before has failed, too.
() => new Promise(resolve => {
  const picture = new Image();
  picture.onerror = resolve;
  picture.src = 'x';
})
