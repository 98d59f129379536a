// Whether a field of names has drawn something, and how much is left of it once it has stopped.
async ([code, options]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 240 });
  const field = new Function(`${code}; return fieldOf`)()(canvas, options);
  const ink = () => canvas.getContext('2d').getImageData(0, 0, 400, 240).data
    .filter(one => one).length;
  for (let look = 0; look < 300 && !ink(); look++)
    await new Promise(resolve => setTimeout(resolve, 100));
  const before = ink();
  field.stop();
  return [before > 0, ink()];
}
