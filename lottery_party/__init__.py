"""The company's real evening, on top of `lottery_lib`: announcement, draw night, receipts and their check.

    commands               what `lottery` offers for a party
    draw_night forms       the operator's page; its fields and its questions
    stage scenes           the audience's page; what it shows
    projector              serves both pages
    evening evening_file   one evening: announce, draw, roll call, withdraw, close; the file that saves it
    prizes                 the prizes as an operator writes them
    announcement           what is shown before anybody is drawn
    records                what a draw recorded; a guest's proof
    checker                checks receipts without AWS, as the page check.html does in a browser
    receipt_form           reads the receipts for it
    check_words            the sentences of a check

`lottery_lib` does not import this package.
"""

from importlib import import_module
from typing import Any, Final

# The module of each public name, which is imported when somebody asks for the name.
_MODULES: Final = {
    "Evening": "evening",
    "check_receipts": "checker",
    "night_page": "draw_night",
    "receipts": "records",
    "verify_draw": "records",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
