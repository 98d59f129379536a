"""An attendee with the kit's policy and boundary can do everything that the kit does, and nothing more."""

import contextlib
import io
import json
import os
import subprocess
import sys
from functools import cache

import pytest
from botocore.exceptions import ClientError
from helpers import Caller, Machine, client_of, source_of, trust
from helpers import policy as policy_of
from kit.attendee_user import (
    BY_HAND,
    EDITIONS,
    WAITS,
    admin_of,
    attach_more,
    break_everything,
    document,
    limit,
    make_boundary,
    start_what_waits,
    target_of,
    user_with,
)
from kit.one_state import one_state

from lottery_lib import Stack, inbox
from lottery_lib import target as door
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_party.evening import Evening

ATTENDEE = "dana"


@pytest.fixture(scope="module", params=EDITIONS)
def edition(request):
    """Each edition by itself, with its own policy alone."""
    return request.param


@pytest.fixture(scope="module")
def bounded(emulator):
    """The ARN of the boundary of dana's roles, which an administrator made once."""
    return make_boundary(emulator["endpoint"], ATTENDEE)


@pytest.fixture(scope="module")
def dana(emulator, edition, bounded):
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
    """Dana's lottery, deployed by dana from nothing, with a confirmed subscription."""
    code, told = run("deploy", "--yes", "--email", "ann@example.com")
    assert (code, {each["state"] for each in told["resources"]}) == (0, {"created", "pending confirmation"})
    inbox(admin).confirm("ann@example.com")


