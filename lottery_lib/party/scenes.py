"""Decide what the room sees, what the operator is offered, and what a press does, from the evening's state.

Nothing here waits, writes or remembers. So each page that reads the same tables shows the same scene.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from lottery_lib.party.announcement import announcement, qr
from lottery_lib.party.evening import EveningState, Person, PrizeState
from lottery_lib.party.prizes import Prize

ABSENT: Final = {
    "out": "If a winner is absent, somebody else gets the prize. The absent person is out for this evening.",
    "may win later": "If a winner is absent, somebody else gets the prize. The absent person may win later.",
}
_code = lru_cache(maxsize=2)(qr)  # a page looks often


@dataclass(frozen=True)
class Moment:
    """What all pages show now: a scene of the stage, and the number of its prize (0 for none)."""

    scene: str
    number: int = 0


@dataclass(frozen=True)
class Action:
    """What a press leads to.

    Attributes:
        do: ``"show"`` (only that), ``"draw"`` (the prize, which rolls meanwhile) or ``"add"`` (the surprise).
        moment: What all pages show then.
    """

    do: str
    moment: Moment


@dataclass(frozen=True)
class Offer:
    """What the operator's page says, and what its button does.

    Attributes:
        form: Which fields belong to it: ``"announce"``, ``"public value"``, ``"roll call"``, ``"closed"``, or
            ``""``. If the form is empty, the button is a press.
        heading: The step in a few words.
        text: What to do now.
        button: What is written on the button.
        waits: Whether the machine must finish first.
        between: Whether a surprise prize, or the end, is possible now.
    """

    form: str
    heading: str
    text: str = ""
    button: str = ""
    waits: bool = False
    between: bool = False


def drawn(prize: PrizeState) -> bool:
    """Whether anybody was drawn for a prize, or nobody could be."""
    return bool(prize.winners or prize.absent or prize.done)


def upcoming(state: EveningState) -> PrizeState | None:
    """The next prize in the announced order; None if all are drawn."""
    return next((each for each in state.prizes if not drawn(each)), None)


def surprise(state: EveningState) -> Prize:
    """The surprise prize that is shown, and not drawn yet."""
    found: Prize = json.loads(str(state.stage.get("surprise", '{"name": "", "count": 1}')))
    return found


def moment(state: EveningState) -> Moment:
    """What all pages show. Winners are shown when a prize is drawn completely, and somebody has pressed."""
    wanted, number = str(state.stage.get("scene", "")), state.number
    if state.step in ("new", "closed"):
        return Moment("" if state.step == "new" else "closed")
    if state.step == "public value":
        return Moment("public" if wanted == "public" else "opening")
    prize = state.prizes[number - 1] if 0 < number <= len(state.prizes) else None
    if prize and drawn(prize):
        complete = state.step == "roll call" or prize.done or bool(prize.absent) or wanted == "called"
        if complete and wanted in ("winners", "called"):
            return Moment("winners", number)
        if not prize.done or wanted == "rolling":
            return Moment("rolling", number)
    elif state.step == "drawing" and number:
        return Moment("rolling", number)
    if wanted in ("opening", "public", "surprise"):
        return Moment(wanted)
    ahead = upcoming(state)
    return Moment("ready", ahead.number if ahead else 0)


def press(state: EveningState, way: str) -> Action | None:
    """What ``"advance"`` or ``"back"`` does in a state; None for nothing."""
    now, ahead = moment(state), upcoming(state)
    asks = bool(state.announcement.get("question"))
    first = Moment("ready", ahead.number if ahead else 0)
    if way == "back":
        last = max((each.number for each in state.prizes if each.done and drawn(each)), default=0)
        before = Moment("winners", last) if last else Moment("public" if asks else "opening")
        back = {"public": Moment("opening"), "ready": before, "surprise": before}.get(now.scene)
        return Action("show", back) if back and state.step != "drawing" else None
    stopped = state.step == "ready" and now.number and not state.prizes[now.number - 1].done
    if now.scene in ("ready", "rolling", "winners") and stopped:
        return Action("draw", Moment("rolling", now.number))
    if now.scene == "surprise" and state.step == "ready":
        return Action("add", Moment("rolling", len(state.prizes) + 1))
    if now.scene == "rolling":
        return Action("show", Moment("winners", now.number))
    onward = {
        "opening": Moment("public") if asks else first,
        "public": first if state.step != "public value" else None,
        "winners": first if state.step == "ready" else None,
    }.get(now.scene)
    return Action("show", onward) if onward else None


def offer(state: EveningState) -> Offer:
    """What the operator is offered."""
    now = moment(state)
    if state.step == "new":
        text = "Announcing fixes the guests, the prizes and their order. Nobody can change them later."
        return Offer("announce", "Prepare the evening", text, "Announce")
    if state.step == "closed":
        return Offer("closed", "The evening is over", "Save what you need. Everybody can check the draw.")
    if state.step == "public value" and now.scene == "opening":
        text = "Let the guests photograph the code. Then ask them for the public value."
        return Offer("", "The evening is announced", text, "Ask the room")
    if state.step == "public value":
        return Offer("public value", str(state.announcement["question"]), "", "Give the public value")
    if now.scene in ("opening", "public"):
        return Offer("", "Ready to begin", "The room has seen how the draw is decided.", "Go on")
    if now.scene == "surprise":
        added, text = surprise(state), "The stage shows the surprise prize. Nobody is drawn yet."
        return Offer("", f"Surprise: {added['name']}", text, f"Draw {_places(added['count'])}", between=True)
    if now == Moment("ready"):
        text = "Add a surprise prize, or end the evening. The end makes the receipts complete."
        return Offer("", "All prizes are drawn", text, between=True)
    if now.number > len(state.prizes):
        return Offer(
            "", surprise(state)["name"], "The machine adds the prize, and draws.", "Drawing", waits=True
        )
    prize = state.prizes[now.number - 1]
    if now.scene == "ready":
        text = f"Next: prize {prize.number} of {len(state.prizes)}, {_places(prize.count)}."
        return Offer("", prize.name, text, f"Draw {_places(prize.count)}", between=state.step == "ready")
    if state.step == "ready" and not prize.done:
        text = "The draw stopped before its end. Its winners stay, and only the free places are drawn."
        return Offer("", prize.name, text, "Draw the rest")
    if now.scene == "rolling":
        wished = state.stage.get("scene") == "winners"
        text = "The rolling names are only theatre. The machine draws the winners and records them first."
        return Offer("", prize.name, text, "Drawing" if wished else "Show the winners", waits=wished)
    if state.step == "roll call":
        text = "Mark who is absent. Only their places are drawn again. Mail goes out when everybody is here."
        return Offer("roll call", f"{prize.name}: is everybody here?", text, "Everybody is here")
    if state.step == "drawing":
        return Offer("", prize.name, "The machine records the roll call.", "Drawing", waits=True)
    return Offer("", prize.name, "This prize is complete.", "Go on", between=True)


def scene(state: EveningState) -> dict[str, Any]:
    """What the stage shows: the value of `Stage.scene`."""
    now, told = moment(state), state.announcement
    if now.scene == "opening":
        words = ["Photograph this code. After the draw you can check that nothing was changed."]
        prizes = [{"name": each["prize"], "count": each["count"]} for each in told["prizes"]]
        return {
            "kind": "opening",
            "guests": told["size"],
            "prizes": prizes,
            "code": _code(announcement(told)),
            "words": [*words, ABSENT[told["absent"]]],
        }
    if now.scene == "public":
        return {"kind": "public", "question": told["question"], "value": state.public or ""}
    if now.scene == "closed":
        prizes = [{"name": each.name, "winners": _names(each.winners)} for each in state.prizes]
        words = ["All winners", "This is the code of the announcement. Compare it with your photograph."]
        code = _code(announcement(told))
        return {"kind": "closed", "words": words, "code": code, "prizes": prizes}
    if now.scene == "surprise" or now.number > len(state.prizes):
        added = surprise(state)
        kind = "ready" if now.scene == "surprise" else "rolling"
        return {"kind": kind, "prize": added["name"], "count": added["count"], "place": "Surprise"}
    if not now.number:
        return {"kind": ""}
    shown = state.prizes[now.number - 1]
    if now.scene == "winners":
        return {"kind": "winners", "prize": shown.name, "winners": _winners(state, shown)}
    announced = len(told["prizes"])
    place = f"{shown.number} of {announced}" if shown.number <= announced else "Surprise"
    return {"kind": now.scene, "prize": shown.name, "count": shown.count, "place": place}


def _winners(state: EveningState, prize: PrizeState) -> list[dict[str, str]]:
    """The winners of a prize. Until the roll call is over, the absent are struck out, and the new are marked."""
    kept = int(state.stage.get("kept", 0)) if state.stage.get("scene") == "called" else len(prize.winners)
    people = [
        {"name": each.name, "note": each.department, "status": "" if at < kept else "new"}
        for at, each in enumerate(prize.winners)
    ]
    if not prize.done:
        people += [{"name": e.name, "note": e.department, "status": "absent"} for e in prize.absent]
    return people or [{"name": "Nobody else can win", "note": "", "status": ""}]


def _names(people: Sequence[Person]) -> list[str]:
    return [each.name for each in people]


def _places(count: int) -> str:
    return "1 winner" if count == 1 else f"{count} winners"
