"""Keep the long messages of log events in files, and only the beginning of the oldest ones."""

import threading
from typing import Any, Final
from weakref import ref

from sfn_emulator.process.store import Place, Spool

_LONG: Final = 1024
_FILE: Final = 16 << 20
_FILES: Final = 8  # a reader of a group may get all of them at once


class _Messages:
    """The long messages of log groups, in several files. A file is removed with its last message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: list[ref[Spool]] = []
        self._newest = Spool()

    def keep(self, text: str) -> tuple[Spool, Place, str]:
        data = text.encode("utf-8", "surrogatepass")
        with self._lock:
            if self._newest.size > _FILE:
                self._files = [it for it in self._files if it()] + [ref(self._newest)]
                self._newest = Spool()
                for oldest in [it() for it in self._files][:-_FILES]:
                    if oldest:
                        oldest.clear()
            return self._newest, (self._newest.append(data), len(data)), text[:_LONG]

    def text(self, kept: tuple[Spool, Place, str]) -> str:
        spool, place, beginning = kept
        with self._lock:
            data = spool.read(*place)
        return data.decode("utf-8", "surrogatepass") if len(data) == place[1] else beginning


def in_files(original: type) -> type:
    """Keep the long messages of moto's log events in files. Of the oldest ones, only the beginning stays."""
    messages = _Messages()

    def get(self: Any) -> str:
        value = vars(self)["message"]
        return value if isinstance(value, str) else messages.text(value)

    def put(self: Any, text: str) -> None:
        vars(self)["message"] = text if len(text) <= 2 * _LONG else messages.keep(text)

    return type(original.__name__, (original,), {"message": property(get, put)})