COMMANDS = [
    ["draw", "2"],
    ["status"],
    ["winners"],
    ["history"],
    ["employees", "load", "data/request-items.json", "--yes"],
    ["reset", "--yes"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_works(run, deployed, words):
    """On a lottery that is there. Each deploy and teardown of these tests also does its dry run."""
    code, told = run(*words)
    assert code == 0, told


def test_a_hardened_draw_is_verified_and_gone_on_with(run, deployed, edition):
    """The commands that the hardened edition alone has."""
    if edition == "hardened":
        run("reset", "--yes")  # winners of the tutorial's edition have no receipts
        draw_id = run("draw", "1")[1]["execution_arn"].split(":")[-1]
        for command in ("receipts", "resume"):
            code, told = run(command, draw_id)
            assert code == 0, told


def test_an_evening_is_held(dana, deployed, edition):
    """The hardened edition's policy is enough for all steps of an evening."""
    if edition == "hardened":
        evening = Evening(dana, "night-1")
        evening.announce([{"name": "Mug", "count": 1}], question="Five numbers")
        evening.give("3 8 1")
        evening.show("ready", 1)
        evening.draw(1)
        dana.waiter.until(
            "the roll call", lambda: evening.refresh().step == "roll call", seconds=30, every=0.1
        )
        evening.call_roll(1, [])
        dana.waiter.until("the mail", lambda: evening.refresh().step == "ready", seconds=30, every=0.1)
        evening.close()
        assert evening.refresh().step == "closed"


def test_states_are_tested(dana, deployed, edition):
    """With a mock, and with a real call as the machine's role."""
    first = {"tutorial": "Input Lottery Winners", "hardened": "Commit To The Draw"}[edition]
    assert one_state(dana, first, mock={"Payload": {}}).status == "SUCCEEDED"
    refused = one_state(dana, first, {"input": "none"})
    assert refused.status == "CAUGHT_ERROR" and "not authorized" not in refused.cause


@pytest.mark.usefixtures("deployed")
def test_what_somebody_broke_is_mended(run, admin, bounded, capfd, monkeypatch):
    """A role that lost its boundary gets it back, too, and the line of each role names it."""
    monkeypatch.setattr("lottery_lib.resources.state_machine._SETTLING", 0.0)
    broken = break_everything(admin)
    code, told = run("deploy", "--yes")
    assert (code, {each["name"] for each in told["resources"] if each["state"] == "updated"}) == (0, broken)
    lines = capfd.readouterr().err.splitlines()
    for role in (admin.names.lambda_role, admin.names.machine_role):
        shown = admin.client("iam").get_role(RoleName=role)["Role"]["PermissionsBoundary"]
        assert shown["PermissionsBoundaryArn"] == bounded
        assert f"updated: role {role}, within the permissions boundary {admin.names.boundary}" in lines


def test_everything_is_removed(run, deployed, admin):
    """Also what others attached to a role, and a draw that waits."""
    attach_more(admin)
    start_what_waits(admin)
    assert run("teardown", "--yes")[1]["left"] == []


@pytest.mark.long
def test_beside_the_other_edition(run, admin):
    """Where the other edition stands, too: a roster goes into its pool, and what they share stays.

    It is long: it deploys twice more. `test_of_the_other_edition_it_reaches_what_is_shared` reads the policy.
    """
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
    name = f"no-{action.replace(':', '-').lower()}-{edition[0]}"
    make_boundary(emulator["endpoint"], name)
    whole = document(name, edition)
    for statement in whole["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each != action] or ["sts:None"]
    key = user_with(emulator["endpoint"], name, whole)
    target = target_of(emulator["endpoint"], key, Names(name, edition))
    with pytest.raises(LotteryError, match=rf"{action}.*Ask the administrator"):
        Stack(target, announce=lambda plan: None).deploy()


def test_without_the_boundary_a_deploy_says_who_can_make_it(emulator, edition):
    """The policy alone allows no role; the sentence names the command for the administrator."""
    name = f"early-{edition}"
    key = user_with(emulator["endpoint"], name, document(name, edition))
    target = target_of(emulator["endpoint"], key, Names(name, edition))
    with pytest.raises(LotteryError, match=r"iam:CreateRole.*`lottery policy --boundary`"):
        Stack(target, announce=lambda plan: None).deploy()


@pytest.fixture(scope="module")
def bob(emulator):
    """A client of a user who has the policies of another attendee, ``bob``."""
    make_boundary(emulator["endpoint"], "bob")
    key = user_with(emulator["endpoint"], "bob", *(document("bob", edition) for edition in EDITIONS))
    return cache(lambda service: client_of(emulator["endpoint"], service, key=key))


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


@pytest.mark.long
@pytest.mark.parametrize("call", OTHERS, ids=described)
def test_nothing_of_another_attendee_can_be_reached(bob, call):
    """Neither read nor written, with the policies of both editions.

    It is long: `test_it_is_of_nothing_that_is_anothers` asks the same decision for all pairs of names.
    """
    service, operation, parameters = call
    with pytest.raises(ClientError, match="is not authorized to perform"):
        getattr(bob(service), operation)(**parameters)


def test_nothing_that_the_other_edition_has_for_itself_can_be_reached(dana):
    """Neither read nor written, with the policy of one edition alone."""
    for service, operation, parameters in OWN[dana.names.other.edition]:
        with pytest.raises(ClientError, match="is not authorized to perform"):
            getattr(dana.client(service), operation)(**parameters)


BOB = "arn:aws:iam::123456789012:policy/" + Names("bob").boundary
ANYTHING = json.dumps(policy_of({"Action": "*", "Resource": "*"}))
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHER_ACCOUNT = policy_of({"Principal": {"AWS": "999999999999"}, "Action": "sts:AssumeRole"})


def made_role(bob, names):
    """A role of bob's that has been given every right that its boundary does not take away."""
    given = {"RoleName": names.lambda_role, "AssumeRolePolicyDocument": json.dumps(trust())}
    tags, iam = [{"Key": key, "Value": value} for key, value in names.tags.items()], bob("iam")
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(**given, Tags=tags, PermissionsBoundary=BOB)
    iam.put_role_policy(RoleName=names.lambda_role, PolicyName="more", PolicyDocument=ANYTHING)
    return names.lambda_role


def denied_by_boundary(call, **parameters):
    """Check that a call is denied although the caller's policies allow it."""
    with pytest.raises(ClientError, match="because no permissions boundary allows the"):
        call(**parameters)


def test_a_role_without_the_boundary_cannot_be_made(bob):
    """Nor with another policy as its boundary."""
    asked = {"RoleName": Names("bob").machine_role, "AssumeRolePolicyDocument": json.dumps(trust())}
    for more in ({}, {"PermissionsBoundary": ADMINISTRATOR}):
        with pytest.raises(ClientError, match="not authorized to perform: iam:CreateRole"):
            bob("iam").create_role(**asked, **more)


def test_a_role_that_has_no_boundary_gets_no_rights(bob, aws):
    """Such as one that an administrator made; the attendee can only put the boundary on it."""
    role = Names("bob", "hardened").machine_role
    aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust()))
    given = {"RoleName": role, "PolicyName": "more", "PolicyDocument": ANYTHING}
    with pytest.raises(ClientError, match="not authorized to perform: iam:PutRolePolicy"):
        bob("iam").put_role_policy(**given)
    bob("iam").put_role_permissions_boundary(RoleName=role, PermissionsBoundary=BOB)
    bob("iam").put_role_policy(**given)


def test_the_boundary_cannot_be_changed_or_taken_off(bob):
    """Neither the role's, nor the policy that it is."""
    role, iam = made_role(bob, Names("bob")), bob("iam")
    for call, parameters in (
        (iam.delete_role_permissions_boundary, {"RoleName": role}),
        (iam.put_role_permissions_boundary, {"RoleName": role, "PermissionsBoundary": ADMINISTRATOR}),
        (iam.create_policy_version, {"PolicyArn": BOB, "PolicyDocument": ANYTHING, "SetAsDefault": True}),
        (iam.set_default_policy_version, {"PolicyArn": BOB, "VersionId": "v1"}),
        (iam.delete_policy, {"PolicyArn": BOB}),
        (iam.create_policy, {"PolicyName": "x", "PolicyDocument": ANYTHING}),
    ):
        with pytest.raises(ClientError, match="because no identity-based policy allows"):
            call(**parameters)


def escalations(aws):
    """Ways to the whole account, for a client of a role."""
    yield aws("iam").create_user, {"UserName": "administrator"}
    yield aws("iam").attach_user_policy, {"UserName": "bob", "PolicyArn": ADMINISTRATOR}
    yield aws("iam").create_access_key, {"UserName": "bob"}
    yield aws("iam").delete_role_permissions_boundary, {"RoleName": Names("bob").lambda_role}
    yield aws("iam").create_policy_version, {"PolicyArn": BOB, "PolicyDocument": ANYTHING}
    yield aws("sts").assume_role, {"RoleArn": "arn:aws:iam::123456789012:role/tests", "RoleSessionName": "me"}
    yield aws("s3").list_buckets, {}


@pytest.mark.long
def test_whom_a_role_trusts_does_not_matter(bob, aws, emulator):
    """No condition limits a trust policy. Another account can be trusted, and gets only the lottery.

    It is long: `test_the_boundary_is_of_the_lotterys_data_alone` reads what the boundary allows.
    """
    names = Names("bob")
    role = made_role(bob, names)
    bob("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(OTHER_ACCOUNT))
    arn = f"arn:aws:iam::123456789012:role/{role}"
    key = aws("sts").assume_role(RoleArn=arn, RoleSessionName="stranger")["Credentials"]
    stranger = cache(Caller(emulator["endpoint"], "stranger", key))
    for call, parameters in escalations(stranger):
        denied_by_boundary(call, **parameters)
    for service, operation, parameters in OTHERS:
        denied_by_boundary(getattr(stranger(service), operation), **parameters)
    dynamodb = stranger("dynamodb")
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.scan(TableName=names.winners_table)


MAKES_AN_ADMINISTRATOR = {
    "StartAt": "Make",
    "States": {
        "Make": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:iam:attachUserPolicy",
            "Parameters": {"UserName": "bob", "PolicyArn": ADMINISTRATOR},
            "End": True,
        }
    },
}


def test_a_machine_cannot_make_an_administrator(bob):
    """Whatever its role's policies say."""
    role = f"arn:aws:iam::123456789012:role/{made_role(bob, Names('bob'))}"
    bob("iam").update_assume_role_policy(
        RoleName=Names("bob").lambda_role, PolicyDocument=json.dumps(trust())
    )
    mine = Machine(bob("stepfunctions"), MAKES_AN_ADMINISTRATOR, name=Names("bob").machine, roleArn=role)
    try:
        told = mine.run()
        assert told["status"] == "FAILED"
        assert "because no permissions boundary allows the iam:AttachUserPolicy action" in told["cause"]
    finally:
        mine.client.delete_state_machine(stateMachineArn=mine.arn)


def attaches(event, context):
    import boto3

    boto3.client("iam").attach_user_policy(**event)


def test_a_function_cannot_make_an_administrator(bob, zipped):
    """Whatever its role's policies say."""
    name, role = Names("bob").function("InputWinners"), made_role(bob, Names("bob"))
    bob("iam").update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust()))
    settings = {"Runtime": "python3.12", "Handler": "lambda_function.lambda_handler", "Timeout": 30}
    settings |= {"Role": f"arn:aws:iam::123456789012:role/{role}"}
    code = {"ZipFile": zipped(lambda_function=source_of(attaches))}
    bob("lambda").create_function(FunctionName=name, Code=code, **settings)
    asked = json.dumps({"UserName": "bob", "PolicyArn": ADMINISTRATOR})
    told = json.loads(bob("lambda").invoke(FunctionName=name, Payload=asked)["Payload"].read())
    bob("lambda").delete_function(FunctionName=name)
    assert "because no permissions boundary allows the iam:AttachUserPolicy action" in told["errorMessage"]


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
    made_role(bob, Names("bob"))
    asked = {"name": Names("bob").machine, "definition": WAITS}
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        bob("stepfunctions").create_state_machine(roleArn="arn:aws:iam::123456789012:role/tests", **asked)


