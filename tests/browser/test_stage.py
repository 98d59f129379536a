"""The audience's page in a real Chromium, without a server; the last test has one."""

import asyncio
import contextlib
import itertools
import random
import re
import threading
from urllib.parse import quote

import pytest
from browser.conftest import PATIENCE, script, violations
from helpers import wait_until
from patience import SECONDS
from playwright.sync_api import expect
from tornado.netutil import bind_sockets

from lottery_lib.names import Names
from lottery_lib.target import elsewhere
from lottery_party import server
from lottery_party.page import STAGE as WORDS
from lottery_party.page import html

pytestmark = pytest.mark.browser
ADDRESS = "http://stage.test/"
LINKED = re.compile(r'^link\("stage".*\n', re.MULTILINE)
#: What a server tells the stage in any scene.
SHOWN = {"words": WORDS, "title": "Winter Party", "first": 0, "theme": "", "pictures": {}}
RENDER = script("render_the_stage")
WRONG = script("wrong_on_the_stage")
WALK = script("turn_all_pages")
LONG = "Ann-Katrin von Hohenstein-Sonnenberg-Zweibrücken zu Altenburg"
ONE_WORD = "Wu" * 30
GIVEN = ["Ada", "Grace", "Linus", "Barbara", "Edsger", "Maximilian", "Ann-Katrin", "Ken"]
FAMILY = ["Lovelace", "Hopper", "Li", "Liskov", "Dijkstra", "van Rossum", "Berners-Lee", "Ng"]
PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='{wide}' height='{high}'/%3E"
CODE = PICTURE.format(wide=185, high=185)
SCENES = [
    {"kind": "opening", "guests": 120, "prizes": [{"name": "Car", "count": 1}, {"name": LONG, "count": 50}],
     "code": CODE, "words": ["Photograph this code now.", LONG]},
    {"kind": "public", "question": "Call out five numbers from 1 to 100"},
    {"kind": "public", "question": "Call out five numbers from 1 to 100", "value": "17 4 88 3 61",
     "told": "Given at 20:41:07, 23 seconds after the room was asked.", "code": CODE, "words": [LONG],
     "mark": "Rehearsal"},
    {"kind": "ready", "prize": LONG, "count": 3, "place": "2 of 5", "rank": 1, "mark": "Rehearsal"},
    {"kind": "winners", "prize": LONG, "winners": [
        {"name": "张伟", "note": "Sales", "status": "absent"}, {"name": LONG, "note": LONG, "status": ""},
        {"name": "欧阳娜娜", "note": "", "status": "new"}]},
    {"kind": "closed", "words": ["Thank you!", "Check it."], "code": CODE, "prizes": [
        {"name": LONG, "winners": ["张伟", LONG]}, {"name": "Car", "winners": [ONE_WORD]},
        {"name": "Pen", "winners": []}]},
    {"kind": "closed", "words": ["Thank you!"], "code": "", "prizes": []},
    {},
]  # fmt: skip


def people(number, *, chinese):
    """Different names: mostly Chinese ones, or mostly Latin ones, and two that are long."""
    chance = random.Random(number)
    names = [
        f"{chance.choice('王李张刘陈杨黄赵')}{chance.choice('伟芳娜敏静丽强磊')}{chr(0x4E00 + at)}"
        if chance.random() < (0.8 if chinese else 0.1)
        else f"{chance.choice(GIVEN)} {chance.choice(FAMILY)} {at}"
        for at in range(number)
    ]
    return ([LONG] if number == 1 and not chinese else [*names[:1], LONG, ONE_WORD, *names[3:]])[:number]


def winners_of(names, note=""):
    return {
        "kind": "winners",
        "prize": "Coffee machine",
        "winners": [{"name": name, "note": note, "status": ""} for name in names],
    }


def prepare(page):
    """Let a tab have the stage at `ADDRESS`: the file that a browser gets, but for the link to its server."""
    body, links = LINKED.subn("", html("stage"))
    assert links == 1
    page.route(ADDRESS, lambda route: route.fulfill(content_type="text/html", body=body))
    at_the_start(page, "let_time_leap")


def at_the_start(page, name):
    """Run a script in each page that this tab shows from now on, before the page's own."""
    page.add_init_script(f"({script(name)})()")


@pytest.fixture(scope="module")
def tab(new_page):
    with new_page() as page:
        prepare(page)
        yield page


@contextlib.contextmanager
def stages_on(page):
    """`show(scene, **values)` opens a new stage on the page. The values are those of its model."""
    errors = []
    note = lambda error: errors.append(error)  # noqa: E731, PLW0108
    page.on("pageerror", note)
    page.emulate_media(reduced_motion="no-preference")

    def show(scene, *, size=(1024, 768), **values):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(ADDRESS)
        own = {"names": people(50, chinese=True), "scene": scene, "moment": ["", 0]}
        page.evaluate(RENDER, SHOWN | own | values)
        return page.locator("#page")

    yield show
    page.remove_listener("pageerror", note)
    assert errors == []


