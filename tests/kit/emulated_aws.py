"""A plugin of pytest: the emulator at $EMULATED_AWS takes the place of AWS, and a person reads mail there.

With $EMULATED_DELAY, rights and definitions hold so many seconds late, as on AWS.
"""

import contextlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

from botocore import xform_name
from botocore.exceptions import ClientError

from lottery_lib import inbox, target
from lottery_lib.errors import LotteryError

#: Calls that hold late on AWS, by botocore's events. What they change is read late here, too, so
#: DetachRolePolicy is not one of them: the kit would attach nothing where a lesson has just detached it.
LATE = (
    *("iam.AttachRolePolicy", "iam.DeleteRolePolicy", "iam.PutRolePolicy", "iam.UpdateAssumeRolePolicy"),
    "sfn.UpdateStateMachine",
)

#: Makes late calls one after the other, in their order.
LATER = ThreadPoolExecutor(1)


def pytest_configure(config):
    """Let `connect("aws")` lead to that emulator, which is then a target of that kind."""

    def emulated(names, region):
        where = {"where": os.environ["EMULATED_AWS"], "attendee": names.attendee, "edition": names.edition}
        there = target.connect(**where, region=region)
        if seconds := float(os.environ.get("EMULATED_DELAY", "0")):
            hold_late(there.session, target.connect(**where, region=region), seconds)
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


def hold_late(session, other, seconds):
    """Answer calls of a session at once, and make them through another connection some seconds later."""

    def keep(params, context, **_):
        context["asked"] = dict(params)

    def answer(model, context, **_):
        asked, client = context["asked"], other.client(model.service_model.service_name)
        if "publish" in asked or "loggingConfiguration" in asked:  # the answer matters
            return None

        def make(due):
            time.sleep(max(0, due - time.monotonic()))
            with contextlib.suppress(ClientError):  # it may be gone
                getattr(client, xform_name(model.name))(**asked)

        LATER.submit(make, time.monotonic() + seconds)
        told = {"ResponseMetadata": {"HTTPStatusCode": 200}, "updateDate": datetime.now(UTC)}
        return SimpleNamespace(status_code=200, headers={}), told

    for operation in LATE:
        session.events.register(f"before-parameter-build.{operation}", keep)
        session.events.register(f"before-call.{operation}", answer)
