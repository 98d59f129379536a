"""Who comes first on the board, and why."""

import pytest
from class_room import report
from hypothesis import given
from hypothesis import strategies as st

from lottery_course.board import LONG, MOST_ATTENDEES, OFTEN, Board
from lottery_course.notebooks import Lesson

LESSONS = {
    "04": Lesson("04 The tables", ["exercise 1", "verify"]),
    "05": Lesson("05 The machine", ["exercise 1", "exercise 2", "verify"]),
}


class World:
    """A board whose clock stands still until a test turns it."""

    def __init__(self):
        self.now = 0.0
        self.board = Board(LESSONS, lambda: self.now)

    def say(self, one, check="start", lesson="05", name="", **values):
        return self.board.accept(report(one, check=check, lesson=lesson, nickname=name, **values))

    def seen(self):
        return [(line["number"], line["kind"], line["why"]) for line in self.board.lines()]


@pytest.fixture
def world():
    return World()


def test_who_asks_for_help_comes_first(world):
    """First who asks for help, then who failed often, who has not moved, and the others by their names."""
    for one, name in enumerate(["Zoë", "Ann", "Bob", "Carla", "Dmitri"], 1):
        world.say(one, name=name)
    world.now = LONG + 60
    world.say(1, name="Zoë")
    world.say(2, name="Ann")
    world.say(4, "exercise 2", name="Carla", done=False, tries=OFTEN)
    world.say(5, "help", name="Dmitri", help=True)
    world.now += 120
    assert world.seen() == [
        (5, "help", "Asks for help, 2 min ago"),
        (4, "failed", "Lesson 05, exercise 2: 3 times not yet right"),
        (3, "still", "Nothing new for 13 min, lesson 05"),
        (2, "", ""),
        (1, "", ""),
    ]


def test_who_waits_longest_for_help_is_first(world):
    """Another report does not begin the waiting again, and taking the wish back ends it."""
    world.say(1, "help", help=True)
    world.now = 30
    world.say(2, "help", help=True)
    world.now = 60
    world.say(1, "exercise 1", help=True)
    assert [number for number, _kind, _why in world.seen()] == [1, 2]
    world.say(1, "help", help=False)
    assert [kind for _number, kind, _why in world.seen()] == ["help", ""]


def test_who_failed_most_is_first(world):
    """Of those who failed often, the one with the most tries comes first."""
    world.say(1, "exercise 1", done=False, tries=3)
    world.say(2, "exercise 1", done=False, tries=7)
    world.say(3, "verify", done=False, tries=2)
    assert world.seen() == [
        (2, "failed", "Lesson 05, exercise 1: 7 times not yet right"),
        (1, "failed", "Lesson 05, exercise 1: 3 times not yet right"),
        (3, "", ""),
    ]


def test_the_check_of_what_a_lesson_builds_has_a_name(world):
    """Who fails `verify` often is shown with words, not with the name of a function."""
    world.say(1, "verify", done=False, tries=4)
    assert world.seen()[0][2] == "Lesson 05, what the lesson builds: 4 times not yet right"


def test_a_mission_is_a_check(world):
    """The board shows who has solved which mission, and who has failed one often."""
    world.board.lessons = {"20": Lesson("20 On call", ["mission 1", "mission 2"])}
    world.say(1, "mission 1", lesson="20", done=True)
    world.say(1, "mission 2", lesson="20", done=False, tries=3)
    assert world.board.lines()[0]["cells"][-1] == [-1, 3]
    assert world.seen()[0][2] == "Lesson 20, mission 2: 3 times not yet right"


def test_who_goes_on_is_not_stuck(world):
    """A check that failed in an earlier lesson is no reason any more."""
    world.say(1, "exercise 1", lesson="04", done=False, tries=5)
    world.say(1, lesson="05")
    assert world.seen() == [(1, "", "")]
    assert world.board.lines()[0]["cells"] == [[5, 0], [0, 0, 0]]


def test_what_is_done_stays_done(world):
    """A later run that is not right does not take it away, nor do fewer tries of another kernel."""
    world.say(1, "exercise 1", tries=3)
    world.say(1, "exercise 1", done=False, tries=1)
    assert world.board.lines()[0]["cells"][1] == [-1, 0, 0]
    assert world.board.attendees[f"{1:032x}"].states["05", "exercise 1"]["tries"] == 3


