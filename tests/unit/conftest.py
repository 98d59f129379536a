"""What unit tests of several rooms need."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import catalogues
import pytest
from babel.messages import Catalog

from lottery_lib import translation

# The library needs no moto: an import of it fails here.
sys.modules["moto"] = None
Catalogue = Callable[[dict[str, str]], None]


Call = tuple[tuple[Any, ...], dict[str, Any]]


@pytest.fixture
def count(monkeypatch) -> Callable[[object, str], list[Call]]:
    """Counts the calls of a function from now on, by its owner and its name. The function still works."""

    def watch(owner: object, name: str) -> list[Call]:
        calls: list[Call] = []
        function = getattr(owner, name)

        def call(*args: Any, **more: Any) -> Any:
            calls.append((args, more))
            return function(*args, **more)

        monkeypatch.setattr(owner, name, call)
        return calls

    return watch


def _forget() -> None:
    translation.language.cache_clear()
    translation._catalogue.cache_clear()


@pytest.fixture
def catalogue(tmp_path, monkeypatch) -> Iterator[Catalogue]:
    """Gives the library a Chinese catalogue with these translations, and no other language."""

    def write(translations: dict[str | tuple[str, str], str], flag: str = "") -> None:
        catalog = Catalog(locale="zh")
        for text, chinese in translations.items():
            catalog.add(text, chinese if isinstance(text, str) else (chinese,), flags=[flag])
        (tmp_path / "zh").mkdir(exist_ok=True)
        (tmp_path / "zh" / "lottery_lib.mo").write_bytes(catalogues.compiled(catalog))
        _forget()

    monkeypatch.setattr(translation, "TRANSLATIONS", tmp_path)
    write({})
    yield write
    _forget()
