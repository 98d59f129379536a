"""What IAM's policies allow, as the emulator decides it."""

import fnmatch
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_emulator.iam.policy import Decision, decide, glob, holds, trusts

WORDS = st.sampled_from(
    ["Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "Condition", "StringEquals"]
)
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/T"
SCAN = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": TABLE}


def told(*statements, action="dynamodb:Scan", resource=TABLE, **context):
    documents = tuple(json.dumps({"Version": "2012-10-17", "Statement": each}) for each in statements)
    return decide(documents, action, resource, context)


def allowed(statement, **asked):
    return told(SCAN | statement, **asked) is Decision.ALLOWED


def test_without_a_policy_nothing_is_allowed():
    """Without a policy, the decision is an implicit deny."""
    assert told() is Decision.IMPLICIT_DENY


def test_a_statement_allows_its_action_on_its_resource():
    """A statement allows no other action and no other resource."""
    assert told(SCAN) is Decision.ALLOWED
    assert told(SCAN, action="dynamodb:Query") is Decision.IMPLICIT_DENY
    assert told(SCAN, resource=TABLE + "2") is Decision.IMPLICIT_DENY


@pytest.mark.parametrize("order", [1, -1])
def test_an_explicit_deny_wins(order):
    """An explicit deny wins, wherever it stands."""
    statements = [SCAN, {"Effect": "Deny", "Action": "*", "Resource": "*"}][::order]
    assert told(*statements) is told(statements) is Decision.EXPLICIT_DENY


def test_statements_and_their_elements_may_be_lists():
    """Statements, actions and resources may be one or many."""
    assert told([SCAN | {"Action": ["a:B", "dynamodb:Scan"], "Resource": ["x", TABLE]}]) is Decision.ALLOWED


@pytest.mark.parametrize("action", ["*", "dynamodb:*", "dynamodb:S?an", "DynamoDB:scan", "dynamodb:*an"])
def test_an_action_may_have_wildcards_and_any_case(action):
    """An action may have wildcards, and upper and lower case are the same."""
    assert allowed({"Action": action})


@pytest.mark.parametrize(
    "action", ["dynamodb:", "dynamodb:Sca", "dynamodb:S.an", "s*:Scan", "dynamodb:Scan?"]
)
def test_a_wildcard_means_what_it_says(action):
    """A dot is a dot, and ? is one character."""
    assert not allowed({"Action": action})


@pytest.mark.parametrize(
    "resource", ["*", "arn:aws:dynamodb:*:*:table/*", "arn:aws:dynamodb:*:table/?", TABLE]
)
def test_a_resource_may_have_wildcards(resource):
    """The last star of a part may go beyond its colons."""
    assert allowed({"Resource": resource})


@pytest.mark.parametrize("resource", [TABLE.lower(), TABLE[:-1], TABLE + "*/index", TABLE.replace("T", "?T")])
def test_another_resource_is_not_meant(resource):
    """Upper and lower case are different in a resource."""
    assert not allowed({"Resource": resource})


@given(st.text(st.sampled_from("ab:/*?"), max_size=8), st.text(st.sampled_from("ab:/"), max_size=8))
def test_globs_are_fnmatchs(pattern, text):
    """A pattern of stars and question marks means what Python's fnmatch says."""
    assert glob(pattern, text, {}) == bool(re.match(fnmatch.translate(pattern), text))


@pytest.mark.parametrize("pattern", ["a*" * 25 + "b", "*a" * 3000 + "b", "a?*" * 800 + "b", "*" * 4000 + "b"])
def test_no_pattern_takes_long(pattern):
    """Each star of a pattern is decided once, so no number of stars takes long."""
    assert not glob(pattern, "a" * 2000, {})


@pytest.mark.parametrize("pattern", ["${" * 20_000, "x${a" * 10_000])
def test_no_variable_takes_long(pattern):
    """A variable that never ends is a text."""
    assert not glob(pattern, "a", {})


def test_a_name_longer_than_any_of_awss_matches_nothing():
    """An ARN has at most 2,048 characters. So the work for one pattern has a limit."""
    assert glob("*", "a" * 2048, {})
    assert not glob("*", "a" * 2049, {})


@given(st.text(max_size=20))
def test_a_text_without_wildcards_means_itself(text):
    """A pattern without wildcards matches only itself, whatever characters it has."""
    plain = re.sub(r"[*?]|\$\{", "", text)
    assert glob(plain, plain, {})


def test_not_action_allows_all_others():
    """NotAction allows all other actions, and not that one."""
    without = {name: value for name, value in SCAN.items() if name != "Action"}
    assert told(without | {"NotAction": "iam:*"}) is Decision.ALLOWED
    assert told(without | {"NotAction": ["iam:*", "dynamodb:*"]}) is Decision.IMPLICIT_DENY


def test_not_resource_means_all_others():
    """In a Deny, NotResource denies everything except that resource."""
    deny = {"Effect": "Deny", "Action": "*", "NotResource": TABLE}
    assert told(SCAN | {"Resource": "*"}, deny) is Decision.ALLOWED
    assert told(SCAN | {"Resource": "*"}, deny, resource=TABLE + "2") is Decision.EXPLICIT_DENY


def test_a_statement_without_resource_means_nothing():
    """IAM would not take it."""
    assert told({"Effect": "Allow", "Action": "*"}) is Decision.IMPLICIT_DENY


LONG = json.dumps({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Sid": "a" * 131_072}})


@pytest.mark.parametrize(
    "document",
    ["", "{", "[]", "{}", '{"Statement": [1, {"Effect": "Maybe"}]}', "[" * 100_000, LONG],
    ids=lambda document: document[:10],
)
def test_what_is_no_policy_allows_nothing(document):
    """A text that is not a policy allows nothing, and raises nothing."""
    assert decide((document,), "a:B", "*", {}) is Decision.IMPLICIT_DENY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Allow", "Deny", "*", "${", "${}", "a:B"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)


@given(st.fixed_dictionaries({"Statement": st.lists(st.dictionaries(WORDS, JSON)) | JSON}))
def test_no_document_is_too_strange(document):
    """Whatever a policy holds, there is a decision."""
    assert decide((json.dumps(document),), "a:B", "*", {}) in Decision
    assert trusts(json.dumps(document), "Service", ["lambda.amazonaws.com"], {}) in {True, False}


def test_a_variable_is_the_callers():
    """`${aws:username}` in a resource is the caller's name. Without a value, it matches nothing."""
    own = {"Resource": TABLE + "/${aws:username}"}
    assert allowed(own, resource=TABLE + "/ann", **{"aws:username": "ann"})
    assert not allowed(own, resource=TABLE + "/bob", **{"aws:username": "ann"})
    assert not allowed(own, resource=TABLE + "/ann")


def test_a_variables_value_is_no_pattern():
    """A star in a value is a star; `${*}` is one, too."""
    assert not glob("${aws:username}", "ann", {"aws:username": "*"})
    assert glob("a${*}b", "a*b", {})
    assert not glob("a${*}b", "axb", {})


ROLE = {"aws:principalarn": "arn:aws:iam::123456789012:role/team/R", "aws:requestedregion": "us-east-1"}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "expected"),
    [
        ("StringEquals", "aws:RequestedRegion", "us-east-1", True),
        ("StringEquals", "aws:RequestedRegion", ["eu-west-1", "us-east-1"], True),
        ("StringEquals", "aws:RequestedRegion", "us-*", False),
        ("StringEqualsIgnoreCase", "AWS:requestedregion", "US-EAST-1", True),
        ("StringNotEquals", "aws:RequestedRegion", "us-east-1", False),
        ("StringNotEquals", "aws:RequestedRegion", ["eu-west-1", "cn-north-1"], True),
        ("StringLike", "aws:RequestedRegion", "us-*", True),
        ("StringNotLike", "aws:RequestedRegion", "us-*", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/team/*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:*:role/team/R", False),
        ("ArnEquals", "aws:PrincipalArn", ROLE["aws:principalarn"], True),
        ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", False),
        ("StringEquals", "iam:PassedToService", "lambda.amazonaws.com", False),
        ("StringNotEquals", "iam:PassedToService", "lambda.amazonaws.com", True),
        ("StringEqualsIfExists", "iam:PassedToService", "lambda.amazonaws.com", True),
        ("Null", "iam:PassedToService", "true", True),
        ("Null", "aws:PrincipalArn", True, False),
        ("StringNotEquals", "aws:RequestedRegion", "${aws:username}", None),
        ("StringEquals", "aws:RequestedRegion", "${aws:RequestedRegion}", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/team/${aws:username}", None),
        ("NumericLessThan", "aws:PrincipalArn", "1", None),
        ("ForAnyValue:StringEquals", "aws:PrincipalArn", "x", None),
        ("StringEquals", "aws:ResourceTag/a", "b", None),
    ],
)
def test_a_condition_holds_or_not(operator, key, wanted, expected):
    """A known operator on a known key is decided. All others cannot be decided."""
    assert holds({operator: {key: wanted}}, ROLE) is expected


def test_all_conditions_must_hold():
    """One that fails is enough, also next to one that cannot be decided."""
    unknown = {"NumericEquals": {"a": "1"}}
    assert holds({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}} | unknown, ROLE) is False
    assert holds({"StringEquals": {"aws:RequestedRegion": "us-east-1"}} | unknown, ROLE) is None


def test_what_cannot_be_decided_is_decided_against_the_caller():
    """Such a statement does not allow, and does deny."""
    unknown = {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    assert told(SCAN | unknown) is Decision.IMPLICIT_DENY
    assert told(SCAN, SCAN | unknown | {"Effect": "Deny"}) is Decision.EXPLICIT_DENY


def trust(principal, **more):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more
    return json.dumps({"Statement": [statement]})


@pytest.mark.parametrize(
    "principal", ["*", {"Service": "lambda.amazonaws.com"}, {"Service": ["x", "lambda.amazonaws.com"]}]
)
def test_a_trusted_service_may_assume_the_role(principal):
    """A service may be named alone, among others, or by `*`."""
    assert trusts(trust(principal), "Service", ["lambda.amazonaws.com"], {})


@pytest.mark.parametrize("principal", [{"Service": "states.amazonaws.com"}, {"AWS": "*"}, {}, None])
def test_another_principal_is_not_the_service(principal):
    """Another service, an account or all accounts are not the service."""
    assert not trusts(trust(principal), "Service", ["lambda.amazonaws.com"], {})


def test_a_trust_policy_may_have_conditions():
    """A condition may name the account and the function for which Lambda assumes the role."""
    condition = {"StringEquals": {"aws:SourceAccount": "1"}}
    document = trust("*", Condition=condition)
    assert trusts(document, "Service", ["lambda.amazonaws.com"], {"aws:sourceaccount": "1"})
    assert not trusts(document, "Service", ["lambda.amazonaws.com"], {"aws:sourceaccount": "2"})


def test_trust_is_for_assuming():
    """A trust policy counts only for its own action, and a Deny wins."""
    assert not trusts(trust("*", Action="sts:TagSession"), "Service", ["lambda.amazonaws.com"], {})
    assert not trusts(trust("*", Effect="Deny"), "Service", ["lambda.amazonaws.com"], {})


def test_the_alias_of_a_machine_is_a_condition():
    """So a role may start an alias, and not the machine itself."""
    start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}
    its = {"StringEquals": {"states:StateMachineQualifier": "prod"}}
    for qualifier, decision in (("prod", Decision.ALLOWED), ("dev", Decision.IMPLICIT_DENY)):
        asked = {"action": "states:StartExecution", "states:statemachinequalifier": qualifier}
        assert told(start | {"Condition": its}, **asked) is decision
