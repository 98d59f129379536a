"""Templates: how intrinsic functions, conditions and parameters are evaluated, and what is refused."""

import base64
import json

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_emulator.cloudformation import template as template_module
from sfn_emulator.cloudformation.api import CloudFormationApi, _checked
from sfn_emulator.cloudformation.resource_types import (
    PropertyError,
    parameters_of,
    resource_types,
)
from sfn_emulator.cloudformation.resources import shaped
from sfn_emulator.cloudformation.template import Resolver, parameter_values, parse
from sfn_emulator.http.messages import RefusalError, Reply, Request

VALUES = {"A": "a", "N": "3", "L": ["x", "y"], "AWS::Region": "us-east-1"}
TEMPLATE = {
    "Mappings": {"Sizes": {"a": {"small": 1, "all": [1, 2]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "A"}, "a"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    },
    "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
}


def resolver(template=TEMPLATE):
    return Resolver(template, VALUES, lambda it: f"<{it.name}|{it.attribute}>", {"e": "exported"}.get)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ({"Ref": "A"}, "a"),
        ({"Ref": "T"}, "<T|>"),
        ({"Fn::GetAtt": ["T", "TopicName"]}, "<T|TopicName>"),
        ({"Fn::GetAtt": "T.TopicName"}, "<T|TopicName>"),
        ({"Fn::Sub": "${A}-${T.TopicName}-${AWS::Region}-${!A}"}, "a-<T|TopicName>-us-east-1-${A}"),
        ({"Fn::Sub": ["${X}${A}", {"X": {"Ref": "N"}, "A": True}]}, "3true"),
        ({"Fn::Join": ["-", [{"Ref": "A"}, 1]]}, "a-1"),
        ({"Fn::Join": ["-", {"Ref": "L"}]}, "x-y"),
        ({"Fn::Split": ["-", "a-b"]}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Ref": "L"}]}, "y"),
        ({"Fn::If": ["Yes", 1, {"Ref": "AWS::NoValue"}]}, 1),
        ([{"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, 2], [2]),
        (
            {"a": {"Fn::If": ["Both", 1, {"Ref": "AWS::NoValue"}]}, "b": {"Fn::If": ["Either", 1, 2]}},
            {"b": 1},
        ),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "A"}, "small"]}, 1),
        ({"Fn::ImportValue": "e"}, "exported"),
        ({"Fn::Base64": "text"}, base64.b64encode(b"text").decode()),
        ({"Condition": "Yes", "Ref": "A"}, {"Condition": "Yes", "Ref": "A"}),
    ],
)
def test_a_function_is_evaluated(value, becomes):
    """As AWS does."""
    assert resolver().resolve(value) == becomes


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"Fn::Select": [2, ["a"]]}, "cannot select nonexistent value at index 2"),
        ({"Fn::Select": "x"}, "requires a list argument with two elements: an integer index and a list"),
        ({"Fn::Join": ["-"]}, "every Fn::Join object requires two parameters"),
        ({"Fn::Split": ["-", 1]}, "every Fn::Split object requires two parameters"),
        ({"Fn::GetAtt": ["T"]}, "every Fn::GetAtt object requires two non-empty parameters"),
        ({"Fn::FindInMap": ["Sizes", "b", "small"]}, "Unable to get mapping for Sizes::b::small"),
        ({"Fn::If": ["None", 1, 2]}, "unresolved condition dependency None in Fn::If"),
        ({"Fn::ImportValue": "f"}, "No export named f found."),
        ({"Fn::Sub": "${a b}"}, "variable names in Fn::Sub syntax must contain only alphanumeric"),
        ({"Fn::Cidr": []}, "Unrecognized intrinsic function: Fn::Cidr"),
        ({"Fn::If": [1]}, "unsupported structure"),
    ],
)
def test_a_wrong_function_is_refused(value, says):
    """With a ValidationError."""
    with pytest.raises(RefusalError, match=r".*") as caught:
        resolver().resolve(value)
    assert (caught.value.code, says in caught.value.message) == ("ValidationError", True)


TEXTS = st.text(alphabet="ab${}!.- \n", max_size=12)


@given(st.lists(st.tuples(TEXTS, st.sampled_from(["A", "N", "T", "T.TopicName"])), max_size=5))
def test_sub_is_join(pieces):
    """A text with variables is what its pieces are, joined; `${!` writes `${`."""
    values = {"A": "a", "N": "3", "T": "<T|>", "T.TopicName": "<T|TopicName>"}
    text = "".join(f"{piece.replace('${', '${!')}${{{name}}}" for piece, name in pieces if "{" not in piece)
    joined = "".join(f"{piece}{values[name]}" for piece, name in pieces if "{" not in piece)
    assert resolver().resolve({"Fn::Sub": text}) == joined
    parts = [{"Fn::Join": ["", [piece, {"Fn::Sub": f"${{{name}}}"}]]} for piece, name in pieces]
    expected = "|".join(f"{piece}{values[name]}" for piece, name in pieces)
    assert resolver().resolve({"Fn::Join": ["|", parts]}) == expected


