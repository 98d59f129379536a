// Each letter that the stage shows or tells a screen reader.
stage => stage.textContent + [...stage.querySelectorAll('*')].map(one =>
  ['aria-label', 'title', 'alt'].map(name => one.getAttribute(name) ?? ''))
