"""Say the names of columns and keys, and some values, in words. Code and `--json` keep the names."""

import re
from typing import Final

from lottery_lib.translation import N_, _, language, translated


def heading(name: object) -> str:
    """A column's name for people, such as ``Employee ID`` for ``employee_id``; other names stay."""
    text = str(name)
    if known := _known().get(text):
        return known
    if not re.fullmatch(r"[a-z0-9_ ]+", text):
        return text
    words = re.sub(r"\b(id|arn)\b", lambda word: word[0].upper(), text.replace("_", " "))
    return words[:1].upper() + words[1:]


def name_in_words(name: object) -> str:
    """A key or a column's name as a terminal or a file shows it: English shows the name itself."""
    return str(name) if language() == "en" else heading(name)


#: Words of the data, which people read translated.
_DATA: Final = (
    N_("absent"),
    N_("no receipt"),
    N_("out"),
    N_("may win later"),
    N_("public value"),
    N_("ready"),
    N_("drawing"),
    N_("roll call"),
    N_("closed"),
    N_("running"),
    N_("waiting"),
    N_("succeeded"),
    N_("failed"),
    N_("caught"),
    N_("aborted"),
)


def value_in_words(name: object, value: object) -> object:
    """A value as a terminal or a file shows it below this name; English shows the value itself.

    What somebody has typed, such as a prize's name, stays. So does AWS's word, such as ``SUCCEEDED``.
    """
    if language() == "en":
        return value
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    ours = name in ("status", "receipt", "absent", "step") and value in _DATA
    return translated(language(), str(value)) if ours else value


def _known() -> dict[str, str]:
    """The words for the names of the kit's own columns, and of those in the notebooks."""
    return {
        "employee_id": _("Employee ID"),
        "employee_name": _("Employee name"),
        "employee_entry_date": _("Employee entry date"),
        "lottery_serial": _("Lottery serial"),
        "prize": _("Prize"),
        "name": _("Name"),
        "status": _("Status"),
        "winners": _("Winners"),
        "started": _("Started"),
        "duration": _("Duration"),
        "transitions": _("Transitions"),
        "cost": _("Cost"),
        "execution_arn": _("Execution ARN"),
        "id": _("ID"),
        "previous_id": _("Previous ID"),
        "time": _("Time"),
        "type": _("Type"),
        "state": _("State"),
        "branch": _("Branch"),
        "attempt": _("Attempt"),
        "input": _("Input"),
        "output": _("Output"),
        "variables": _("Variables"),
        "error": _("Error"),
        "cause": _("Cause"),
        "service": _("Service"),
        "operation": _("Operation"),
        "parameters": _("Parameters"),
        "result": _("Result"),
        "kind": _("Kind"),
        "field": _("Field"),
        "before": _("Before"),
        "after": _("After"),
        "next": _("Next"),
        "next state": _("Next state"),
        "how many": _("How many"),
        "definition": _("Definition"),
        "data": _("Data"),
        "retries": _("Retries"),
        "seconds": _("Seconds"),
        "tested": _("Tested"),
        "count": _("Count"),
        "in a draw": _("In a draw"),
        "draws a second": _("Draws a second"),
        "edition": _("Edition"),
        "department": _("Department"),
        "receipt": _("Receipt"),
        "resources": _("Resources"),
        "left": _("Left"),
        "removed": _("Removed"),
        "running": _("Running"),
        "port": _("Port"),
        "pid": _("Process ID"),
        "since": _("Since"),
        "workers": _("Workers"),
        "endpoint": _("Endpoint"),
        "access_key_file": _("Access key file"),
        "folder": _("Folder"),
        "file": _("File"),
        "files": _("Files"),
        "evening": _("Evening"),
        "step": _("Step"),
        "prizes": _("Prizes"),
        "employees": _("Employees"),
        "guests": _("Guests"),
        "root": _("Root"),
        "roll_call": _("Roll call"),
        "commitment": _("Commitment"),
        "code": _("Code"),
        "absent": _("Absent"),
        "question": _("Question"),
        "announcement": _("Announcement"),
        "check": _("Check"),
        "withdrawn": _("Withdrawn"),
    }
