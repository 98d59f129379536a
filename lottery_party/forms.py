"""The forms of the operator's page: the announcement, a withdrawal, a roll call, and each question.

A press of a button only tells the page's thread what is wished (`Page.wish`).
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unicodedata import normalize

import anywidget
import ipywidgets as widgets
import traitlets

from lottery_lib import employees
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import escaped, normalised, skeleton
from lottery_lib.resources.contents import load_employees
from lottery_lib.translation import _, language, listed, ngettext
from lottery_party import scenes
from lottery_party.evening import Evening, EveningState, Person
from lottery_party.prizes import Prize, read_prizes

if TYPE_CHECKING:
    from lottery_party.draw_night import Operator, Page

_HERE: Final = Path(__file__).parent
_LARGEST: Final = 100_000  # bytes of a logo: each page reads it at each look
_RULES: Final = [
    (_("They are out for this evening"), "out"),
    (_("They may win a later prize"), "may win later"),
]
_MATCHES: Final = 6  # people whom a search shows
HIDDEN: Final = {"display": "none"}
#: Each language of the pages, as those who speak it write it.
LANGUAGES: Final = {"en": "English", "zh": "中文"}


class Question:
    """A question over the whole page, with Yes and No.

    It belongs to the evening as it was then. Any change takes it away, so that no late press counts.

    Args:
        page: The page that it is on.

    Attributes:
        box: The question (a widget), hidden if nothing is asked.
    """

    def __init__(self, page: "Page") -> None:
        self._page = page
        self._asked: EveningState | None = None
        self._is_answered = True
        self._act: Callable[[Evening], object] = Evening.refresh
        self._text, self._yes = widgets.HTML(), widgets.Button(button_style="danger")
        self._no = widgets.Button(description=_("No"))
        self._no.on_click(lambda _: self.close())
        self._yes.on_click(lambda _: self._take_yes())
        self.box = box("question", box("card", self._text, box("row", self._yes, self._no)))
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether something is asked now."""
        return self._asked is not None

    def ask(self, title: str, text: str, yes: str, act: Callable[[Evening], object]) -> None:
        """Ask, in the page's thread.

        Args:
            title: The question, as text.
            text: What belongs to it, as HTML.
            yes: What is written on the button that does it.
            act: What to do with the evening then.
        """
        self._act, self._asked, self._is_answered = act, self._page.now(), False
        self._text.value = f'<h1 role="alert">{escaped(title)}</h1>{text}'
        self._yes.description = yes
        show_only(self.box, True)
        self._no.focus()  # the next Space does nothing that cannot be undone

    def show(self, state: EveningState) -> None:
        """Take the question away if the evening has changed."""
        if self._asked and state != self._asked:
            self.close()

    def close(self) -> None:
        """Take the question away."""
        self._asked = None
        show_only(self.box, False)

    def _take_yes(self) -> None:
        asked, act = self._asked, self._act
        self.close()
        if not self._is_answered:  # the second click of two is not meant
            self._is_answered = True
            self._page.wish(partial(self._do, asked, act), meant=True)

    def _do(self, asked: EveningState | None, act: Callable[[Evening], object]) -> None:
        if asked is None or self._page.now() != asked:
            what, next_step = _("the evening went on meanwhile, so nothing was done"), _("Look at it again")
            raise LotteryError(_("question"), what, next_step)
        act(self._page.evening)


