// The height of the smallest letters in the drawing, in pixels.
panel => Math.min(...[...panel.querySelectorAll('.stage svg text')].map(text =>
  parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))
