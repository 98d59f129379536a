"""A plugin of pytest: the emulator at $EMULATED_AWS takes the place of AWS, and a person reads mail there."""

import os
import threading
import time

from lottery_lib import inbox, target
from lottery_lib.errors import LotteryError


def pytest_configure(config):
    """Let `connect("aws")` lead to that emulator, which is then a target of that kind."""

    def emulated(names, region):
        where = os.environ["EMULATED_AWS"]
        there = target.connect(where, attendee=names.attendee, edition=names.edition, region=region)
        return target.Target("aws", there.session, there.endpoint, there.names)

    target._aws = emulated
    if address := config.getoption("--aws-email", None):
        threading.Thread(target=open_link, args=[address], daemon=True).start()


def open_link(address):
    """Be the person with this address: open the link in the mail from SNS as soon as it has come."""
    mailbox = inbox(target.connect(os.environ["EMULATED_AWS"], attendee="selftest"))
    while True:
        try:
            return mailbox.confirm(address)
        except LotteryError:
            time.sleep(0.5)
