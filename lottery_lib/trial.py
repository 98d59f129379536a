"""Try a definition without AWS: run it in virtual time, or one of its states alone."""

import faulthandler
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict, TypeVar

import states_language
from lottery_lib.definition import with_stand_ins
from lottery_lib.errors import LotteryError
from lottery_lib.history import Event, Reader, StateRun, details_of, parsed
from lottery_lib.translation import _
from states_language import Error, MachineError, Run, Slow, all_states, branches, ways_from
from states_language.execution import Due, SetTimer
from states_language.one_state import Mock, StateTest

T = TypeVar("T")
_SLOW: Final = 1  # with this code, faulthandler ends a process
#: The error of a Task that nobody has answered. Nobody sees it: the run is shown until just before it.
_OPEN: Final = "Workbench.NoAnswer"
#: The error of a Task to which nobody ever answers, long after everything else has ended.
_NEVER: Final = "Workbench.Never"
_LONG: Final = "2000d"  # AWS ends an execution after a year, and a Task after 1158 days


class Answer(TypedDict):
    """What a Task answers once: its result as JSON, or, if it ``fails``, an error such as ``Name: cause``.

    If it is ``never``, nobody answers: only a time limit ends the Task.
    """

    text: str
    fails: bool
    never: NotRequired[bool]


#: The answers of each Task, by its name: one for each call. The last one holds for all further calls.
Answers = Mapping[str, Sequence[Answer]]


def run(text: str, answers: Answers, data: str) -> tuple[Sequence[Event], str]:
    """Run a definition until it ends, or until a Task has no answer. Nobody waits: time is virtual.

    Args:
        text: The definition, which AWS would not refuse. Placeholders may still be in it.
        answers: What its Tasks answer.
        data: The input, as JSON.

    Returns:
        The history; and the Task at which it stopped because it has no answer, or because nobody will ever
        answer it, or an empty text.

    Raises:
        LotteryError: The input or an answer cannot be read, or the run cannot go on.
    """
    machine, given = json.loads(text), read(_("input"), data)
    tasks: dict[str, Any] = {}
    for name, state in all_states(machine):
        if state["Type"] == "Task":
            tasks[name] = [_reply(name, each) for each in answers.get(name, ())] or [Error(_OPEN, name)]
    try:
        done = states_language.Machine(with_stand_ins(text), tasks=tasks).start(given).finish()
        history, task = _until_open(done)
        return [
            {**each, "timestamp": datetime.fromtimestamp(each["timestamp"], UTC)} for each in history
        ], task
    except (MachineError, ValueError, OverflowError) as error:
        what, next_step = str(error).splitlines()[0].rstrip("."), _("Change the definition, or an answer")
        if "files=" in what:
            what = _("the items of a Map are in a file in S3, and nothing here reads it")
        elif not isinstance(error, MachineError) or "range" in str(error):
            what = _("it would take thousands of years, and AWS ends an execution after one")
        raise LotteryError(_("run"), what, next_step) from error


def _reply(task: str, answer: Answer) -> Any:
    if answer.get("never"):
        return Slow(_LONG, Error(_NEVER, task))
    mock = mocked(task, answer)
    return mock.result if mock.error is None else Error(mock.error, mock.cause)


def _until_open(done: Run) -> tuple[Sequence[Event], str]:
    """The events of a run before a Task without an answer ended, and the Task."""
    for child in done.children:
        if task := _until_open(child)[1]:
            begun = [n for n, event in enumerate(done.events, 1) if event["type"] == "MapRunStarted"]
            return done.events[: begun[-1]], task
    for number, event in enumerate(done.events):
        if details_of(event).get("error") in (_OPEN, _NEVER):
            return done.events[:number], details_of(event)["cause"]
    return done.events, ""


def mocked(task: str, answer: Answer) -> Mock:
    """An answer as AWS's TestState takes it.

    Raises:
        LotteryError: It is not JSON, or an error without a name.
    """
    where = _("answer of {state}", state=task)
    if answer.get("never"):
        return Mock(error="States.Timeout")
    if not answer["fails"]:
        return Mock(read(where, answer["text"]))
    name, _colon, cause = answer["text"].partition(":")
    if not name.strip():
        next_step = _("Write its name, such as `States.TaskFailed`, or `States.TaskFailed: the cause`")
        raise LotteryError(where, _("an error has a name"), next_step)
    return Mock(error=name.strip(), cause=cause.strip() or None)


