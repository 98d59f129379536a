"""Whoever has the deployer's policy alone can do all that the kit does, on things of their own."""

import contextlib
import io
import json
import os
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError
from emulator.conftest import client_of
from emulator.deployer_user import document, target_of, user_with

from lottery_lib import Names, Stack, inbox
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.resources import iam_role, lambda_function, state_machine
from lottery_lib.target import Target

ATTENDEE = "dana"


@pytest.fixture(scope="module")
def dana(emulator):
    """The target of a user with the policy."""
    key = user_with(emulator["endpoint"], ATTENDEE, document(ATTENDEE))
    return target_of(emulator["endpoint"], key, ATTENDEE)


@pytest.fixture(scope="module")
def admin(emulator, dana):
    """The same things, for who may do everything."""
    return Target("endpoint", door._dummy_session("us-east-1"), emulator["endpoint"], dana.names)


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


def test_everything_is_made_mended_and_removed(run, admin):
    """From nothing to nothing: what somebody broke is mended, what others attached is taken off."""
    run("teardown", "--yes")
    assert {each["state"] for each in run("deploy", "--dry-run")[1]["resources"]} == {
        "would be created",
        "would be loaded if it is empty",
    }
    assert run("deploy", "--yes")[0] == 0
    broken = break_everything(admin)
    code, told = run("deploy", "--yes")
    assert (code, {each["name"] for each in told["resources"] if each["state"] == "updated"}) == (0, broken)
    attach_more(admin)
    start_what_waits(admin)
    assert run("teardown", "--yes")[1]["left"] == []


def break_everything(admin):
    """Change one thing of each kind that a deploy puts right; returns their names."""
    names, iam, functions = admin.names, admin.client("iam"), admin.client("lambda")
    trusting = json.dumps(iam_role.trust_policy("states.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=names.lambda_role, PolicyDocument=trusting)
    iam.delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    one, other, third = list(names.functions.values())[:3]
    functions.update_function_configuration(FunctionName=one, Timeout=3)
    functions.put_function_concurrency(FunctionName=other, ReservedConcurrentExecutions=0)
    package = lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "record_winners")
    functions.update_function_code(FunctionName=third, ZipFile=package)
    arn = admin.arn("sns", names.topic)
    admin.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="X")
    change = {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": names.serial_index}}]}
    admin.client("dynamodb").update_table(TableName=names.employee_table, **change)
    machine = state_machine.machine_arn(admin, names.machine)
    admin.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=WAITS)
    broken = {names.lambda_role, names.machine_role, one, other, third, names.topic}
    return broken | {names.employee_table, names.machine}


WAITS = '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}'


def attach_more(admin):
    iam, role = admin.client("iam"), admin.names.lambda_role
    iam.attach_role_policy(RoleName=role, PolicyArn=iam_role.policy_arn(admin, "AdministratorAccess"))
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=json.dumps(document("x")))


def start_what_waits(admin):
    """Have an execution under way when the teardown begins."""
    machine, states = state_machine.machine_arn(admin, admin.names.machine), admin.client("stepfunctions")
    states.update_state_machine(stateMachineArn=machine, definition=WAITS)
    states.start_execution(stateMachineArn=machine)


@pytest.mark.parametrize(
    "action", ["iam:PassRole", "iam:TagRole", "dynamodb:TagResource", "states:TagResource"]
)
def test_what_creating_asks_for_besides(emulator, action):
    """Without the right to pass a role on, or to tag, a deploy is refused; the error names the right."""
    name = f"no-{action.replace(':', '-').lower()}"
    whole = document(name)
    for statement in whole["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action] or ["sts:None"]
    target = target_of(emulator["endpoint"], user_with(emulator["endpoint"], name, whole), name)
    with pytest.raises(LotteryError, match=rf"{action}.*Ask the administrator"):
        Stack(target, announce=lambda plan: None).deploy()


@pytest.fixture(scope="module")
def bob(emulator):
    """A client of a user who has the policy of another attendee, ``bob``."""
    key = user_with(emulator["endpoint"], "bob", document("bob"))
    return lambda service: client_of(emulator["endpoint"], service, key=key)


def calls_on(names):
    """What one might do to somebody's lottery, at each service."""
    machine = f"arn:aws:states:us-east-1:123456789012:stateMachine:{names.machine}"
    function, role = names.function("InputWinners"), names.lambda_role
    yield "dynamodb", "delete_table", {"TableName": names.winners_table}
    yield "dynamodb", "scan", {"TableName": names.winners_table}
    yield "lambda", "delete_function", {"FunctionName": function}
    yield "lambda", "invoke", {"FunctionName": function}
    yield "iam", "delete_role", {"RoleName": role}
    yield "iam", "detach_role_policy", {"RoleName": role, "PolicyArn": "arn:aws:iam::aws:policy/A"}
    yield "sns", "delete_topic", {"TopicArn": f"arn:aws:sns:us-east-1:123456789012:{names.topic}"}
    yield "logs", "delete_log_group", {"logGroupName": names.log_group(function)}
    yield "stepfunctions", "delete_state_machine", {"stateMachineArn": machine}
    yield "stepfunctions", "start_execution", {"stateMachineArn": machine}


@pytest.mark.parametrize("call", list(calls_on(Names(ATTENDEE))), ids=lambda call: call[1])
def test_nothing_of_another_attendee_can_be_reached(bob, call):
    """Neither read nor written."""
    service, operation, parameters = call
    with pytest.raises(ClientError, match="is not authorized to perform"):
        getattr(bob(service), operation)(**parameters)


def test_no_other_policy_can_be_attached(bob, emulator):
    """To one's own role, AWS's policies of the tutorial, and not AdministratorAccess."""
    iam, role = bob("iam"), Names("bob").lambda_role
    tags = [{"Key": key, "Value": value} for key, value in Names("bob").tags.items()]
    iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}", Tags=tags)
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSNSFullAccess")
    with pytest.raises(ClientError, match="not authorized to perform: iam:AttachRolePolicy"):
        iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


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


def test_an_administrator_writes_it_for_somebody_else():
    """With an account and a region nothing is asked of AWS: nobody's credentials are needed."""
    done = printed("--account", "123456789012", "--region", "us-east-1", LOTTERY_ATTENDEE=ATTENDEE)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, document(ATTENDEE), "")


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
    assert run("policy") == (0, document(ATTENDEE))
