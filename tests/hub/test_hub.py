"""A class on a plain JupyterHub: three users of this machine in a browser, and ten more for the figures.

They are long: they install the kit once more, start thirteen servers, and wait until idle workers have ended.
The tests build on each other.
"""

import itertools
import json
import re
import textwrap
import time

import pytest
from browser.conftest import browser_path
from helpers import wait_until
from hub.classroom import Class, all_at_once, memory_of, processes_of, seconds, shared_kit
from playwright.sync_api import expect, sync_playwright

pytestmark = [pytest.mark.root, pytest.mark.npm, pytest.mark.browser, pytest.mark.long]
PEOPLE = ("ltr-ann", "ltr-bob", "ltr-eve")
ANN, BOB, EVE = PEOPLE
MORE = tuple(f"ltr-{number:02}" for number in range(10))
#: What a person may take after a draw, in megabytes: when idle workers have ended, and at once.
MOST = {"idle": 350, "at once": 470}
NUMBERS = itertools.count(1)
DEPLOY = "from lottery_lib import *\ntarget = connect()\nstack = Stack(target)\nstack.deploy()\n"
DRAW = "print(draw(target, 2)['status'])"
CODE_OF_ERROR = """
import boto3, botocore
there = boto3.client({service!r}, endpoint_url={endpoint!r}, region_name="us-east-1",
                     aws_access_key_id={key!r}, aws_secret_access_key="x")
try:
    there.{call}()
    print("answered")
except botocore.exceptions.ClientError as error:
    print(error.response["Error"]["Code"])
"""


@pytest.fixture(scope="module")
def kit():
    """The kit in a folder that everybody can read and nobody can write, with `make hub` run in it."""
    with shared_kit() as folder:
        yield folder


@pytest.fixture(scope="module")
def room(kit, tmp_path_factory):
    """A running hub, with three users of this machine."""
    room = Class(kit, tmp_path_factory.mktemp("hub"))
    with room.running():
        for name in PEOPLE:
            room.add(name)
        yield room


class Seat:
    """One person at a browser: logs in, and works in the overview lesson."""

    def __init__(self, browser, room, name):
        self.name, self.window = name, browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self.window.new_page()
        self.page.set_default_timeout(120_000)
        self.page.goto(room.address)
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(room.passwords[name])
        self.page.get_by_role("button", name="Sign in").click()

    def run_first_cells(self):
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        self.page.locator(".jp-CodeCell .cm-content").first.click()
        for _ in range(2):
            self.page.keyboard.press("Shift+Enter")
        self.page.keyboard.press("Control+Enter")  # the cell of the panel

    def new_cell(self, code):
        """What a new cell below the first one prints."""
        mark = f"end of {next(NUMBERS)}"
        self.page.locator(".jp-CodeCell .cm-content").first.click()
        for key in ("Escape", "b", "Enter"):
            self.page.keyboard.press(key)
        self.page.keyboard.insert_text(f"{textwrap.dedent(code)}\nprint({mark!r})")
        self.page.keyboard.press("Control+Enter")
        output = self.page.locator(".jp-OutputArea-output").filter(has_text=mark)
        output.wait_for()
        return output.inner_text()

    def open(self, address):
        tab = self.window.new_page()
        tab.set_default_timeout(60_000)
        tab.goto(address)
        return tab


@pytest.fixture(scope="module")
def seats(room):
    """Three people who have logged in at the same time."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=browser_path(), args=arguments)
        yield [Seat(browser, room, name) for name in PEOPLE]
        browser.close()


@pytest.fixture(scope="module")
def kernels(room, seats):
    """A kernel of each of the three, in which a lottery is deployed."""

    def kernel_of(name):
        person = room.log_in(name)
        person.start()
        kernel = person.kernel()
        kernel.run(DEPLOY)
        return kernel

    return dict(zip(PEOPLE, all_at_once(kernel_of, PEOPLE), strict=True))


def test_three_people_draw_at_the_same_time(seats):
    """Each logs in, gets the overview lesson, runs its first cells, and draws with the button."""
    for seat in seats:
        seat.run_first_cells()
    for seat in seats:
        seat.page.get_by_text("Ready: lesson 00").wait_for()
        seat.page.get_by_role("button", name="Draw", exact=True).wait_for()
    for seat in seats:
        seat.page.get_by_role("button", name="Draw", exact=True).click()
    for seat in seats:
        seat.page.get_by_text("SUCCEEDED: 2 drawn.").wait_for()


def test_mailbox_and_link_open_through_the_hub(seats, room):
    """The addresses that the kit prints lead through the person's own server, and work there."""
    for seat in seats:
        told = seat.new_cell(
            """
            from lottery_lib import Stack, inbox
            Stack(target).deploy("new@example.com")
            print(inbox(target).where)
            (mail,) = [mail for mail in inbox(target).mails if mail.to == "new@example.com"]
            print(mail.link)
            """
        )
        mailbox, link = re.findall(r"http://\S+[\w=]", told)[-2:]
        assert mailbox.startswith(f"{room.address}user/{seat.name}/")
        assert link.startswith(f"{room.address}user/{seat.name}/")
        expect(seat.open(mailbox).get_by_text("new@example.com").first).to_be_visible(timeout=60_000)
        confirmed = seat.open(link).get_by_role("heading", name="Subscription confirmed")
        expect(confirmed).to_be_visible(timeout=60_000)


