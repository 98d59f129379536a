// Checks a folder of receipts. The milliseconds, and the problems.
text => {
  const folder = JSON.parse(text), begun = performance.now();
  const { problems } = checkReceipts(folder);
  return [performance.now() - begun, problems];
}
