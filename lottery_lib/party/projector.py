"""Serve the projector's page to one browser."""

import atexit
import os
import tempfile
import threading
import webbrowser
from pathlib import Path
from typing import Final

from voila.app import Voila

from lottery_lib.names import CHECKOUT
from lottery_lib.texts import escaped

_NOTEBOOKS: Final = CHECKOUT / "notebooks"


class Projector(Voila):  # type: ignore[misc]
    """Voila, whose page opens only with a token. Without one, every user of the machine could press Draw."""

    def launch_browser(self) -> None:
        """Open the page with its token. Voila itself would open it without."""
        address = f"{self.connection_url}?token={self.identity_provider.token}"
        # Everybody sees the command line of a browser. Only this user can read the file.
        descriptor, name = tempfile.mkstemp(suffix=".html")
        atexit.register(Path(name).unlink, missing_ok=True)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f'<meta http-equiv="refresh" content="0; url={escaped(address)}">')
        threading.Thread(target=webbrowser.open, args=[Path(name).as_uri()], daemon=True).start()


def serve(port: int, *, browser: bool) -> None:
    """Serve the notebook `draw_night` on this machine, until Ctrl-C. It prints the address with the token.

    Args:
        port: The port; if it is taken, one of the next.
        browser: Whether to open the page in a browser.
    """
    options = ["--token", f"--port={port}", f"--Voila.root_dir={_NOTEBOOKS}", "--Voila.ip=localhost"]
    options += [] if browser else ["--no-browser"]
    Projector.launch_instance([str(_NOTEBOOKS / "draw_night.ipynb"), *options])
