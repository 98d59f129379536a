// Counts in `heard` what other windows of the stage are told.
() => {
  window.heard = 0;
  new BroadcastChannel('lottery-stage').onmessage = () => heard++;
}
