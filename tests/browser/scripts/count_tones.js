// Counts in `tones` what sounds.
() => {
  window.tones = 0;
  window.OscillatorNode = class extends OscillatorNode { start(when) { tones++; super.start(when); } };
}
