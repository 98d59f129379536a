"""Show an execution as the console does: a header, the graph, and tabs for a state or the whole execution."""

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import traitlets

from lottery_lib.definition import Machine, State, function_of, parse
from lottery_lib.harmless import escaped, harmless
from lottery_lib.history import (
    DOLLARS_PER_TRANSITION,
    Event,
    Reader,
    StateRun,
    details_of,
    message_of,
    output,
    parsed,
)
from lottery_lib.translation import CLOCK, DAY, _, cause_in_words, listed, local, punctuated, timed
from lottery_lib.view.graph import GraphView, view_of
from lottery_lib.view.graph_widget import CSS, GRAPH, GraphWidget
from lottery_lib.view.painting import facts_of
from lottery_lib.view.theme import ICONS, STATUSES, kind_of, mark_of, marked, word_of
from lottery_lib.view.timeline import timeline_of
from states_language import all_states

_HERE: Final = Path(__file__).parent
#: The JavaScript of an execution: its function `execution` fills an element.
EXECUTION: Final = GRAPH + (_HERE / "execution.js").read_text(encoding="utf-8")
_LATEST: Final = 50  # the most attempts that are shown of a state
_STEP: Final = 1000  # after so many events, the header says how many were read
#: What a status of an execution looks like: like this status of a state.
_LIKE: Final = {
    "RUNNING": "running", "SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "failed",
    "ABORTED": "aborted",
}  # fmt: skip
#: AWS's statuses, by the type of an execution's last event.
_ENDS: Final = {
    "ExecutionSucceeded": "SUCCEEDED", "ExecutionFailed": "FAILED", "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}  # fmt: skip
Tab = dict[str, Any]
#: Reads a function's log: what it wrote from one time to another. The first argument is the state.
LogReader = Callable[[State, datetime, datetime], str]


class ExecutionWidget(GraphWidget):
    """One execution: its status, the coloured workflow, and everything that a state or the execution did.

    It shows itself when it is made, so a subclass sets what it shows before it calls this one's ``__init__``.

    Args:
        definition: What the execution ran with, as JSON text or parsed; None for nothing yet.
        events: What `get_execution_history` returns, all pages. An iterator, such as a paginator's
            ``paginate(...).search("events")``, is read in a thread, and the header says how far it is.
        execution: What `describe_execution` returns; it gives the name and the ARN.

    Attributes:
        chosen: The name of the chosen state; '' for the whole execution (a trait).
        header: The line above the graph (a trait).
        details: What stands beside the graph (a trait).
        log_of: Reads the log of a state's function; None if it cannot be read.
        page_of: Gives the address of the console's page about an ARN; None if there is none.
        below: What stands below it: all events, and once the execution has ended, the timeline and a table of
            all states (a trait).
    """

    _esm = EXECUTION + "\nexport default { render: execution };"
    _css = CSS + (_HERE / "execution.css").read_text(encoding="utf-8")
    header = traitlets.Dict().tag(sync=True)
    details = traitlets.Dict().tag(sync=True)
    below = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        definition: Machine | str | None = None,
        events: Iterable[Event] = (),
        execution: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(fill=True)
        self.words = self.words | _words()
        self.execution = dict(execution or {})
        self.log_of: LogReader | None = None
        self.page_of: Callable[[str], str] | None = None
        self._first: Tab | None = None
        self._lock = threading.RLock()  # clicks, and a long history, come in other threads
        self._reader = Reader()
        self._facts = facts_of(self._reader)
        self.observe(self._on_chosen, "chosen")
        self.on_msg(self._on_asked)
        listed = events if isinstance(events, Sequence) else ()
        self.show(Reader(listed, parse(definition)) if definition else self._reader)
        self._reading = threading.Thread(target=self._read, args=(events, self._reader), daemon=True)
        if listed is not events:
            self._reading.start()

    def __repr__(self) -> str:
        return f"ExecutionView: {', '.join(self.states)}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        still = {"text/html": self.still_html} if self.still else {}
        return data | {"text/plain": repr(self)} | still, metadata

    @property
    def still_html(self) -> str:
        """What stands there without a kernel: the header, a draw's winners, the graph and the timeline."""
        facts = "".join(
            f" · {escaped(name)} {escaped(value)}" for name, value in self.header.get("facts", ())
        )
        title = self.header.get("word", "")
        header = (
            f"<p><b>{escaped(title)}</b> {escaped(self.header.get('name', ''))}{facts}</p>" if title else ""
        )
        groups = (self._first or {}).get("groups", ())
        header += "".join(
            f"<p>{escaped(group['heading'] or _('Winners'))}: "
            f"{escaped(listed(' '.join(person) for person in group['people']))}</p>"
            for group in groups
        )
        picture = self.still.html if self.still else ""
        return header + picture + (timeline_of(self._reader).html if self._reader.end else "")

    def show(self, reader: Reader) -> None:
        """Show what a reader has read of an execution. It knows the definition, and may read on later."""
        with self._lock, self.hold_sync():
            self._reader, self._facts = reader, facts_of(reader)
            if reader.definition:
                self.draw(self._drawing())
            self.header, self.below = self._header(), self._below()
            self._on_chosen()

    def _drawing(self) -> GraphView:
        return view_of(self._reader.definition, self._facts)

    def refresh(self) -> None:
        """Show the same again, after an attribute has changed."""
        with self._lock:
            self.show(self._reader)

    def _read(self, events: Iterable[Event], begun: Reader) -> None:
        """Read events, say how many there are, and show them; unless something else is shown meanwhile."""
        read, why = list[Event](), ""
        try:
            for count, event in enumerate(events):
                if count % _STEP == 0:
                    self._tell(begun, "running", _("Reading ..."), _counted(count))
                read.append(event)
        except Exception as error:  # in this thread, it would be shown nowhere
            why = _("Not all events were read: {error}", error=str(error) or type(error).__name__)
        with self._lock:
            if self._reader is begun:
                self.show(shown := Reader(read, begun.definition))
                if why:
                    self._tell(shown, "failed", mark_of("failed"), why)

    def _tell(self, shown: Reader, status: str, word: str, text: str) -> None:
        """Say something in the header, if this reader is still the one that is shown."""
        with self._lock:
            if self._reader is shown:
                self.header = {"status": status, "word": word, "name": text}

    @property
    def reader(self) -> Reader:
        """What the execution did. It waits until all events that were given have been read."""
        if self._reading.is_alive():
            self._reading.join()
        return self._reader

    @property
    def statuses(self) -> Mapping[str, str]:
        """The status of each state that was entered."""
        return self._facts.statuses

    def put_first(self, tab: Tab, *, open_it: bool = False) -> None:
        """Set the first tab of the whole execution, such as the winners of a draw.

        Args:
            tab: Its ``title`` and ``kind``, and what this kind needs; see execution.js.
            open_it: Whether to show it at once, whatever tab is open.
        """
        self._first = tab
        if open_it:
            self.chosen = ""
            self.send({"do": "open", "title": tab["title"]})
        self._on_chosen()

    def age(self) -> None:
        """Say in the header that this is an earlier execution."""
        if self.header:
            self.header = self.header | {"earlier": _("the earlier draw")}

    def choose_failure(self) -> None:
        """Choose the state that failed in the end, if one did."""
        self.chosen = self._failed() or self.chosen

    def _failed(self) -> str:
        if run := self._reader.failed():
            return run.name
        latest = self._reader.latest().values()
        failed = [run for run in latest if run.last.status in ("failed", "caught") and run.last.error]
        inner = [run for run in failed if run.branch.label]  # what fails there fails the Parallel around it
        return next((run.name for run in [*inner[-1:], *failed[:1]]), "")

    def _header(self) -> dict[str, Any]:
        events, end = self._reader.events, self._reader.end
        if not events:
            return {}
        status = _ENDS[end["type"]] if end else "RUNNING"
        begin, latest = events[0]["timestamp"], (end or events[-1])["timestamp"]
        steps = self._reader.transitions()
        has_children = any(
            event["type"] == "MapRunStarted" for event in events
        )  # with transitions of their own
        same_day = local(begin).date() == local(latest).date()
        arn = self.execution.get("executionArn", "")
        facts = [
            (_("State machine"), ":".join(arn.split(":")[6:7])),
            (_("Redrives"), str(self.execution.get("redriveCount") or "")),
            (_("Started"), timed(begin, DAY)),
            (_("Ended"), timed(latest, CLOCK if same_day else DAY) if end else ""),
            (_("Duration"), f"{(latest - begin).total_seconds():.3f} s"),
            (_("Transitions"), f"{steps:,}"),
            (_("Price on AWS"), "" if has_children else f"${steps * DOLLARS_PER_TRANSITION:.6f}"),
        ]
        return {
            "status": _LIKE[status],
            "word": f"{mark_of(_LIKE[status])} {status}",
            "name": arn.rpartition(":")[2],
            "facts": [list(fact) for fact in facts if fact[1]],
            "arn": arn,
            "link": self.page_of(arn) if arn and self.page_of else "",
        }

    def _on_chosen(self, _change: object = None) -> None:
        with self._lock:
            self.details = self._details()

    def _details(self) -> dict[str, Any]:
        """What stands beside the graph."""
        name, events = self.chosen, self._reader.events
        machine = dict(all_states(self._reader.definition)) if self._reader.definition else {}
        if name in machine:
            return self._of_state(name, machine[name])
        tabs = [self._first] if self._first else []
        if events:
            started = details_of(events[0]).get("input")
            hint = _("Choose a state in the graph: click on it, or press Tab and the arrow keys.")
            tabs.append(_json_tab(_("Input"), started or "") | {"lines": [hint]})
            tabs.append(_json_tab(_("Output"), _text(output(events)) if self._reader.end else ""))
            tabs.append(_json_tab(_("Definition"), json.dumps(self._reader.definition, ensure_ascii=False)))
        error = self._reader.failure()
        why = (
            [punctuated("{error}: {message}", error=error[0], message=cause_in_words(message_of(error[1])))]
            if error
            else []
        )
        why = [
            punctuated("{state}: {error}", state=self._failed(), error=line) if self._failed() else line
            for line in why
        ]
        title = _("The whole execution") if events else ""
        return {"title": title, "tabs": tabs, "error": why}

    @property
    def _listed(self) -> Reader:
        """What stands below: the timeline, the table of states, and all events."""
        return self._reader

    def _below(self) -> dict[str, Any]:
        if not self._listed.end:
            return {"events": len(self._listed.events)}
        picture = timeline_of(self._listed)
        timeline = {"title": _("Timeline"), "kind": "picture", "value": picture.bare, "alt": picture.alt}
        return {"events": len(self._listed.events), "tabs": [timeline, self._all_states()]}

    def _all_states(self) -> Tab:
        """A row for each state, in the order in which they were entered; then those that were not."""
        begin, latest = self._listed.events[0]["timestamp"], self._listed.latest()
        machine = dict(all_states(self._listed.definition))
        rows = []
        for name in sorted(machine, key=[*latest, *machine].index):
            cells = [word_of("not entered"), "", "", ""]
            if name in latest:
                run = latest[name]
                first, last = run.attempts[0], run.last
                took = (last.ended - first.started).total_seconds() if last.ended else None
                cells = [f"{marked(last.status)} {harmless(last.error)}".strip(), str(len(run.attempts))]
                cells += [_after(first.started, begin), _took(took)]
            rows.append([name, kind_of(machine[name]), *cells])
        headings = [_("State"), _("Type"), _("Status"), _("Attempts"), _("At"), _("Took")]
        return {"title": _("States"), "kind": "table", "headings": headings, "rows": rows, "chooses": True}

    def _of_state(self, name: str, state: State) -> dict[str, Any]:
        """What stands beside the graph while a state is chosen."""
        run, kind = self._reader.latest().get(name), kind_of(state)
        defined = _json_tab(_("Definition"), json.dumps(state, ensure_ascii=False))
        if run is None:
            if self._reader.events:
                defined["lines"] = [_("The execution has not entered this state.")]
            return {
                "title": name,
                "status": "",
                "word": word_of("not entered"),
                "kind": kind,
                "tabs": [defined],
            }
        last = run.last
        # AWS's words for what goes to a service and comes back, after InputPath and before ResultPath
        task = [(_("Task input"), last.sent, run.input), (_("Task result"), last.received, last.output)]
        tabs = [
            _json_tab(_("Input"), _text(run.input)),
            *(_json_tab(title, text) for title, text, same in task if text and parsed(text) != same),
            _json_tab(_("Output"), _text(last.output)),
            *([_json_tab(_("Variables"), _text(last.variables))] if last.variables else []),
            defined,
            self._attempts(run),
            {"title": _("Events"), "kind": "events"},
            *([self._log(state)] if self.log_of and "Lambda" in kind else []),
        ]
        lines: list[str] = []
        if last.error:
            message = message_of(last.cause)
            error = punctuated(": ").join(filter(None, (last.error, cause_in_words(message))))
            lines.append(harmless(error))
            if message != last.cause:
                tabs.insert(0, _json_tab(_("Cause"), last.cause))
        elif last.status == "failed" and isinstance(run.input, dict) and "Error" in run.input:
            before = {
                "error": run.input["Error"],
                "message": cause_in_words(message_of(str(run.input.get("Cause")))),
            }
            why = _("It gives no error of its own. A Catch led here: {error}: {message}", **before)
            lines.append(harmless(why))
        elif last.status == "failed":
            lines.append(_("It gives no error and no cause."))
        return {"title": name, "status": last.status, "word": marked(last.status), "kind": kind,
                "error": lines, "tabs": tabs}  # fmt: skip

    def _attempts(self, latest: StateRun) -> Tab:
        """What a state did, attempt by attempt.

        Args:
            latest: The run of the state that is shown.
        """
        begin = self._reader.events[0]["timestamp"]
        runs = [run for run in self._reader.runs if run.name == latest.name]
        in_branches = len({run.branch.label for run in runs}) > 1
        tried = [
            (run, time, number, attempt)
            for time, run in enumerate(runs, start=1)
            for number, attempt in enumerate(run.attempts, start=1)
        ]
        rows = []
        for run, time, number, attempt in tried[-_LATEST:]:
            row = {_("Iteration"): run.branch.label} if in_branches else {}
            if len(runs) > 1 and not in_branches:
                row[_("Entered")] = str(time)
            if len(runs) == 1 or len(tried) > len(runs):
                row[_("Attempt")] = str(number)
            row[_("At")], row[_("Took")] = _after(attempt.started, begin), _took(attempt.seconds)
            row[_("Status")] = harmless(f"{marked(attempt.status)} {attempt.error}".strip())
            rows.append(row)
        remarks = [
            _("entered {times} times", times=len(runs)) if len(runs) > 1 else "",
            _("here {branch}", branch=latest.branch.label) if in_branches else "",
        ]
        if len(tried) > _LATEST:
            remarks.append(_("the latest {shown} of {count} attempts", shown=_LATEST, count=len(tried)))
        remark = punctuated(", ").join(filter(None, remarks))
        return {
            "title": _("Attempts"),
            "kind": "table",
            "lines": [remark] if remark else [],
            "headings": [*rows[0]],
            "rows": [[*row.values()] for row in rows],
        }

    def _log(self, state: State) -> Tab:
        link = self.page_of(function_of(state)) if self.page_of else ""
        return {"title": _("Log"), "kind": "log", "link": link}

    def _on_asked(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Answer what execution.js asks for."""
        if content.get("do") == "events":
            self.send(self._events(content))
        elif content.get("do") == "event":
            event = self._listed.events[int(content["id"]) - self._listed.events[0]["id"]]
            self.send(
                {
                    "do": "event",
                    "id": content["id"],
                    "text": json.dumps(event, ensure_ascii=False, default=datetime.isoformat),
                }
            )
        elif content.get("do") == "log":
            threading.Thread(target=self._send_log, args=(str(content["state"]),), daemon=True).start()

    def _events(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A page of the events that a filter finds: all, or those of the chosen state."""
        events, owners = self._listed.events, self._listed.owners
        begin, words = events[0]["timestamp"] if events else datetime.now(UTC), str(asked["filter"]).lower()
        entries = []
        for event in events:
            owner = owners[event["id"]]
            name = owner.name if owner else ""
            if asked["state"] in ("", name) and (
                not words or words in f"{event['id']} {event['type']} {name}".lower()
            ):
                entries.append((event, name))
        first = int(asked["page"]) * int(asked["size"])
        rows = [
            [
                str(event["id"]),
                _after(event["timestamp"], begin),
                timed(event["timestamp"]).partition(" / ")[0],  # UTC stands in the header
                event["type"],
                name,
                _resource(event),
            ]
            for event, name in entries[first : first + int(asked["size"])]
        ]
        counted = _counted(len(entries))
        return {key: asked[key] for key in ("do", "asked", "page")} | {
            "rows": rows,
            "count": len(entries),
            "told": counted,
        }

    def _send_log(self, name: str) -> None:
        try:
            assert self.log_of is not None
            state = dict(all_states(self._reader.definition))[name]
            begin = next(run.attempts[0].started for run in self._reader.runs if run.name == name)
            end = self._reader.events[-1]["timestamp"]
            text = self.log_of(state, begin, end) or _("It has written nothing.")
        except Exception as error:  # in this thread, it would be shown nowhere
            text = str(error)
        lines = re.sub("\r\n?", "\n", text)  # AWS's runtime joins the lines of a traceback with \r
        self.send({"do": "log", "state": name, "text": harmless(lines)})


def _words() -> dict[str, Any]:
    """The words that execution.js shows."""
    return {
        "copy": _("Copy"),
        "copied": _("Copied"),
        "console": _("Open in the console"),
        "filter": _("Filter by type, state or number"),
        "events": _("Events"),
        "columns": [_("Number"), _("At"), _("Time"), _("Type"), _("State"), _("Resource")],
        "whole": _("The whole execution"),
        "legend": _("What the signs mean"),
        "signs": [[path, name] for name, path in ICONS.items()],
        "statuses": [[status, marked(status)] for status in STATUSES],
        "lines": [
            _("no mark: not entered"),
            _("thick line: the way that was taken"),
            _("dashed line: a Catch"),
            _("↻: tried again"),
        ],
        "loading": _("Loading ..."),
        "nothing": _("There is none."),
        "gone": _(
            "The kernel has ended or was restarted, so nothing here answers. "
            "Run the first cell again, then run this cell again."
        ),
        "mailbox": _("the mailbox page"),
    }


def _json_tab(title: str, text: str) -> Tab:
    return {"title": title, "kind": "json", "value": harmless(text)}


def _text(value: object) -> str:
    """A value as JSON; empty if there is none."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _counted(count: int) -> str:
    return _("Events: {count}", count=f"{count:,}")


def _after(time: datetime, begin: datetime) -> str:
    return f"{(time - begin).total_seconds():.3f} s"


def _took(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f} s"


def _resource(event: Event) -> str:
    """What an event's Task calls: an action of a service, such as ``sns:publish``, or a function."""
    details = details_of(event)
    resource = str(details.get("resource") or "")
    return (
        f"{details['resourceType']}:{resource}"
        if details.get("resourceType")
        else resource.rpartition(":function:")[2]
    )
