"""Keep the code of Lambda functions by its SHA-256, and unpack it when it is to run."""

import base64
import hashlib
import io
import threading
import zipfile
from pathlib import Path
from typing import Final

__all__ = ["CodeStore", "why_not_code"]

_LARGEST: Final = 262_144_000


def why_not_code(zipped: bytes) -> str | None:
    """AWS's reason to refuse a zip, or None."""
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "Could not unzip uploaded file. Please check your file, then try to upload again."
    return f"Unzipped size must be smaller than {_LARGEST} bytes" if size >= _LARGEST else None


class CodeStore:
    """Zips in memory, folders on disk.

    Args:
        folder: Where the folders are made, one a zip.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._zips: dict[str, bytes] = {}
        self._folders: dict[str, Path] = {}
        self._lock = threading.Lock()

    def keep(self, zipped: bytes) -> None:
        """Remember a zip that a function was given."""
        sha256 = base64.b64encode(hashlib.sha256(zipped).digest()).decode()
        with self._lock:
            self._zips[sha256] = zipped

    def folder(self, sha256: str) -> Path | None:
        """Where the code of this CodeSha256 lies unpacked; None when it never passed by."""
        with self._lock:
            if sha256 in self._folders:
                return self._folders[sha256]
            if (zipped := self._zips.get(sha256)) is None:
                return None
            # Real path: what a traceback shows is replaced by AWS's own folder.
            folder = self._folder.resolve() / hashlib.sha256(zipped).hexdigest()[:16]
            if not folder.exists():
                draft = folder.with_suffix(".tmp")
                with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
                    archive.extractall(draft)
                draft.rename(folder)
            self._folders[sha256] = folder
            return folder