@pytest.fixture
def show(tab):
    with stages_on(tab) as show:
        yield show


@pytest.fixture
def still(chromium):
    """A page of its own. When its stage is shown, its time stands still until `still.clock.run_for`."""
    with chromium.new_context() as window:
        page = window.new_page()
        page.set_default_timeout(PATIENCE)
        page.clock.install()
        prepare(page)
        yield page


@pytest.fixture
def show_still(still):
    """Opens a new stage on that page."""
    with stages_on(still) as show:

        def shown(scene, **options):
            still.clock.resume()
            stage = show(scene, **options)
            expect(stage).to_have_attribute("data-kind", scene["kind"])
            still.clock.pause_at(still.evaluate("Date.now()") / 1000 + 1)
            return stage

        yield shown


def change(tab, scene, **values):
    """Tell the stage what has changed, as its server does. The next press is late enough to count."""
    tab.evaluate("news => { pass_time(); model.update(news); }", {"scene": scene, **values})


def sent(tab):
    """The presses that went out since the last question. The next press is late enough to count."""
    return [each["way"] for each in tab.evaluate("() => { pass_time(); return sent.splice(0); }")]


@pytest.mark.parametrize(
    ("size", "least", "numbers"),
    [
        ((1920, 1080), 28, (1, 2, 10, 150)),
        ((1024, 768), 22, (1, 10, 450)),
        ((1280, 720), 22, (10, 150)),
        ((1080, 1920), 22, (10, 150)),
        pytest.param((1920, 1080), 28, (50, 450), marks=pytest.mark.long),
        pytest.param((1024, 768), 22, (2, 50, 150), marks=pytest.mark.long),
    ],
)
def test_winners_fit(show, tab, size, least, numbers):
    """1 to 450 names fit: none is cut off or small, and all pages together show each name once.

    The short run has each number of names but 50 once: to lay out hundreds takes seconds.
    """
    show({}, size=size)
    for number in numbers:
        for chinese, note in ((False, ""), (True, "Sales and 市场部")):
            names = people(number, chinese=chinese)
            change(tab, {})
            change(tab, winners_of(names, note))
            pages, shown, wrong, pressed = tab.evaluate(WALK, [least, WRONG])
            assert wrong == []
            assert [name for page in pages for name in page] == names
            assert pressed == ["advance"]
            count = len(pages)
            many = [f"Page {page} of {count}" for page in range(1, count + 1)]
            assert shown == (many if count > 1 else [""])
    assert count > 1


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768), (1080, 1920)])
def test_each_scene_fits(show, tab, size, picture):
    """No scene is cut off or has small letters, with names and sentences of 60 letters."""
    for number, scene in enumerate(SCENES):
        show(scene, size=size, title="Winter Party of the Whole Company", pictures={"logo": LOGO})
        assert tab.evaluate(WALK, [28 if size[0] == 1920 else 22, WRONG])[2] == []
        picture(tab, f"stage_{number}_{size[0]}")


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768), (1080, 1920)])
def test_a_picture_of_the_prize_fits(show, tab, size):
    """Neither a broad nor a high picture cuts anything off, before the draw and above many winners."""
    for wide, high in ((400, 300), (2000, 100), (100, 1000)):
        pictures = {"car": PICTURE.format(wide=wide, high=high), "background": PICTURE.format(wide=9, high=9)}
        for scene in (
            SCENES[3],
            SCENES[4],
            winners_of(people(20, chinese=True), "Sales"),
            winners_of(people(150, chinese=False)),
        ):
            stage = show(scene | {"picture": "car"}, size=size, pictures=pictures)
            box = stage.locator("img.prize").bounding_box()
            assert box["width"] > 10
            assert box["height"] > 0.1 * min(size)
            assert tab.evaluate(WALK, [28 if size[0] == 1920 else 22, WRONG])[2] == []
    shown = show({"kind": "ready", "prize": "__proto__", "picture": "__proto__"}, pictures=pictures)
    assert shown.locator("img").count() == 0


def test_red_and_gold(show, tab):
    """The other colours are the whole stage's, also the names' that roll, and everybody can read them."""
    at_the_start(tab, "note_small_pictures")
    stage = show({"kind": "rolling", "prize": "Car", "count": 1}, theme="red")
    tab.wait_for_function("pictures.size")
    assert {colour for _, colour in tab.evaluate("[...pictures.values()]")} == {"#fff6e2"}
    assert stage.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(74, 6, 11)"
    for scene in SCENES[:6]:
        show(scene, theme="red")
        tab.add_style_tag(content="html, body {height: 100%} #page {background: var(--high)}")
        assert violations(tab, "#page", serious=True) == []


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768)])
def test_words_of_a_prize_are_not_broken(show, tab, size):
    """Beside its winners, the name of a prize has lines of whole words, if needed in smaller letters."""
    names = ["Weekend in Paris", "Coffee machine"]
    scene = {"kind": "closed", "words": ["All winners"], "code": CODE,
             "prizes": [{"name": name, "winners": ["张伟"]} for name in names]}  # fmt: skip
    stage = show(scene, size=size)
    words = [word for title in stage.locator("h3").all() for word in title.evaluate(script("lines_of_words"))]
    assert words == [[word, 1] for name in names for word in name.split()]


LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'/%3E"


def test_few_are_large_and_the_code_is_large(show, tab):
    """One name has letters of a tenth of the window's height. The code takes a third of the height."""
    stage = show(winners_of(["张伟"]), size=(1920, 1080))
    size = stage.locator(".name").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert size > 108
    stage = show(SCENES[0])
    assert stage.get_by_role("img", name="QR code").bounding_box()["height"] > 768 / 3
    assert stage.locator(".code").evaluate("image => image.decode().then(() => image.naturalWidth)") == 185


def test_keys_of_a_clicker(show, tab):
    """Space, Enter and a clicker's keys press; a key with Ctrl, and what is typed into a field, do not."""
    stage = show({"kind": "ready", "prize": "Car", "count": 1, "place": "1 of 2"})
    for key in ["Space", "Enter", "PageDown", "ArrowRight", "ArrowDown"]:
        tab.keyboard.press(key)
        assert sent(tab) == ["advance"], key
    for key in ["PageUp", "ArrowLeft", "ArrowUp"]:
        tab.keyboard.press(key)
        assert sent(tab) == ["back"], key
    stage.click(position={"x": 400, "y": 400})
    assert sent(tab) == ["advance"]
    tab.keyboard.press("Control+ArrowRight")
    assert sent(tab) == []
    tab.get_by_label("Other").focus()
    tab.keyboard.type("fs now ")
    tab.keyboard.press("Enter")
    assert sent(tab) == []
    assert tab.evaluate("[model.get('sound'), document.fullscreenElement]") == [False, None]


def test_one_press(show, tab):
    """A held key, a double click and two keys at once are one press."""
    stage = show({"kind": "ready", "prize": "Car", "count": 1, "place": "1 of 2"})
    tab.keyboard.down("PageDown")
    assert sent(tab) == ["advance"]
    for _ in range(3):
        tab.keyboard.down("PageDown")  # the browser repeats a key that is held
        assert sent(tab) == []
    tab.keyboard.up("PageDown")
    tab.keyboard.press("Space")
    tab.keyboard.press("Enter")
    assert sent(tab) == ["advance"]
    stage.dblclick(position={"x": 400, "y": 400})
    assert sent(tab) == ["advance"]


def test_pages_come_before_the_next_press(show, tab):
    """The presenter turns pages forward and back; a press goes out beyond the last or the first one."""
    stage = show(winners_of(people(150, chinese=True)))
    page = stage.locator(".page")
    last = int(re.search(r"of (\d+)", page.inner_text())[1])
    for number in range(2, last + 1):
        tab.keyboard.press("Space")
        expect(page).to_have_text(f"Page {number} of {last}")
        assert sent(tab) == []
    tab.keyboard.press("Space")
    assert sent(tab) == ["advance"]
    for number in range(last - 1, 0, -1):
        tab.keyboard.press("PageUp")
        expect(page).to_have_text(f"Page {number} of {last}")
        assert sent(tab) == []
    tab.keyboard.press("PageUp")
    assert sent(tab) == ["back"]


def test_windows_of_other_sizes_turn_together(show, tab):
    """A window that turns a page says which entry comes first. Another one shows the page that has it."""
    names = people(450, chinese=True)
    stage = show(winners_of(names), size=(1920, 1080))
    tab.keyboard.press("Space")
    (first,) = tab.evaluate("turned")
    shown = stage.locator(".name").first.inner_text()
    assert shown == names[first]
    small = show(winners_of(names), size=(1024, 768))
    expect(small.get_by_text(shown, exact=True)).to_have_count(0)
    tab.evaluate("first => model.set('first', first)", first)
    expect(small.get_by_text(shown, exact=True)).to_be_visible()
    again = show(winners_of(names), size=(1024, 768), first=first)
    expect(again.get_by_text(shown, exact=True)).to_be_visible()


