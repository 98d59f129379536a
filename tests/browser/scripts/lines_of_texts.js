// The lines into which the text of each element is broken.
all => all.map(one => {
  const walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT), range = document.createRange();
  const lines = [];
  let last;
  for (let node; (node = walk.nextNode()); )
    for (let at = 0; at < node.length; at++) {
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const { top, height } = range.getBoundingClientRect();
      if (!height) continue;
      if (last === undefined || top > last + height / 2) lines.push('');
      last = top;
      lines.push(lines.pop() + node.data[at]);
    }
  return lines.map(line => line.trim());
})
