"""A user of the emulator who has the attendee's policy and nothing else, and what this user's calls need."""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from helpers import KEYS, client_of

from lottery_course.attendee_policy import boundary, policy, policy_by_hand
from lottery_lib import plan
from lottery_lib import target as door
from lottery_lib.names import Names
from lottery_lib.resources import lambda_function
from lottery_lib.resources.iam_role import allowing, trust_policy
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target
from sfn_emulator.http.authentication import Caller
from sfn_emulator.http.messages import Request
from sfn_emulator.iam.policy import Decision, decide
from sfn_emulator.iam.required_permissions import api_call, required_permissions

#: The file into which the kernels of notebooks write what they need, one JSON a line.
NEEDS = "DEPLOYER_NEEDS"
KEY = "DEPLOYER_KEY"


EDITIONS = ("tutorial", "hardened")
#: The policy for what lessons make by hand stands beside those of the editions.
BY_HAND = "by hand"
WHATEVER = allowing(("sns:Publish", ["*"]))
#: A skipping clock does not jump over it, because its time-out comes first.
WAITS = (
    '{"StartAt": "A", "TimeoutSeconds": 500, "States": {"A": {"Type": "Wait", "Seconds": 600, "End": true}}}'
)


def document(attendee, edition):
    """A policy of an attendee, for an edition or for what lessons make by hand, in the emulator's account."""
    if edition == BY_HAND:
        return policy_by_hand(door.elsewhere("123456789012", "us-east-1", Names(attendee)))
    return policy(door.elsewhere("123456789012", "us-east-1", Names(attendee, edition)))


def limit(attendee, **options):
    """The permissions boundary of an attendee's roles, in the emulator's account."""
    return boundary(door.elsewhere("123456789012", "us-east-1", Names(attendee)), **options)


def make_boundary(endpoint, attendee, **options):
    """Do what the administrator does once for an attendee; returns the boundary's ARN."""
    made = client_of(endpoint, "iam").create_policy(
        PolicyName=Names(attendee).boundary, PolicyDocument=json.dumps(limit(attendee, **options))
    )
    return made["Policy"]["Arn"]


def user_with(endpoint, name, *documents):
    """Make a user of IAM who may do what managed policies say; returns an access key."""
    iam = client_of(endpoint, "iam")
    iam.create_user(UserName=name)
    for number, each in enumerate(documents):
        made = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(each))
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    return iam.create_access_key(UserName=name)["AccessKey"]


def session_of(key, region, note):
    """A session of that user; `note(needs)` is told what each request needs, as IAM is asked for it."""
    session = _isolated_session(region)
    session._session.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    session.events.register("before-send", lambda request, **_: note(_needs(request)))
    return session


_isolated_session = door._isolated_session
#: The boundary of the roles of nobody; after it comes an attendee's suffix, as after the name of a role.
BOUNDARY = f"arn:aws:iam::123456789012:policy/{Names().boundary}"


def _needs(request):
    parts = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = request.body or b""
    wire = Request(request.method, target, headers, body.encode() if isinstance(body, str) else body)
    # An ARN of IAM is made of its name here: the kit's roles have no path. All of them have their boundary.
    caller = Caller("arn:aws:iam::123456789012:user/attendee")
    call = api_call(
        wire, caller, lambda *_: None, lambda role: BOUNDARY + role.rpartition("Role")[2], lambda _: ""
    )
    return [(need.action, need.resource, need.context) for need in required_permissions(call)]


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def denied(document, needs):
    """Those of the needs that a policy does not allow, as the emulator decides it."""
    text = (json.dumps(document),)
    return {
        (action, resource, context)
        for action, resource, context in needs
        if decide(text, action, resource, dict(context)) is not Decision.ALLOWED
    }


def target_of(endpoint, key, names, note=lambda needs: None):
    """The emulator as the AWS of that user."""
    return Target("aws", session_of(key, "us-east-1", note), endpoint, names)


def admin_of(endpoint, names):
    """The same things, for who may do everything."""
    return Target("endpoint", _isolated_session("us-east-1", KEYS[endpoint]), endpoint, names)


def break_everything(admin):
    """Change one thing of each kind that a deploy puts right; returns their names."""
    names, iam, functions = admin.names, admin.client("iam"), admin.client("lambda")
    trusting = json.dumps(trust_policy("states.amazonaws.com"))
    iam.update_assume_role_policy(RoleName=names.lambda_role, PolicyDocument=trusting)
    iam.delete_role_permissions_boundary(RoleName=names.machine_role)
    iam.delete_role_policy(RoleName=names.machine_role, PolicyName="InvokeLotteryFunctions")
    one, *_, last = names.functions.values()
    functions.update_function_configuration(FunctionName=one, Timeout=3)
    functions.put_function_concurrency(FunctionName=one, ReservedConcurrentExecutions=0)
    package = lambda_function.zipped(lambda_function.LAMBDAS_FOLDER / "input_winners")
    functions.update_function_code(FunctionName=last, ZipFile=package)
    arn = admin.arn("sns", names.topic)
    admin.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="X")
    change = {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": plan.SERIAL_INDEX.name}}]}
    admin.client("dynamodb").update_table(TableName=names.employee_table, **change)
    machine = StateMachine(admin, names.machine).arn
    admin.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=WAITS)
    broken = {names.lambda_role, names.machine_role, one, last, names.topic}
    return broken | {names.employee_table, names.machine}


def attach_more(admin):
    """Put policies on a role that a teardown has to take off, too."""
    iam, role = admin.client("iam"), admin.names.lambda_role
    iam.attach_role_policy(RoleName=role, PolicyArn=plan.lambda_role(admin).policy_arn("AdministratorAccess"))
    iam.put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=json.dumps(WHATEVER))


def start_what_waits(admin):
    """Have an execution under way when the teardown begins."""
    machine, states = StateMachine(admin, admin.names.machine).arn, admin.client("stepfunctions")
    states.update_state_machine(stateMachineArn=machine, definition=WAITS)
    states.start_execution(stateMachineArn=machine)


def be_the_user():
    """In a notebook's kernel: every connection is the user's, and what it needs is noted."""
    key, path = json.loads(os.environ[KEY]), Path(os.environ[NEEDS])

    def note(needs):
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(need) + "\n" for need in needs)

    door._isolated_session = lambda region, _="": session_of(key, region, note)
