"""An evening is a file: after the emulator's end all is there, and nobody wins twice."""

import hmac
import json
import os
import signal
import sys

import pytest
from emulator.access_keys import started
from emulator.conftest import emulator_in, wait_until

from lottery_lib import connect, inject, load_employees
from lottery_lib.employees import Roster
from lottery_lib.names import CHECKOUT
from lottery_lib.party.evening import Evening
from lottery_lib.party.receipts import receipts
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.stack import Stack

GUESTS = [f"{number:04}" for number in range(300)]
PRIZES = [{"name": "Mug", "count": 150}, {"name": "Car", "count": 1}]
HANGS = """
import lambda_function, time
write = lambda_function.Tables.write

def lambda_handler(event, context):
    lambda_function.Tables.write = write_and_hang
    return original(event, context)

def write_and_hang(*arguments):
    write(*arguments)
    time.sleep(100)
"""


@pytest.fixture
def party(own_home, port):
    """`party()`: a party on an emulator of its own. If the emulator has ended, a new one is started."""
    with emulator_in(own_home, port):

        def connected():
            return connect(started(port)["endpoint"], attendee="party", edition="hardened")

        target = connected()
        Stack(target).deploy()
        load_employees(
            target, Roster([{"employee_id": each, "employee_name": f"Guest {each}"} for each in GUESTS])
        )
        connected.kill = lambda: os.kill(started(port)["pid"], signal.SIGKILL)
        yield connected


def step(evening, wanted):
    """Wait until the evening is at a step; returns its state."""
    wait_until(lambda: evening.look().step == wanted)
    return evening.look()


def committed_order(file, public):
    """The ids in the order that the secret in the file and the public value decide."""
    sys.path.insert(0, str(CHECKOUT / "lambdas/draw_prize"))
    from shuffle import shuffled

    draws = json.loads(file.read_text())["content"]["tables"]["draws"]
    (secret,) = [bytes.fromhex(each["secret"]["S"]) for each in draws if "secret" in each]
    return [GUESTS[at] for at in shuffled(len(GUESTS), hmac.digest(secret, public.encode(), "sha256"))]


def ids(people):
    return [each.id for each in people]


@pytest.mark.parametrize("seen", [True, False])
def test_killed_in_the_middle_of_a_draw(party, tmp_path, seen):
    """The same people win, whether or not the file has the first of them, and nobody wins twice."""
    file, target = tmp_path / "party.evening.json", party()
    evening = Evening(target, "night-1", file=file)
    evening.announce(PRIZES, question="Five numbers")
    evening.give("3 8 1")
    inject(target, "DrawPrize", HANGS)
    evening.draw(1)
    wait_until(lambda: len(Table(target, target.names.winners_table).items()) == 97)
    if seen:
        assert evening.look().step == "drawing"
    before = receipts(target, "night-1")["draws"]["night-1"]["receipts"]
    party.kill()
    again = Evening.restored(party(), file)
    mug, _ = step(again, "roll call").prizes
    order = committed_order(file, "3 8 1")
    assert ids(mug.winners) == order[:150]
    after = receipts(again.target, "night-1")["draws"]["night-1"]["receipts"]
    assert after[: 2 + seen] == before[: 2 + seen]
    again.call_roll(1, [order[7]])
    wait_until(lambda: again.look().prizes[0].absent)
    assert ids(step(again, "roll call").prizes[0].winners) == [*order[:7], *order[8:151]]
