"""The company's real evening, on top of `lottery_lib`: announcement, draw night, receipts and their check.

    commands               what `lottery` offers for a party
    server night page      serves the pages; runs the evening for them; what they show beside the stage
    pictures               pictures for the stage, in a folder beside the file of the evening
    scenes                 what the stage shows, what the operator is offered, what a press does
    evening evening_file   one evening: announce, draw, roll call, withdraw, close; the file that saves it
    prizes                 the prizes as an operator writes them
    public_value           the form of what the room answers
    codes                  the codes that guests photograph
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