def test_absent_and_new(show, tab):
    """Absent winners are crossed out, and the page stays; new winners are marked, and their page is shown."""
    scene = winners_of(people(450, chinese=True))
    stage = show(scene)
    page = stage.locator(".page")
    expect(page).to_have_text(re.compile("^Page 1 of"))
    gone = scene["winners"][-1]
    gone["status"] = "absent"
    change(tab, scene)
    expect(page).to_have_text(re.compile("^Page 1 of"))
    new = {"name": "新人", "note": "", "status": "new"}
    change(tab, scene | {"winners": [*scene["winners"][:-1], new, gone]})
    expect(page).to_have_text(re.compile(r"^Page (\d+) of \1$"))
    expect(stage.locator(".new .name")).to_have_text("新人")
    expect(stage.locator(".legend")).to_have_text([WORDS["new"]])
    expect(stage.locator("[aria-live=polite]")).to_contain_text(f"新人 ({WORDS['new']})")
    tab.set_viewport_size({"width": 1920, "height": 1080})
    expect(page).to_have_text(re.compile(r"^Page (\d+) of \1$"))
    change(tab, winners_of(["张伟"]) | {"prize": "Bicycle"})
    change(tab, {"kind": "winners", "prize": "Mug", "winners": [gone]})
    expect(stage.locator(".legend")).to_have_text([WORDS["absent"]])
    expect(stage.locator("s")).to_have_text(gone["name"])
    expect(stage.locator("s")).to_have_css("text-decoration-line", "line-through")


def written(tab):
    """The names in the field, and those of them that are gold."""
    pictures = tab.evaluate("[...pictures.values()]")
    return [name for name, _ in pictures], {name for name, colour in pictures if colour == "#f4cd75"}


def test_everybody_is_in_the_field(show_still, still):
    """The names that roll are those of the pool, and none of them stands in two places at the same time."""
    names = people(500, chinese=True)
    at_the_start(still, "note_small_pictures")
    stage = show_still({"kind": "rolling", "prize": "Car", "count": 1}, names=names * 2)
    expect(stage).to_contain_text(WORDS["drawing"])
    passed = set()
    for _ in range(8):
        still.clock.run_for(400)  # a picture writes six names
        there, _gold = written(still)
        assert len(there) == len(set(there)) > 20
        passed |= set(there)
    assert len(there) < len(passed)
    assert passed <= set(names)
    still.evaluate("model.set('names', [])")
    change(still, {"kind": "rolling", "prize": "Mug", "count": 1})
    expect(stage.locator(".name")).to_have_text("Mug")
    still.evaluate("names => model.set('names', names)", names)  # a page that was loaded again gets them late
    expect(stage.locator(".name")).to_have_count(0)


def moment(show_still, still, rank, winners, names):
    """Let a prize roll, and its winners come. Returns the seconds until they are there, and the numbers."""
    stage = show_still(
        {"kind": "rolling", "prize": "Coffee machine", "count": len(winners), "rank": rank}, names=names
    )
    still.clock.run_for(300)
    still.evaluate("pictures.clear()")
    change(still, winners_of(winners) | {"rank": rank})
    numbers, milliseconds = [], 0
    while stage.locator(".room").evaluate("one => getComputedStyle(one).visibility") == "hidden":
        still.clock.run_for(50)
        milliseconds += 50
        number = stage.locator(".beat").text_content()
        if number and number not in numbers:
            numbers.append(number)
    return milliseconds / 1000, numbers


@pytest.mark.long("11 s: each second of three moments")
def test_the_first_prize_is_not_like_the_third(show_still, still):
    """The room counts 3, 2, 1, then the winners are there. It is longer for a greater prize, at most 7 s."""
    names = people(50, chinese=True)
    at_the_start(still, "note_small_pictures")
    lasted = []
    for rank, winners in ((0, names[:20]), (0.5, names[:3]), (1, names[7:8])):
        seconds, numbers = moment(show_still, still, rank, winners, names)
        assert numbers == ["3", "2", "1"]
        assert written(still)[1] == set(winners)
        stage = still.locator("#page")
        assert stage.locator(".name").all_inner_texts() == winners
        lasted.append(seconds)
        still.clock.run_for(2000)
        assert still.evaluate("seen.length") == 1
        assert stage.evaluate("one => one.dataset.moment") is None
        assert stage.evaluate("one => one.classList.contains('greatest')") == (rank == 1)
    assert 1.5 < lasted[0] < lasted[1] - 0.5 < lasted[2] - 1 < 6


def test_a_press_skips_the_moment(show_still, still):
    """The next press shows the winners at once, in all windows, and is not sent. The press after it is."""
    names = people(50, chinese=True)
    rolling = {"kind": "rolling", "prize": "Coffee machine", "count": 1, "rank": 1}
    stage = show_still(rolling, names=names)
    change(still, winners_of(names[:1]) | {"rank": 1})
    expect(stage.locator(".name")).to_be_hidden()
    still.evaluate("new BroadcastChannel('lottery-stage').postMessage('skip')")
    expect(stage.locator(".name")).to_be_visible()  # the time of the moment does not pass
    assert still.evaluate("seen.length") == 1
    stage = show_still(rolling, names=names)
    change(still, winners_of(names[:1]) | {"rank": 1})
    still.evaluate(script("count_what_windows_say"))
    still.evaluate("pass_time()")
    still.keyboard.press("PageDown")
    assert sent(still) == []
    assert stage.locator(".name").is_visible()
    assert still.evaluate("seen.length") == 1
    still.wait_for_function("heard === 1")
    still.keyboard.press("PageDown")
    assert sent(still) == ["advance"]


