"""Functions are made, updated and deleted while others look on, and one thing at a time."""

import pytest

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources import lambda_function
from lottery_lib.resources.lambda_function import Function
from lottery_lib.resources.log_group import LogGroup

NOT_FOUND = ("ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:1:function:{name}")
CONFLICT = "ResourceConflictException"
UPDATING = "The operation cannot be performed at this time. An update is in progress for resource: {name}"
PENDING = "The operation cannot be performed at this time. The function is currently in the state: Pending"
THROTTLED = ("TooManyRequestsException", "Rate exceeded")


@pytest.fixture
def function(aws):
    plan.lambda_role(aws.target).ensure()
    return plan.function(aws.target, "InputWinners")


@pytest.fixture
def outdated(aws, function):
    """The function, deployed with other code and another time-out."""
    function.ensure()
    client, other = aws.target.client("lambda"), lambda_function.LAMBDAS_FOLDER / "record_winners"
    client.update_function_code(FunctionName=function.name, ZipFile=lambda_function.zipped(other))
    client.update_function_configuration(FunctionName=function.name, Timeout=3)
    aws.attempts.clear()
    return function


def show(aws, operation, seconds=float("inf"), **settings):
    """Let the function be shown with these settings for so long after an operation."""

    def change(ask, reply):
        if aws.happened(operation, ask.resource) and aws.age(operation, ask.resource) < seconds:
            reply["Configuration"].update(settings)

    aws.edit("GetFunction", change)


def test_new_function_is_waited_for(aws, clock, function):
    """A new function is Pending for a while, and not invocable before it is Active."""
    show(aws, "CreateFunction", 30, State="Pending", StateReasonCode="Creating")
    begun = clock.now
    assert function.ensure().state == "created"
    assert clock.now - begun >= 30


def test_function_not_yet_visible(aws, function):
    """GetFunction may not find a function right after CreateFunction."""
    aws.refuse("GetFunction", *NOT_FOUND, status=404, when=lambda ask: young(aws, "CreateFunction", ask))
    assert function.ensure().state == "created"
    assert aws.attempts.count("CreateFunction") == 1


def young(aws, operation, ask, seconds=8):
    return aws.age(operation, ask.resource) < seconds


def test_updates_one_after_another(aws, outdated):
    """An update in progress has to end before the next: AWS refuses what does not wait."""
    code = "UpdateFunctionCode"
    show(aws, code, 20, LastUpdateStatus="InProgress")
    aws.refuse("UpdateFunctionConfiguration", CONFLICT, UPDATING, when=lambda ask: young(aws, code, ask, 20))
    assert outdated.ensure().state == "updated"
    assert aws.writes == [code, "UpdateFunctionConfiguration"]


@pytest.mark.parametrize("message", [UPDATING, PENDING])
@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateFunctionConfiguration"])
def test_update_of_a_busy_function(aws, outdated, operation, message):
    """While somebody else's update is in progress, or the function is Pending, ours is sent again."""
    aws.refuse(operation, CONFLICT, message, status=409, times=7)
    assert outdated.ensure().state == "updated"
    assert outdated.is_as_wanted()


def test_delete_of_a_busy_function(aws, function):
    """A function that is being updated is deleted after that."""
    function.ensure()
    aws.refuse("DeleteFunction", CONFLICT, UPDATING, status=409, times=7)
    assert Function(aws.target, function.name).delete().state == "deleted"


def test_lost_reply(aws, function):
    """Of a function that was made though the reply was lost, AWS says that it exists: it is ours."""
    aws.lose("CreateFunction")
    show(aws, "CreateFunction", 10, State="Pending")
    function.ensure()
    assert aws.attempts.count("CreateFunction") == 2
    assert function.ensure().state == "unchanged"


def test_foreign_function_behind_a_stale_look(aws, function):
    """A function of our name that is not ours is refused, also when AWS does not show it at first."""
    settings = function.configuration | {"Code": {"ZipFile": function.code}}
    aws.target.client("lambda").create_function(FunctionName=function.name, **settings)
    aws.refuse("GetFunction", *NOT_FOUND, status=404, times=2)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        function.ensure()


def test_tags_that_may_not_be_read(aws, function):
    """Without lambda:ListTags GetFunction leaves the tags out, and says why: so does the kit."""
    function.ensure()

    def change(ask, reply):
        reply.pop("Tags")
        reply["TagsError"] = {"ErrorCode": "AccessDeniedException", "Message": "ann may not lambda:ListTags."}

    aws.edit("GetFunction", change)
    with pytest.raises(LotteryError, match=r"ann may not lambda:ListTags\. Ask the administrator"):
        function.ensure()


@pytest.mark.parametrize("state", ["Inactive", "ActiveNonInvocable", "Deactivating", "Resting"])
def test_unknown_states_are_no_failure(aws, function, state):
    """A state that the kit does not know, or that passes with the next call, is not taken for a failure."""
    function.ensure()
    show(aws, "CreateFunction", State=state)
    assert function.ensure().state == "unchanged"
    assert Function(aws.target, function.name).find().state == state.upper()