def test_the_nights_pages_open_through_the_hub(seats, room):
    """`lottery night` prints an address at which the operator's page and the stage work."""
    for seat in seats:
        seat.new_cell(
            """
            import os, re, subprocess, time
            log = open("night.log", "w")
            variables = os.environ | {"COLUMNS": "300"}
            night = subprocess.Popen(["lottery", "night", "--yes"], stdout=log, stderr=log, env=variables)
            """
        )
    pages = [seat.open(address_of_night(seat, room)) for seat in seats]
    for page in pages:
        expect(page.get_by_role("button", name="Announce")).to_be_visible(timeout=60_000)
    stages = []
    for page in pages:
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the stage").click()
        stages.append(opened.value)
    for stage in stages:
        expect(stage.locator(".lottery-stage")).to_be_visible(timeout=60_000)
    for seat, *tabs in zip(seats, pages, stages, strict=True):
        for tab in tabs:
            tab.close()
        seat.new_cell("night.send_signal(2)\nnight.wait(30)")


def address_of_night(seat, room):
    """What `lottery night` printed: it leads through the person's own server."""
    told = seat.new_cell(
        """
        while not (found := re.search(r"http\\S+token=\\S+", open("night.log").read())):
            assert night.poll() is None, open("night.log").read()
            time.sleep(0.5)
        print(found[0])
        """
    )
    address = re.search(r"http\S+token=[\w-]+", told)[0]
    assert address.startswith(f"{room.address}user/{seat.name}/")
    return address


def test_a_class_sees_itself_on_the_board(seats, room):
    """The instructor's board opens through the hub, and another person of the hub joins it."""
    instructor, attendee, _ = seats
    told = instructor.new_cell(
        """
        board_log = open("board.log", "w+")
        board = subprocess.Popen(["lottery", "class", "--no-browser", "--json"], stdout=board_log)
        while "}" not in open("board.log").read():
            assert board.poll() is None
            time.sleep(0.5)
        print(open("board.log").read())
        """
    )
    found = {key: re.search(rf'"{key}": "([^"]+)"', told)[1] for key in ("page", "address", "code")}
    assert found["page"].startswith(f"{room.address}user/{instructor.name}/")
    page = instructor.open(found["page"])
    told = attendee.new_cell(f"!lottery join {found['address']} {found['code']} --name Bob")
    assert "You have joined the class." in told
    expect(page.get_by_text("Bob", exact=True)).to_be_visible(timeout=60_000)
    page.close()
    attendee.new_cell("!lottery leave")
    instructor.new_cell("board.terminate(); board.wait(30)")


def test_the_doctor_finds_nothing_missing(kernels):
    """`lottery doctor` passes for who shares the kit and cannot write into it."""
    told = kernels[ANN].run("!lottery doctor --json")
    assert [row for row in json.loads(told) if not row["ok"]] == []


def test_nobody_can_change_what_all_share(kernels, room):
    """A person cannot write into the kit or its environment."""
    told = kernels[EVE].run(
        f"""
import os
from pathlib import Path
kit = Path({str(room.kit)!r})
paths = [kit, *kit.rglob("*")]
print(len(paths), [path for path in paths if not path.is_symlink() and os.access(path, os.W_OK)])
"""
    )
    number, _, writable = told.partition(" ")
    assert int(number) > 10_000
    assert writable.strip() == "[]"


@pytest.fixture(scope="module")
def emulators(kernels):
    """The state of each person's emulator."""
    show = (
        "from lottery_lib.local_emulator import emulator\nimport json\nprint(json.dumps(emulator('status')))"
    )
    return {name: json.loads(kernel.run(show)) for name, kernel in kernels.items()}


def test_each_has_an_emulator_of_their_own(emulators):
    """Three people have three emulators, and each runs as its person."""
    assert len({told["port"] for told in emulators.values()}) == 3
    for name, told in emulators.items():
        assert told["pid"] in {process.pid for process in processes_of(name)}


