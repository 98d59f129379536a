// Each word of a text, and on how many lines it is.
text => {
  const words = [], walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    for (const word of walker.currentNode.data.matchAll(/[\w.]+/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      words.push([word[0], new Set([...range.getClientRects()].map(one => one.top)).size]);
    }
  return words;
}