def places(stage):
    """Where each name stands that is on the page."""
    return stage.evaluate(script("places_of_names"))


@pytest.mark.parametrize("wide", [1920, 1024])
def test_only_free_places_are_drawn_again(show_still, still, wide):
    """Names roll in the free places alone, each in one place. Nobody else moves, not even afterwards."""
    names = people(60, chinese=True)
    scene = winners_of(names[:20], "Sales")
    gone, stay = (scene["winners"][4], scene["winners"][11]), [*names[:4], *names[5:11], *names[12:20]]
    stage = show_still(scene, size=(wide, 1080 * wide // 1920), names=names[12:])
    still.evaluate("document.getAnimations().forEach(each => each.finish())")
    before = places(stage)
    for each in gone:
        each["status"] = "absent"
    change(still, {**scene, "kind": "rolling", "count": 20, "redraw": True})
    expect(stage.locator("s.name")).to_have_text([each["name"] for each in gone])
    expect(stage.locator(".legend")).to_be_visible()
    still.clock.run_for(1300)
    expect(stage.locator(".legend")).to_be_hidden()  # nobody is struck out any more
    for _ in range(5):
        still.clock.run_for(150)
        now = places(stage)
        assert len(now) == 20  # each name is there once
        assert {name: now[name] for name in stay} == {name: before[name] for name in stay}
        assert set(now) - set(stay) <= set(names[20:])
    new = [{"name": name, "note": "Sales", "status": "new"} for name in ("欧阳娜娜", "新人")]
    others = [each for each in scene["winners"] if each["status"] == ""]
    change(still, scene | {"winners": [*others, *new, *gone], "redraw": True})
    still.clock.run_for(5000)
    expect(stage.locator(".new .name")).to_have_text(["欧阳娜娜", "新人"])
    assert still.evaluate("seen.length") > 1
    for winners in ([*others, *new], [*others, *({**each, "status": ""} for each in new)]):
        still.evaluate("document.getAnimations().forEach(each => each.finish())")
        now = places(stage)
        assert {name: now[name] for name in stay} == {name: before[name] for name in stay}
        assert stage.locator(".name").all_inner_texts()[4::7][:2] == ["欧阳娜娜", "新人"]
        assert still.evaluate(WRONG, 22) == []
        change(still, scene | {"winners": winners})
    expect(stage.locator(".new")).to_have_count(0)


def test_who_was_called_absent_before_the_room_saw_them(show, tab):
    """Somebody called the roll while the names still rolled: all whom the machine drew are shown."""
    gone = [{"name": name, "note": "", "status": "absent"} for name in ("Ada", "Grace")]
    scene = {"kind": "rolling", "prize": "Car", "count": 1, "rank": 1}
    stage = show(scene)
    scene |= {"kind": "winners", "redraw": True}
    change(tab, scene | {"winners": [{"name": "Ken", "note": "", "status": "new"}, *gone]})
    expect(stage.locator(".box")).to_have_text(["Ken", "Ada", "Grace"])
    expect(stage.locator(".box s")).to_have_text(["Ada", "Grace"])


def test_the_last_screen_turns_by_itself(new_page):
    """Its pages follow each other without a press, from the last one to the first one again."""
    winners = [name for name in people(450, chinese=True) if name not in (LONG, ONE_WORD)]
    scene = {"kind": "closed", "words": ["All winners"], "code": CODE}
    with new_page() as page, stages_on(page) as show:
        prepare(page)
        page.clock.install()
        stage = show(scene | {"prizes": [{"name": "Car", "winners": winners}]})
        pages = int(stage.locator(".page").inner_text().split()[-1])
        assert pages > 1
        for number in [*range(2, pages + 1), 1]:
            page.clock.run_for(12_000)
            expect(stage.locator(".page")).to_have_text(f"Page {number} of {pages}")


def test_a_page_that_is_loaded_during_a_redraw(show):
    """It shows who stays and the places that are free now, and nobody who was absent at an earlier redraw."""
    given = (("张伟", ""), ("王芳", ""), ("刘洋", "absent"), ("陈静", "absent"))
    people = [{"name": name, "note": "", "status": status} for name, status in given]
    scene = {"kind": "rolling", "prize": "Mug", "count": 3, "redraw": True, "winners": people}
    assert show(scene).locator(".name").all_inner_texts() == ["张伟", "王芳", "陈静"]
    new = {"name": "杨勇", "note": "", "status": "new"}
    scene = scene | {"kind": "winners", "winners": [*people[:2], new, *people[2:]]}
    del scene["count"]
    assert show(scene).locator(".name").all_inner_texts() == ["张伟", "王芳", "杨勇"]


def test_the_value_is_shown_letter_by_letter(show, tab):
    """Each letter of the public value has a box of its own, and a gap stands between its groups."""
    value = "17 4 八 ab"
    stage = show(
        {"kind": "public", "question": "Call numbers", "value": value, "told": "23 seconds", "code": CODE}
    )
    assert stage.locator(".letter").all_inner_texts() == list("174八ab")
    boxes = stage.locator(".letter").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().toJSON())"
    )
    gaps = [
        right["left"] - left["right"] for left, right in itertools.pairwise(boxes) if left["y"] == right["y"]
    ]
    assert boxes[0]["height"] > 60
    assert 0 < gaps[0] < gaps[1] / 2
    expect(stage.get_by_role("img", name=value)).to_have_text(value)
    expect(stage.get_by_role("img", name="QR code")).to_be_visible()
    assert "23 seconds" in stage.locator("[aria-live=polite]").inner_text()


