"""Patterns match events as EventBridge does."""

import json

import pytest

from sfn_emulator.watching.patterns import PatternError, matches, parsed

EVENT = {
    "source": "aws.states",
    "detail": {
        "status": "FAILED",
        "count": 5,
        "nothing": None,
        "yes": True,
        "parts": ["a", "b"],
        "empty": [],
        "ip": "10.0.0.7",
        "a.b": "c",
    },
}


def fits(**detail):
    return matches(parsed(json.dumps({"detail": detail})), EVENT)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("status", ["SUCCEEDED", "FAILED"]),
        ("parts", ["b", "c"]),
        ("count", [5.0]),
        ("nothing", [None]),
        ("status", [{"exists": True}]),
        ("none", [{"exists": False}]),
        ("empty", [{"exists": False}]),
        ("status", [{"prefix": "FA"}]),
        ("status", [{"prefix": {"equals-ignore-case": "fa"}}]),
        ("status", [{"suffix": "ED"}]),
        ("status", [{"equals-ignore-case": "failed"}]),
        ("status", [{"anything-but": ["SUCCEEDED"]}]),
        ("status", [{"anything-but": {"prefix": ["S", "R"]}}]),
        ("count", [{"anything-but": {"prefix": "5"}}]),
        ("count", [{"numeric": [">", 4, "<=", 5]}]),
        ("status", [{"wildcard": "F*L*D"}]),
        ("ip", [{"cidr": "10.0.0.0/24"}]),
        ("a", {"b": ["c"]}),
        ("$or", [{"status": ["RUNNING"]}, {"count": [5]}]),
    ],
)
def test_it_matches(name, wanted):
    """Each operator, and names that are joined by dots."""
    assert fits(**{name: wanted})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("status", ["failed"]),
        ("yes", [1]),
        ("count", ["5"]),
        ("empty", [None]),
        ("none", [{"anything-but": "x"}]),
        ("status", [{"anything-but": {"wildcard": "F*"}}]),
        ("status", [{"numeric": [">", 0]}]),
        ("status", [{"wildcard": "F*LED*X"}]),
        ("status", [{"wildcard": "FAIL\\*"}]),
        ("$or", [{"status": ["RUNNING"]}, {"count": [6]}]),
    ],
)
def test_it_does_not_match(name, wanted):
    """Case, types, and fields that are missing."""
    assert not fits(**{name: wanted})


def test_all_fields_must_match():
    """A pattern is an and of its fields."""
    assert not fits(status=["FAILED"], count=[6])


def test_a_wildcard_takes_linear_time():
    """A pattern that would take a regular expression for ever."""
    event = {"a": "a" * 50_000 + "b"}
    assert not matches(parsed(json.dumps({"a": [{"wildcard": "*a" * 500 + "*c"}]})), event)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (5, '"x" must be an object or an array'),
        ([], "Empty arrays are not allowed"),
        ([{"Prefix": "a"}], "Unrecognized match type Prefix"),
        ([{"numeric": 7}], "Value of numeric must be an array."),
        ([{"numeric": [">", 1, ">=", 2]}], "Bad numeric range operator: >="),
        ([{"numeric": [">=", 1, "<="]}], "Value of <= must be numeric"),
        ([{"prefix": 1}], "prefix match pattern must be a string"),
        ([{"equals-ignore-case": ["a"]}], "equals-ignore-case match pattern must be a string"),
        ([{"wildcard": "a**b"}], "Consecutive wildcard characters at pos 2"),
        ([{"cidr": "10.0.0.0/x"}], "Malformed CIDR, mask bits must be an integer"),
        ([{"cidr": "one.2.three/8"}], "Nonstandard IP address: one.2.three"),
        ([{"anything-but": ["a", None]}], "Inside anything but list, start|null|boolean is not supported."),
        ([{"anything-but": {"prefix": ""}}], "Null prefix/suffix not allowed"),
    ],
)
def test_what_is_refused(wanted, reason):
    """In AWS's words."""
    with pytest.raises(PatternError) as caught:
        parsed(json.dumps({"x": wanted}))
    assert str(caught.value) == reason
