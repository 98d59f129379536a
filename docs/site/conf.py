"""Tell Sphinx how the pages look and what they need: see `course_site.py` here."""

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes, search
from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).parent))
import course_site
import try_page

spoken = "zh" if tags.has("zh") else "en"  # noqa: F821 - Sphinx gives it
words = course_site.WORDS[spoken]
language = {"zh": "zh_CN"}.get(spoken, spoken)
project = course_site.title("index", spoken)
author = copyright = ""

extensions = ["myst_nb"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"
nb_code_prompt_show = words["check"]
nb_code_prompt_hide = words["hide"]
myst_heading_anchors = 4
myst_enable_extensions = ["html_image", "attrs_inline"]
myst_fence_as_directive = ["mermaid"]
#: The last two stand before the address of a page of another language.
myst_url_schemes = {
    **dict.fromkeys(["http", "https", "mailto"]),
    "page": "{{path}}",
    "place": "{{path}}#{{fragment}}",
}

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
templates_path = ["templates"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = html_show_sourcelink = html_show_sphinx = html_show_copyright = False
html_use_index = False
html_sidebars = {"**": ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html", "away.html"]}
html_theme_options = {
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "article_header_end": ["language.html", "article-header-buttons.html"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
#: From the start page of a language to that of the site.
to_home = "../" if spoken == "zh" else ""
#: Pages that are in English only, for the menu of another language.
_only = course_site.menu(set(course_site.pages()["en"]) - set(course_site.pages()[spoken]))
html_context = {
    "default_mode": "auto",  # light or dark, as the reader's system
    "spoken": spoken,
    "words": words,
    "twins": set(course_site.pages()["zh"]) & set(course_site.pages()["en"]),
    "away": {
        words["menu"][part]: [(course_site.title(name, spoken), f"../{name}.html") for name in names]
        for part, names in _only.items()
        if names
    },
    "home": to_home,
    "try_page": try_page.PAGES[spoken],
}


class Mermaid(SphinxDirective):
    """A diagram. The browser draws it, with the copy of Mermaid that the site has."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Leave the text of the diagram to the browser."""
        text = nodes.Text("\n".join(self.content)).astext().replace("&", "&amp;").replace("<", "&lt;")
        return [nodes.raw("", f'<pre class="mermaid">{text}</pre>', format="html")]


class Pairs(SearchChinese):
    """Find Chinese words of any length: each pair of neighbouring characters is in the index."""

    language_name = "English"  # whose stemmer the browser takes: Sphinx has none for Chinese
    js_splitter_code = r"""
function splitQuery(query) {
  return (query.match(/\w+|[\u3400-\u9fff]+/g) || []).flatMap((run) =>
    /\w/.test(run) ? [run] : [...run].slice(1).map((_, place) => run.slice(place, place + 2)));
}"""

    def split(self, text: str) -> list[str]:
        """The words of a text: Latin ones, and pairs of Chinese characters."""
        found = []
        for run in re.findall(r"[a-zA-Z0-9_]+|[\u3400-\u9fff]+", text):
            found += [run] if run.isascii() else [run[place : place + 2] for place in range(len(run) - 1)]
        return found


search.languages["zh"] = Pairs


def say_how_to_begin(app: Sphinx, doctree: nodes.document) -> None:
    """Say at the top of a lesson that this is a stored run, and above each exercise where to answer it.

    A lesson that shows a machine leads to the page on which one can run this machine.
    """
    page = app.env.docname
    if page.startswith("notebooks/"):
        told = way_to(words["stored"], page)
        if example := try_page.of_lesson(page.removeprefix("notebooks/")[:2]):
            away = f"{'../' * page.count('/')}{to_home}try/{try_page.PAGES[spoken]}#{example}"
            told += [nodes.Text(" "), nodes.reference("", words["try_this"], refuri=away, internal=False)]
        next(doctree.findall(nodes.title)).parent.insert(1, told)
    for cell in list(doctree.findall(nodes.container)):
        if "tag_exercise" in cell["classes"]:
            cell.parent.insert(cell.parent.index(cell), way_to(words["exercise"], page))


def way_to(sentence: str, page: str) -> nodes.paragraph:
    """A line that ends with a link to the start page."""
    inner = nodes.inline("", words["begin"])
    link = addnodes.pending_xref(
        "", inner, refdomain="std", reftype="doc", reftarget="/index", refexplicit=True
    )
    link["refdoc"] = page
    return nodes.paragraph("", sentence, link, classes=["how-to-run"])


def dress(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mark the start page for its style, and load Mermaid on the pages that have a diagram."""
    if page == "index":
        context["body"] = f'<div class="start">{context["body"]}</div>'
    if 'class="mermaid"' in context.get("body", ""):
        context["mermaid"] = "../" * page.count("/") + context["home"] + "_static/mermaid.tiny.js"


def setup(app: Sphinx) -> None:
    """Add what this site has of its own."""
    app.add_directive("mermaid", Mermaid)
    app.connect("doctree-read", say_how_to_begin)
    app.connect("html-page-context", dress)