def test_nobody_reaches_the_emulator_of_another(kernels, emulators):
    """AWS's answer to an unknown key is all that another user gets, at any service."""
    endpoint, own_key = emulators[ANN]["endpoint"], emulators[EVE]["access_key_id"]
    calls = {
        "stepfunctions": ("list_state_machines", "UnrecognizedClientException"),
        "dynamodb": ("list_tables", "UnrecognizedClientException"),
        "iam": ("list_roles", "InvalidClientTokenId"),
    }
    for service, (call, code) in calls.items():
        asked = CODE_OF_ERROR.format(service=service, endpoint=endpoint, key=own_key, call=call)
        assert kernels[EVE].run(asked).strip() == code
        own = CODE_OF_ERROR.format(
            service=service, endpoint=emulators[EVE]["endpoint"], key=own_key, call=call
        )
        assert kernels[EVE].run(own).strip() == "answered"


def test_nobody_reads_files_of_another(kernels, room):
    """A person cannot look into another's home, key, kernels' sockets or variables."""
    server = min(processes_of(ANN), key=lambda process: process.create_time())
    wanted = [
        f"/home/{ANN}", f"/home/{ANN}/lottery/00_overview.ipynb",
        f"/home/{ANN}/.local/state/sfn-emulator/shared/access-key",
        f"/home/{ANN}/.local/share/jupyter/runtime", f"/proc/{server.pid}/environ", str(room.folder),
    ]  # fmt: skip
    asked = f"""
import os
for path in {wanted!r}:
    try:
        print(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read())
    except OSError as error:
        print(type(error).__name__)
"""
    assert kernels[EVE].run(asked).split() == ["PermissionError"] * len(wanted)
    assert "PermissionError" not in kernels[ANN].run(asked.replace(str(room.folder), f"/home/{ANN}"))


def test_nobody_opens_the_server_of_another(room, kernels):
    """With a log-in of one's own, another's server answers 403, through the hub and at its own port."""
    eve = room.log_in(EVE)
    for place in ("lab", "api/contents", "api/kernels", "files/lottery/00_overview.ipynb"):
        assert eve.web.get(f"{room.address}user/{EVE}/{place}", timeout=60).status_code == 200
        assert eve.web.get(f"{room.address}user/{ANN}/{place}", timeout=60).status_code in {403, 404}
    ports = {
        each.laddr.port
        for process in processes_of(ANN)
        for each in process.net_connections("tcp")
        if each.status == "LISTEN"
    }
    asked = f"""
import requests
for port in {sorted(ports)!r}:
    for place in ("api/kernels", "lab"):
        try:
            answer = requests.get(f"http://127.0.0.1:{{port}}/user/{ANN}/{{place}}",
                                  allow_redirects=False, timeout=2)
            print(answer.status_code)
        except requests.RequestException:
            print("nothing")
"""
    told = kernels[EVE].run(asked).split()
    assert len(told) >= 4
    assert "200" not in told


@pytest.fixture(scope="module")
def class_of_ten(room, kernels):
    """Ten more people, who start their servers and draw at the same time: the figures."""
    for name in MORE:
        room.add(name)
    started = time.monotonic()

    def arrive(name):
        person = room.log_in(name)
        person.start()
        return person

    people = all_at_once(arrive, MORE)
    figures = {"all have JupyterLab, s": time.monotonic() - started}
    ten = [person.kernel() for person in people]
    figures["all have a lottery, s"] = seconds(lambda: all_at_once(lambda kernel: kernel.run(DEPLOY), ten))
    figures["ten draws at once, s"] = seconds(lambda: all_at_once(lambda kernel: kernel.run(DRAW), ten))
    time.sleep(3)
    figures["MB at once"] = max(map(memory_of, MORE))
    wait_until(lambda: max(len(processes_of(name)) for name in MORE) <= 3)
    figures["MB idle"] = max(map(memory_of, MORE))
    figures["a draw after a pause, s"] = seconds(lambda: [ten[0].run("stack.reset()\n" + DRAW)])
    return figures


def test_what_a_person_takes(class_of_ten, record_property):
    """A person takes at most 350 MB a minute after a draw, and not much more at once after it."""
    for name, value in class_of_ten.items():
        record_property(name, round(value, 1))
        print(f"{name}: {value:.1f}")
    assert class_of_ten["MB idle"] <= MOST["idle"]
    assert class_of_ten["MB at once"] <= MOST["at once"]


def test_stop_my_server_leaves_no_process(room, class_of_ten):
    """The emulator, its workers and the kernels end with the server."""
    for name in (ANN, MORE[0]):
        assert len(processes_of(name)) >= 3
        room.log_in(name).stop()
        wait_until(lambda name=name: not processes_of(name))


def test_the_log_says_who_does_what(room, class_of_ten):
    """The hub's log has each person's start and stop, and no traceback through the kit's own code.

    jupyter-server-proxy writes one if a page's server ends while its browser is sending.
    """
    assert f"User {ANN} took" in room.log
    tracebacks = [each.partition("\n[")[0] for each in room.log.split("Traceback")[1:]]
    assert [each for each in tracebacks if "lottery_" in each.replace("lottery-hub-", "")] == []