PLACE = ("--account", "123456789012", "--region", "us-east-1")


@pytest.mark.long
def test_the_policy_needs_no_credentials():
    """Nor an emulator: an administrator writes it in a process that has neither.

    It is long: it starts a process. The tests below write it where nobody can connect.
    """
    command = [sys.executable, "-m", "lottery_lib", "policy", *PLACE]
    clean = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "LOTTERY_ATTENDEE": ATTENDEE}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)) == (0, document(ATTENDEE, "tutorial"))


@pytest.fixture
def printed(monkeypatch, capsys):
    """`printed(*words)`: the exit code of `policy`, stdout and stderr. Nobody can connect meanwhile."""
    monkeypatch.setattr(door, "connect", None)
    monkeypatch.setenv("LOTTERY_ATTENDEE", ATTENDEE)
    return lambda *words: (main(["policy", *words]), *capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "of"),
    [
        ([], "tutorial"),
        (["--by-hand"], BY_HAND),
        *((["--edition", edition], edition) for edition in EDITIONS),
    ],
)
def test_an_administrator_writes_it_for_somebody_else(printed, words, of):
    """With an account and a region nothing is asked of AWS."""
    code, told, said = printed(*PLACE, *words)
    assert (code, json.loads(told)) == (0, document(ATTENDEE, of))
    assert "Lottery-Boundary-dana" in said


