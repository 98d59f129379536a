"""A function calls AWS as its role."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "us-east-1:123456789012"
MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:m"
ROLE = "arn:aws:iam::123456789012:role/tests"
ANY = {"Action": "*", "Resource": "*"}


def calls(event, context):
    """Call what it is told, and return what came of it: the result, or code, message and status."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    service, operation, parameters = event
    client = boto3.client(service, config=Config(retries={"total_max_attempts": 1}))
    try:
        return str(getattr(client, operation)(**parameters))
    except ClientError as error:
        told = error.response["Error"]
        return [told["Code"], told["Message"], error.response["ResponseMetadata"]["HTTPStatusCode"]]


@pytest.fixture
def caller(function, role):
    """`caller(statement, ...)`: a function whose role allows that, and nothing else."""

    def make(*statements):
        mine = role(*statements)
        made = function(calls, Role=mine.arn, Timeout=30)
        made.role = mine
        return made

    return make


def code(told):
    """The error, or none."""
    return told[0] if isinstance(told, list) else None


@pytest.mark.parametrize(
    ("call", "expected", "action", "resource"),
    [
        (
            ("dynamodb", "scan", {"TableName": "T"}),
            ("AccessDeniedException", 400), "dynamodb:Scan", f"arn:aws:dynamodb:{ACCOUNT}:table/T",
        ),
        (
            ("sns", "publish", {"TopicArn": f"arn:aws:sns:{ACCOUNT}:T", "Message": "m"}),
            ("AuthorizationError", 403), "SNS:Publish", f"arn:aws:sns:{ACCOUNT}:T",
        ),
        (
            ("lambda", "invoke", {"FunctionName": "f"}),
            ("AccessDeniedException", 403), "lambda:InvokeFunction", f"arn:aws:lambda:{ACCOUNT}:function:f",
        ),
        (
            ("lambda", "get_function", {"FunctionName": "f"}),
            ("AccessDeniedException", 403), "lambda:GetFunction", f"arn:aws:lambda:{ACCOUNT}:function:f",
        ),
        (
            ("stepfunctions", "start_execution", {"stateMachineArn": MACHINE}),
            ("AccessDeniedException", 400), "states:StartExecution", MACHINE,
        ),
        (
            ("logs", "create_log_group", {"logGroupName": "g"}),
            ("AccessDeniedException", 400), "logs:CreateLogGroup",
            f"arn:aws:logs:{ACCOUNT}:log-group:g:log-stream:",
        ),
        (("iam", "get_role", {"RoleName": "tests"}), ("AccessDenied", 403), "iam:GetRole", ROLE),
        (
            ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "me"}),
            ("AccessDenied", 403), "sts:AssumeRole", ROLE,
        ),
        (
            ("s3", "get_object", {"Bucket": "b", "Key": "k/x"}),
            ("AccessDenied", 403), "s3:GetObject", '"arn:aws:s3:::b/k/x"',
        ),
    ],
)  # fmt: skip
def test_what_no_policy_allows_is_denied(caller, call, expected, action, resource):
    """A denied call has its service's code and AWS's sentence. The session is named after the function."""
    mine = caller()
    told, message, status = mine(call)
    assert (told, status) == expected
    user = f"arn:aws:sts::123456789012:assumed-role/{mine.role.name}/{mine.name}"
    assert message == (
        f"User: {user} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def test_what_a_policy_allows_is_done(caller, table):
    """A policy allows that action on that table, and nothing else."""
    mine = caller({"Action": "dynamodb:Scan", "Resource": f"arn:aws:dynamodb:*:*:table/{table}"})
    assert "'Count': 0" in mine(["dynamodb", "scan", {"TableName": table}])
    assert code(mine(["dynamodb", "scan", {"TableName": table + "2"}])) == "AccessDeniedException"
    assert code(mine(["dynamodb", "describe_table", {"TableName": table}])) == "AccessDeniedException"


def test_an_explicit_deny_says_so(caller):
    """It wins over what allows all."""
    mine = caller(ANY, {"Effect": "Deny", "Action": "sns:List*", "Resource": "*"})
    told, message, _ = mine(["sns", "list_topics", {}])
    assert told == "AuthorizationError"
    assert message.endswith("on resource: * with an explicit deny in an identity-based policy")
    assert code(mine(["dynamodb", "list_tables", {}])) is None


def test_a_managed_policy_counts_while_it_is_attached(caller):
    """A warm function may not do any longer what its role may not, and may again."""
    mine = caller()
    for change, expected in ((mine.role.attach, None), (mine.role.detach, "AccessDeniedException")) * 2:
        change("AmazonDynamoDBReadOnlyAccess")
        assert code(mine(["dynamodb", "list_tables", {}])) == expected


def test_the_default_version_of_a_policy_counts(caller, aws):
    """Only the default version of a policy counts."""
    mine, iam, version = caller(), aws("iam"), '{"Version": "2012-10-17", "Statement": %s}'
    allow = version % '{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}'
    deny = version % '{"Effect": "Deny", "Action": "sns:*", "Resource": "*"}'
    arn = iam.create_policy(PolicyName=mine.role.name, PolicyDocument=allow)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=mine.role.name, PolicyArn=arn)
    assert code(mine(["sns", "list_topics", {}])) is None
    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=deny)["PolicyVersion"]["VersionId"]
    assert code(mine(["sns", "list_topics", {}])) is None
    iam.set_default_policy_version(PolicyArn=arn, VersionId=second)
    assert code(mine(["sns", "list_topics", {}])) == "AuthorizationError"