def read(where: str, text: str) -> Any:
    """Read JSON that a person has written.

    Raises:
        LotteryError: It is not JSON. The error names `where`.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        what, next_step = _("is not JSON ({error})", error=error), _('Write JSON, such as {"input": 2}')
        raise LotteryError(where, what, next_step) from error


def alone(text: str, about: Mapping[str, Any], mock: Mock | None) -> dict[str, Any]:
    """Run one state alone, as AWS's TestState does.

    Args:
        text: The definition.
        about: What `seen_by` says of the state.
        mock: What its work gives back: needed by a Task, a Parallel and a Map.

    Returns:
        The reply of TestState: ``status``, ``output`` or ``error`` and ``cause``, ``nextState``, and what the
        state made of its input, such as ``afterInputPath``. JSON in it is parsed.
    """
    whole, name = json.loads(with_stand_ins(text)), about["name"]
    state = dict(all_states(whole))[name]
    machine = {key: whole[key] for key in ("QueryLanguage",) if key in whole}
    others = {to: {"Type": "Succeed"} for _rules, to in ways_from(state)}
    machine |= {"StartAt": name, "States": others | {name: state}}
    begun = "2026-01-01T00:00:00.000Z"  # as in a run
    context = {
        "Execution": {"Id": "execution", "Input": about["execution"], "Name": "run", "StartTime": begun},
        "State": {"Name": name, "EnteredTime": begun, "RetryCount": 0},
        "StateMachine": {"Id": "machine", "Name": "machine"},
        "Task": {"Token": "token"},
        **({"Map": {"Item": about["item"]}} if about["item"] else {}),
    }
    test = StateTest(machine, name, about["input"], context, about["variables"], mock)
    for effect in test.begin():
        if isinstance(effect, SetTimer):  # of a Wait
            test.tell(Due(effect.id))
    reply = dict(test.reply or {})
    reply |= reply.pop("inspectionData", {})
    return {key: parsed(value) if isinstance(value, str) else value for key, value in reply.items()}


def seen_by(state: StateRun, reader: Reader) -> dict[str, Any]:
    """What a state saw when it ran: its input, that of the execution, its variables and its item of a Map."""
    variables: dict[str, Any] = {}
    item: dict[str, Any] = {}
    each: StateRun | None = state
    while each:
        if each.previous:
            each = each.previous
            variables = (each.last.variables or {}) | variables
            continue
        container = each.branch.container
        if container and container.kind == "Map" and not item:
            item = {"Index": container.inner.index(each.branch), "Value": each.input}
        each = container
    about = {"name": state.name, "input": state.input, "variables": variables, "item": item}
    return about | {"execution": parsed(details_of(reader.events[0]).get("input"))}


def given_back(state: StateRun, definition: Mapping[str, Any]) -> Mock | None:
    """What the states in a Parallel or Map gave back to it, as a mock; None for any other state."""
    if not list(branches(definition)):
        return None
    if state.last.error:
        return Mock(error=state.last.error, cause=state.last.cause)
    inner = [branch.current.last.output for branch in state.inner if branch.current]
    return Mock(inner or state.last.output)


def answers_of(events: Sequence[Event]) -> dict[str, list[Answer]]:
    """What the Tasks of a real execution answered, call by call."""
    answers: dict[str, list[Answer]] = {}
    tasks: Iterator[StateRun] = (state for state in Reader(events).runs if state.kind == "Task")
    for task in tasks:
        its = answers.setdefault(task.name, [])
        for attempt in task.attempts:
            if attempt.error:
                told = ": ".join(filter(None, (attempt.error, attempt.cause)))
                its.append({"text": told, "fails": True})
            elif attempt.received:
                its.append({"text": attempt.received, "fails": False})
    for its in answers.values():
        while its[1:] and its[-1] == its[-2]:  # the last one holds for all further calls
            its.pop()
    return {name: its for name, its in answers.items() if its}


class Apart:
    """Another process: a slow expression there does not stop this one, and can be ended.

    Attributes:
        seconds: How long a call may take.
    """

    def __init__(self, seconds: float = 15) -> None:
        self.seconds, self._lock = seconds, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function of this module there.

        Raises:
            LotteryError: It took too long, so it was ended.
            Exception: The function raised it.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                command = [sys.executable, "-m", "lottery_lib.trial"]
                pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                # Who interrupts the kernel does not mean this process.
                self._process = subprocess.Popen(command, start_new_session=True, **pipes)
            assert self._process.stdin and self._process.stdout
            try:
                pickle.dump((self.seconds, function, arguments), self._process.stdin)
                self._process.stdin.flush()
                result: T | Exception = pickle.load(self._process.stdout)
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                what = _("it took more than {seconds} seconds, so it was ended", seconds=self.seconds)
                if self._process.wait() != _SLOW:
                    what = _("the process that runs it has ended")
                next_step = _("Look for a slow expression, or for very much data")
                raise LotteryError(_("run"), what, next_step) from error
        if isinstance(result, Exception):
            raise result
        return result

    def end(self, *, only_if_busy: bool = False) -> None:
        """End the process, and with it what it does now."""
        if (process := self._process) and (self._lock.locked() or not only_if_busy):
            process.kill()


class Here(Apart):
    """No other process: who calls is apart already, as a worker of a browser is, and can be ended."""

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function."""
        return function(*arguments)


def serve() -> None:
    """Be the other process: do what is called until nobody calls any more."""
    replies, sys.stdout = sys.stdout.buffer, sys.stderr  # what is printed is no reply
    with Path(os.devnull).open("w") as nowhere:
        while True:
            try:
                seconds, function, arguments = pickle.load(sys.stdin.buffer)
            except EOFError:
                return
            # It ends this process whatever it does then, also if the kernel has gone.
            faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            try:
                reply = pickle.dumps(function(*arguments))
            except Exception as error:
                reply = pickle.dumps(error)
            faulthandler.cancel_dump_traceback_later()
            replies.write(reply)
            replies.flush()


if __name__ == "__main__":
    serve()