class Preparation:
    """The form of the announcement: the prizes, the title and the logo, the guests, and the rule.

    Args:
        page: The page that it is on.

    Attributes:
        box: The form (a widget).
        title: The field of the title.
    """

    def __init__(self, page: "Operator") -> None:
        self._page = page
        self._prizes = widgets.Textarea(placeholder=_("10 Voucher\n3 Bicycle\n1 Car"), rows=6)
        self._preview, self._roster = widgets.HTML(), widgets.HTML()
        self._rule = widgets.RadioButtons(options=_RULES)
        self._question = widgets.Text(_("Call five numbers"))
        self.title = widgets.Text(
            page.stage.title, continuous_update=False, placeholder=_("Title of the evening")
        )
        pictures, lists = ".png,.jpg,.jpeg,.svg,.webp", ".csv,.json,.xlsx"
        self._logo = Upload(self._take_logo, text=_("Logo picture"), accept=pictures, most=_LARGEST)
        most = employees.MOST_BYTES
        self._upload = Upload(self._show_roster, text=_("List of guests"), accept=lists, most=most)
        self._load = widgets.Button(description=_("Load this list"), layout=HIDDEN)
        self._read = employees.Roster()
        self._prizes.observe(lambda _: self._show_prizes(), "value")
        self.title.observe(lambda _: page.note(title=self.title.value), "value")
        self._load.on_click(lambda _: page.wish(self._load_roster))
        label = partial(marked, "label")
        self.box = box(
            "columns",
            box(
                "",
                *(
                    label(_("Prizes, one on each line, in the order of the draw")),
                    self._prizes,
                    self._preview,
                ),
                *(label(_("Title and logo on the stage")), box("row", self.title, self._logo)),
            ),
            box(
                "",
                *(label(_("Who can win")), box("row", self._upload, self._load), self._roster),
                *(label(_("If winners are absent")), self._rule),
                *(label(_("What the room is asked for, so that nobody knows the winners")), self._question),
            ),
        )

    @property
    def draft(self) -> str:
        """What somebody has written, for the next page."""
        return json.dumps([self._prizes.value, self._question.value, self._rule.value])

    def fill(self, draft: str) -> None:
        """Write into the fields what was written on the page before."""
        self._prizes.value, self._question.value, self._rule.value = json.loads(draft)

    def ask(self) -> None:
        """Show what will be announced, as it stands in the fields, and ask whether it is right."""
        prizes, question = read_prizes(self._prizes.value), self._question.value.strip()
        if self._read.employees:
            next_step = _("Press *Load this list*, or load the page again to go on without it")
            raise LotteryError(_("list of guests"), _("was chosen, but is not loaded yet"), next_step)
        page, rule = self._page, self._rule.value
        page.evening.check(prizes, question)
        rules = {value: words for words, value in _RULES}
        rows = {
            _("Who can win"): _who(scenes.remaining(page.now(), page.evening.guests())),
            _("Prizes"): _prize_list(prizes),
            _("If winners are absent"): escaped(rules[rule]),
            _("The room is asked"): escaped(question),
            _("Title of the evening"): escaped(page.stage.title),
            _("Language of the stage"): LANGUAGES.get(language(), language()),
        }
        until = _(
            "Until the public value is given, you can take the announcement back. Then the check is amber."
        )
        page.question.ask(
            _("Announce this?"),
            f"{table((), rows.items())}{_twice(prizes)}<p>{escaped(until)}</p>",
            _("Yes, announce it"),
            lambda evening: evening.announce(prizes, absent=rule, question=question),
        )

    def _show_prizes(self) -> None:
        try:
            prizes = read_prizes(self._prizes.value)
            rows = [(str(e["count"]), escaped(e["name"])) for e in prizes]
            self._preview.value = table((_("How many"), _("Prize")), rows) + _twice(prizes)
        except LotteryError as error:
            self._preview.value = alert(str(error))

    def _take_logo(self, file: "File") -> None:
        self._page.refused = ""
        if file.size > _LARGEST:
            self._page.refused = _(
                "{file} is too large. Take a picture of at most {limit} kB.",
                file=file.name,
                limit=_LARGEST // 1000,
            )
        else:
            self._page.note(logo=data_url(file.type, file.content))

    def _show_roster(self, file: "File") -> None:
        self._read = employees.Roster()
        try:
            employees.check_size(file.name, file.size)
            self._read = employees.parse(file.name, file.content)
        except LotteryError as error:
            self._roster.value = alert(str(error))
        else:
            self._roster.value = _roster_preview(file.name, self._read)
        show_only(self._load, self._read.employees)

    def _load_roster(self) -> None:
        evening = self._page.evening
        if evening.refresh().step != "new":
            what, next_step = _("the evening is announced already"), _("Nobody can change it now")
            raise LotteryError(_("list of guests"), what, next_step)
        count = load_employees(evening.target, self._read, skip_bad_rows=True)
        self._page.finished = None  # the number of those who can win
        told = ngettext("1 person can win.", "{count} people can win.", count, count=count)
        self._roster.value, self._read = f"<p>{told}</p>", employees.Roster()
        show_only(self._load, False)


