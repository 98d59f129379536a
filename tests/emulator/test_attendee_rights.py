"""An attendee with the kit's policy and nothing else can do everything that the kit does."""

import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
from emulator.attendee_user import (
    EDITIONS,
    WAITS,
    admin_of,
    attach_more,
    break_everything,
    document,
    start_what_waits,
    target_of,
    user_with,
)
from emulator.conftest import client_of

from lottery_lib import Names, Stack, inbox
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError

ATTENDEE = "dana"


@pytest.fixture(scope="module", params=EDITIONS)
def edition(request):
    """Each edition by itself, with its own policy alone."""
    return request.param


@pytest.fixture(scope="module")
def dana(emulator, edition):
    """The target of a user with the policy."""
    key = user_with(emulator["endpoint"], f"{ATTENDEE}-{edition}", document(ATTENDEE, edition))
    return target_of(emulator["endpoint"], key, Names(ATTENDEE, edition))


@pytest.fixture(scope="module")
def admin(emulator, dana):
    """The same things, for who may do everything."""
    return admin_of(emulator["endpoint"], dana.names)


@pytest.fixture(scope="module")
def run(dana):
    """Run a command as that user on AWS; returns its exit code and JSON."""

    def command(*words):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            code = main([*words, "--json"])
        return code, json.loads(told.getvalue())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "connect", lambda **_: dana)
        yield command


@pytest.fixture(scope="module")
def deployed(run, admin):
    """Dana's lottery, deployed by dana, with a confirmed subscription."""
    assert run("deploy", "--yes", "--email", "ann@example.com")[0] == 0
    inbox(admin).confirm("ann@example.com")