def test_who_has_done_the_lesson_may_rest(world):
    """Who has done the whole lesson has not stopped moving."""
    for check in LESSONS["05"].checks:
        world.say(1, check)
    world.now = 10 * LONG
    assert world.seen() == [(1, "", "Has done lesson 05")]


def test_who_has_begun_nothing_is_seen(world):
    """Somebody who joined and began no lesson is shown after ten minutes."""
    world.say(1, "joined", lesson="")
    world.now = LONG
    assert world.seen() == [(1, "still", "Nothing new for 10 min, no lesson begun")]


def test_the_top_counts_the_lesson_where_most_are(world):
    """The lesson that is counted is the one in which most attendees are."""
    assert world.board.summary() == {"attendees": 0, "lesson": "", "done": 0}
    for one in (1, 2, 3):
        world.say(one)
    world.say(4, lesson="04")
    for check in LESSONS["05"].checks:
        world.say(2, check)
    assert world.board.summary() == {"attendees": 4, "lesson": "05", "done": 1}


def test_a_wrong_clock_is_harmless(world):
    """The attendee's time is stored and used for nothing: the board has its own clock."""
    world.say(1, time="1970-01-01T00:00:00Z")
    world.say(2, time="9999-99-99T99:99:99Z")
    assert world.seen() == [(1, "", ""), (2, "", "")]


def test_what_the_course_does_not_have_is_left_out(world):
    """A lesson or a check of another version of the kit makes no column and no cell."""
    world.say(1, "exercise 9")
    world.say(1, "exercise 1", lesson="77")
    assert world.board.lines()[0]["cells"] == [[0, 0], [0, 0, 0]]
    assert world.board.lines()[0]["lesson"] == "05"


def test_the_board_has_an_end(world):
    """A new attendee too many is refused; those who are there stay; who leaves makes room."""
    assert all(world.say(one) for one in range(MOST_ATTENDEES))
    assert not world.say(MOST_ATTENDEES)
    assert world.say(0)
    world.say(0, "left")
    assert world.say(MOST_ATTENDEES)
    assert len(world.board.attendees) == MOST_ATTENDEES


def test_a_file_can_have_numbers_for_names(world):
    """What is saved has the nicknames, or numbers; never the random ids."""
    world.say(1, "exercise 2", name="Ann", done=False, tries=2)
    world.say(2)
    plain, anonymous = (world.board.saved(anonymous=each) for each in (False, True))
    assert [each["name"] for each in plain["attendees"]] == ["Ann", "Attendee 2"]
    assert [each["name"] for each in anonymous["attendees"]] == ["Attendee 1", "Attendee 2"]
    checks = {
        "lesson": "05",
        "check": "exercise 2",
        "done": False,
        "tries": 2,
        "time": "2026-11-29T18:00:00Z",
    }
    assert plain["attendees"][0]["checks"] == [checks]
    assert f"{1:032x}" not in str(plain)


REPORTS = st.builds(
    report,
    st.integers(1, 5),
    lesson=st.sampled_from(["", "04", "05", "77"]),
    check=st.sampled_from(["joined", "help", "start", "verify", "exercise 1", "exercise 2", "exercise 9"]),
    done=st.booleans(),
    tries=st.integers(0, 9999),
    help=st.booleans(),
)


@given(st.lists(st.tuples(REPORTS, st.floats(0, 2000)), max_size=30))
def test_whatever_comes(reports):
    """The kinds stand in their order, everybody has one line, and every line has a cell for each lesson."""
    world = World()
    for each, seconds in reports:
        world.board.accept(each)
        world.now += seconds
    lines = world.board.lines()
    order = [("help", "failed", "still", "").index(line["kind"]) for line in lines]
    assert order == sorted(order)
    assert sorted(line["number"] for line in lines) == [*range(1, len(world.board.attendees) + 1)]
    assert all([len(cell) for cell in line["cells"]] == [2, 3] for line in lines)
    assert all(bool(line["why"]) >= bool(line["kind"]) for line in lines)
