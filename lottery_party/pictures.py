"""Pictures for the stage: files in a folder beside the evening's file. None of them comes from a network."""

import base64
import re
from pathlib import Path
from typing import Final

from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, make_folder, read_limited, write_over
from lottery_lib.harmless import skeleton
from lottery_lib.translation import _

#: The names of the picture behind everything, and of that beside the title.
BACKGROUND: Final = "background"
LOGO: Final = "logo"
MOST_BYTES: Final = 2 * MB
_MOST_OF_ALL: Final = 24 * MB
_KINDS: Final = {
    **{".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"},
    ".svg": "image/svg+xml",  # a page shows it without its scripts, and without what it loads
}
#: How a file of each kind begins.
_BEGINS: Final = {
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/webp": rb"RIFF....WEBP",
    "image/svg+xml": rb"(\xef\xbb\xbf)?\s*<(\?xml|!DOCTYPE svg|!--|svg)",
}


class Pictures:
    """The pictures of an evening.

    Args:
        file: The evening's file; the folder is beside it, such as ``party.pictures`` beside
            ``party.evening.json``. None for no pictures.
    """

    def __init__(self, file: Path | None) -> None:
        stem = file.name.removesuffix(".json").removesuffix(".evening") if file else ""
        self.folder = file.with_name(f"{stem}.pictures") if file else None
        self._seen: object = None
        self._found: dict[str, str] = {}

    def look(self) -> dict[str, str]:
        """Each picture as a data URL, by the `skeleton` of its name. They are read once."""
        files = sorted(self.folder.iterdir()) if self.folder and self.folder.is_dir() else []
        wanted = [each for each in files if each.suffix.lower() in _KINDS and each.is_file()]
        if (now := [(each, each.stat().st_mtime_ns) for each in wanted]) != self._seen:
            self._seen, self._found, total = now, {}, 0
            for path in wanted:
                size = path.stat().st_size
                total += size
                if size <= MOST_BYTES and total <= _MOST_OF_ALL:
                    content = base64.b64encode(read_limited(path, MOST_BYTES)).decode()
                    self._found[skeleton(path.stem)] = f"data:{_KINDS[path.suffix.lower()]};base64,{content}"
        return self._found

    def keep(self, name: str, file: str, content: bytes, size: int, *, own: bool = False) -> None:
        """Keep a picture for a prize, or for the stage itself.

        Args:
            name: The prize, `LOGO` or `BACKGROUND`.
            file: The name of the file that somebody has chosen.
            content: Its bytes; none if it is too large.
            size: How many bytes it has.
            own: Whether the name is not that of a prize.

        Raises:
            LotteryError: It is too large, or no picture.
        """
        where, ending = _("file {file}", file=file), Path(file).suffix.lower()
        if size > MOST_BYTES:
            next_step = _("Take a picture of at most {limit} MB", limit=MOST_BYTES // MB)
            raise LotteryError(where, _("is too large"), next_step)
        kind = _KINDS.get(ending, "")
        if not kind or not re.match(_BEGINS[kind], content, re.DOTALL):
            raise LotteryError(
                where, _("is no picture that the stage can show"), _("Take a PNG, JPEG, WebP or SVG")
            )
        if self.folder:
            make_folder(self.folder)
            stem = self.remove(name, own=own)
            write_over(self.folder / f"{stem}{ending}", content)

    def remove(self, name: str, *, own: bool = False) -> str:
        """Remove a picture, if there is one. Returns how its file is called, without the ending."""
        stem = name if own and name in (LOGO, BACKGROUND) else _in_a_file(name)
        for old in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
            if old.suffix.lower() in _KINDS and skeleton(old.stem) == skeleton(stem):
                old.unlink()
        return stem

    @staticmethod
    def of(name: str) -> str:
        """Under which name `look` has the picture of a prize."""
        return skeleton(_in_a_file(name))


def _in_a_file(prize: str) -> str:
    """A prize without what the name of a file cannot have, and different from the stage's own pictures."""
    name = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", prize).strip(". ")[:80] or "_"
    return f"{name}_" if skeleton(name) in (LOGO, BACKGROUND) else name