def test_a_rehearsal_says_so(show, tab):
    """The mark is on every scene, in letters that the last row can read, and covers nothing."""
    for scene in SCENES:
        stage = show(scene | {"mark": "Rehearsal"}, title="Winter Party")
        mark = stage.locator(".mark")
        expect(mark).to_have_text("Rehearsal")
        assert mark.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 22
        assert mark.evaluate(script("count_covered_texts")) == 0


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768), (390, 844)])
@pytest.mark.parametrize("name", ["iPhone 17 Pro", "华为 Mate 80 Pro", "Ann-Katrin Berners-Lee"])
def test_a_name_breaks_only_between_words(show, tab, size, name):
    """A prize stands on one line if it is large there. Else it breaks between words, not before a number."""
    closed = {"kind": "closed", "words": [""], "code": "", "prizes": [{"name": name, "winners": [name] * 9}]}
    for scene in ({"kind": "ready", "prize": name, "count": 1, "place": ""}, winners_of([name]), closed):
        stage = show(scene, size=size)
        lines = stage.locator(".name, h3").evaluate_all(script("lines_of_texts"))
        for each in lines:
            assert " ".join(each) == name
            assert not any(line[0].isdigit() for line in each)
            assert len(each) == 1 or scene["kind"] != "ready" or size[0] < 1024


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (1024, 768)])
def test_an_id_stands_whole(show, size):
    """Behind a name that two guests have, the id is on the same line, or on one of its own."""
    stage = show(winners_of([*["徐建国"] * 19, "王伟（zs1199）"], "研发中心/平台组"), size=size)
    lines = stage.locator(".name").evaluate_all(script("lines_of_texts"))[-1]
    assert lines in (["王伟（zs1199）"], ["王伟", "（zs1199）"])


def test_reduced_motion(show, tab):
    """For people who do not want motion nothing moves; the page says that it draws, and for which prize."""
    show({})
    tab.emulate_media(reduced_motion="reduce")
    change(tab, {"kind": "rolling", "prize": "Bicycle", "count": 5})
    stage = tab.locator("#page")
    expect(stage).to_contain_text(WORDS["drawing"])
    expect(stage.locator(".name")).to_have_text("Bicycle")
    scene = winners_of(people(5, chinese=True)) | {"prize": "Bicycle", "rank": 1}
    change(tab, scene)
    expect(stage.locator(".name")).to_have_count(5)
    assert tab.evaluate("[document.getAnimations().length, seen.length]") == [0, 1]
    scene["winners"][1]["status"] = "absent"
    change(tab, scene | {"kind": "rolling", "redraw": True})
    expect(stage.locator("s")).to_be_visible()
    expect(stage.locator(".reel")).to_have_count(0)
    scene["winners"][1] = {"name": "新人", "note": "", "status": "new"}
    change(tab, scene | {"redraw": True})
    expect(stage.locator(".name").nth(1)).to_have_text("新人")
    assert tab.evaluate("document.getAnimations().length") == 0


def test_text_is_not_html(show, tab):
    """What comes from a list or an operator is shown letter by letter, and a code cannot run anything."""
    evil = '<b>Ada</b><img src=x onerror="window.ran = 1">'
    code = '<svg xmlns="http://www.w3.org/2000/svg" onload="ran = 1"><script>ran = 1</script></svg>'
    code = f"data:image/svg+xml,{quote(code)}"
    for scene in [
        {"kind": "opening", "guests": evil, "prizes": [{"name": evil, "count": 1}], "code": code,
         "words": [evil]},
        {"kind": "public", "question": evil, "value": evil, "told": evil, "words": [evil], "mark": evil},
        {"kind": "ready", "prize": evil, "count": 2, "place": evil},
        {"kind": "rolling", "prize": evil, "count": 2},
        {"kind": "winners", "prize": evil, "winners": [{"name": evil, "note": evil, "status": "new"}]},
        {"kind": "closed", "words": [evil, evil], "code": code,
         "prizes": [{"name": evil, "winners": [evil]}]},
        {"kind": "__proto__"},
    ]:  # fmt: skip
        stage = show(scene, title=evil, names=[evil], words=dict.fromkeys(WORDS, evil))
        tab.evaluate(script("load_a_broken_picture"))
        assert "<b>Ada</b>" in stage.inner_text()
        assert (
            stage.locator(".view").evaluate(
                "one => one.querySelectorAll('b:not(.count, .mark), img:not(.code)').length"
            )
            == 0
        )
    assert tab.evaluate("window.ran") is None


