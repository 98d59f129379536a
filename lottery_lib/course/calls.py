"""Tell what a notebook cell asked of AWS, each call also as the ``aws`` command line that makes it.

A `Target` has one `CallLog`, which listens to the clients that it hands out. A call knows where it is from:
which request of the front end led to it (run a cell, handle a click), which a task inherits from its maker,
and the number of the cell that was started last. A plain thread inherits nothing: what it calls counts for
the cell that runs then.
"""

import base64
import html
import json
import pickle
import re
import shlex
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from botocore import xform_name

__all__ = ["Call", "CallLog", "Calls", "calls", "command"]

_KEY: Final = "lottery_lib.call"
_SHOWN_ROWS: Final = 12
_SHOWN_PARAMETERS: Final = 3
_SHOWN_CHARACTERS: Final = 60  # an execution and its whole UUID, which nbval knows as one
_READ: Final = re.compile("Describe|Get|List|Scan|Query|BatchGet")
_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\w*:(.+)", re.DOTALL)
_COLUMNS: Final = ["service", "operation", "parameters", "result", "milliseconds", "calls", "command"]
# What tells most in a reply, the best first. Nothing else of it is kept: a reply may carry a secret.
_TELLING: Final = ("FunctionError", "status", "TableStatus", "State", "Count", "Account", "MessageId")
_UNTOLD: Final = ("ResponseMetadata", "ConsumedCapacity")
# A name that `lottery_lib.execution` makes up, so that a start sent twice is one draw. Pasted, it is another.
_MADE_UP: Final = re.compile(r"draw-\d{8}T\d{6}-[0-9a-f]{8}")
# Where the CLI's option is not called as the parameter, because it has an option of that name for all.
_RENAMED: Final = {
    ("Subscribe", "Endpoint"): "notification-endpoint",
    ("SendTaskSuccess", "output"): "task-output",
}


@dataclass
class Call:
    """One call of AWS.

    Attributes:
        model: The operation's model, botocore's.
        packed: The parameters, pickled: those of a roster of 100,000 would else take 160 MB.
        request: Which request of the notebook's front end led to it; None outside of a notebook.
        cell: The number of the notebook cell that was started last; None outside of a notebook.
        started: When, on the clock `time.perf_counter`.
        milliseconds: How long it took, all attempts together.
        result: The status and what tells most of the reply, or the error.
    """

    model: Any
    packed: bytes
    request: object = None
    cell: int | None = None
    started: float = 0.0
    milliseconds: float = 0.0
    result: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """As they were sent; DynamoDB's items in its own form, ``{"N": "1"}``."""
        told: dict[str, Any] = pickle.loads(self.packed)
        return told

    @property
    def service(self) -> str:
        """The service's name, the same in boto3 and on the command line."""
        name: str = self.model.service_model.service_name
        return name


class CallLog:
    """The latest calls of the clients that it is attached to; safe to use from threads.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._calls: deque[Call] = deque(maxlen=limit)

    def attach(self, client: Any) -> None:
        """Listen to a client.

        To a client and not to its session: a session has clients of its own, which fetch credentials.
        """
        events = client.meta.events
        # After boto3's resource has put the items into DynamoDB's form, before botocore adds its tokens.
        events.register_first("before-parameter-build", self._begin)
        events.register("after-call", self._answered)
        events.register("after-call-error", self._failed)

    def calls(self) -> list[Call]:
        """All calls that have ended, in the order in which they began."""
        return sorted(self._calls.copy(), key=lambda call: call.started)

    def _begin(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        with suppress(Exception):  # here and below: a call must not fail because it could not be noted
            context[_KEY] = Call(model, pickle.dumps(_copied(params)), *_origin(), time.perf_counter())

    def _answered(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        with suppress(Exception):
            self._end(context[_KEY], _essence(parsed))

    def _failed(self, exception: Exception, context: dict[str, Any], **_: Any) -> None:
        with suppress(Exception):
            self._end(context[_KEY], type(exception).__name__)

    def _end(self, call: Call, result: str) -> None:
        call.milliseconds = (time.perf_counter() - call.started) * 1000
        call.result = result
        self._calls.append(call)


def _origin() -> tuple[object, int | None]:
    ipython = sys.modules.get("IPython")  # who has not imported it is in no notebook
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return None, None
    # In[7] is the text of cell [7]. (execution_count is already that of the next cell in newer IPythons.)
    cell = len(shell.user_ns["In"]) - 1
    # A cell need not have a number: nbval's have none.
    asked = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return asked.get("header", {}).get("msg_id", cell), cell


def _copied(value: Any) -> Any:
    """Copy what the caller may change or use up afterwards."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(each) for each in value]
    return b"(an open file)" if hasattr(value, "read") else value


