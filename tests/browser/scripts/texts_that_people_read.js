// What people and screen readers read. JSON and mails are data.
panel => {
  const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const texts = [];
  const data = 'pre, blockquote, style, .lottery-winners, .drawn, .json, .rows, .event, .error';
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest(data)) {
      texts.push(walker.currentNode.textContent);
    }
  }
  for (const each of panel.querySelectorAll('*')) {
    if (!each.checkVisibility() || each.closest(data)) continue;
    texts.push(...['aria-label', 'title', 'alt', 'placeholder'].map(name => each.getAttribute(name) ?? ''));
  }
  return [...new Set(texts.map(text => text.trim()))].filter(text => text);
}