class Withdrawal:
    """Find somebody who does not take part, by name, id or department, and ask before it is done.

    Args:
        page: The page that it is on.

    Attributes:
        box: The field, and a button for each person who is found (a widget).
        field: The field.
    """

    def __init__(self, page: "Operator") -> None:
        self._page, self._found = page, list[Person]()
        self.field = widgets.Text(placeholder=_("Withdraw somebody: name, id or department"))
        self._buttons = [widgets.Button(layout=HIDDEN) for _each in range(_MATCHES)]
        for at, button in enumerate(self._buttons):
            button.on_click(lambda _, at=at: page.wish(partial(self._ask, self._found[at])))
        self._more = widgets.HTML()
        on_enter(self.field, lambda: len(self._found) == 1 and self._buttons[0].click())
        self.field.observe(lambda _: self._search(), "value")
        self.box = box("withdraw", self.field, *self._buttons, self._more)

    def _search(self) -> None:
        state, wanted = self._page.state, self.field.value
        people = self._page.evening.guests().values() if state and wanted.strip() else ()
        gone = {one.id for one in state.withdrawn} if state else set()
        self._found = [one for one in scenes.matching(people, wanted) if one.id not in gone]
        for button, one in zip(self._buttons, self._found, strict=False):
            button.description = _("Withdraw {person} ...", person=scenes.called(one))
        for at, button in enumerate(self._buttons):
            show_only(button, at < len(self._found))
        more = len(self._found) - _MATCHES
        told = _("And {count} more: write more of the name, or the id.", count=more) if more > 0 else ""
        nobody = _("Nobody who can win is called so.") if wanted.strip() and not self._found else ""
        self._more.value = f"<p>{told or nobody}</p>"

    def _ask(self, one: Person) -> None:
        evening, same = self._page.evening, skeleton(one.name)
        others = [each for each in evening.guests().values() if skeleton(each.name) == same and each != one]
        alike = _("Somebody else has the same name: {people}", people=listed(map(scenes.called, others)))
        lasting = _(
            "This person wins nothing more in this evening, and a receipt says so. Nobody can undo it."
        )
        late = alert(_("The room was asked already. So this makes the check amber."))
        text = (alert(alike) if others else "") + f"<p>{escaped(lasting)}</p>"
        now = self._page.now()
        text += late if now.asked or now.given else ""
        title = _("Withdraw {person}?", person=scenes.called(one))
        yes = _("Yes, withdraw {name} ({id})", name=one.name, id=one.id)
        self._page.question.ask(title, text, yes, lambda evening: self._withdraw(evening, one))

    def _withdraw(self, evening: Evening, one: Person) -> None:
        evening.withdraw(one.id)
        self.field.value = ""


class PublicValue:
    """The field for what the room has said, and below it each letter in a box, as the stage will show it.

    Args:
        give: What to do if somebody presses Enter.

    Attributes:
        box: Both (a widget).
        field: The field.
    """

    def __init__(self, give: Callable[[], object]) -> None:
        self.field = widgets.Text(placeholder=_("As the room has said it, such as 3 14 15 92 65"))
        self._letters = widgets.HTML()
        on_enter(self.field, give)
        self.field.observe(lambda _: self._spell(), "value")
        self.box = box("value", self.field, self._letters)

    @property
    def typed(self) -> str:
        """What is in the field. The wide letters and digits of a Chinese keyboard are ordinary ones."""
        return normalize("NFKC", self.field.value).strip()

    def _spell(self) -> None:
        value = normalised(self.typed)
        letters = "".join(f"<span>{escaped(each)}</span>" if each != " " else "<i></i>" for each in value)
        as_shown = _("Type it as it is shown here: {value}", value=value)
        wrong = alert(as_shown) if value and value != self.typed else ""
        self._letters.value = f'<p class="night-letters" aria-hidden="true">{letters}</p>{wrong}'


#: The words of a roll call.
WORDS: Final = {"search": _("Search a name, an id or a department"), "new": _("new")}


class RollCall(anywidget.AnyWidget):
    """The winners of a prize, with a box to mark each one who is absent.

    The browser sends a message for each mark: the winner's `id`, and whether they are `absent`.

    Attributes:
        people: Each winner's id, name and department, and whether they were drawn in place of somebody.
        absent: The ids that are marked.
        words: What the field is for that searches somebody, and the mark of a new winner.
    """

    _esm = _HERE / "roll_call.js"
    people = traitlets.List().tag(sync=True)
    absent = traitlets.List(traitlets.Unicode()).tag(sync=True)
    words = traitlets.Dict(default_value=WORDS).tag(sync=True)

    def show(self, roll: scenes.Roll | None) -> None:
        """Show who is called, first those who are new, and who is marked as absent; None for nobody."""
        people = [[e.id, e.name, e.department, e.id in roll.new] for e in roll.people] if roll else []
        with self.hold_sync():
            self.people = sorted(people, key=lambda each: not each[-1])
            self.absent = list(roll.absent) if roll else []