@given(
    st.text(alphabet="abc", min_size=1, max_size=3),
    st.lists(st.text(alphabet="xyz,;", max_size=4), min_size=1),
)
def test_split_undoes_join(delimiter, parts):
    """If no part has the delimiter."""
    joined = {"Fn::Join": [delimiter, parts]}
    assert resolver().resolve({"Fn::Split": [delimiter, joined]}) == parts


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["A", "T", "T.Arn", "${A}", "${T.x}", "Yes", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::Sub",
                    "Fn::GetAtt",
                    "Fn::If",
                    "Fn::Join",
                    "Fn::Equals",
                    "Type",
                    "Properties",
                    "DependsOn",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(["Resources", "Outputs", "Conditions", "Parameters", "Mappings"]), JSON)
def test_no_template_is_too_strange(section, value):
    """It is accepted or refused with a ValidationError."""
    for template in ({**TEMPLATE, section: value}, {**TEMPLATE, section: {"X": value}}):
        try:
            parsed = parse(json.dumps(template))
            _checked(parsed, VALUES)
            parameter_values(parsed, {})
            mine = resolver(parsed)
            mine.resolve([it.get("Properties") for it in mine.resources.values()])
        except RefusalError as error:
            assert error.code == "ValidationError"


def test_yaml_has_short_forms():
    """And dates stay texts, because policies have versions."""
    text = "{A: !Sub '${B}', C: !GetAtt T.D.E, V: 2012-10-17, L: !Join [a, [b]]}"
    assert parse(f"Metadata: {text}")["Metadata"] == {
        "A": {"Fn::Sub": "${B}"},
        "C": {"Fn::GetAtt": ["T", "D.E"]},
        "V": "2012-10-17",
        "L": {"Fn::Join": ["a", ["b"]]},
    }


def test_resources_come_after_what_they_need():
    """By a reference in the branch that is used, or by DependsOn."""
    used = {"Fn::If": ["Yes", {"Fn::Sub": "${B.Arn}"}, {"Ref": "Gone"}]}
    resources = {
        "A": {"Type": "t", "Properties": {"P": used}},
        "B": {"Type": "t", "DependsOn": "C"},
        "C": {"Type": "t"},
        "Gone": {"Type": "t", "Condition": "No"},
    }
    assert [*resolver({**TEMPLATE, "Resources": resources}).resources] == ["C", "B", "A"]


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ({}, "At least one Resources member must be defined."),
        ({"A": {}}, "[/Resources/A] Every Resources object must contain a Type member."),
        ({"a-b": {"Type": "t"}}, "Resource name a-b is non alphanumeric."),
        (
            {"A": {"Type": "t", "Properties": {"P": {"Ref": "B"}}}},
            "Unresolved resource dependencies [B] in the",
        ),
        (
            {"A": {"Type": "t", "DependsOn": "B"}, "B": {"Type": "t", "DependsOn": "A"}},
            "Circular dependency between resources: [",
        ),
        ({"A": {"Type": "t", "Properties": None}}, "[/Resources/A/Properties] 'null' values are not allowed"),
        ({"A": {"Type": "t", "Invalid": 1}}, "Invalid template resource property 'Invalid'"),
    ],
)
def test_wrong_resources_are_refused(resources, says):
    """In AWS's words."""
    with pytest.raises(RefusalError) as caught:
        _ = resolver(parse(json.dumps({"Resources": resources}))).resources
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("declared", "value", "says"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
        ({"Type": "Number", "MaxValue": 3}, "4", "Parameter 'P' must be a number not greater than 3"),
        ({"Type": "String", "AllowedValues": ["a"]}, "b", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "a+"}, "ab", "Parameter 'P' must match pattern a+"),
        ({"Type": "String", "MinLength": 2}, "a", "Parameter 'P' must contain at least 2 characters"),
        (
            {"Type": "String", "MinLength": 2, "ConstraintDescription": "two"},
            "a",
            "Parameter P failed to satisfy constraint: two",
        ),
        ({"Type": "X"}, "a", "Unrecognized parameter type: X"),
    ],
)
def test_a_wrong_parameter_is_refused(declared, value, says):
    """In AWS's words."""
    with pytest.raises(RefusalError) as caught:
        parameter_values({"Parameters": {"P": declared}}, {} if value is None else {"P": value})
    assert says in caught.value.message


def test_parameters_have_defaults_and_lists():
    """A list is a text with commas."""
    declared = {"A": {"Type": "Number", "Default": 3}, "B": {"Type": "CommaDelimitedList"}}
    assert parameter_values({"Parameters": declared}, {"B": "x, y"}) == {"A": "3", "B": ["x", "y"]}


