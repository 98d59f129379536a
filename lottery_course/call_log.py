"""Record the AWS calls of each notebook cell, and show them as a table and as ``aws`` command lines.

Recording: a `CallLog` listens to all clients of one connection. Each call stores the number of the cell that
started last. It also stores the request from the front end that caused it: the run of a cell, or a click on a
button. An asyncio task keeps the request in which it was made. A call from a plain thread belongs to the cell
that runs at that time.

Showing: `calls` selects the calls of one cell, `Calls` displays them, `command` writes one as a shell line.
"""

import base64
import copy
import html
import json
import re
import shlex
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from botocore import xform_name
from botocore.client import BaseClient
from botocore.model import OperationModel

from lottery_lib.files import write_over
from lottery_lib.harmless import harmless
from lottery_lib.target import ON_CLIENT, READS, TESTING, Target
from lottery_lib.translation import _

if TYPE_CHECKING:
    import pandas as pd

_KEY: Final = "lottery_lib.call"
_SHOWN_ROWS: Final = 12
_SHOWN_PARAMETERS: Final = 3
_SHOWN_CHARACTERS: Final = 60  # enough for an execution's name with a whole UUID, which nbval replaces
_ARN: Final = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\w*:(.+)", re.DOTALL)
_COLUMNS: Final = ["service", "operation", "parameters", "result", "milliseconds", "calls"]
# The most useful members of a reply, the best first. Others are not stored, because they can hold a secret.
_USEFUL: Final = ("FunctionError", "status", "TableStatus", "State", "Count", "Account", "MessageId")
_IGNORED: Final = ("ResponseMetadata", "ConsumedCapacity")
# `lottery_lib.execution` makes up such a name, so that a start that is sent twice is one draw. A pasted line
# must start another draw, so it leaves the name out.
_MADE_UP: Final = re.compile(r"draw-\d{8}T\d{6}-[0-9a-f]{8}")

#: Parameters whose option has another name, because the CLI has an option of its own with that name.
_RENAMED: Final = {
    ("Subscribe", "Endpoint"): "--notification-endpoint",  # --endpoint is short for --endpoint-url
    ("SendTaskSuccess", "output"): "--task-output",
}


@dataclass
class Call:
    """One call of AWS.

    Attributes:
        model: botocore's model of the operation.
        parameters: As they were sent; DynamoDB's items in its own form, ``{"N": "1"}``.
        request: The front end's request that led to it; None outside of a notebook.
        cell: The number of the notebook cell that started last; None outside of a notebook.
        started: When, on the clock `time.perf_counter`.
        milliseconds: How long it took, all attempts together.
        result: The status and the most useful member of the reply, or the name of the exception.
    """

    model: OperationModel
    parameters: dict[str, Any]
    request: object = None
    cell: int | None = None
    started: float = 0.0
    milliseconds: float = 0.0
    result: str = ""

    @property
    def service(self) -> str:
        """The service's name, the same in boto3 and on the command line."""
        name: str = self.model.service_model.service_name
        return name


class CallLog:
    """The latest calls of the clients that it is attached to. Threads can share it.

    Args:
        limit: How many calls are kept: 1,000 calls with 25 employees each need about 40 MB.
    """

    def __init__(self, limit: int = 1_000) -> None:
        self._calls: deque[Call] = deque(maxlen=limit)

    def attach(self, client: BaseClient) -> None:
        """Listen to a client."""
        events = client.meta.events
        # At this event boto3 has put the items into DynamoDB's form, and botocore has not added its tokens.
        events.register_first("before-parameter-build", self._begin)
        events.register("after-call", self._answered)
        events.register("after-call-error", self._failed)

    def calls(self) -> list[Call]:
        """All calls that have ended, in the order in which they began."""
        return sorted(self._calls.copy(), key=lambda call: call.started)

    def _begin(
        self, params: dict[str, Any], model: OperationModel, context: dict[str, Any], **more: object
    ) -> None:
        with suppress(Exception):  # here and below: a call must not fail because recording it fails
            context[_KEY] = Call(model, copy.deepcopy(params), *_origin(), time.perf_counter())

    def _answered(self, parsed: dict[str, Any], context: dict[str, Any], **more: object) -> None:
        with suppress(Exception):
            self._end(context[_KEY], _essence(parsed))

    def _failed(self, exception: Exception, context: dict[str, Any], **more: object) -> None:
        with suppress(Exception):
            self._end(context[_KEY], type(exception).__name__)

    def _end(self, call: Call, result: str) -> None:
        call.milliseconds = (time.perf_counter() - call.started) * 1000
        call.result = result
        self._calls.append(call)


_LOGS: Final[WeakKeyDictionary[object, CallLog]] = WeakKeyDictionary()


def log_of(target: Target) -> CallLog:
    """The call log of a target's connection. Targets that share a session share the log."""
    return _LOGS.setdefault(target.session, CallLog())


# A log listens to the clients and not to the session, because the session has other clients for credentials.
ON_CLIENT.append(lambda target, client: log_of(target).attach(client))