def _essence(reply: Mapping[str, Any]) -> str:
    told = reply["ResponseMetadata"]
    parts = [str(told["HTTPStatusCode"]), _most_telling(reply)]
    if told.get("RetryAttempts"):
        parts.append(f"({told['RetryAttempts'] + 1} attempts)")
    return " ".join(filter(None, parts))


def _most_telling(reply: Mapping[str, Any]) -> str:
    if "Error" in reply:
        return str(reply["Error"].get("Code", ""))
    members = {name: value for name, value in reply.items() if name not in _UNTOLD}
    inner = [item for value in members.values() if isinstance(value, dict) for item in value.items()]
    flat = {name: value for name, value in [*members.items(), *inner] if isinstance(value, str | int)}
    for name in _TELLING:
        if name in flat:
            return f"{name} {_short(flat[name])}"
    for name, value in members.items():
        if isinstance(value, list):
            return f"{len(value)} {name}"
    return next((_short(value) for name, value in flat.items() if name.lower().endswith("arn")), "")


def command(call: Call, files: dict[str, bytes] | None = None) -> str:
    """Write a call as a line for a POSIX shell (PowerShell quotes otherwise) and the AWS CLI version 2.

    Args:
        call: The call.
        files: What the files that the lines name hold, by name; those of this line are added.
    """
    words = ["aws", call.service, xform_name(call.model.name, "-")]
    words += _options(call, {} if files is None else files)
    if call.model.has_streaming_output:
        words.append("/dev/stdout")  # the CLI wants a file for a function's answer: this one is the screen
    return shlex.join(words)


def _options(call: Call, files: dict[str, bytes]) -> Iterator[str]:
    for name, value in call.parameters.items():
        option = _RENAMED.get((call.model.name, name)) or xform_name(name, "-")
        if call.model.name == "StartExecution" and name == "name" and _MADE_UP.fullmatch(value):
            continue
        if isinstance(value, bool):
            yield f"--{option}" if value else f"--no-{option}"
        elif isinstance(value, dict) and "ZipFile" in value:  # the CLI has lifted it out of Code
            yield from ("--zip-file", _file(call, "zip", value["ZipFile"], files))
        elif call.model.input_shape.members[name].type_name == "blob":
            yield from _blob(call, option, value, files)
        else:
            yield from _option(option, _text(value))


def _option(option: str, text: str) -> list[str]:
    # A value that starts with a dash would be taken for an option of its own.
    return [f"--{option}={text}"] if text.startswith("-") else [f"--{option}", text]


def _blob(call: Call, option: str, value: str | bytes, files: dict[str, bytes]) -> list[str]:
    content = value.encode() if isinstance(value, str) else bytes(value)
    with suppress(UnicodeDecodeError):
        if option != "zip-file":
            # Version 2 takes text for base64 unless it is told.
            return ["--cli-binary-format", "raw-in-base64-out", *_option(option, content.decode())]
    return [f"--{option}", _file(call, option.removesuffix("-file"), content, files)]


def _file(call: Call, suffix: str, content: bytes, files: dict[str, bytes]) -> str:
    function = call.parameters.get("FunctionName", call.service)
    name = f"{function.split(':')[-1]}.{suffix}"
    while files.setdefault(name, content) != content:
        name = f"next-{name}"
    return f"fileb://{name}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, datetime) else _json(value)


def _json(value: Any) -> str:
    def other(inner: Any) -> str:
        return base64.b64encode(inner).decode() if isinstance(inner, bytes | bytearray) else _text(inner)

    return json.dumps(value, ensure_ascii=False, default=other)


def _short(value: Any) -> str:
    """The part of a value that fits into a table: of an ARN what comes after the account."""
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    if isinstance(value, dict) and "ZipFile" in value:
        return f"zip of {_short(value['ZipFile'])}"
    text = " ".join(_text(value).split())
    arn = _ARN.fullmatch(text)
    text = arn[1] if arn else text
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _summary(parameters: Mapping[str, Any]) -> str:
    shown = [f"{name}={_short(value)}" for name, value in parameters.items()]
    more = len(shown) - _SHOWN_PARAMETERS
    return ", ".join(shown[:_SHOWN_PARAMETERS] + ([f"{more} more"] if more > 0 else []))


