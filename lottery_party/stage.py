"""Show an evening to the room: one scene at a time, and nothing technical.

The JavaScript is in stage.js, and in field.js for the names that roll.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from lottery_lib.translation import _, language

_HERE: Final = Path(__file__).parent

#: Every word that the stage itself shows; the rest comes with the scenes.
WORDS: Final = {
    "language": language(),
    "tab": _("Who wins tonight?"),
    "page": _("Page {page} of {pages}"),
    "guests": _("{guests} people can win"),
    "drawing": _("Drawing ..."),
    "new": _("drawn in place of somebody who is absent"),
    "absent": _("absent"),
    "code": _("QR code"),
    "lost": _("One moment, please"),
    "lost_next": _(
        "This page has lost its program, and comes back by itself. If it does not: type “lottery night” "
        "again, and open the stage from its page."
    ),
    "sound": _("Sound (S)"),
    "full_screen": _("Full screen (F)"),
}


class Stage(anywidget.AnyWidget):
    """The audience's page. It fills the window, shows a scene, and says which way the presenter wants to go.

    The browser sends ``{"shown": true}`` when it has the page.

    Attributes:
        title: The name of the evening.
        logo: A picture as a `data:image/...` URL, or ''.
        names: Everybody who can win. They roll by before a result is shown.
        sound: Whether a short sound is played when winners appear.
        scene: What to show. `kind` says which scene it is; every other key is shown by that scene:

            - `opening`: `guests`, `prizes` (each `name` and `count`), `words`, `code` (a QR code's SVG or '')
            - `public`: `question`, and after the room's answer: `value`, `told` (a sentence), `code`, `words`
            - `ready`: `prize`, `count`, `place` (such as "2 of 5"), `rank` (from 0, the smallest prize, to 1)
            - `rolling`: `prize`, `count`, `rank`; if only free places are drawn: `redraw`, and `winners`
            - `winners`: `prize`, `winners` (each `name`, `note`, and `status`: '', 'absent' or 'new'),
              `rank`, `redraw`
            - `closed`: `words`, `code`, `prizes` (each `name`, and the names of its `winners`)

            Any other kind shows the title and the logo. Every scene may have a `mark`, such as "Rehearsal".

            When `winners` follows `rolling`, the field of `names` comes to rest on them: within 3 seconds for
            the smallest prize, and 7 for the greatest. They were drawn before. A press skips it.
        first: The entry (winner or prize, counted from 0) whose page is shown, if the scene has several.
        words: The few words of the stage itself, and their language.
    """

    _esm = "".join((_HERE / name).read_text(encoding="utf-8") for name in ("field.js", "stage.js"))
    _css = _HERE / "stage.css"
    title = traitlets.Unicode().tag(sync=True)
    logo = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sound = traitlets.Bool().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    words = traitlets.Dict(default_value=WORDS).tag(sync=True)

    def __repr__(self) -> str:
        return _("Stage: {title}", title=self.title)

    def on_press(
        self,
        callback: Callable[[str], object],
        turned: Callable[[int], object] = lambda first: None,
        seen: Callable[[], object] = lambda: None,
    ) -> None:
        """Call `callback("advance")` or `callback("back")` when the presenter asks for it.

        Space, Enter, a click and the keys of a presenter's clicker ask. If a result has several pages, the
        browser turns them first.

        Args:
            callback: Takes the way to go.
            turned: Takes the first entry of a page that the browser has turned to, for other windows.
            seen: Is called when the browser has shown winners. Before that, their names come to rest.
        """

        def heard(_stage: "Stage", message: dict[str, Any], _buffers: list[bytes]) -> None:
            if (press := message.get("press")) in ("advance", "back"):
                callback(press)
            if isinstance(first := message.get("turned"), int):
                turned(first)
            if message.get("seen"):
                seen()

        self.on_msg(heard)
