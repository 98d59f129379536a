"""Decide what the room sees, what the operator is offered, and what a press does, from the evening's state.

Nothing here waits, writes or remembers. So the same tables always lead to the same scene. stage.js says how
each kind of scene looks, and `scene` what it contains.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final

from lottery_lib.harmless import skeleton
from lottery_lib.translation import _, listed, local, ngettext, punctuated, timed
from lottery_party.check_words import RULES
from lottery_party.codes import announced, ended, given, grouped, qr
from lottery_party.evening import EveningState, Person, PrizeState
from lottery_party.pictures import Pictures
from lottery_party.prizes import Prize

# What pages agree on while a prize is drawn: names roll, then the winners are shown. If everybody was at the
# roll call, they stay ("called"). A second round, for the places of the absent, has words of its own.
_ROLLING: Final = ("rolling", "again")
_WINNERS: Final = ("winners", "new", "called")
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
class Roll:
    """A roll call, with the marks that all pages share.

    Attributes:
        number: The prize's number.
        before: How many of its winners were absent at earlier roll calls.
        people: Its winners now.
        absent: The ids of those who are marked as absent.
        new: The ids of those who were drawn in place of somebody who was absent at the roll call before.
    """

    number: int
    before: int
    people: Sequence[Person]
    absent: Sequence[str]
    new: Sequence[str] = ()

    def noted(self, marks: Mapping[str, bool]) -> dict[str, Any]:
        """What `Evening.show` takes to keep marks: whether each id is absent. Later roll calls ignore it."""
        return {f"absent {each}": f"{self.number}.{self.before}" if marks[each] else "" for each in marks}


@dataclass(frozen=True)
class Offer:
    """What the operator's page says, and what its button does.

    Attributes:
        form: Which fields belong to it: ``"announce"``, ``"public value"``, ``"roll call"``, or ``""``: then
            the button is a press.
        heading: The step in a few words.
        text: What to do now.
        button: What is written on the button.
        waits: Whether the machine must finish first.
        between: Whether a surprise prize, or the end, is possible now.
        files: Whether there are files for the guests now. Between two prizes there always are.
    """

    form: str
    heading: str
    text: str = ""
    button: str = ""
    waits: bool = False
    between: bool = False
    files: bool = False


def drawn(prize: PrizeState) -> bool:
    """Whether anybody was drawn for a prize, or nobody could be."""
    return bool(prize.winners or prize.absent or prize.done)


def upcoming(state: EveningState) -> PrizeState | None:
    """The next prize in the announced order; None if all are drawn."""
    return next((each for each in state.prizes if not drawn(each)), None)


def out(state: EveningState) -> set[str]:
    """The ids of those who cannot win a later prize of this evening."""
    won = {one.id for prize in state.prizes if prize.done for one in prize.winners}
    won |= {one.id for one in state.withdrawn}
    absent = {one.id for prize in state.prizes for one in prize.absent}
    return won | absent if state.announcement.get("absent") == "out" else won


def seen(state: EveningState) -> EveningState:
    """The evening as the room has seen it: a prize that rolls has no winners yet.

    What an operator's page shows can be on the projector, too.
    """
    now = moment(state)
    if now.scene != "rolling":
        return state
    prizes = [
        replace(each, winners=each.winners[: _kept(state, each)], done=False)
        if each.number == now.number
        else each
        for each in state.prizes
    ]
    return replace(state, prizes=prizes)


def rolling_still(state: EveningState) -> EveningState:
    """The evening as it was before its winners were shown: on the stage, the names are not at rest yet."""
    again = "again" if state.stage.get("scene") == "new" else "rolling"
    return replace(state, stage={**state.stage, "scene": again})


def matching(people: Iterable[Person], wanted: str) -> list[Person]:
    """The people whose id, name or department contains a text, and first those who are called exactly so."""
    if not (text := skeleton(wanted)):
        return []
    found = [one for one in people if text in skeleton(f"{one.id}\n{one.name}\n{one.department}")]
    return sorted(found, key=lambda one: not is_called(one, wanted))


def called(one: Person) -> str:
    """A person with all that tells them from somebody who has the same name."""
    details = punctuated(", ").join(filter(None, [one.id, one.department]))
    return punctuated("{name} ({details})", name=one.name, details=details)


def is_called(one: Person, text: str) -> bool:
    """Whether a text is exactly the id or the name of a person."""
    return skeleton(text) in (skeleton(one.id), skeleton(one.name))


def remaining(state: EveningState, guests: Mapping[str, Person]) -> list[Person]:
    """Who of the guests, by their ids, can still win."""
    gone = out(state).union(one.id for prize in state.prizes for one in prize.winners)
    return [one for key, one in guests.items() if key not in gone]


def surprise(state: EveningState) -> Prize:
    """The surprise prize that is shown, and not drawn yet."""
    found: Prize = json.loads(str(state.stage.get("surprise", '{"name": "", "count": 1}')))
    return found


def moment(state: EveningState) -> Moment:
    """What all pages show. Winners are shown when a prize is drawn completely, and somebody has pressed."""
    wanted = str(state.stage.get("scene") or "opening")
    outside = {"new": "", "closed": "closed", "public value": "public" if wanted == "public" else "opening"}
    if state.step in outside:
        return Moment(outside[state.step])
    if kind := _result(state, wanted):
        return Moment(kind, state.number)
    if wanted in ("opening", "public", "surprise"):
        return Moment(wanted)
    ahead = upcoming(state)
    return Moment("ready", ahead.number if ahead else 0)


def _result(state: EveningState, wanted: str) -> str:
    """Whether a prize rolls, or its winners are shown; empty for neither."""
    prize = state.prizes[state.number - 1] if 0 < state.number <= len(state.prizes) else None
    if prize is None or not drawn(prize):
        return "rolling" if state.step == "drawing" and state.number else ""
    # After a restoration the machine draws again, and finds all winners: the room has seen them
    complete = state.step == "roll call" or prize.done or len(prize.winners) == prize.count
    if wanted == "called" or (complete and wanted in _WINNERS):
        return "winners"
    return "rolling" if not prize.done or wanted in _ROLLING else ""


def roll(state: EveningState) -> Roll | None:
    """The roll call for which the machine waits, with the marks that are kept.

    None if there is none, or the room does not know the winners yet.
    """
    if state.step != "roll call" or moment(state).scene != "winners":
        return None
    prize = state.prizes[state.number - 1]
    ids = [each.id for each in prize.winners]
    roll = Roll(prize.number, len(prize.absent), prize.winners, [], ids[_kept(state, prize) :])
    return replace(
        roll, absent=[each for each in ids if roll.noted({each: True}).items() <= state.stage.items()]
    )


def press(state: EveningState, way: str) -> Action | None:
    """What ``"advance"`` or ``"back"`` does in a state; None for nothing."""
    if way not in ("advance", "back"):
        return None
    now, ahead = moment(state), upcoming(state)
    asks = bool(state.announcement.get("question"))
    first = Moment("ready", ahead.number if ahead else 0)
    if way == "back":
        last = max((each.number for each in state.prizes if each.done and drawn(each)), default=0)
        before = Moment("winners", last) if last else Moment("public" if asks else "opening")
        back = {"public": Moment("opening"), "ready": before, "surprise": before}.get(now.scene)
        return Action("show", back) if back and state.step != "drawing" else None
    prize = state.prizes[now.number - 1] if 0 < now.number <= len(state.prizes) else None
    stopped = state.step == "ready" and prize and not prize.done
    again = prize and prize.absent
    if now.scene in ("ready", "rolling", "winners") and stopped:
        return Action("draw", Moment("again" if again else "rolling", now.number))
    if now.scene == "surprise" and state.step == "ready":
        return Action("add", Moment("rolling", len(state.prizes) + 1))
    if now.scene == "rolling":
        return Action("show", Moment("new" if again else "winners", now.number))
    onward = {
        "opening": Moment("public") if asks else first,
        "public": first if state.step != "public value" else None,
        "winners": first if state.step == "ready" else None,
    }.get(now.scene)
    return Action("show", onward) if onward else None


def offer(state: EveningState) -> Offer:
    """What the operator is offered."""
    now, added, waits = moment(state), surprise(state), state.step == "public value"
    if 0 < now.number <= len(state.prizes):
        return _offer_of(state, state.prizes[now.number - 1], now.scene)
    if now.number:
        text = _("The machine adds the prize, and draws.")
        return Offer("", added["name"], text, _("Drawing"), waits=True)
    fixed = _("Announcing fixes the guests, the prizes and their order. Nobody can change them later.")
    code = _(
        "Let the guests photograph the code. It is a text and no link. From the question on, every change "
        "makes the check amber."
    )
    ask = Offer("public value", str(state.announcement.get("question", "")), "", _("Give the public value"))
    begin = Offer("", _("Ready to begin"), _("Let the guests photograph this code, too."), _("Go on"))
    onward = _("Ask the room") if waits else _("Go on")
    shown, more = _("The stage shows this surprise prize."), _("Add a surprise prize, or end the evening.")
    save = _("Save what you need. Everybody can check the draw.")
    return {
        "": Offer("announce", _("Prepare the evening"), fixed, _("Announce")),
        "opening": Offer("", _("The evening is announced"), code, onward, files=True),
        "public": ask if waits else begin,
        "surprise": Offer("", added["name"], shown, _draw(added["count"]), between=True),
        "ready": Offer("end", _("All prizes are drawn"), more, _("End the evening"), between=True),
        "closed": Offer("", _("The evening is over"), save, files=True),
    }[now.scene]


def _offer_of(state: EveningState, prize: PrizeState, kind: str) -> Offer:
    """What the operator is offered while a prize is shown."""
    if kind == "ready":
        at = {"number": prize.number, "prizes": len(state.announcement["prizes"]), "count": prize.count}
        text = ngettext(
            "Next: prize {number} of {prizes}, 1 winner.",
            "Next: prize {number} of {prizes}, {count} winners.",
            prize.count,
            **at,
        )
        text = text if prize.number <= at["prizes"] else ""  # it was added late
        return Offer("", prize.name, text, _draw(prize.count), between=state.step == "ready")
    if state.step == "ready" and not prize.done:
        text = _("The draw stopped before its end. Its winners stay, and only the free places are drawn.")
        return Offer("", prize.name, text, _("Draw the rest"))
    if kind == "rolling":
        wished = state.stage.get("scene") in _WINNERS
        text = _("The rolling names are only theatre. The machine draws the winners and records them first.")
        return Offer("", prize.name, text, _("Drawing") if wished else _("Show the winners"), waits=wished)
    if state.step == "roll call":
        heading = _("{prize}: is everybody here?", prize=prize.name)
        text = _(
            "Mark who is absent, then press the button: keys and clickers do nothing now. Only the places of "
            "the absent are drawn again. Before that, nobody gets a mail."
        )
        return Offer("roll call", heading, text, _("Everybody is here"))
    if state.step == "drawing":
        return Offer("", prize.name, _("The machine records the roll call."), _("Drawing"), waits=True)
    return Offer("", prize.name, _("This prize is complete."), _("Go on"), between=True)


def scene(state: EveningState, namesakes: Collection[str] = ()) -> dict[str, Any]:
    """What the stage shows.

    Args:
        state: The evening.
        namesakes: Names that more than one guest has, as `skeleton` writes them. Their ids are shown, too.

    Returns:
        Its `kind`, and what belongs to it:

        - `opening`: `guests`, `prizes` (each `name` and `count`), `words`, `code` (a QR code, a data URL)
        - `public`: `question`, and after the room's answer: `value`, `told` (a sentence), `code`, `words`
        - `ready`: `prize`, `picture` (the name of one that there may be), `count`, `place` (such as
          "2 of 5"), `rank` (from 0, the smallest prize, to 1)
        - `rolling`: `prize`, `count`, `rank`; if only free places are drawn: `redraw`, and `winners`
        - `winners`: `prize`, `winners` (each `name`, `note`, and `status`: '', 'absent' or 'new'), `rank`,
          `redraw`
        - `closed`: `words`, `code`, `prizes` (each `name`, `place`, and the names of its `winners`)

        Any other kind shows the title and the logo.
    """
    now, told = moment(state), state.announcement
    if now.scene == "opening":
        words = [_("Photograph this code. After the draw you can check that nothing was changed.")]
        return {
            "kind": "opening",
            "guests": told["size"],
            "prizes": [{"name": each["prize"], "count": each["count"]} for each in told["prizes"]],
            "code": _code(announced(told, state.code)),
            "words": [*words, RULES[told["absent"]]],
        }
    if now.scene == "public":
        return {"kind": "public", "question": told["question"], "value": "", **_public_value(state)}
    if now.scene == "closed":
        return _closed(state, namesakes)
    if now.scene == "surprise" or now.number > len(state.prizes):
        added = surprise(state)
        kind = "ready" if now.scene == "surprise" else "rolling"
        new = PrizeState(len(state.prizes) + 1, added["name"], added["count"], (), (), False, True)
        return _scene_of(replace(state, prizes=[*state.prizes, new]), new, kind, namesakes)
    prize = state.prizes[now.number - 1] if now.number else None
    return _scene_of(state, prize, now.scene, namesakes) if prize else {"kind": ""}


def namesakes(people: Iterable[Person]) -> frozenset[str]:
    """The names that more than one of these people has, as `skeleton` writes them."""
    times = Counter(skeleton(one.name) for one in people)
    return frozenset(name for name, number in times.items() if number > 1)


def _closed(state: EveningState, namesakes: Collection[str]) -> dict[str, Any]:
    """All winners, the greatest prize first; who was called absent; and the code of the end.

    Who photographs it notices whatever is rewritten later. The absent see that they were called.
    """
    prizes = [
        {
            "name": each.name,
            "place": each.number,
            "winners": [named(one, namesakes) for one in each.winners],
        }
        for each in sorted(state.prizes, key=partial(_rank, state), reverse=True)
    ]
    end = _("Photograph this code, too: it closes the evening. It begins with {begin}.", begin=_begin(state))
    words = [_("All winners"), end]
    if absent := [named(one, namesakes) for each in state.prizes for one in each.absent]:
        words.append(_("Called absent: {people}", people=listed(absent)))
    code = _code(ended(state.announcement["draw"], state.end_code)) if state.end_code else ""
    return {"kind": "closed", "words": words, "code": code, "prizes": prizes}


def winners_text(title: str, state: EveningState, namesakes: Collection[str]) -> str:
    """All winners as text for a chat group: the title and the day, then each prize with its winners."""
    day = local(datetime.fromisoformat(state.announcement["at"])).date()
    lines = [
        punctuated("{prize}: {people}", prize=each["name"], people=listed(each["winners"]))
        for each in _closed(state, namesakes)["prizes"]
        if each["winners"]
    ]
    return "\n".join([title, f"{day}", "", *lines, ""])


def _begin(state: EveningState) -> str:
    """The first characters of the code of the end: two people can compare them without a phone."""
    return grouped(state.end_code[:16])


def named(one: Person, namesakes: Collection[str]) -> str:
    """A person's name, with the id if somebody else is called so."""
    alike = skeleton(one.name) in namesakes
    return punctuated("{name} ({id})", name=one.name, id=one.id) if alike else one.name


