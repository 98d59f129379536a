"""Show a widget on a page without Jupyter: tell the page all traits, and hear what people do there.

`GraphWidget` is one of these where nothing else can show it, because there is no anywidget.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import traitlets

#: Takes a message for the page: ``set`` has traits by their names, ``msg`` is what `PageWidget.send` sends.
Tell = Callable[[str], None]


class PageWidget(traitlets.HasTraits):  # type: ignore[misc]
    """What anywidget's class gives to the kit's widgets, without a kernel.

    Args:
        traits: The first values of its traits.
    """

    def __init__(self, **traits: Any) -> None:
        self._to_page: Tell | None = None
        self._kept_back: set[str] | None = None
        self._hears: Callable[[object, Mapping[str, Any], Sequence[bytes]], None] | None = None
        super().__init__(**traits)
        self.observe(self._on_change)

    def connect(self, tell: Tell) -> None:
        """Show it on a page: tell it all traits now, and from now on those that change."""
        self._to_page = tell
        self._sync(set(self.trait_names(sync=True)))

    def told(self, message: str) -> None:
        """Hear what the page says: ``set`` has traits that people have changed, ``msg`` is for `on_msg`."""
        said = json.loads(message)
        for name, value in said.get("set", {}).items():
            setattr(self, name, value)
        if "msg" in said and self._hears:
            self._hears(self, said["msg"], ())

    def on_msg(self, heard: Callable[[object, Mapping[str, Any], Sequence[bytes]], None]) -> None:
        """Hear the page's messages."""
        self._hears = heard

    def send(self, content: Mapping[str, Any]) -> None:
        """Send a message to the page."""
        if self._to_page:
            self._to_page(json.dumps({"msg": content}))

    @contextmanager
    def hold_sync(self) -> Iterator[None]:
        """Tell the changes that are made meanwhile at once, at the end."""
        if self._kept_back is not None:
            yield
            return
        self._kept_back = set()
        try:
            yield
        finally:
            names, self._kept_back = self._kept_back, None
            self._sync(names)

    def close(self) -> None:
        """Show it no longer."""
        self._to_page = None

    def _on_change(self, change: Mapping[str, Any]) -> None:
        if change["name"] not in self.trait_names(sync=True):
            return
        if self._kept_back is None:
            self._sync({change["name"]})
        else:
            self._kept_back.add(change["name"])

    def _sync(self, names: set[str]) -> None:
        if self._to_page and names:
            self._to_page(json.dumps({"set": {name: getattr(self, name) for name in sorted(names)}}))
