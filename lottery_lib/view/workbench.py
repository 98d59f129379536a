"""Look at a definition while somebody edits its file: its graph, its faults, and a run at each save."""

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

import traitlets

from lottery_lib import trial
from lottery_lib.definition import Fault, State, faults, parse
from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_limited, reason_of
from lottery_lib.harmless import harmless
from lottery_lib.history import Event, Reader, details_of, message_of
from lottery_lib.translation import _
from lottery_lib.view.execution_view import EXECUTION, ExecutionWidget, Tab
from lottery_lib.view.graph import view_of
from lottery_lib.view.painting import facts_of
from states_language import all_states

_HERE: Final = Path(__file__).parent
_PAUSE: Final = 0.1  # seconds between two looks at the file


class WorkbenchWidget(ExecutionWidget):
    """A file with a definition: its graph, what AWS would say of it, and what a run of it would do.

    The input and the answers are kept in a file beside it, such as ``mine.answers.json``.

    Args:
        file: The path of the file.
        record: Reads the events of a real execution, whose answers a button takes; None for no button.
        watch: Whether threads look at the file again and again, and do what is wished.
        apart: Where a run is calculated; by default in a process of its own.

    Attributes:
        data: The input of a run, as JSON (a trait).
        answers: What each Task answers (a trait); see `trial.Answers`.
        at: How many events of the run are shown (a trait).
        bench: What stands above the graph, and the tasks (a trait).
    """

    _esm = (
        EXECUTION
        + (_HERE / "workbench.js").read_text(encoding="utf-8")
        + "\nexport default { render: workbench };"
    )
    _css = ExecutionWidget._css + (_HERE / "workbench.css").read_text(encoding="utf-8")
    data = traitlets.Unicode("{}").tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)
    at = traitlets.Int().tag(sync=True)
    bench = traitlets.Dict().tag(sync=True)
    #: The latest workbench of each file. An earlier one no longer looks.
    _latest: ClassVar[dict[Path, "WorkbenchWidget"]] = {}

    def __init__(
        self,
        file: str | os.PathLike[str],
        record: Callable[[], Sequence[Event]] | None = None,
        *,
        watch: bool = True,
        apart: trial.Apart | None = None,
    ) -> None:
        self._shown_path, self._path, self._record = str(file), Path(file).absolute(), record
        self._text, self._seen = "", (0, 0, 0)  # what was read, and what the file's state was then
        self._faults: Sequence[Fault] = ()
        self._whole = Reader()  # the whole run, of which the view shows a part
        self._problem, self._open_task, self._runs = "", "", 0
        self._is_drawn = self._is_stale = self._is_live = False
        self._alone: tuple[str, Tab] | None = None
        self._apart = apart or trial.Apart()
        self._wishes, self._wished, self._over = set[str](), threading.Event(), threading.Event()
        super().__init__()
        self.words = self.words | _words()
        with suppress(OSError, ValueError, KeyError, TypeError):  # nobody has written one yet
            kept = json.loads(read_limited(self._kept, MB))
            self.data, self.answers = str(kept["input"]), dict(kept["answers"])
        self.look()
        self.observe(self._on_wanted, ["data", "answers"])
        self.observe(self._on_at, "at")
        self.observe(lambda _: self._wish("alone"), "chosen")
        if earlier := self._latest.get(self._path):
            earlier.leave()
            earlier._say(
                _("Another cell shows this file now. Run this cell again to use it here."), stale=True
            )
        self._latest[self._path] = self
        if watch:
            for does in (self._watch, self._work):
                threading.Thread(target=does, daemon=True).start()

    def __repr__(self) -> str:
        return f"Workbench: {self._shown_path}"

    @property
    def _kept(self) -> Path:
        return self._path.with_name(
            f"{self._path.name.removesuffix('.json').removesuffix('.asl')}.answers.json"
        )

    @property
    def _listed(self) -> Reader:
        """The whole run, whatever part of it the graph shows."""
        return self._whole

    def _below(self) -> dict[str, Any]:
        same = self.below.get("run") == self._runs
        return self.below if same else super()._below() | {"run": self._runs}

    def close(self) -> None:
        """Look no longer, and end the widget."""
        self.leave()
        super().close()

    def leave(self) -> None:
        """Look no longer."""
        self._over.set()
        self._wished.set()
        self._apart.end()

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE):
            self._do(self.look)

    def _work(self) -> None:
        while self._wished.wait() and not self._over.is_set():
            self._wished.clear()
            self.work()

    def _wish(self, what: str) -> None:
        self._wishes.add(what)
        self._wished.set()

    def work(self) -> None:
        """Do everything that was wished."""
        for what, do in (("take", self._take), ("run", self._run), ("alone", self._test_alone)):
            if what in self._wishes:
                self._wishes.discard(what)
                self._do(do)

    def _do(self, wish: Callable[[], None]) -> None:
        """Do something, and say why if it cannot be done: in a thread, an error would be shown nowhere."""
        try:
            wish()
        except Exception as error:
            with suppress(Exception):  # what cannot even be said must not end the thread
                self._say(harmless(str(error) or type(error).__name__), stale=True)

    def look(self) -> None:
        """Look at the file. If it has changed, show it, and wish a run if it was run before."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return
            text = read_limited(self._path, MB).decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else _("it is not UTF-8")
            self._seen, self._faults, self._is_drawn = (0, 0, 0), (), False
            told = _("{file} cannot be read ({reason}).", file=self._shown_path, reason=reason)
            self._say(told, stale=True)
            return
        self._apart.end(only_if_busy=True)  # what runs is not what is wanted now
        self._seen, self._text, self._alone = seen, text, None
        self._faults = sorted(faults(text, placeholders_too=False), key=lambda fault: fault.line)
        try:
            machine = parse(text)
            json.dumps(machine, ensure_ascii=False).encode()  # half a letter cannot be sent to a browser
            view_of(machine, facts_of(Reader()))
        except Exception:  # half a definition can have any form. The faults say what is wrong
            self._is_drawn = False
            told = _("This cannot be drawn. The graph is of the latest definition that could.")
            self._say(told, stale=True)
            return
        self._is_drawn = True
        self._show_run(Reader((), machine))
        if self._is_live:
            self._wish("run")

    def take(self, events: Sequence[Event]) -> None:
        """Take over what a real execution got, and what its Tasks answered.

        Args:
            events: What `get_execution_history` returns, all pages.
        """
        states = dict(all_states(self._whole.definition)) if self._whole.definition else {}
        taken = {name: its for name, its in trial.answers_of(events).items() if name in states}
        with self.hold_trait_notifications():
            self.data = str(details_of(events[0]).get("input", "{}"))
            self.answers = self.answers | taken

    def run(self) -> None:
        """Run the definition in virtual time. From now on, each change is run at once.

        Raises:
            LotteryError: The input or an answer cannot be read, or the run cannot go on.
        """
        self._is_live = True
        self._run()

    def _run(self) -> None:
        text = self._text
        if not self._is_drawn or any(fault.is_error for fault in self._faults):
            return  # the faults say why
        try:
            events, task = self._apart.call(trial.run, text, self.answers, self.data)
        except LotteryError:
            if text == self._text:  # else a save has ended it, and wishes another run
                raise
            return
        with self._lock:
            if text != self._text:
                return
            self._open_task = task
            problem = _("{task} has no answer yet: write it in the table below.", task=task) if task else ""
            if task and self.answers.get(task):  # so nobody ever answers
                problem = _(
                    "Nobody answers {task}, and it has no time limit: it waits until AWS ends the execution, "
                    "after one year.",
                    task=task,
                )
            self._show_run(Reader(events, self._whole.definition), problem)
        self._test_alone()

    def _show_run(self, whole: Reader, problem: str = "") -> None:
        """Show a run to its end; it has no events if nothing has run."""
        with self._lock, self.hold_sync():
            self._whole, self._problem, self._is_stale = whole, problem, False
            self._runs += 1
            self.at = len(whole.events)
            self._on_at()

    def _test_alone(self) -> None:
        """Test the chosen state alone, with the input that it had."""
        name, whole = self.chosen, self._whole
        state = dict(all_states(whole.definition)).get(name) if whole.definition else None
        run = whole.latest().get(name)
        self._alone = None
        if run and state and not any(fault.is_error for fault in self._faults):
            tab: Tab = {"title": _("Alone"), "kind": "json", "value": ""}
            try:
                its = self.answers.get(name)
                mock = trial.mocked(name, its[0]) if its else trial.given_back(run, state)
                reply = self._apart.call(trial.alone, self._text, trial.seen_by(run, whole), mock)
                tab["value"] = json.dumps(reply, ensure_ascii=False)
                tab["lines"] = [
                    _("This state alone, as TestState runs it: with its input, and its first answer.")
                ]
            except LotteryError as error:
                tab["lines"] = [str(error)]
            self._alone = name, tab
        self._on_chosen()

    def _of_state(self, name: str, state: State) -> dict[str, Any]:
        details = super()._of_state(name, state)
        run = self._reader.latest().get(name)
        if run and run.kind == "Wait" and run.last.seconds is not None:
            waited = timedelta(seconds=round(run.last.seconds))
            details["tabs"][0]["lines"] = [_("On AWS, it would wait {time}.", time=waited)]
        if self._alone and self._alone[0] == name:
            details["tabs"] = [*details["tabs"], self._alone[1]]
        return details

    def _header(self) -> dict[str, Any]:
        header = super()._header()
        dates = (_("Started"), _("Ended"))
        facts = [fact for fact in header.get("facts", ()) if fact[0] not in dates]
        events = self._reader.events
        if events and (took := events[-1]["timestamp"] - events[0]["timestamp"]) >= timedelta(minutes=1):
            facts = [[name, str(took) if name == _("Duration") else value] for name, value in facts]
        if why := self._reader.failure():
            facts.insert(
                0, [_("Error"), harmless(": ".join(filter(None, (why[0], message_of(why[1])))))[:160]]
            )
        return header and header | {"name": _("in virtual time"), "facts": facts}

    def _details(self) -> dict[str, Any]:
        if self._reader.events or self.chosen:
            return super()._details()
        tabs = [{"title": _("How it works"), "kind": "lines", "lines": self._steps()}]
        return {"title": _("Nothing has run yet"), "tabs": tabs}

    def _steps(self) -> list[str]:
        return [
            _("Press the name of the file to open it beside this notebook. Each save is drawn at once."),
            _("Write below what the tasks answer, or take the answers of a draw: nothing here calls AWS."),
            _("Press Run. From then on, each change is run at once, and nobody waits: time is virtual."),
            _("Choose a state to see what it got and gave, and what it does alone."),
        ]

    def _on_wanted(self, _change: object) -> None:
        kept = json.dumps({"input": self.data, "answers": self.answers}, ensure_ascii=False, indent=1)
        with suppress(OSError):  # the folder may not take it; then they are kept until the kernel ends
            self._kept.write_text(kept, encoding="utf-8")
        if self._is_live:
            self._wish("run")

    def _on_at(self, _change: object = None) -> None:
        """Show the run up to an event."""
        with self._lock:
            self.show(Reader(self._whole.events[: self.at], self._whole.definition))
            self._say(self._problem, stale=self._is_stale)

    def _on_asked(self, widget: object, asked: Mapping[str, Any], buffers: object) -> None:
        if asked.get("do") in ("run", "take"):
            self._is_live = True
            self._wish(asked["do"])
        else:
            super()._on_asked(widget, asked, buffers)

    def _take(self) -> None:
        if self._record:
            self.take(self._record())
            self._wish("run")

    def _say(self, problem: str, *, stale: bool = False) -> None:
        """Show what stands above the graph, with a problem or none.

        Args:
            problem: What does not work.
            stale: Whether the graph is not what the file and the answers now say.
        """
        self._problem, self._is_stale = problem, stale
        count, machine = len(self._whole.events), self._whole.definition
        event = self._whole.events[self.at - 1] if 0 < self.at <= count else None
        owner = self._whole.owners.get(event["id"]) if event else None
        sent = {name: run.last.sent for name, run in self._whole.latest().items()}
        tasks = [name for name, state in (all_states(machine) if machine else ()) if state["Type"] == "Task"]
        path = self._shown_path
        with suppress(ValueError):  # on Windows, it may be on another drive
            path = os.path.relpath(self._path).replace(os.sep, "/")
        self.bench = {
            "file": self._shown_path,
            "path": path,
            "problem": problem,
            "stale": stale,
            "left": self._over.is_set(),
            "faults": [
                [each.line, each.short or each.text, each.text, each.state, each.is_error]
                for each in self._faults
            ],
            "tasks": [[name, sent.get(name, "")] for name in tasks],
            "count": count,
            "event": [event["type"], owner.name if owner else ""] if event else [],
            "open": self._open_task,
            "takes": self._record is not None,
        }


def _words() -> dict[str, str]:
    return {
        "open": _("Open it beside this notebook"),
        "run": _("Run"),
        "input": _("Input"),
        "line": _("Line {number}"),
        "warning": _("warning"),
        "earlier": _("One event back"),
        "later": _("One event on"),
        "moment": _("The event up to which the run is shown"),
        "tasks": _("What the tasks answer"),
        "task": _("State"),
        "gets": _("It gets"),
        "answers": _("It answers, call by call"),
        "repeats": _("It answers, call by call; the last one repeats"),
        "value": _("result"),
        "error": _("error"),
        "never": _("nobody answers"),
        "more": _("Add an answer for the next call"),
        "fail": _("Let it fail once before"),
        "failure": f"States.TaskFailed: {_('the cause')}",
        "less": _("Remove this answer"),
        "take": _("Take the answers of the latest draw"),
        "limit": _("A run ends after 25,000 events, as on AWS."),
    }