def _scene_of(
    state: EveningState, prize: PrizeState, kind: str, namesakes: Collection[str]
) -> dict[str, Any]:
    """What the stage shows of a prize. Until the roll call is over, absent winners are struck out."""
    kept, places = _kept(state, prize), len(state.announcement["prizes"])
    again = bool(prize.absent) and state.stage.get("scene") in ("again", "new")  # only the free places
    known = prize.winners[:kept] if kind == "rolling" else prize.winners
    people = [(each, "" if at < kept else "new") for at, each in enumerate(known)]
    people += [(each, "absent") for each in prize.absent if kind == "rolling" or not prize.done]
    shown = [
        {"name": named(each, namesakes), "note": each.department, "status": status} for each, status in people
    ]
    common = {"kind": kind, "prize": prize.name, "rank": _rank(state, prize), "redraw": again}
    common["picture"] = Pictures.of(prize.name)
    if kind != "winners":
        place = _("Surprise")
        if prize.number <= places:
            place = _("{number} of {prizes}", number=prize.number, prizes=places)
        return {**common, "count": prize.count, "place": place, **({"winners": shown} if again else {})}
    nobody = [{"name": _("Nobody else can win"), "note": "", "status": ""}]
    return {**common, "winners": shown or nobody}


def _rank(state: EveningState, prize: PrizeState) -> float:
    """How great a prize is, from 0 to 1: one with fewer winners is greater; of two such, the later one."""
    order = sorted(state.prizes, key=lambda each: (-each.count, each.number))
    return order.index(prize) / (len(order) - 1) if len(order) > 1 else 1.0


def _public_value(state: EveningState) -> dict[str, Any]:
    """What the stage shows of the public value: when it was given, and the code of its receipt."""
    if not (value := state.given):
        return {}
    at = timed(datetime.fromisoformat(value.at)) if value.at else ""
    told = (
        _("Given at {time}.", time=at)
        if value.seconds is None
        else _("Given at {time}, {seconds} seconds after the question.", time=at, seconds=value.seconds)
    )
    words = [_("Photograph this code, too.")]
    shown = {"value": value.value, "told": told if at else ""}
    if not value.code:
        return shown
    return {
        **shown,
        "code": _code(given(state.announcement["draw"], value.value, value.code)),
        "words": words,
    }


def _kept(state: EveningState, prize: PrizeState) -> int:
    """How many winners of a prize the room knows from the roll call before; those behind them are new."""
    if state.stage.get("scene") in ("again", "new", "called"):
        return int(state.stage.get("kept", 0))
    return 0 if moment(state) == Moment("rolling", prize.number) else len(prize.winners)


def _draw(count: int) -> str:
    return ngettext("Draw 1 winner", "Draw {count} winners", count, count=count)
