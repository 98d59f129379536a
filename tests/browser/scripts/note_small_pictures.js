// Notes what is written into each small picture of the field, and in which colour.
() => {
  window.pictures = new Map();
  const real = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    pictures.set(this.canvas, [text, this.fillStyle]);
    return real.call(this, text, ...rest);
  };
}