def test_an_inline_policy_counts_while_it_is_there(caller):
    """An inline policy allows nothing after it was deleted."""
    mine = caller(ANY)
    assert code(mine(["sns", "list_topics", {}])) is None
    mine.role.iam.delete_role_policy(RoleName=mine.role.name, PolicyName="inline")
    assert code(mine(["sns", "list_topics", {}])) == "AuthorizationError"


def test_a_role_that_is_gone_allows_nothing(caller):
    """Its function goes on, without any right."""
    mine = caller(ANY)
    mine.role.iam.delete_role_policy(RoleName=mine.role.name, PolicyName="inline")
    mine.role.iam.delete_role(RoleName=mine.role.name)
    assert code(mine(["sns", "list_topics", {}])) == "AuthorizationError"


def test_another_role_counts_from_its_first_call(caller, role):
    """UpdateFunctionConfiguration gives the function another role."""
    mine = caller()
    mine.client.update_function_configuration(FunctionName=mine.name, Role=role(ANY).arn)
    assert code(mine(["sns", "list_topics", {}])) is None


def test_a_transaction_needs_the_rights_of_its_parts(caller, table):
    """PutItem is enough to put, and not to delete."""
    mine = caller({"Action": "dynamodb:PutItem", "Resource": "*"})
    put = {"Put": {"TableName": table, "Item": {"id": {"S": "1"}}}}
    delete = {"Delete": {"TableName": table, "Key": {"id": {"S": "2"}}}}
    assert code(mine(["dynamodb", "transact_write_items", {"TransactItems": [put]}])) is None
    told = mine(["dynamodb", "transact_write_items", {"TransactItems": [put, delete]}])
    assert told[0] == "AccessDeniedException"
    assert f"dynamodb:DeleteItem on resource: arn:aws:dynamodb:{ACCOUNT}:table/{table} " in told[1]


def test_a_query_of_an_index_needs_the_index(caller, table):
    """A right to the table is not enough."""
    mine = caller({"Action": "dynamodb:Query", "Resource": f"arn:aws:dynamodb:*:*:table/{table}"})
    asked = {"TableName": table, "IndexName": "by-a", "KeyConditionExpression": "a = b"}
    told = mine(["dynamodb", "query", asked])
    assert f"on resource: arn:aws:dynamodb:{ACCOUNT}:table/{table}/index/by-a " in told[1]


def test_a_function_knows_who_it_is(caller):
    """GetCallerIdentity needs no right."""
    mine = caller({"Effect": "Deny", "Action": "*", "Resource": "*"})
    arn = f"arn:aws:sts::123456789012:assumed-role/{mine.role.name}/{mine.name}"
    assert f"'Arn': '{arn}'" in mine(["sts", "get_caller_identity", {}])


def test_a_condition_on_the_caller_is_looked_at(caller):
    """A condition may name the ARN of the caller's role."""
    mine = caller()
    for principal, expected in ((mine.role.arn, None), (mine.role.arn + "2", "AuthorizationError")):
        mine.role.allow(ANY | {"Condition": {"ArnLike": {"aws:PrincipalArn": principal}}})
        assert code(mine(["sns", "list_topics", {}])) == expected


def test_a_resource_with_a_user_name_is_nobodys_here(caller):
    """A role has no `aws:username`."""
    mine = caller({"Action": "sns:*", "Resource": "arn:aws:sns:*:*:*${aws:username}"})
    assert code(mine(["sns", "list_topics", {}])) == "AuthorizationError"


def test_the_owners_key_may_do_everything(aws):
    """The emulator's own key may do everything, although IAM does not know it."""
    assert "Tables" not in aws("sns").list_topics()
    assert aws("iam").list_roles()["Roles"]


def test_an_inline_policy_needs_no_version(caller):
    """A managed one does. SAM writes such policies."""
    mine = caller()
    statement = {"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}
    for document in ({"Statement": statement}, {"Version": "2008-10-17", "Statement": [statement]}):
        names = {"RoleName": mine.role.name, "PolicyName": "inline"}
        mine.role.iam.put_role_policy(**names, PolicyDocument=json.dumps(document))
        assert mine.role.iam.get_role_policy(**names)["PolicyDocument"] == document
        assert code(mine(["sns", "list_topics", {}])) is None
    with pytest.raises(ClientError, match="must be version 2012-10-17 or greater"):
        mine.role.iam.create_policy(PolicyName="old", PolicyDocument=json.dumps(document))
    with pytest.raises(ClientError, match="Syntax errors in policy"):
        mine.role.iam.put_role_policy(**names, PolicyDocument="{")
