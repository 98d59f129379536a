"""A plugin of pytest that puts the emulator at $EMULATED_AWS in the place of AWS."""

import os

from lottery_lib import target


def pytest_configure():
    """Let `connect("aws")` lead to that emulator, which is then a target of that kind."""

    def emulated(names, region):
        where = os.environ["EMULATED_AWS"]
        there = target.connect(where, attendee=names.attendee, edition=names.edition, region=region)
        return target.Target("aws", there.session, there.endpoint, there.names)

    target._aws = emulated
