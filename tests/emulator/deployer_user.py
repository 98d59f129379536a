"""A user of the emulator who has the deployer's policy and nothing else, and what this user's calls need."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from emulator.conftest import client_of

from lottery_lib import Names
from lottery_lib import target as door
from lottery_lib.deployer import Place, policy
from lottery_lib.emulator import iam
from lottery_lib.emulator.iam_needs import needs_of
from lottery_lib.emulator.iam_policy import Decision, decide
from lottery_lib.emulator.wire import Request
from lottery_lib.resources import iam_role
from lottery_lib.target import Target

#: The file into which the kernels of notebooks write what they need, one JSON a line.
NEEDS = "DEPLOYER_NEEDS"
KEY = "DEPLOYER_KEY"


def document(attendee):
    """The policy of an attendee in the emulator's account."""
    return policy(Place("aws", "123456789012", "us-east-1"), Names(attendee), iam_role.attachable())


def user_with(endpoint, name, document):
    """Make a user of IAM who may do what a managed policy says; returns an access key."""
    iam = client_of(endpoint, "iam")
    made = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=made)
    return iam.create_access_key(UserName=name)["AccessKey"]


def session_of(key, region, note):
    """A session of that user; `note(needs)` is told what each request needs, as IAM is asked for it."""
    session = _dummy_session(region)
    session._session.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    session.events.register("before-send", lambda request, **_: note(_needs(request)))
    return session


_dummy_session = door._dummy_session


def _needs(request):
    # An ARN of IAM is made of its name here: the kit's roles have no path.
    iam.find_arn = lambda *_: None
    parts = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = request.body or b""
    wire = Request(request.method, target, headers, body.encode() if isinstance(body, str) else body)
    asked = iam._asked(wire, iam.Caller("arn:aws:iam::123456789012:user/deployer"))
    return [(need.action, need.resource, need.context) for need in needs_of(asked)]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def denied(document, needs):
    """Those of the needs that a policy does not allow, as the emulator decides it."""
    text = (json.dumps(document),)
    return [
        (action, resource)
        for action, resource, context in needs
        if decide(text, action, resource, dict(context)) is not Decision.ALLOWED
    ]


def target_of(endpoint, key, attendee, note=lambda needs: None):
    """The emulator as the AWS of that user."""
    return Target("aws", session_of(key, "us-east-1", note), endpoint, Names(attendee))


def be_the_user():
    """In a notebook's kernel: every connection is the user's, and what it needs is noted."""
    key, path = json.loads(os.environ[KEY]), Path(os.environ[NEEDS])

    def note(needs):
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(need) + "\n" for need in needs)

    door._dummy_session = lambda region: session_of(key, region, note)