@pytest.mark.parametrize("words", [[], ["--edition", "hardened"]])
def test_an_administrator_writes_the_boundary(printed, words):
    """One for both editions; what to do with it stands on stderr."""
    code, told, said = printed(*PLACE, "--boundary", *words)
    assert (code, json.loads(told)) == (0, limit(ATTENDEE))
    assert "aws iam create-policy --policy-name Lottery-Boundary-dana --policy-document" in said


def test_an_administrator_writes_a_wider_boundary(printed):
    """It has all that the other one has, and what the lessons need that make more by hand."""
    code, told, _ = printed(*PLACE, "--boundary", "--by-hand")
    assert (code, json.loads(told)) == (0, limit(ATTENDEE, by_hand=True))
    assert all(each in json.loads(told)["Statement"] for each in limit(ATTENDEE)["Statement"])


@pytest.mark.parametrize("more", [[], ["--boundary"]])
def test_the_partition_is_the_regions(printed, more):
    """In China every ARN is China's."""
    _, told, _ = printed("--account", "123456789012", "--region", "cn-north-1", *more)
    assert "arn:aws-cn:" in told
    assert "arn:aws:" not in told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--account", "12", "--region", "us-east-1"], "Give its twelve digits"),
        (["--account", "123456789012", "--region", "moon"], "Unknown region: 'moon'"),
        (["--account", "123456789012"], "Give --region"),
    ],
)
def test_what_is_no_place(printed, words, sentence):
    """One sentence on stderr, and nothing on stdout: a file written with `>` stays empty."""
    code, told, said = printed(*words)
    assert (code, told) == (1, "")
    assert sentence in said
    assert "Traceback" not in said


def test_by_default_it_is_for_the_account_of_the_caller(run, dana):
    """Whose account that is stands on stderr, so stdout is JSON alone."""
    assert run("policy") == (0, document(ATTENDEE, dana.names.edition))
