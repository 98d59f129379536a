"""The projector's page: the panel and the table of winners, tested without a browser."""

import asyncio
import base64
import io
import re

import pandas as pd
from unit.view.test_panel import Lottery, Rounds

from lottery_lib.errors import LotteryError
from lottery_lib.party.draw_night import DrawNight


class Night(Lottery):
    """A lottery whose winners are those that it has drawn."""

    takes_prizes = False

    def __init__(self):
        super().__init__(looks=1)

    def winners(self):
        names = [f"王{n}" for n in range(sum(self.started))]
        return pd.DataFrame({"employee_id": [f"{n:03}" for n in range(len(names))], "employee_name": names})


def night(lottery):
    return DrawNight(lottery, pace=0)


def csv(shown):
    data = re.search(r'href="data:text/csv;base64,([^"]+)"', shown.board.value)[1]
    return base64.b64decode(data)


def test_the_table_follows_the_draws():
    """After each draw, the table has all winners so far."""
    shown = night(Night())
    assert "All winners so far: 0" in shown.board.value
    asyncio.run(shown.panel.run(2))
    asyncio.run(shown.panel.run(1))
    assert "All winners so far: 3" in shown.board.value
    assert "<td>王2</td>" in shown.board.value


def test_csv_keeps_zeros_and_chinese():
    """The CSV has every winner, with the identity as it is, and opens as UTF-8 in a spreadsheet."""
    shown = night(Night())
    asyncio.run(shown.panel.run(2))
    assert csv(shown).startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(io.BytesIO(csv(shown)), dtype=str)
    assert table.to_dict("list") == {"employee_id": ["000", "001"], "employee_name": ["王0", "王1"]}


def test_nothing_deployed():
    """Without tables the page opens, and says what to do."""

    class Bare(Night):
        def winners(self):
            raise LotteryError("table Lottery-Winners", "does not exist", "Deploy first")

    assert "Deploy first." in night(Bare()).board.value


def test_names_are_escaped():
    """A name with markup is shown as it is written."""

    class Odd(Night):
        def winners(self):
            return pd.DataFrame({"employee_name": ["<b>Ann</b>"]})

    assert "&lt;b&gt;Ann&lt;/b&gt;" in night(Odd()).board.value


def test_a_spreadsheet_runs_no_name():
    """In the CSV, a name that looks like a formula is text."""

    class Odd(Night):
        def winners(self):
            return pd.DataFrame({"employee_name": ["=1+1"], "lottery_serial": [-1]})

    assert csv(night(Odd())).decode("utf-8-sig").splitlines() == ["employee_name,lottery_serial", "'=1+1,-1"]


def test_serials_stay_whole_numbers():
    """In the CSV, a winner without a serial does not turn the serials of others into 1.0."""

    class Odd(Night):
        def winners(self):
            return pd.DataFrame({"lottery_serial": [1, None]}, dtype=object)

    assert csv(night(Odd())).decode("utf-8-sig").splitlines() == ["lottery_serial", "1", '""']


def test_the_projector_shows_no_details():
    """The inputs and outputs of the states are not for the party; the picture is."""
    panel = night(Night()).panel
    assert panel.view.graph in widgets_in(panel)
    assert panel.view.details not in widgets_in(panel)


def test_winners_are_large():
    """The page has the class that its style is for: a winner's name is at least twice as large as text."""
    shown = night(Night())
    assert "lottery-night" in shown._dom_classes
    size = re.search(
        r"\.lottery-night \.lottery-winners li \{[^}]*font-size: ([\d.]+)em", shown.children[0].value
    )
    assert float(size[1]) >= 2
    asyncio.run(shown.panel.run(1))
    assert re.search(r'<ol class="lottery-winners"[^>]*><li>', shown.panel.winners.value)


class Prizes(Rounds):
    """A lottery that takes prizes, one of which has been won."""

    takes_prizes = True

    def winners(self):
        return pd.DataFrame({"employee_id": ["000"], "employee_name": ["王"], "prize": ["<b>Car</b>"]})


def test_the_tutorial_edition_asks_for_a_number():
    """Where the lottery takes no prizes, the page asks for a number of winners."""
    shown = night(Night())
    assert shown.panel.number in widgets_in(shown.panel)
    assert shown.panel.prizes not in widgets_in(shown.panel)


def test_the_hardened_edition_asks_for_prizes():
    """Where the lottery takes prizes, the page asks for them instead."""
    shown = night(Prizes())
    assert shown.panel.prizes in widgets_in(shown.panel)
    assert shown.panel.number not in widgets_in(shown.panel)


def test_the_table_and_the_csv_have_the_prize():
    """The prize stands beside the winner's name, as it is written."""
    shown = night(Prizes())
    assert "<th>prize</th>" in shown.board.value
    assert "<td>&lt;b&gt;Car&lt;/b&gt;</td>" in shown.board.value
    assert pd.read_csv(io.BytesIO(csv(shown)))["prize"].tolist() == ["<b>Car</b>"]


def widgets_in(widget):
    """The widget and those in it."""
    return [widget, *(one for child in getattr(widget, "children", ()) for one in widgets_in(child))]