def _origin() -> tuple[object, int | None]:
    """The request and the number of the cell that the running code belongs to."""
    ipython = sys.modules.get("IPython")  # outside of a notebook nobody has imported it
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return None, None
    # In[7] is the text of cell [7]. (In newer IPythons execution_count is already the next cell's number.)
    cell = len(shell.user_ns["In"]) - 1
    # The number alone is not enough: nbval runs cells without numbers.
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return parent.get("header", {}).get("msg_id", cell), cell


def _essence(reply: Mapping[str, Any]) -> str:
    """The status of a reply, its most useful member, and how often botocore sent the call."""
    metadata = reply["ResponseMetadata"]
    members = {name: value for name, value in reply.items() if name not in _IGNORED}
    inner = [item for value in members.values() if isinstance(value, dict) for item in value.items()]
    flat = {name: value for name, value in [*members.items(), *inner] if isinstance(value, str | int)}
    texts = [f"{name} {_short(flat[name])}" for name in _USEFUL if name in flat]
    texts += [f"{len(value)} {name}" for name, value in members.items() if isinstance(value, list)]
    texts += [_short(value) for name, value in flat.items() if name.lower().endswith("arn")]
    if "Error" in reply:
        texts = [str(reply["Error"].get("Code", ""))]
    retries = metadata.get("RetryAttempts")
    attempts = [_("({count} attempts)", count=retries + 1)] if retries else []
    return " ".join([str(metadata["HTTPStatusCode"]), *texts[:1], *attempts])


def command(call: Call) -> str:
    """Write a call as a line for a POSIX shell (not PowerShell) and version 2 of the AWS CLI."""
    words = ["aws", call.service, xform_name(call.model.name, "-")]
    for name, value in call.parameters.items():
        words += _option(call, name, value)
    if call.model.has_streaming_output:
        words.append("/dev/stdout")  # the CLI writes a function's answer to a file; this file is the screen
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word as the shell reads it. Controls become escapes, which bash and zsh read between $' and '."""
    if harmless(word) == word:
        return shlex.quote(word)
    text = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{harmless(text)}'"


def _option(call: Call, name: str, value: Any) -> list[str]:
    """Write one parameter as the CLI's option."""
    option = "--" + xform_name(name, "-")
    option = _RENAMED.get((call.model.name, name), option)
    if call.model.name == "StartExecution" and name == "name" and _MADE_UP.fullmatch(value):
        return []
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    if name in ("Code", "ZipFile") and (package := _package(call)):
        return ["--zip-file", f"fileb://{package[0]}"]
    text = _text(value)
    words = [f"{option}={text}"] if text.startswith("-") else [option, text]  # "-x" alone is an option itself
    shape = call.model.input_shape
    if shape is not None and shape.members[name].type_name == "blob":
        # Without this option version 2 reads the text as base64.
        words = ["--cli-binary-format", "raw-in-base64-out", *words]
    return words


def _package(call: Call) -> tuple[str, bytes] | None:
    """The file that holds a function's code on the command line: its name and its content."""
    content = call.parameters.get("ZipFile") or call.parameters.get("Code", {}).get("ZipFile")
    return (f"{call.parameters['FunctionName'].split(':')[-1]}.zip", content) if content else None


def _text(value: Any) -> str:
    """A value as the CLI reads it: a text or an event as it is, everything else as JSON."""

    def plain(inner: object) -> str:
        return base64.b64encode(inner).decode() if isinstance(inner, bytes | bytearray) else str(inner)

    if isinstance(value, bytes | bytearray):
        return value.decode(errors="replace")
    if isinstance(value, str):
        return value
    return harmless(json.dumps(value, ensure_ascii=False, default=plain))  # JSON has the same escapes


def _short(value: Any) -> str:
    """A value in one short line. An ARN becomes the part after the account."""
    if isinstance(value, bytes | bytearray):
        return _("{count} bytes", count=len(value))
    if isinstance(value, dict) and "ZipFile" in value:
        return _("zip of {size}", size=_short(value["ZipFile"]))
    text = harmless(" ".join(_text(value).split()))
    arn = _ARN.fullmatch(text)
    text = arn[1] if arn else text
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def _summary(parameters: Mapping[str, Any]) -> str:
    """The first parameters in one line, and how many more there are."""
    shown = [f"{name}={_short(value)}" for name, value in parameters.items()]
    more = len(shown) - _SHOWN_PARAMETERS
    return ", ".join(shown[:_SHOWN_PARAMETERS] + ([_("{count} more", count=more)] if more > 0 else []))


