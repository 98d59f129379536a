// A page that was opened as a file may not read another page: the search shows titles only.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Diagrams have the colours of the page, also when they change.
addEventListener("load", () => {
  const diagrams = [...document.querySelectorAll("pre.mermaid")].map((box) => [box, box.textContent]);
  if (!diagrams.length) return;
  const { fontFamily } = getComputedStyle(document.body);
  const draw = async () => {
    const look = getComputedStyle(document.documentElement);
    const [background, primaryColor, primaryTextColor, lineColor] = ["background", "surface", "text-base", "text-muted"]
      .map((name) => look.getPropertyValue(`--pst-color-${name}`).trim());
    mermaid.initialize({ startOnLoad: false, theme: "base", fontFamily, themeVariables: {
      background, primaryColor, primaryTextColor, lineColor, primaryBorderColor: lineColor, fontFamily,
      edgeLabelBackground: background, textColor: primaryTextColor } });
    for (const [place, [box, text]] of diagrams.entries())
      box.innerHTML = (await mermaid.render(`diagram-${place}`, text)).svg;
  };
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
});
