"""What a check must say of documents, from `corpus.json`: one corpus for Python and for the page.

A document there is short: its receipts are objects without ``number``, ``at`` and ``previous``, and the first
receipt of a draw stands only in the chain. A case takes a document, and perhaps a ``patch``: steps as in JSON
Patch (RFC 6902), whose paths may lead into the text of a receipt. Then the hashes are calculated again, as
somebody does who can write everything. ``mends`` may say otherwise. A last receipt of format 3 has
``chain_at``: the number of the receipt in the chain whose hash is its ``chain``.

To add a case, write its fact, its patch and what a check must say. `evenings` helps to make new documents.
"""

import copy
import json
from pathlib import Path

from unit.party.evenings import relink, renumber, sha, texts_of

CLAIMS = ("chain", "pool", "secret", "value", "order", "count", "skipped", "list")
COUNTS = (
    *("announced", "closed", "not ended", "taken back", "prizes added", "prizes not drawn"),
    *("withdrawn", "late", "absent", "skipped", "resets", "restored"),
)
_CORPUS = json.loads(Path(__file__).with_name("corpus.json").read_text(encoding="utf-8"))
#: Each with ``size``, ``secret``, ``public`` value, and the ``order`` of the positions 0 to size - 1.
SHUFFLES = _CORPUS["shuffles"]


def documents():
    """The documents without a patch, as they are published."""
    return [_whole(each) for each in _CORPUS["documents"].values()]


def cases():
    """Each fact, with its document and what a check must say; claims by their short names."""
    found = {}
    for case in _CORPUS["cases"]:
        says = {
            "claims": {claim: _said(claim, case) for claim in CLAIMS},
            "problems": sorted(case["problems"]),
            "notices": case["notices"],
            "counts": dict.fromkeys(COUNTS, 0) | case["counts"],
            "strange": case.get("strange", []),
        }
        if "draws" in case:
            says["draws"] = case["draws"]
        found[case["fact"]] = _patched(case, case.get("mends", "hashes")), says
    for case in _CORPUS["wrong forms"]:
        nothing = {"notices": [], "counts": dict.fromkeys(COUNTS, 0), "draws": [], "strange": []}
        says = {"claims": dict.fromkeys(CLAIMS, False), "problems": [case["problem"]], **nothing}
        found[case["fact"]] = _patched(case, "nothing"), says
    return found


def _said(claim, case):
    """What a check says of a claim: None if a draw must end before anybody can know."""
    if claim in case["false"]:
        return False
    return None if claim in ("pool", "secret", "order") and case["counts"].get("not ended") else True


def _patched(case, mends):
    document = _whole(_CORPUS["documents"][case["document"]])
    for step in case.get("patch", []):
        document = _step(document, *step)
    if mends != "nothing":
        for texts in texts_of(document):
            _write(document, texts)
            if mends == "numbers and hashes" and texts is not document["chain"]:
                renumber(document, texts)
        _link(document)
    return document


def _whole(short):
    """A document as it is published."""
    document = {"format": 1, **copy.deepcopy(short)}
    announced = {each["draw"]: each for each in document["chain"] if each["kind"] == "announced"}
    for name, draw in document["draws"].items():
        draw["receipts"].insert(0, announced[name])
    for texts in texts_of(document):
        _write(document, texts)
    _link(document)
    return document


def _link(document):
    """Calculate the hashes again, also the one of the chain in the last receipt of a draw."""
    relink(document)
    for draw in document["draws"].values():
        says = json.loads(draw["receipts"][-1])
        if "chain_at" in says and says["chain_at"] < len(document["chain"]):
            draw["receipts"][-1] = json.dumps(says | {"chain": sha(document["chain"][says["chain_at"]])})


def _write(document, texts):
    """Make texts of the receipts that are objects. One without a time has that of the receipt before it."""
    then = "2026-11-26T20:00:01.5+00:00"
    for at, each in enumerate(texts):
        if isinstance(each, dict):
            texts[at] = _text(document, {"at": then, **each}, at)
        says = json.loads(texts[at]) if isinstance(texts[at], str) else None
        then = says["at"] if isinstance(says, dict) and "at" in says else then


def _text(document, says, at):
    number = 0 if says["kind"] == "announced" else at
    of_draw = document["format"] >= 2 and says["kind"] not in ("announced", "reset", "restored")
    so_far = {"announced": 1, "restored": 0} if of_draw else {}
    about = {"number": number, "kind": says["kind"], "at": says["at"], "previous": ""}
    return json.dumps({**about, **so_far, **says})


def _step(target, what, path, value=None):
    """Do one step of a patch; return what it makes of the target."""
    if not path:
        return value
    if isinstance(target, str):
        return json.dumps(_step(json.loads(target), what, path, value))
    key, slash, rest = path[1:].partition("/")
    key = int(key) if isinstance(target, list) else key
    if slash:
        target[key] = _step(target[key], what, f"/{rest}", value)
    elif what == "remove":
        del target[key]
    elif what == "add" and isinstance(target, list):
        target.insert(key, value)
    else:
        target[key] = value
    return target