class Calls:
    """Some calls, as a notebook shows them: a table, and below it the lines to paste into a terminal.

    While a program waits, it repeats the same read. Until the next write, repeated reads share one row, which
    counts them.

    Args:
        calls: The calls.
        settings: The variables of the terminal, with their values as the shell reads them.

    Attributes:
        table: A `pandas.DataFrame` with the columns service, operation, parameters, result (the last
            call's), milliseconds (of all calls together), calls (how many) and command.
        files: The content of the files that the commands name, by name.
        settings: The first line to paste. It sets up the terminal for the target.
    """

    def __init__(self, calls: Iterable[Call], settings: Mapping[str, str]) -> None:
        import pandas as pd  # noqa: PLC0415 - each connect imports this module, and pandas takes a while

        listed = list(calls)
        self.settings = "export " + " ".join(f"{key}={value}" for key, value in settings.items())
        self.files = dict(filter(None, map(_package, listed)))
        rows = [
            (call.service, call.model.name, _summary(call.parameters), call.result, call.milliseconds, 1)
            for call in listed
        ]
        table = pd.DataFrame(rows, columns=_COLUMNS).assign(command=list(map(command, listed)))
        writes = (~table["operation"].str.startswith(READS)).cumsum().rename("writes")
        last = dict.fromkeys(_COLUMNS, "last") | {"milliseconds": "sum", "calls": "sum"}
        table = table.groupby([writes, "command"], sort=False, as_index=False).agg(last)
        self.table = table[[*_COLUMNS, "command"]].round(1)

    @property
    def commands(self) -> str:
        """The settings and all command lines, as one text to paste."""
        return self._pasted(len(self.table))

    def save_files(self, folder: str | Path = ".") -> list[str]:
        """Write the files that the commands name into the folder where you paste; returns their names."""
        for name, content in self.files.items():
            write_over(Path(folder, name), content, public=True)
        return list(self.files)

    def __repr__(self) -> str:
        if self.table.empty:
            return _("No call of AWS.")
        table = self._shown.to_string(index=False, justify="left")
        return "\n".join([table, *self._notes(), "", self._pasted()])

    def _repr_html_(self) -> str:
        if self.table.empty:
            return f"<p>{self!r}</p>"
        from lottery_lib.tables import as_html  # noqa: PLC0415 - as pandas

        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        lines = html.escape(self._pasted())
        pre = '<pre style="white-space: pre-wrap; word-break: normal">'
        return f"{as_html(self._shown)}{notes}{pre}{lines}</pre>"

    @property
    def _shown(self) -> "pd.DataFrame":
        """The first rows of the table as text, with the time in the last column."""
        table = self.table.head(_SHOWN_ROWS)
        often = table["calls"].map(lambda calls: f" x {calls}" if calls > 1 else "")
        time = table["milliseconds"].map("{:.1f} ms".format)
        shown = table.assign(operation=table["operation"] + often, time=time)
        return shown[["service", "operation", "parameters", "result", "time"]]

    def _pasted(self, rows: int = _SHOWN_ROWS) -> str:
        return "\n".join([self.settings, *self.table["command"].head(rows)])

    def _notes(self) -> list[str]:
        more = len(self.table) - _SHOWN_ROWS
        notes = []
        if more > 0:
            notes.append(_("{count} more rows: .table and .commands have all of them.", count=more))
        if self.files:
            names = ", ".join(self.files)
            notes.append(_(".save_files() writes {names}, for the lines that name it.", names=names))
        return notes


def calls(target: Target, cell: int | None = None) -> Calls:
    """Show the AWS calls of a notebook cell, each also as an ``aws`` command line.

    The lines are for bash and zsh, and for version 2 of the AWS CLI. The first line makes the terminal use
    the target. Without it, the commands use the terminal's own account. It does not show the emulator's
    access key: the shell reads it from the emulator's file, or from ``LOTTERY_TARGET``.

    Args:
        target: The target whose calls are shown.
        cell: The number in a cell's brackets. The default is the cell or the click that made the last call,
            usually the cell above. Outside of a notebook all calls are shown.

    Returns:
        The calls; a notebook displays them as a table.
    """
    recorded = log_of(target).calls()
    if cell is None:
        chosen = [call for call in recorded if call.request == recorded[-1].request]
    else:
        chosen = [call for call in recorded if call.cell == cell]
    # AWS_REGION is for version 2, the other for version 1. A pager would swallow the next pasted line.
    settings = {"AWS_DEFAULT_REGION": target.region, "AWS_REGION": target.region, "AWS_PAGER": "''"}
    if target.endpoint is not None:
        keys = {"AWS_ACCESS_KEY_ID": _key_for_shell(target), "AWS_SECRET_ACCESS_KEY": TESTING}
        settings = {"AWS_ENDPOINT_URL": shlex.quote(target.endpoint)} | keys | settings
        if any(call.model.endpoint for call in chosen):  # AWS has another host for such a call
            settings["AWS_DISABLE_HOST_PREFIX_INJECTION"] = "true"
    return Calls(chosen, settings)


def _key_for_shell(target: Target) -> str:
    """The access key as a shell finds it, because a notebook's output must not show it."""
    if target.access_key == TESTING:
        return TESTING
    if target.key_file:
        home = f"{Path.home()}/"
        path = shlex.quote(target.key_file.removeprefix(home))
        return f'"$(cat {"~/" if target.key_file.startswith(home) else ""}{path})"'
    return '"$(printf %s "$LOTTERY_TARGET" | cut -d/ -f3 | cut -d@ -f1)"'
