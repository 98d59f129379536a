"""Run the lottery from a shell: ``python -m lottery_lib COMMAND``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from lottery_lib.errors import LotteryError

# Each command imports what it needs: `emulator status` should not wait for pandas.
# ruff: noqa: PLC0415

Outcome = tuple[Any, bool]
"""What a command has to say as JSON, and whether it did its job."""

NO_DRAW: dict[str, Any] = {"status": None, "winners": [], "execution_arn": None, "error": None, "cause": None}


class _Parser(argparse.ArgumentParser):
    """A parser whose refusal is an error like any other, so that ``--json`` holds for it too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise LotteryError("command line", message, f"See `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, 0 only when it did its job."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    empty: dict[str, Any] = {}
    try:
        options = _parser().parse_args(words)
        empty = options.empty
        document, done = options.run(options)
    except KeyboardInterrupt:
        error = LotteryError("command", "interrupted", "Run it again; it goes on where it stopped")
        _refuse(error, empty, "--json" in words)
        return 130
    except Exception as error:
        explanation = _explanation(error)
        if explanation is None:
            raise
        _refuse(explanation, empty, "--json" in words)
        return 1
    if "--json" in words:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")
    else:
        _show(_untold(options, document))
    return 0 if done else 1


def _untold(options: argparse.Namespace, document: Any) -> Any:
    """What a person has not seen yet: each resource was told as it was done."""
    if options.run in (_deploy, _teardown) and not options.dry_run:
        return {key: value for key, value in document.items() if key != "resources"}
    if options.run is _rehearse:
        from lottery_lib.course.notebooks import summary

        return summary(document)
    return document


def _explanation(error: Exception) -> LotteryError | None:
    if isinstance(error, LotteryError):
        return error
    if isinstance(error, ImportError):
        return LotteryError("packages", str(error), "Run `make clean install`, then start with `make lab`")
    from lottery_lib.aws_errors import explain

    return explain(error)


def _refuse(error: LotteryError, empty: dict[str, Any], as_json: bool) -> None:
    """Say why a command did not do its job."""
    _say(str(error))
    if as_json:
        document = {**empty, "error": type(error).__name__, "cause": str(error)}
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")


def _show(document: Any) -> None:
    """Print a document for a person: a text, a table of rows, or lines of key and value."""
    if isinstance(document, str):
        sys.stdout.write(document + "\n")
        return
    if isinstance(document, list):
        _table(document)
        return
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _table(value)
        elif value is not None:
            sys.stdout.write(f"{key}: {value if value != [] else 'none'}\n")


def _table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        sys.stdout.write("none\n")
        return
    cells = [list(rows[0]), *([str(row.get(key, "")) for key in rows[0]] for row in rows)]
    widths = [min(60, max(map(len, column))) for column in zip(*cells, strict=False)]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        sys.stdout.write(line.rstrip() + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _target(options: argparse.Namespace) -> Any:
    from lottery_lib.target import connect, introduction

    target = connect(edition=options.edition)
    if target.kind == "aws":
        _say(introduction(target))
    return target


def _agreed(target: Any, options: argparse.Namespace, question: str) -> None:
    """Ask before a real account is changed; without a terminal to ask on, ``--yes`` has to be given."""
    if target.kind != "aws" or options.yes:
        return
    if not sys.stdin.isatty():
        raise LotteryError(question, "needs a yes, and there is no terminal to ask on", "Give --yes")
    sys.stderr.write(f"{question}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise LotteryError(
            question, "was not agreed to", "Nothing was changed; run it again when you mean it"
        )


def _resource_done(resource: Any) -> None:
    _say(f"{resource.state}: {resource.kind} {resource.name}")


def _rows(resources: Sequence[Any]) -> list[dict[str, str]]:
    return [{"kind": each.kind, "name": each.name, "state": each.state} for each in resources]


def _doctor(options: argparse.Namespace) -> Outcome:
    from lottery_lib.course.doctor import examine

    findings = examine(options.edition)
    return findings, all(finding["ok"] for finding in findings)


def _stack(options: argparse.Namespace, verb: str) -> Any:
    """The lottery; on AWS, what would be done to it is shown and has to be agreed to before it is done."""
    from lottery_lib.stack import Stack

    target = _target(options)
    question = f"{verb} the lottery in account {target.account}, region {target.region}"

    def announce(plan: Sequence[Any]) -> None:
        for resource in plan:
            _resource_done(resource)
        _agreed(target, options, question)

    return Stack(target, _resource_done, announce)


def _deploy(options: argparse.Namespace) -> Outcome:
    stack = _stack(options, "create")
    done = stack.plan(options.email) if options.dry_run else stack.deploy(options.email)
    return {"resources": _rows(done)}, True


def _status(options: argparse.Namespace) -> Outcome:
    from lottery_lib.stack import Stack

    return {"resources": _rows(Stack(_target(options)).status())}, True


def _teardown(options: argparse.Namespace) -> Outcome:
    stack = _stack(options, "delete")
    if options.dry_run:
        return {"resources": _rows(stack.removal()), "left": _rows(stack.left())}, True
    inventory = stack.teardown()
    document = {"resources": _rows(inventory.resources), "left": _rows(inventory.left)}
    return document, not inventory.left


def _policy(options: argparse.Namespace) -> Outcome:
    from lottery_lib.course.attendee_policy import policy
    from lottery_lib.resources import iam_role

    place, names = _place_and_names(options)
    document = policy(place, names, iam_role.attachable(names.edition))
    return document if options.json else json.dumps(document, indent=2), True


def _place_and_names(options: argparse.Namespace) -> Any:
    """Where an attendee is to work, as an administrator says it, or as the target is; and as whom."""
    from lottery_lib.course.attendee_policy import Place
    from lottery_lib.target import chosen_names, connect, introduction, partition_of

    if options.account and options.region:
        place = Place(partition_of(options.region), options.account, options.region)
        return place, chosen_names(edition=options.edition)
    if options.account:
        raise LotteryError("--account", "needs a region beside it", "Give --region, such as us-east-1")
    target = connect(edition=options.edition, region=options.region)
    other = "--account and --region write it for another"
    if target.kind == "aws":
        _say(f"{introduction(target)}; {other}")
    else:
        _say(f"This is for the emulator's account; LOTTERY_TARGET=aws writes it for your own, {other}")
    return Place(target.partition, target.account, target.region), target.names


def _draw(options: argparse.Namespace) -> Outcome:
    from lottery_lib.draws import draw
    from lottery_lib.mails import inbox

    target = _target(options)
    _say(inbox(target).where)  # before the draw: there is still time to confirm
    result = draw(target, _as_json(options.number))
    return result, result["status"] == "SUCCEEDED" and not result["error"]


def _resume(options: argparse.Namespace) -> Outcome:
    from lottery_lib.draws import resume
    from lottery_lib.mails import inbox

    target = _target(options)
    _say(inbox(target).where)
    result = resume(target, options.draw_id, remail=options.mail)
    return result, result["status"] == "SUCCEEDED" and not result["error"]


def _receipts(options: argparse.Namespace) -> Outcome:
    from lottery_lib.draws import receipts
    from lottery_lib.party.fairness import verify_draw

    found = receipts(_target(options), options.draw_id)
    rows = [receipt | {"verified": verify_draw(receipt)} for receipt in found if "secret" in receipt]
    true = len(rows) == len(found) and all(all(row["verified"].values()) for row in rows)
    return rows if options.json else [row["verified"] for row in rows], true


def _as_json(word: str) -> Any:
    """Read the number as JSON would: what is no number goes to the machine as it is, which refuses it."""
    try:
        return json.loads(word)
    except ValueError:
        return word


def _winners(options: argparse.Namespace) -> Outcome:
    from lottery_lib.draws import winners

    return _records(winners(_target(options))), True


def _history(options: argparse.Namespace) -> Outcome:
    from lottery_lib import execution
    from lottery_lib.draws import last_execution
    from lottery_lib.history import state_table

    target = _target(options)
    arn = options.execution_arn or last_execution(target)
    table = state_table(execution.history(target, arn))
    if not options.json:
        _say(arn)
        table = table[["state", "branch", "attempt", "status", "duration", "error"]]
    return _records(table), True


def _records(frame: Any) -> list[dict[str, Any]]:
    """Turn a table into records in which what is missing is null, as JSON knows no NaN."""
    records: list[dict[str, Any]] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return records


def _load(options: argparse.Namespace) -> Outcome:
    from tqdm import tqdm

    from lottery_lib import employees as roster
    from lottery_lib.party.pool import load_employees

    found, target = roster.read(options.file), _target(options)
    _agreed(target, options, f"replace the employees in {target.names.employee_table} by {options.file}")
    bar = partial(tqdm, unit=" employees", file=sys.stderr, disable=options.json or None)
    loaded = load_employees(target, found, bar)
    return {"loaded": loaded, "rejected": found.rejected}, not found.rejected


def _reset(options: argparse.Namespace) -> Outcome:
    from lottery_lib.draws import forget_winners

    target = _target(options)
    _agreed(target, options, f"empty the table {target.names.winners_table} in account {target.account}")
    return {"removed": forget_winners(target)}, True


def _rehearse(options: argparse.Namespace) -> Outcome:
    from lottery_lib.course.doctor import examine, missing
    from lottery_lib.course.notebooks import rehearse

    for sentence in missing(examine(options.edition)):
        _say(sentence)
    rows = rehearse(sys.stderr)
    return rows, all(row["ok"] for row in rows)


def _emulator_start(options: argparse.Namespace) -> Outcome:
    from lottery_lib.target import start_emulator

    state = start_emulator(options.port, foreground=options.foreground, while_pid=options.while_pid)
    return state, options.foreground or state["running"]


def _emulator_stop(options: argparse.Namespace) -> Outcome:
    from lottery_lib.target import stop_emulator

    state = stop_emulator(options.port)
    return state, not state["running"]


def _emulator_status(options: argparse.Namespace) -> Outcome:
    from lottery_lib.target import emulator_status

    state = emulator_status(options.port)
    return state, True


def _parser() -> _Parser:
    parser = _Parser(prog="python -m lottery_lib", description="The Step Functions lottery workshop.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    _command(commands, "doctor", _doctor, "look whether this machine can run the course")
    deploy = _command(commands, "deploy", _deploy, "create the whole lottery", {"resources": []})
    deploy.add_argument("--email", metavar="ADDRESS", help="subscribe this address to the topic")
    teardown = _command(commands, "teardown", _teardown, "delete the whole lottery", {"resources": []})
    for changing in (deploy, teardown):
        changing.add_argument("--dry-run", action="store_true", help="only say what would be done")
    _command(commands, "status", _status, "show every resource", {"resources": []})
    draw = _command(commands, "draw", _draw, "draw N winners", NO_DRAW)
    draw.add_argument(
        "number", metavar="N", help="how many winners, at least 1; hardened, a JSON list of prizes too"
    )
    resume = _command(commands, "resume", _resume, "go on with a hardened draw that was stopped", NO_DRAW)
    resume.add_argument("draw_id", metavar="DRAW", help="the name of the execution that began it")
    resume.add_argument("--mail", action="store_true", help="mail what is recorded, even if that was tried")
    receipts = _command(commands, "receipts", _receipts, "verify a hardened draw from what it wrote down")
    receipts.add_argument("draw_id", metavar="DRAW", help="the name of its execution")
    _command(commands, "winners", _winners, "list who has won so far")
    history = _command(commands, "history", _history, "show the states of an execution")
    history.add_argument("execution_arn", metavar="EXECUTION_ARN", nargs="?", help="by default the latest")
    employees = commands.add_parser("employees", help="the table of employees")
    load = _command(
        employees.add_subparsers(metavar="load", required=True, parser_class=_Parser),
        "load",
        _load,
        "make a roster the content of the table",
        {"loaded": 0, "rejected": []},
    )
    load.add_argument("file", metavar="FILE", help="CSV with a header, or batch-write JSON")
    reset = _command(commands, "reset", _reset, "empty the table of winners")
    for asking in (deploy, teardown, reset, load):
        asking.add_argument("--yes", action="store_true", help="do not ask")
    policy = _command(commands, "policy", _policy, "print the policy that an attendee needs on AWS")
    policy.add_argument("--account", metavar="DIGITS", help="the account, by default that of the target")
    policy.add_argument("--region", help="the region, by default that of the target")
    _command(commands, "rehearse", _rehearse, "run every notebook, as before a course")
    emulator = commands.add_parser("emulator", help="the AWS emulator on this machine")
    verbs = emulator.add_subparsers(metavar="start|stop|status", required=True, parser_class=_Parser)
    start = _command(verbs, "start", _emulator_start, "start it, unless it runs")
    start.add_argument("--foreground", action="store_true", help="run in this process until a signal")
    start.add_argument("--while-pid", type=int, metavar="PID", help="end when that process has ended")
    stop = _command(verbs, "stop", _emulator_stop, "stop it")
    for verb in (start, stop, _command(verbs, "status", _emulator_status, "say whether it runs")):
        verb.add_argument("--port", type=int, help="an emulator of its own on this port")
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], Outcome], text: str, empty: Any = None
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")
    command.add_argument("--edition", help="tutorial (the default) or hardened")
    command.set_defaults(run=run, empty=empty or {})
    return command


if __name__ == "__main__":
    sys.exit(main())