def test_it_can_be_translated(show, tab):
    """With Chinese scenes and words, no Latin letter is left, not even for a screen reader."""
    chinese = dict.fromkeys(WORDS, "词")
    for scene in [
        {"kind": "opening", "guests": 120, "prizes": [{"name": "车", "count": 1}], "code": CODE,
         "words": ["你好"]},
        {"kind": "ready", "prize": "车", "count": 2, "place": "一"},
        {"kind": "rolling", "prize": "车", "count": 2},
        winners_of(["张伟"] * 450) | {"prize": "车"},
        {"kind": "closed", "words": ["谢谢"], "code": "", "prizes": [{"name": "车", "winners": ["张伟"]}]},
    ]:  # fmt: skip
        stage = show(scene, title="年会", words=chinese, names=["张伟"])
        texts = stage.evaluate(script("all_texts"))
        assert re.findall("[A-Za-z]+", texts) == []


def test_everybody_can_read_it(show, tab):
    """Axe finds nothing serious; the contrast is right on the lightest place of the background."""
    for scene in [SCENES[0], *SCENES[2:6], {"kind": "rolling", "prize": "Car", "count": 1}]:
        show(scene, title="Winter Party", pictures={"logo": LOGO})
        tab.add_style_tag(content="html, body {height: 100%}")  # else axe takes all for hidden
        tab.add_style_tag(content="#page {background: #303653}")  # it cannot judge a gradient
        tab.emulate_media(reduced_motion="reduce")
        change(tab, scene)
        assert violations(tab, "#page", serious=True) == []
        stage = tab.locator("#page")
        live = stage.locator("[aria-live=polite]").inner_text()
        for text in {scene.get("prize", ""), *(each["name"] for each in scene.get("winners", []))}:
            assert text in live


def test_sound_and_full_screen(show, tab):
    """S plays a sound and lets winners have one, F fills the screen; a button does not keep the keyboard."""
    stage = show({"kind": "rolling", "prize": "Car", "count": 1})
    tab.evaluate(script("count_tones"))
    change(tab, winners_of(["张伟"]))
    assert tab.evaluate("tones") == 0
    tab.keyboard.press("s")
    expect(stage.get_by_role("button", name=WORDS["sound"])).to_have_attribute("aria-pressed", "true")
    one = tab.evaluate("tones")
    assert one > 0
    change(tab, {"kind": "rolling", "prize": "Car", "count": 1})
    assert tab.evaluate("tones") == one
    change(tab, winners_of(["张伟"]))
    assert tab.evaluate("tones") == 2 * one
    stage.get_by_role("button", name=WORDS["full_screen"]).click()
    tab.wait_for_function("document.fullscreenElement")
    assert sent(tab) == []
    tab.keyboard.press("Space")
    assert sent(tab) == ["advance"]
    tab.keyboard.press("f")
    tab.wait_for_function("!document.fullscreenElement")


def test_a_press_says_what_it_saw(show, tab):
    """Each message names the moment that the page shows: a press on an older scene does nothing."""
    show({"kind": "ready", "prize": "Car", "count": 1, "place": "1 of 2"}, moment=["ready", 1])
    tab.keyboard.press("PageDown")
    change(tab, winners_of(["张伟"]), moment=["winners", 1])
    tab.keyboard.press("PageUp")
    assert tab.evaluate("sent") == [
        {"do": "press", "way": "advance", "seen": ["ready", 1]},
        {"do": "press", "way": "back", "seen": ["winners", 1]},
    ]
    assert tab.evaluate("seen") == [["winners", 1]]


def test_several_changes_at_once(show_still, still):
    """News may have a scene, a title, names and a page: the moment comes once, and is not cut short."""
    names = people(50, chinese=True)
    stage = show_still({"kind": "rolling", "prize": "Coffee machine", "count": 1, "rank": 1}, names=names)
    change(still, winners_of(names[:1]) | {"rank": 1}, title="Summer Party", names=names[1:], first=1)
    assert stage.evaluate("one => one.dataset.moment") == "build"
    still.clock.run_for(8000)
    expect(stage.locator(".name")).to_be_visible()
    expect(stage.get_by_role("heading", name="Summer Party")).to_be_visible()
    assert still.evaluate("seen.length") == 1