class File(NamedTuple):
    """A file that somebody has chosen in the browser. It has no content if it is too large."""

    name: str
    type: str
    size: int
    content: bytes = b""


class Upload(anywidget.AnyWidget):
    """A button that takes a file.

    Args:
        take: What to do with the file.

    Attributes:
        text: What is written on the button.
        accept: The endings of the files that the browser offers.
        most: The largest file that leaves the browser, in bytes.
    """

    _esm = _HERE / "upload.js"
    text = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    most = traitlets.Int().tag(sync=True)

    def __init__(self, take: Callable[[File], object], **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(lambda _, told, contents: take(File(**told, content=b"".join(map(bytes, contents)))))


# Parts of the page


def box(name: str, *children: widgets.Widget) -> widgets.Box:
    """A box with the class ``night-NAME``."""
    made = widgets.Box(children)
    made.add_class(f"night-{name}")
    return made


def marked(tag: str, text: str) -> widgets.HTML:
    """A text in an element of HTML."""
    return widgets.HTML(f"<{tag}>{escaped(text)}</{tag}>")


def alert(text: str) -> str:
    """A problem, as HTML."""
    return f'<p class="night-problem">{escaped(text)}</p>'


def on_enter(field: widgets.Text, act: Callable[[], object]) -> None:
    """Do something if somebody presses Enter in a field."""
    field.on_msg(lambda _, told, __: act() if told.get("event") == "submit" else None)


def show_only(widget: widgets.Widget, shown: object) -> None:
    """Show a widget, or take it away. Its value stays."""
    widget.layout.display = "" if shown else "none"


def data_url(kind: str, content: bytes) -> str:
    """A URL that has its content in it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, as HTML. Its cells are HTML, too."""
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _who(people: Sequence[Person]) -> str:
    """How many people there are, and the first and the last of them by their ids, as HTML."""
    ordered = sorted(people, key=lambda one: one.id)
    shown = list(map(scenes.called, ordered if len(ordered) < 7 else ordered[:3] + ordered[-3:]))
    if len(ordered) > len(shown):
        shown.insert(3, "...")
    count = ngettext("1 person", "{count} people", len(ordered), count=len(ordered))
    return f"<b>{count}</b><br>{escaped(listed(shown))}"


def _prize_list(prizes: Sequence[Prize]) -> str:
    """The prizes in their order, with their numbers, as HTML."""
    rows = [f"<li>{each['count']} × {escaped(each['name'])}</li>" for each in prizes]
    total = _("Winners in all: {count}", count=sum(each["count"] for each in prizes))
    return f"<ol>{''.join(rows)}</ol>{escaped(total)}"


def _twice(prizes: Sequence[Prize]) -> str:
    """Say which prizes stand in the list more than once, as HTML."""
    times = Counter(skeleton(each["name"]) for each in prizes)
    names = {each["name"]: None for each in prizes if times[skeleton(each["name"])] > 1}
    told = _("More than once in the list: {prizes}. Is this meant?", prizes=listed(names))
    return alert(told) if names else ""


def _roster_preview(name: str, roster: employees.Roster) -> str:
    """What is in a list of guests: the first people, and the rows that cannot be read."""
    columns = {_("Id"): "employee_id", _("Full name"): "employee_name", _("Department"): "department"}
    heads = [head for head, key in columns.items() if any(each.get(key) for each in roster.employees)]
    people = [[escaped(str(e.get(columns[head]) or "")) for head in heads] for e in roster.employees[:3]]
    rows = [_("Row {row}: {reason}", row=each["row"], reason=each["reason"]) for each in roster.rejected]
    bad = "".join(f"<li>{escaped(each)}</li>" for each in rows)
    out = _("Rows that are left out: {count}", count=len(rows))
    rejected = f'<p class="night-problem">{out}</p><ul>{bad}</ul>' if bad else ""
    count = len(roster.employees)
    told = ngettext("{file}: 1 person", "{file}: {count} people", count, file=name, count=count)
    return f"<p>{escaped(told)}</p>{table(heads, people)}{rejected}"
