"""Compare what emulators answered with what AWS answered, and write the tables of the record."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from scope import part_of

Line = Mapping[str, Any]
#: Fields that younger snapshots of AWS have, and older ones lack.
_ADDED: Final = re.compile(
    r"(encryptionConfiguration|[rR]edrive(Count|Status|StatusReason)|failuresNotRedrivable|pendingRedrive)$"
)
_GROUPS: Final = Path(__file__).with_name("groups.tsv")


class Difference(NamedTuple):
    """One place in an answer where an emulator and AWS differ."""

    place: str
    how: str
    aws: object
    ours: object


def is_dated(line: Line) -> bool:
    """Whether a test failed only because AWS has added fields since somebody recorded it."""
    added = [it.how == "extra" and _ADDED.search(it.place) for it in differences_of(line)]
    return line["outcome"] == "failed" and bool(added) and all(added)


def differences_of(line: Line) -> Iterator[Difference]:
    """The differences for which a test failed. An error outside the comparison is one difference."""
    if not (observed := line.get("observed")) or line.get("error") != "SnapshotAssertionError":
        yield Difference(f"{line.get('error')}: {line.get('message', '')[:300]}", line["outcome"], None, None)
        return
    ignored = [_without_numbers(path.removeprefix("$..").replace(".", "/")) for path in line["ignored"]]
    for key, answer in observed.items():
        for found in _differences(answer, (line["recorded"] or {}).get(key), key):
            place = _without_numbers(found.place)
            if not any(f"/{path}/" in f"/{place}/" for path in ignored):
                yield found


def summary(lines: Mapping[str, Sequence[Line]]) -> str:
    """A table with a row for each emulator.

    Args:
        lines: For each emulator, the lines of its tests.
    """
    heads = (
        "tests",
        "passed",
        "of them as AWS writes it today",
        "nothing ignored",
        "only the record is older",
    )
    rows = [f"| | {' | '.join(heads)} |", "|---|---:|---:|---:|---:|---:|"]
    for name, its_lines in lines.items():
        passed = sum(line["outcome"] == "passed" for line in its_lines)
        strict = sum(line["strict"] for line in its_lines)
        part = f"{passed} ({passed / len(its_lines):.1%})"
        younger = sum(line.get("younger", False) for line in its_lines)
        dated = sum(map(is_dated, its_lines))
        rows.append(f"| {name} | {len(its_lines)} | {part} | {younger} | {strict} | {dated} |")
    return "\n".join(rows)


def of_gate(lines: Sequence[Line]) -> str:
    """What the interpreter alone answers as AWS: by file, together, and where it differs.

    Args:
        lines: The lines of its tests. Those that need more than the interpreter do not count.
    """
    counted = [line for line in lines if line["outcome"] != "unsupported"]
    equal = [line for line in counted if line["outcome"] == "passed"]
    today = sum(line["younger"] for line in equal)
    together = f"{len(equal)} of {len(counted)} ({len(equal) / len(counted):.1%}) are equal"
    told = f"{together}, {today} of them as AWS writes it today."
    return f"{by_file({'equal': counted})}\n\n{told}\n\n{causes(counted)}"


def by_file(lines: Mapping[str, Sequence[Line]]) -> str:
    """A table with a row for each file of tests, and the tests that each emulator passed."""
    passed = [[line["id"] for line in of_one if line["outcome"] == "passed"] for of_one in lines.values()]
    counts = [Counter(map(part_of, tests)) for tests in passed]
    tests = Counter(part_of(line["id"]) for line in next(iter(lines.values())))
    rows = [f"| file | tests | {' | '.join(lines)} |", "|---|---:|" + "---:|" * len(lines)]
    for part in sorted(tests):
        cells = " | ".join(str(count[part]) for count in counts)
        rows.append(f"| {part.removesuffix('.py')} | {tests[part]} | {cells} |")
    return "\n".join(rows)


def by_group(lines: Sequence[Line]) -> str:
    """A table of the tests that fail, in the groups of `groups.tsv`."""
    names = dict(line.split("\t")[::-1] for line in _GROUPS.read_text().splitlines() if "\t" in line)
    groups = defaultdict(list)
    for line in lines:
        test = line["id"].split("/")[-1]
        if line["outcome"] != "passed":
            group = "the record is older than a field of AWS" if is_dated(line) else names.get(test)
            groups[group or "nobody has looked at these"].append(test)
    rows = ["| tests | what differs |", "|---:|---|"]
    ordered = sorted(groups.items(), key=lambda it: -len(it[1]))
    rows += [f"| {len(tests)} | {name} |" for name, tests in ordered]
    return "\n".join(rows)


def causes(lines: Sequence[Line]) -> str:
    """For each test that failed, its first differences."""
    texts = []
    for line in lines:
        if line["outcome"] == "passed" or is_dated(line):
            continue
        texts.append(f"## {line['id'].split('/v2/')[-1]}")
        for found in list(differences_of(line))[:8]:
            aws, ours = (json.dumps(each, ensure_ascii=False)[:400] for each in (found.aws, found.ours))
            texts.append(f"   {found.place} {found.how}\n      AWS:  {aws}\n      ours: {ours}")
    return "\n".join(texts)


def _differences(ours: Any, aws: Any, place: str) -> Iterator[Difference]:
    if isinstance(aws, dict) and isinstance(ours, dict):
        for key in sorted({*aws, *ours}):
            where = f"{place}/{key}"
            if key not in ours:
                yield Difference(where, "missing", aws[key], None)
            elif key not in aws:
                yield Difference(where, "extra", None, ours[key])
            else:
                yield from _differences(ours[key], aws[key], where)
    elif isinstance(aws, list) and isinstance(ours, list) and len(aws) == len(ours):
        for number, (our, its) in enumerate(zip(ours, aws, strict=True)):
            yield from _differences(our, its, f"{place}[{number}]")
    elif isinstance(aws, list) and isinstance(ours, list):
        yield Difference(place, "length", [*map(_kind, aws)], [*map(_kind, ours)])
    elif aws != ours or type(aws) is not type(ours):
        yield Difference(place, "value", aws, ours)


def _kind(element: Any) -> Any:
    return element.get("type", sorted(element)) if isinstance(element, dict) else element


def _without_numbers(place: str) -> str:
    return re.sub(r"\[[^]]*\]", "", place.replace("//", "/"))