@pytest.mark.parametrize("name", resource_types())
def test_the_table_of_types_names_what_aws_has(name):
    """Each operation is one of the service, and each parameter one of its operations."""
    kind = resource_types()[name]
    model = botocore.session.get_session().get_service_model(kind.service)
    calls = {name: model.operation_model(name).input_shape.members for name in _operations(kind)}
    known = {member.lower() for each in calls.values() for member in each}
    parts = [it.split(".")[0] for part in kind.parts.values() for it in (part.into, *part.lists) if it]
    assert {it.lower() for it in (*kind.also.values(), *kind.more, *parts)} <= known
    assert {it.lower() for it in kind.defaults} <= known | {it.lower() for it in kind.settings}
    assert {it.lower() for it in kind.fixed} <= known | {it.lower() for it in kind.known}


def _operations(kind):
    parts = [it for part in kind.parts.values() for it in (part.put, part.remove)]
    single = (kind.create, kind.delete, kind.find, kind.set, *parts)
    return [it for it in (*single, *" ".join(kind.updates).split()) if it]


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({}, "#: 0 subschemas matched instead of one"),
        ({"DefinitionString": "{}", "Definition": {}}, "#: 2 subschemas matched instead of one"),
    ],
)
def test_a_machine_has_one_definition(properties, says):
    """Three properties can give it."""
    with pytest.raises(PropertyError, match=says):
        parameters_of("AWS::StepFunctions::StateMachine", properties, None, "us-east-1")


def test_an_alias_is_deployed_at_once():
    """AWS can also do it in steps."""
    properties = {"DeploymentPreference": {"Type": "CANARY", "StateMachineVersionArn": "a"}}
    with pytest.raises(PropertyError, match="ALL_AT_ONCE, not CANARY"):
        parameters_of("AWS::StepFunctions::StateMachineAlias", properties, None, "us-east-1")


@pytest.mark.parametrize(
    ("operation", "given", "becomes"),
    [
        ("CreateFunction", {"timeout": "5", "publish": "true"}, {"Timeout": 5, "Publish": True}),
        ("CreateFunction", {"Tags": [{"Key": "a", "Value": "b"}]}, {"Tags": {"a": "b"}}),
        (
            "CreateFunction",
            {"Environment": {"Variables": {"A": 1}}},
            {"Environment": {"Variables": {"A": "1"}}},
        ),
        ("CreateFunction", {"Timeout": "x"}, "#/Timeout: expected type: Number, found: String"),
        ("CreateFunction", {"Layers": "x"}, "#/Layers: expected type: JSONArray, found: String"),
        ("CreateFunction", {"Code": {"X": 1}}, r"#/Code: extraneous key \[X\] is not permitted"),
    ],
)
def test_values_get_the_form_of_the_service(operation, given, becomes):
    """A template may have numbers as texts, and names with capitals."""
    shape = botocore.session.get_session().get_service_model("lambda").operation_model(operation).input_shape
    if isinstance(becomes, str):
        with pytest.raises(PropertyError, match=becomes):
            shaped(shape, given)
    else:
        assert shaped(shape, given) == becomes


def test_a_condition_is_evaluated_once():
    """However often others name it: each of these names the one before it twice."""
    conditions = {"C0": {"Fn::Equals": ["a", "a"]}}
    for number in range(1, 41):
        conditions[f"C{number}"] = {"Fn::And": [{"Condition": f"C{number - 1}"}] * 2}
    assert all(resolver(TEMPLATE | {"Conditions": conditions}).conditions.values())


def test_a_pattern_has_little_time(monkeypatch):
    """The other threads do not wait for it."""
    monkeypatch.setattr(template_module, "_MATCHING_SECONDS", 0.5)
    declared = {"Parameters": {"P": {"Type": "String", "AllowedPattern": "(a+)+(a+)+"}}}
    with pytest.raises(RefusalError, match="cannot match pattern"):
        parameter_values(declared, {"P": "a" * 40 + "b"})


def test_a_pattern_with_branches_decides():
    """It is matched in a process of its own."""
    declared = {"Parameters": {"P": {"Type": "String", "AllowedPattern": "(a|b)+(-c*)+"}}}
    assert parameter_values(declared, {"P": "ab-c"}) == {"P": "ab-c"}
    with pytest.raises(RefusalError, match="must match pattern"):
        parameter_values(declared, {"P": "ab"})


@pytest.mark.parametrize("url", ["https://[x.s3.amazonaws.com/a", "https://b.s3.amazonaws.com/latin-1"])
def test_a_url_without_a_template_is_refused(url):
    """It is no URL, or the object is not UTF-8."""
    api = CloudFormationApi(None, lambda request: Reply(200, b"\xff"), None, None, "")
    with pytest.raises(RefusalError, match=r"must be a supported URL|unsupported structure"):
        api._text(Request("POST", "/", {}), {"TemplateURL": url})


def test_no_stack_begins_while_all_are_forgotten():
    """A reset holds the lock that each operation takes."""
    api, locked = CloudFormationApi(None, None, None, None, ""), []

    class Watched:
        def __setattr__(self, name, value):
            locked.append(api._lock._is_owned())

    api._stacks["s"] = Watched()
    api.reset()
    assert (locked, api._stacks) == ([True], {})