COMMANDS = [
    ["deploy", "--dry-run"],
    ["deploy", "--yes", "--email", "ann@example.com"],
    ["draw", "2"],
    ["status"],
    ["winners"],
    ["history"],
    ["employees", "load", "data/request-items.json", "--yes"],
    ["reset", "--yes"],
    ["teardown", "--dry-run"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_works(run, deployed, words):
    """On a lottery that is there."""
    code, told = run(*words)
    assert code == 0, told


def test_a_hardened_draw_is_verified_and_gone_on_with(run, deployed, edition):
    """The commands that the hardened edition alone has."""
    if edition == "hardened":
        draw_id = run("draw", "1")[1]["execution_arn"].split(":")[-1]
        for command in ("receipts", "resume"):
            code, told = run(command, draw_id)
            assert code == 0, told


def test_everything_is_made_mended_and_removed(run, admin):
    """From nothing to nothing: what somebody broke is mended, what others attached is taken off."""
    run("teardown", "--yes")
    planned = {each["state"] for each in run("deploy", "--dry-run")[1]["resources"]}
    assert planned == {"would be created"}
    assert run("deploy", "--yes")[0] == 0
    broken = break_everything(admin)
    code, told = run("deploy", "--yes")
    assert (code, {each["name"] for each in told["resources"] if each["state"] == "updated"}) == (0, broken)
    attach_more(admin)
    start_what_waits(admin)
    assert run("teardown", "--yes")[1]["left"] == []


def test_beside_the_other_edition(run, admin):
    """Where the other edition stands, too: a roster goes into its pool, and what they share stays."""
    other = Stack(admin.named(admin.names.other))
    other.deploy()
    try:
        assert run("deploy", "--yes")[0] == 0
        assert run("employees", "load", "data/request-items.json", "--yes")[0] == 0
        assert run("teardown", "--yes")[1]["left"] == []
        assert "missing" not in {each.state for each in other.status()}
    finally:
        assert other.teardown().left == []


@pytest.mark.long
@pytest.mark.parametrize(
    "action", ["iam:PassRole", "iam:TagRole", "dynamodb:TagResource", "states:TagResource"]
)
def test_what_creating_asks_for_besides(emulator, edition, action):
    """Without the right to pass a role on, or to tag, a deploy is refused; the error names the right.

    It is long: each right needs a user and a lottery of its own.
    """
    name = f"no-{action.replace(':', '-').lower()}"
    whole = document(name, edition)
    for statement in whole["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action] or ["sts:None"]
    key = user_with(emulator["endpoint"], f"{name}-{edition}", whole)
    target = target_of(emulator["endpoint"], key, Names(name, edition))
    with pytest.raises(LotteryError, match=rf"{action}.*Ask the administrator"):
        Stack(target, announce=lambda plan: None).deploy()


@pytest.fixture(scope="module")
def bob(emulator):
    """A client of a user who has the policies of another attendee, ``bob``."""
    key = user_with(emulator["endpoint"], "bob", *(document("bob", edition) for edition in EDITIONS))
    return lambda service: client_of(emulator["endpoint"], service, key=key)


def calls_on(names):
    """What one might do to what an edition of somebody's lottery has for itself, at each service."""
    machine = f"arn:aws:states:us-east-1:123456789012:stateMachine:{names.machine}"
    function, role = next(iter(names.functions.values())), names.lambda_role
    yield "lambda", "delete_function", {"FunctionName": function}
    yield "lambda", "invoke", {"FunctionName": function}
    yield "iam", "delete_role", {"RoleName": role}
    yield "iam", "detach_role_policy", {"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/A"}
    yield "logs", "delete_log_group", {"logGroupName": names.log_group(function)}
    yield "stepfunctions", "delete_state_machine", {"stateMachineArn": machine}
    yield "stepfunctions", "start_execution", {"stateMachineArn": machine}
    if names.edition == "hardened":
        yield "dynamodb", "delete_table", {"TableName": names.pool_table}
        yield "dynamodb", "scan", {"TableName": names.draws_table}


def calls_on_shared(names):
    """What one might do to what the editions share."""
    yield "dynamodb", "delete_table", {"TableName": names.winners_table}
    yield "dynamodb", "scan", {"TableName": names.winners_table}
    yield "sns", "delete_topic", {"TopicArn": f"arn:aws:sns:us-east-1:123456789012:{names.topic}"}


def described(call):
    """A call as a test's name."""
    return f"{call[1]} {next(iter(call[2].values())).split(':')[-1]}"


OWN = {edition: list(calls_on(Names(ATTENDEE, edition))) for edition in EDITIONS}
OTHERS = [*OWN["tutorial"], *OWN["hardened"], *calls_on_shared(Names(ATTENDEE))]


@pytest.mark.parametrize("call", OTHERS, ids=described)
def test_nothing_of_another_attendee_can_be_reached(bob, call):
    """Neither read nor written, with the policies of both editions."""
    service, operation, parameters = call
    with pytest.raises(ClientError, match="is not authorized to perform"):
        getattr(bob(service), operation)(**parameters)


def test_nothing_that_the_other_edition_has_for_itself_can_be_reached(dana):
    """Neither read nor written, with the policy of one edition alone."""
    for service, operation, parameters in OWN[dana.names.other.edition]:
        with pytest.raises(ClientError, match="is not authorized to perform"):
            getattr(dana.client(service), operation)(**parameters)


def made_role(bob, names):
    tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
    bob("iam").create_role(RoleName=names.lambda_role, AssumeRolePolicyDocument="{}", Tags=tags)
    return names.lambda_role


def test_no_other_policy_can_be_attached(bob):
    """To one's own role, AWS's policies of the tutorial, and not AdministratorAccess."""
    role = made_role(bob, Names("bob"))
    bob("iam").attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSNSFullAccess")
    with pytest.raises(ClientError, match="not authorized to perform: iam:AttachRolePolicy"):
        bob("iam").attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_no_policy_can_be_attached_to_a_hardened_role(bob):
    """Not even one of the tutorial's."""
    hardened, arn = made_role(bob, Names("bob", "hardened")), "arn:aws:iam::aws:policy/AmazonSNSFullAccess"
    with pytest.raises(ClientError, match="not authorized to perform: iam:AttachRolePolicy"):
        bob("iam").attach_role_policy(RoleName=hardened, PolicyArn=arn)


def test_no_other_role_can_be_passed_on(bob):
    """Such as one of the account's that may do more."""
    asked = {"name": Names("bob").machine, "definition": WAITS}
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        bob("stepfunctions").create_state_machine(roleArn="arn:aws:iam::123456789012:role/tests", **asked)


def printed(*words, **environment):
    """What `policy` prints in a process of its own, without credentials and without an emulator."""
    command = [sys.executable, "-m", "lottery_lib", "policy", *words]
    clean = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    return subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False)


PLACE = ("--account", "123456789012", "--region", "us-east-1")


@pytest.mark.parametrize(
    ("words", "of"), [([], "tutorial"), *((["--edition", edition], edition) for edition in EDITIONS)]
)
def test_an_administrator_writes_it_for_somebody_else(words, of):
    """With an account and a region nothing is asked of AWS: nobody's credentials are needed."""
    done = printed(*PLACE, *words, LOTTERY_ATTENDEE=ATTENDEE)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, document(ATTENDEE, of), "")


def test_the_partition_is_the_regions():
    """In China every ARN is China's."""
    done = printed("--account", "123456789012", "--region", "cn-north-1")
    assert "arn:aws-cn:" in done.stdout
    assert "arn:aws:" not in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--account", "12", "--region", "us-east-1"], "Give its twelve digits"),
        (["--account", "123456789012", "--region", "moon"], "Unknown region: 'moon'"),
        (["--account", "123456789012"], "Give --region"),
    ],
)
def test_what_is_no_place(words, sentence):
    """One sentence on stderr, and nothing on stdout: a file written with `>` stays empty."""
    done = printed(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_by_default_it_is_for_the_account_of_the_caller(run, dana):
    """Whose account that is stands on stderr, so stdout is JSON alone."""
    assert run("policy") == (0, document(ATTENDEE, dana.names.edition))
