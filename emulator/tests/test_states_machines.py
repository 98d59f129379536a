"""How state machines, their versions and their aliases are described, changed and chosen."""

import json
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from helpers import ROLE, one, refused
from test_http import post


def passing(result):
    return one({"Type": "Pass", "Result": result})


@pytest.fixture
def mine(machine):
    """A machine whose executions return 1."""
    return machine(passing(1))


@pytest.fixture
def publish(mine):
    """`publish(2)` has the machine return 2, and publishes a version: its ARN."""

    def published(result, **options):
        text = json.dumps(passing(result))
        update = mine.client.update_state_machine
        told = update(stateMachineArn=mine.arn, definition=text, publish=True, **options)
        return told["stateMachineVersionArn"]

    return published


def output(mine, arn, **options):
    """What an execution returns that is started by an ARN."""
    started = mine.client.start_execution(stateMachineArn=arn, **options)["executionArn"]
    return json.loads(mine.wait(started)["output"])


def alias(mine, name, *routes, **options):
    """Make an alias of pairs of a version and its weight; its ARN."""
    routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in routes]
    create = mine.client.create_state_machine_alias
    return create(name=name, routingConfiguration=routing, **options)["stateMachineAliasArn"]


def test_an_update_makes_a_revision(mine):
    """It has a revision id. An update that changes nothing keeps it."""
    client, arn = mine.client, mine.arn
    assert "revisionId" not in client.describe_state_machine(stateMachineArn=arn)
    text = json.dumps(passing(2))
    first, again = (client.update_state_machine(stateMachineArn=arn, definition=text) for _ in range(2))
    other = client.update_state_machine(stateMachineArn=arn, definition=json.dumps(passing(3)))
    assert first["revisionId"] == again["revisionId"] != other["revisionId"]
    described = client.describe_state_machine(stateMachineArn=arn)
    assert described["revisionId"] == other["revisionId"]
    assert described["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}


def test_an_update_of_nothing_is_refused(mine):
    """Something must be given, or a version must be published."""
    code, message = refused(mine.client.update_state_machine, stateMachineArn=mine.arn)
    assert code == "MissingRequiredParameter"
    assert message.startswith("Either the definition, ")
    told = mine.client.update_state_machine(stateMachineArn=mine.arn, publish=True)
    assert told["stateMachineVersionArn"] == f"{mine.arn}:1"


def test_a_version_stays_as_it_was(mine, publish):
    """It is described and runs as at its publication, and its executions name it."""
    first, second = publish(2, versionDescription="two"), publish(3)
    assert (output(mine, first), output(mine, second), output(mine, mine.arn)) == (2, 3, 3)
    described = mine.client.describe_state_machine(stateMachineArn=first)
    assert (described["stateMachineArn"], described["description"]) == (first, "two")
    assert json.loads(described["definition"]) == passing(2)
    (listed,) = mine.client.list_executions(stateMachineArn=first)["executions"]
    assert (listed["stateMachineArn"], listed["stateMachineVersionArn"]) == (mine.arn, first)
    executed = mine.client.describe_state_machine_for_execution(executionArn=listed["executionArn"])
    assert (json.loads(executed["definition"]), executed["stateMachineArn"]) == (passing(2), mine.arn)
    begun = mine.events(listed["executionArn"])[0]["executionStartedEventDetails"]
    assert begun["stateMachineVersionArn"] == first
    assert len(mine.client.list_executions(stateMachineArn=mine.arn)["executions"]) == 3


def test_a_revision_is_published_once(mine, publish):
    """Publishing it again returns its version. The number of a deleted version is not used again."""
    first, client = publish(2), mine.client
    assert client.publish_state_machine_version(stateMachineArn=mine.arn)["stateMachineVersionArn"] == first
    client.delete_state_machine_version(stateMachineVersionArn=first)
    client.delete_state_machine_version(stateMachineVersionArn=first)
    assert (
        client.publish_state_machine_version(stateMachineArn=mine.arn)["stateMachineVersionArn"]
        == f"{mine.arn}:2"
    )
    assert refused(client.start_execution, stateMachineArn=first)[0] == "StateMachineDoesNotExist"
    code, message = refused(client.publish_state_machine_version, stateMachineArn=mine.arn, revisionId="old")
    assert code == "ConflictException"
    assert message.startswith("Failed to publish the State Machine version for revision old. ")


def test_versions_are_listed_by_page(mine, publish):
    """The newest comes first."""
    arns = [publish(number) for number in range(3)][::-1]
    listed = mine.client.list_state_machine_versions
    first = listed(stateMachineArn=mine.arn, maxResults=2)
    rest = listed(stateMachineArn=mine.arn, nextToken=first["nextToken"])
    assert "nextToken" not in rest
    both = first["stateMachineVersions"] + rest["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in both] == arns
    assert refused(listed, stateMachineArn=mine.arn, maxResults=1001) == (
        "ValidationException",
        "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000",
    )
    assert refused(listed, stateMachineArn=mine.arn, nextToken="x")[0] == "InvalidToken"


def test_an_alias_shares_executions_between_two_versions(mine, publish):
    """By their weights. Its executions name the alias and the version that was chosen."""
    routes = (publish(2), 50), (publish(3), 50)
    live = alias(mine, "live", *routes, description="half and half")
    drawn = Counter(output(mine, live) for _ in range(40))
    assert drawn.keys() == {2, 3}  # the other result has a chance of one in 10**11
    listed = mine.client.list_executions(stateMachineArn=live)["executions"]
    assert {each["stateMachineVersionArn"] for each in listed} == {arn for arn, _ in routes}
    assert {each["stateMachineAliasArn"] for each in listed} == {live}


def test_an_alias_moves(mine, publish):
    """An update changes its routes or its description. A version that it uses cannot be deleted."""
    first, second = publish(2), publish(3)
    live, client = alias(mine, "live", (first, 100)), mine.client
    code, message = refused(client.delete_state_machine_version, stateMachineVersionArn=first)
    assert (code, message[-7:]) == ("ConflictException", " [live]")
    routing = [{"stateMachineVersionArn": second, "weight": 100}]
    client.update_state_machine_alias(stateMachineAliasArn=live, routingConfiguration=routing)
    client.delete_state_machine_version(stateMachineVersionArn=first)
    assert output(mine, live) == 3
    told = client.describe_state_machine_alias(stateMachineAliasArn=live)
    assert (told["name"], told["routingConfiguration"]) == ("live", routing)
    (listed,) = client.list_state_machine_aliases(stateMachineArn=mine.arn)["stateMachineAliases"]
    assert listed["stateMachineAliasArn"] == live
    client.delete_state_machine_alias(stateMachineAliasArn=live)
    client.delete_state_machine_alias(stateMachineAliasArn=live)
    assert refused(client.describe_state_machine_alias, stateMachineAliasArn=live)[0] == "ResourceNotFound"


def test_an_alias_that_exists_is_returned(mine, publish):
    """If it is the same; otherwise it is a ConflictException."""
    first = publish(2)
    assert alias(mine, "live", (first, 100)) == alias(mine, "live", (first, 100))
    with pytest.raises(ClientError, match="same name and a different routing"):
        alias(mine, "live", (first, 100), description="other")


@pytest.mark.parametrize(
    ("routes", "name", "says"),
    [
        ([("", 100)], "a", "Routing configuration must contain state machine version ARNs. Received: ["),
        ([(":1", 70), (":1", 30)], "a", "must contain distinct state machine version ARNs. Received: ["),
        (
            [(":1", 70), (":2", 29)],
            "a",
            "Sum of routing configuration weights must equal 100. Received: [70, 29]",
        ),
        ([(":1", 101)], "a", "Value '101' at 'routingConfiguration.1.member.weight' failed"),
        ([(":1", 50), (":2", 30), (":3", 20)], "a", "Member must have length less than or equal to 2"),
        (
            [(":1", 100)],
            "12",
            "Value '12' at 'name' failed to satisfy constraint: Member must satisfy regular",
        ),
    ],
)
def test_a_wrong_alias_is_refused(mine, publish, routes, name, says):
    """A ValidationException."""
    publish(2), publish(3)
    told = refused(alias, mine, name, *((f"{mine.arn}{end}", weight) for end, weight in routes))
    assert told.code == "ValidationException"
    assert says in told.message


def test_the_same_machine_again(mine):
    """CreateStateMachine returns the machine that exists. Another configuration of its logs is a conflict."""
    create, given = (
        mine.client.create_state_machine,
        {"name": mine.name, "roleArn": ROLE},
    )
    given["definition"] = json.dumps(passing(1))
    assert create(**given)["stateMachineArn"] == mine.arn
    other = given | {"tracingConfiguration": {"enabled": True}}
    assert refused(create, **other)[0] == "StateMachineAlreadyExists"


@pytest.mark.parametrize(
    ("destinations", "says"),
    [
        ([], "Must specify exactly one Log Destination."),
        (["there:*", "there:*"], "Must specify exactly one Log Destination."),
        (["absent:*"], "Log Destination not found."),
        (["there:*"], ""),
    ],
)
def test_where_a_machine_logs_to(aws, mine, destinations, says):
    """It must be one log group that exists."""
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:"
    groups = [
        {"cloudWatchLogsLogGroup": {"logGroupArn": f"{arn}{mine.name}-{name}"}} for name in destinations
    ]
    logging = {"level": "ALL", "includeExecutionData": True, "destinations": groups}
    aws("logs").create_log_group(logGroupName=f"{mine.name}-there")
    update = mine.client.update_state_machine
    if says:
        told = refused(update, stateMachineArn=mine.arn, loggingConfiguration=logging)
        assert told == ("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {says}")
    else:
        update(stateMachineArn=mine.arn, loggingConfiguration=logging)
        described = mine.client.describe_state_machine(stateMachineArn=mine.arn)
        assert described["loggingConfiguration"] == logging
    aws("logs").delete_log_group(logGroupName=f"{mine.name}-there")


def test_machines_are_listed_by_name(machine, mine):
    """Page by page, in the order of their names' letters, not of their creation."""
    names = [machine(passing(1), name=f"zz{end}-{mine.name}").name for end in ("_2", "_10", "_1")]
    listed = mine.client.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    found = [each for page in listed for each in page["stateMachines"]]
    assert [each["name"] for each in found if each["name"] in names] == sorted(names)
    assert found[0].keys() == {"stateMachineArn", "name", "type", "creationDate"}


def test_a_version_has_no_tags(mine, publish):
    """TagResource does not find it. The machine has tags."""
    version = publish(2)
    tag = {"tags": [{"key": "a", "value": "b"}]}
    expected = ("ResourceNotFound", f"Resource not found: '{version}'")
    assert refused(mine.client.tag_resource, resourceArn=version, **tag) == expected
    mine.client.tag_resource(resourceArn=mine.arn, **tag)


def test_a_deletion_needs_a_machine(mine, emulator):
    """Without an ARN, nothing is deleted."""
    for body in (b"{}", b'{"stateMachineArn": null}'):
        headers = {"X_Amz_Target": "AWSStepFunctions.DeleteStateMachine"}
        status, text = post(emulator, body, "states", **headers)
        assert (status, "Value null at 'stateMachineArn'" in text) == (400, True)
    assert output(mine, mine.arn) == 1
