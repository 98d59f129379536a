// A page that was opened as a file may not read another page: the search shows titles only.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Diagrams have the colours of the page, also when they change.
addEventListener("load", () => {
  const diagrams = [...document.querySelectorAll("pre.mermaid")].map((box) => [box, box.textContent]);
  if (!diagrams.length) return;
  const draw = async () => {
    const dark = document.documentElement.dataset.theme === "dark";
    mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "neutral", fontFamily: "inherit" });
    for (const [place, [box, text]] of diagrams.entries())
      box.innerHTML = (await mermaid.render(`diagram-${place}`, text)).svg;
  };
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
});