class Calls:
    """Some calls, as a notebook shows them: a table, and below it the lines to paste into a terminal.

    A read that repeats one since the last write, as a wait does, is counted in that one's row.

    Attributes:
        table: A `pandas.DataFrame`: service, operation, parameters, result (the last one's), milliseconds
            (of all together), calls (how many), command.
        files: What the files that the commands name hold, by name.
        settings: The line that sets up the terminal; the commands are the same wherever they go.
    """

    def __init__(self, calls: Iterable[Call], settings: Mapping[str, str]) -> None:
        import pandas as pd  # noqa: PLC0415 (every connect imports this room, and pandas takes a while)

        self.files: dict[str, bytes] = {}
        self.settings = "export " + " ".join(f"{key}={shlex.quote(value)}" for key, value in settings.items())
        rows = [
            {
                "service": same[-1].service,
                "operation": same[-1].model.name,
                "parameters": _summary(same[-1].parameters),
                "result": same[-1].result,
                "milliseconds": round(sum(call.milliseconds for call in same), 1),
                "calls": len(same),
                "command": line,
            }
            for line, same in _folded(calls, self.files)
        ]
        self.table = pd.DataFrame(rows, columns=_COLUMNS)

    @property
    def commands(self) -> str:
        """The settings and all command lines, as one text to paste."""
        return "\n".join([self.settings, *self.table["command"]])

    def save_files(self, folder: str | Path = ".") -> list[str]:
        """Write the files that the commands name to where these will be pasted; returns their names."""
        for name, content in self.files.items():
            (Path(folder) / name).write_bytes(content)
        return list(self.files)

    def __repr__(self) -> str:
        if self.table.empty:
            return "No call of AWS."
        rows = [tuple(self._shown), *self._shown.itertuples(index=False)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        # The last column, the time, is not padded: so that nothing varies but its digits.
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *self._notes(), "", *self._pasted()])

    def _repr_html_(self) -> str:
        if self.table.empty:
            return f"<p>{self!r}</p>"
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        lines = html.escape("\n".join(self._pasted()))
        return f'{self._shown.to_html(index=False)}{notes}<pre style="white-space: pre-wrap">{lines}</pre>'

    @property
    def _shown(self) -> Any:
        """The table as it is displayed: its first rows, all of it text, the time last."""
        table = self.table.head(_SHOWN_ROWS)
        often = table["calls"].map(lambda calls: f" x {calls}" if calls > 1 else "")
        time = table["milliseconds"].map("{:.1f} ms".format)
        shown = table[["service", "operation", "parameters", "result"]]
        return shown.assign(operation=table["operation"] + often, time=time)

    def _pasted(self) -> list[str]:
        return [self.settings, *self.table["command"].head(_SHOWN_ROWS)]

    def _notes(self) -> list[str]:
        more = len(self.table) - _SHOWN_ROWS
        notes = [f"{more} more rows: .table and .commands have all of them."] if more > 0 else []
        if self.files:
            notes.append(f".save_files() writes {', '.join(self.files)}, for the lines that name it.")
        return notes


def _folded(calls: Iterable[Call], files: dict[str, bytes]) -> list[tuple[str, list[Call]]]:
    """The command lines in order, each with its calls."""
    rows: list[tuple[str, list[Call]]] = []
    reads: dict[str, list[Call]] = {}
    for call in calls:
        line = command(call, files)
        if line in reads:
            reads[line].append(call)
            continue
        rows.append((line, [call]))
        if _READ.match(call.model.name):
            reads[line] = rows[-1][1]
        else:
            reads.clear()
    return rows


class Recorded(Protocol):
    """What `calls` needs of a `Target`."""

    call_log: CallLog
    endpoint: str | None
    region: str


def calls(target: Recorded, cell: int | None = None) -> Calls:
    """Show what a notebook cell asked of AWS, each call also as an ``aws`` command line.

    The lines are for bash and zsh, and for the AWS CLI version 2. The first line sends the terminal that it
    is pasted into where the target is: without it they go to whatever account that terminal uses.

    Args:
        target: Whose calls.
        cell: The number in a cell's brackets. By default the cell, or the click on a button, that made the
            last call: the cell above, as a rule. Outside of a notebook all calls.

    Returns:
        The calls; in a notebook they show as a table.
    """
    made = target.call_log.calls()
    if cell is None:
        wanted = [call for call in made if call.request == made[-1].request]
    else:
        wanted = [call for call in made if call.cell == cell]
    return Calls(wanted, _settings(target))


def _settings(target: Recorded) -> dict[str, str]:
    # Version 1 reads the one region and version 2 the other. A pager would take the next line for its own.
    settings = {"AWS_DEFAULT_REGION": target.region, "AWS_REGION": target.region, "AWS_PAGER": ""}
    if target.endpoint is None:
        return settings
    dummies = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return {"AWS_ENDPOINT_URL": target.endpoint} | dummies | settings