def test_failed_function(aws, function):
    """A function that Lambda could not make is said with Lambda's own reason."""
    show(aws, "CreateFunction", State="Failed", StateReason="Internal error.")
    with pytest.raises(LotteryError, match=r"could not make it: Internal error\. Run .* teardown"):
        function.ensure()


def test_failed_update(aws, outdated):
    """An update that Lambda could not make is said; the next run makes it anew."""
    failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "No room."}
    show(aws, "UpdateFunctionConfiguration", 60, **failed)
    with pytest.raises(LotteryError, match=r"could not make it: No room\."):
        outdated.ensure()


def test_function_after_a_failed_update(aws, function):
    """A function whose last update failed is not as it is shown: it is updated once more."""
    function.ensure()
    aws.attempts.clear()

    def change(ask, reply):
        if not aws.happened("UpdateFunctionConfiguration", ask.resource):
            reply["Configuration"]["LastUpdateStatus"] = "Failed"

    aws.edit("GetFunction", change)
    assert function.ensure().state == "updated"
    assert function.ensure().state == "unchanged"
    assert aws.writes == ["UpdateFunctionConfiguration"]


def linger(aws, seconds):
    """Let a deleted function be shown as Deleting for so long."""
    found = {}

    def keep(ask, reply):
        settings = ("FunctionName", "FunctionArn", "CodeSha256", "Role", "Runtime", "Handler", "Timeout")
        shown = {key: reply["Configuration"][key] for key in (*settings, "MemorySize")}
        found[ask.resource] = {"Configuration": shown | {"State": "Deleting"}, "Tags": reply.get("Tags", {})}

    def show(ask):
        if young(aws, "DeleteFunction", ask, seconds):
            return ask.answer(200, found[ask.resource])
        return None

    aws.edit("GetFunction", keep)
    aws.rule("GetFunction", show)


def test_function_made_anew_while_it_is_being_deleted(aws, function):
    """A function that is Deleting is not there any more: it is waited for, and made anew."""
    linger(aws, 30)
    function.ensure()
    aws.target.client("lambda").delete_function(FunctionName=function.name)
    assert function.ensure().state == "created"


def test_delete_waits_until_it_is_gone(aws, clock, function):
    """A delete ends when the function has gone, though AWS throttles the looks meanwhile."""
    aws.refuse("GetFunction", *THROTTLED, status=429, when=lambda ask: young(aws, "DeleteFunction", ask, 29))
    linger(aws, 30)
    function.ensure()
    begun = clock.now
    Function(aws.target, function.name).delete()
    assert clock.now - begun >= 30


def test_lost_reply_of_a_delete(aws, function):
    """A function that went though the reply was lost is not found by the second try: that is success."""
    function.ensure()
    aws.lose("DeleteFunction")
    assert Function(aws.target, function.name).delete().state == "deleted"


def test_function_has_no_environment(aws, function):
    """Functions have no variables, and what AWS takes and a cold start needs."""
    function.ensure()
    found = aws.target.client("lambda").get_function(FunctionName=function.name)["Configuration"]
    assert not found.get("Environment", {}).get("Variables")
    assert (found["Runtime"], found["Timeout"], found["MemorySize"]) == ("python3.12", 30, 256)


def group(aws):
    return aws.target.names.log_group(aws.target.names.function("InputWinners"))


def test_lost_reply_of_a_log_group(aws):
    """Of a log group that was made though the reply was lost, AWS says that it exists: it is ours."""
    name = group(aws)
    aws.lose("CreateLogGroup")
    LogGroup(aws.target, name).ensure()
    assert aws.attempts.count("CreateLogGroup") == 2
    assert LogGroup(aws.target, name).find().ours


def test_log_groups_in_pages(aws):
    """Log groups are listed in pages, and one in the middle may be empty."""
    name = group(aws)
    LogGroup(aws.target, f"{name}-1").ensure()
    LogGroup(aws.target, name).ensure()
    aws.page("DescribeLogGroups", "logGroups")
    assert LogGroup(aws.target, name).ensure().state == "unchanged"


def test_log_group_that_another_changes(aws):
    """CloudWatch Logs refuses a change while another is under way; it is sent again."""
    name, message = group(aws), "A conflicting operation is currently in progress"
    aws.refuse("CreateLogGroup DeleteLogGroup", "OperationAbortedException", message, times=2)
    LogGroup(aws.target, name).ensure()
    assert LogGroup(aws.target, name).delete().state == "deleted"


def test_log_group_that_goes_while_it_is_looked_at(aws):
    """A log group that is still listed, but whose tags are not found, has gone."""
    name = group(aws)
    LogGroup(aws.target, name).ensure()
    aws.refuse("ListTagsForResource", "ResourceNotFoundException", "The specified log group does not exist.")
    assert LogGroup(aws.target, name).find() is None


def test_reply_of_a_function_is_a_stream(aws, function):
    """What a function returns is not AWS's own answer, and is handed on as it comes."""
    function.ensure()
    reply = aws.target.client("lambda").invoke(FunctionName=function.name, Payload=b'{"input": 2}')
    assert b"num_of_winners" in reply["Payload"].read()