def test_the_page_around_the_stage(show, tab):
    """The tab has a name of its own, and the page has the language of its words."""
    show({}, words=WORDS | {"tab": "谁赢？", "language": "zh-CN"})
    assert tab.evaluate("[document.title, document.documentElement.lang]") == ["谁赢？", "zh-CN"]
    tab.evaluate("words => model.update({words})", WORDS)
    assert tab.evaluate("[document.title, document.documentElement.lang]") == [WORDS["tab"], "en"]


def test_the_server_is_gone(show, tab):
    """The page says so in large letters over everything, and keeps its scene until it comes back."""
    stage = show(winners_of(["张伟"]), size=(1280, 1000))
    lost = tab.locator(".lottery-lost")
    expect(lost).to_be_hidden()
    tab.evaluate("model.set('lost_link', true)")
    expect(lost).to_have_text(WORDS["lost"] + WORDS["lost_next"])
    assert lost.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 1000}
    assert lost.locator("b").evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= 80
    assert lost.evaluate(script("is_on_top"))
    expect(stage.locator(".name")).to_have_text("张伟")
    tab.evaluate("model.update({lost_link: false})")
    expect(lost).to_be_hidden()
    assert tab.evaluate("seen.length") == 1


class FakeNight:
    """Shows what a test wants, and keeps what the pages say. It knows no tables."""

    def __init__(self, tell, shown):
        self.shown, self.said, self._tell = {**shown, "wanted": ""}, [], tell

    def begin(self):
        pass

    turn = end = begin

    def heard(self, message, _file):
        self.said.append(message)

    def show(self, **changes):
        self.shown = {**self.shown, **changes}
        self._tell(changes)

    def leave(self):
        """Let the server end, as if the pages shall be in another language."""
        self.show(wanted="zh")


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """`serve(port, **shown)`: a real server with a fake night. Returns the night, its thread and its door."""
    nights, running = [], []
    monkeypatch.setattr(server, "key_of", lambda *_names: b"k" * 32)
    monkeypatch.setattr(server, "Evening", lambda *_args, **_more: None)

    def serve(port, **more):
        def make(_evening, tell, **_named):
            nights.append(FakeNight(tell, SHOWN | more))
            return nights[-1]

        monkeypatch.setattr(server, "Night", make)
        listening, started = bind_sockets(port, "127.0.0.1")[0], len(nights)
        door = server.Door(
            "night",
            "night.json",
            "",
            listening.getsockname()[1],
            f"/path-{started}/",
            f"token-{started}",
            "cookie",
        )
        target = elsewhere("123456789012", "us-east-1", Names())

        def run():
            with listening:
                asyncio.run(server._serve(target, door, listening))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_until(lambda: len(nights) > started)
        running.append((nights[-1], thread))
        return nights[-1], thread, door

    yield serve
    for night, thread in running:
        if thread.is_alive():
            night.leave()
            thread.join(SECONDS)


def test_with_a_server(serve, new_page):
    """A press reaches the server, whose next scene fills the window. The page finds its server again.

    What is pressed meanwhile does not come late.
    """
    car = {"kind": "ready", "prize": "Car", "count": 1, "place": "1 of 1"}
    night, thread, door = serve(0, scene=car, moment=["ready", 1], names=["张伟"])
    with new_page() as page:
        at_the_start(page, "let_time_leap")
        page.goto(f"http://127.0.0.1:{door.port}{door.path}stage?token={door.token}")
        stage, lost = page.locator(".lottery-stage"), page.locator(".lottery-lost")
        expect(stage).to_contain_text("1 of 1")
        page.keyboard.press("PageDown")
        wait_until(lambda: night.said)
        assert night.said.pop() == {"do": "press", "way": "advance", "seen": ["ready", 1]}
        shown = {"scene": winners_of(["张伟"]), "moment": ["winners", 1]}
        night.show(**shown)
        expect(stage.locator(".name")).to_have_text("张伟")
        assert stage.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 1000}
        expect(lost).to_be_hidden()
        night.leave()
        thread.join(SECONDS)
        expect(lost).to_be_visible()
        expect(stage.locator(".name")).to_have_text("张伟")
        page.evaluate("pass_time()")
        page.keyboard.press("PageUp")
        again, _thread, other = serve(door.port, **shown, names=["张伟"])
        expect(lost).to_be_hidden()
        assert page.url == f"http://127.0.0.1:{door.port}{other.path}stage"  # also if it is loaded again
        page.evaluate("pass_time()")
        page.keyboard.press("PageDown")
        wait_until(lambda: again.said)
        assert again.said == [{"do": "press", "way": "advance", "seen": ["winners", 1]}]
        page.reload()
        expect(stage.locator(".name")).to_have_text("张伟")
