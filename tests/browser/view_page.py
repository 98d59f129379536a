"""A page with one of the kit's widgets, without JupyterLab: Python answers in place of a kernel."""

import json

from browser.conftest import script

PAGE = """<body data-jp-theme-light="{light}" style="margin: 8px; background: {ground}">
<main class="lottery-panel"><div id="view"></div></main>"""
MODEL = script("render_a_view")


class ViewPage:
    """A widget on a page.

    Args:
        page: The page; it must be new.
        view: The widget.
        theme: ``"light"`` or ``"dark"``, as JupyterLab says it.
    """

    def __init__(self, page, view, theme="light"):
        self.page, self.view = page, view
        self._traits = [name for name, trait in view.traits(sync=True).items() if not name.startswith("_")]
        self._told = {}
        view.send = lambda content, buffers=None: page.evaluate("content => model.tell(content)", content)
        page.set_content(
            PAGE.format(light=str(theme == "light").lower(), ground={"light": "#fff"}.get(theme, "#111"))
        )
        page.expose_function("asked", self._asked)
        page.expose_function("changed", self._changed)
        page.evaluate(MODEL, [str(view._esm), str(view._css), self._state()])

    def _state(self):
        """What differs from what the page has."""
        now = {
            name: getattr(self.view, name)
            for name in self._traits
            if name not in ("layout", "tabbable", "tooltip")
        }
        new = {name: value for name, value in now.items() if self._told.get(name) != value}
        self._told |= new
        return new

    def _asked(self, text):
        self.view._on_asked(self.view, json.loads(text), [])
        self.work()

    def _changed(self, text):
        for name, value in json.loads(text).items():
            if value is not None:
                setattr(self.view, name, value)
        self.push()
        self.work()

    def work(self):
        """Let a workbench do what its thread does in a kernel."""
        if hasattr(self.view, "work"):
            self.view.look()
            self.view.work()
            self.push()

    def push(self):
        """Tell the page what has changed in Python, as a kernel does at once."""
        for name, value in self._state().items():
            self.page.evaluate("([name, value]) => model.set(name, value)", [name, value])
