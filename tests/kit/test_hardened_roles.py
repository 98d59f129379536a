"""The hardened roles allow what a draw needs, and nothing more."""

import json

import boto3
from botocore.exceptions import ClientError
from helpers import source_of
from injected import reads_all_winners

from lottery_course import inject
from lottery_lib import connect, draw, inbox, plan, winners
from lottery_lib.resources.iam_role import allowing

#: Each right of the functions' role.
RIGHTS = [
    *(("dynamodb:BatchGetItem", table) for table in ("employee", "winners", "pool", "draws")),
    ("dynamodb:Scan", "winners"),
    *(("dynamodb:PutItem", table) for table in ("winners", "draws")),
]


def statements(role):
    """The rights of a role, each action on each resource."""
    return [
        (action, resource)
        for document in role.inline.values()
        for statement in document["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        for resource in statement["Resource"]
    ]


def table_of(target, short):
    return target.arn("dynamodb", f"table/{getattr(target.names, f'{short}_table')}")


def test_these_are_all_its_rights(hardened):
    """The functions' role has the rights above, writes its own logs, and has no managed policy."""
    role = plan.lambda_role(hardened)
    logs = [each for each in statements(role) if each[0].startswith("logs:")]
    assert {*statements(role)} - {*logs} == {(action, table_of(hardened, short)) for action, short in RIGHTS}
    assert {action for action, _ in logs} == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert all(resource.split(":")[6].startswith("/aws/lambda/Lottery-Hardened-") for _, resource in logs)
    attached = hardened.client("iam").list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]
    assert attached == []


def test_each_right_is_needed(mended):
    """Without any one of them a draw is denied, and nobody is recorded or mailed.

    Eight of the ten have won, and the function takes that for so many that it reads all winners.
    """
    assert draw(mended, 8)["status"] == "SUCCEEDED"
    inject(mended, "DrawPrize", source_of(reads_all_winners))
    inbox(mended).clear()
    for action, short in RIGHTS:
        without(mended, action, table_of(mended, short))
        told = draw(mended, 2)
        assert told["status"] == "FAILED"
        assert f"not authorized to perform: {action}" in told["cause"]
        assert (len(winners(mended)), inbox(mended).notifications) == (8, [])
    plan.lambda_role(mended).ensure()
    assert draw(mended, 2)["status"] == "SUCCEEDED"


def without(target, action, resource):
    """Write the functions' policy without one right."""
    role = plan.lambda_role(target)
    (name,) = role.inline
    left = [(each, [on]) for each, on in statements(role) if (each, on) != (action, resource)]
    document = json.dumps(allowing(*left))
    target.client("iam").put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=document)


def curious(event, context):
    """The error of each call that it is asked to make."""
    told = {}
    for name, parameters in event.items():
        service, call = name.split(":")
        try:
            told[name] = getattr(boto3.client(service), call)(**parameters) and "allowed"
        except ClientError as error:
            told[name] = error.response["Error"]["Code"]
    return told


def test_nothing_else_is_allowed(mended):
    """The function cannot delete a winner, change employees or the pool, publish, or list anything."""
    names = mended.names
    key = {"employee_id": {"S": "001"}}
    asked = {
        "dynamodb:delete_item": {"TableName": names.winners_table, "Key": key},
        "dynamodb:update_item": {"TableName": names.winners_table, "Key": key},
        "dynamodb:delete_table": {"TableName": names.draws_table},
        "dynamodb:scan": {"TableName": names.draws_table},
        "dynamodb:query": {
            "TableName": names.employee_table,
            "KeyConditionExpression": "employee_id = :x",
            "ExpressionAttributeValues": {":x": {"S": "001"}},
        },
        "dynamodb:put_item": {"TableName": names.pool_table, "Item": {"chunk": {"S": "head"}}},
        "sns:publish": {"TopicArn": mended.arn("sns", names.topic), "Message": "You have won"},
        "stepfunctions:list_state_machines": {},
        "lambda:list_functions": {},
        "iam:list_roles": {},
        "logs:delete_log_group": {"logGroupName": names.log_group(names.function("CommitDraw"))},
    }
    inject(mended, "DrawPrize", source_of(curious))
    reply = mended.client("lambda").invoke(
        FunctionName=names.function("DrawPrize"), Payload=json.dumps(asked)
    )
    told = json.loads(reply["Payload"].read())
    assert told.keys() == asked.keys()
    denied = {"AccessDeniedException", "AccessDenied", "AuthorizationError"}
    assert set(told.values()) <= denied


def test_the_machine_may_invoke_and_publish(hardened):
    """The machine's role: its two functions, this topic, and a task token in the table of draws."""
    functions = [hardened.arn("lambda", f"function:{name}") for name in hardened.names.functions.values()]
    assert set(statements(plan.machine_role(hardened))) == {
        *(("lambda:InvokeFunction", arn + suffix) for arn in functions for suffix in ("", ":*")),
        ("sns:Publish", hardened.arn("sns", hardened.names.topic)),
        ("dynamodb:PutItem", table_of(hardened, "draws")),
    }


def test_other_attendees_are_out_of_reach(hardened):
    """No right of the two roles is on anything of another attendee's."""
    other = connect("embedded", attendee="other", edition="hardened")
    rights = [*statements(plan.lambda_role(hardened)), *statements(plan.machine_role(hardened))]
    theirs = {resource.arn for resource, _ in plan.resources(other)}
    assert not theirs & {resource for _, resource in rights}
    assert all(
        hardened.names.attendee in resource and "*" not in resource.rstrip(":*") for _, resource in rights
    )
