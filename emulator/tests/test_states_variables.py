"""Variables of state machines, in both languages. The facts are AWS's guide's and of recorded executions."""

import json

import pytest
from helpers import flow, one, outcome
from test_states_jsonata import CHOICE, MAP, PARALLEL, PASS, alone, jsonata

READ = {"Type": "Pass", "Output": "{% $x %}"}


def exits(mine, execution):
    """The names of the states that were left, and what each has assigned."""
    details = [e.get("stateExitedEventDetails") for e in mine.events(execution["executionArn"])]
    return [(each["name"], each.get("assignedVariables")) for each in details if each]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Type": "Pass", "Assign": {"x": "{% $states.input.a %}"}, "Next": "B"}, 1),
        (
            {"Type": "Pass", "Assign": {"x": {"y": ["{% 1 %}", 2, None, "z"]}}, "Next": "B"},
            {"y": [1, 2, None, "z"]},
        ),
        ({"Type": "Pass", "Assign": {"x": None}, "Next": "B"}, None),
        ({"Type": "Wait", "Seconds": 0, "Assign": {"x": 1}, "Next": "B"}, 1),
        (PARALLEL | {"Assign": {"x": "{% $states.result[0].a %}"}, "Next": "B"}, 1),
        (MAP | {"Items": [1, 2], "Assign": {"x": "{% $states.result %}"}, "Next": "B"}, [1, 2]),
        (CHOICE | {"Choices": [{"Condition": True, "Next": "B", "Assign": {"x": "rule"}}]}, "rule"),
        (
            CHOICE
            | {"Choices": [{"Condition": True, "Next": "B", "Assign": {"x": "rule"}}], "Assign": {"x": "s"}}
            | {"Default": "B"},
            "rule",
        ),
        (
            CHOICE
            | {"Choices": [{"Condition": False, "Next": "B", "Assign": {"x": "rule"}}], "Assign": {"x": "s"}}
            | {"Default": "B"},
            "s",
        ),
        (
            MAP
            | {"Items": "{% $nope %}", "Assign": {"x": "the state's"}, "Next": "B"}
            | {
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "Next": "B",
                        "Assign": {"x": "{% $states.errorOutput.Error %}"},
                    }
                ]
            },
            "States.QueryEvaluationError",
        ),
    ],
)
def test_a_state_assigns(machine, state, expected):
    """Each type of state can assign. A chosen rule and a Catcher use their own Assign, not the state's."""
    machine_of_two = jsonata(A=state, B=READ, Z={"Type": "Fail"})
    assert outcome(machine, machine_of_two, {"a": 1}) == expected


def test_assign_and_output_see_the_values_from_before(machine):
    """All expressions of a state are evaluated before its variables are assigned."""
    definition = jsonata(
        A=PASS | {"Assign": {"x": 1, "y": 2}, "Next": "B"},
        B=PASS | {"Assign": {"x": "{% $y %}", "y": "{% $x %}"}, "Output": "{% [$x, $y] %}", "Next": "C"},
        C=PASS | {"Output": "{% {'before': $states.input, 'after': [$x, $y]} %}"},
    )
    assert outcome(machine, definition) == {"before": [1, 2], "after": [2, 1]}


def test_an_attempt_that_failed_assigns_nothing(machine):
    """A state whose Output fails assigns nothing, even if its Assign was evaluated before."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C"}]
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        B=PARALLEL | {"Assign": {"x": 2}, "Output": "{% $nope %}", "Catch": catch, "Next": "C"},
        C=READ,
    )
    mine = machine(definition)
    execution = mine.run()
    assert execution["output"] == "1"
    assert ("B", None) in exits(mine, execution)


HOSTILE = ['say "hi"', 'a";$y:="evil', "%}", "\\", "'", "王\n", "{% 1 %}", "$x", "(1;2)"]


def test_a_value_is_never_a_part_of_an_expression(machine):
    """Quotes and brackets in the data stay data, also in the history."""
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"x": "{% $states.input.text %}"}, "Next": "B"},
        B=PASS | {"Output": "{% [$x, $exists($y)] %}"},
    )
    mine = machine(definition)
    for text in HOSTILE:
        execution = mine.run({"text": text})
        assert json.loads(execution["output"]) == [text, False]
        assert json.loads(exits(mine, execution)[0][1]["x"]) == text


def test_the_history_says_what_a_state_has_assigned(machine):
    """The last event of a state has the variables that this state assigned, as JSON."""
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"x": "text", "n": 1, "o": {"a": [None]}}, "Next": "B"},
        B={"Type": "Pass", "Assign": {"n": "{% $n + 1 %}"}, "Next": "C"},
        C=PASS,
    )
    mine = machine(definition)
    execution = mine.run()
    assert exits(mine, execution) == [
        ("A", {"x": '"text"', "n": "1", "o": '{"a":[null]}'}),
        ("B", {"n": "2"}),
        ("C", None),
    ]
    details = [e.get("stateExitedEventDetails", {}) for e in mine.events(execution["executionArn"])]
    assert [d["assignedVariablesDetails"] for d in details if "assignedVariables" in d] == [
        {"truncated": False}
    ] * 2


@pytest.mark.parametrize("outer", [PARALLEL, MAP | {"Items": [1]}])
def test_a_scope_reads_outer_variables_and_keeps_its_own(machine, outer):
    """A branch or an iteration reads outer variables. Its own variables end with it."""
    inner = flow(
        I={"Type": "Pass", "Assign": {"own": "{% $x + 1 %}"}, "Next": "J"},
        J=PASS | {"Output": "{% $own + $x %}"},
    )
    inside = {"Branches": [inner]} if outer["Type"] == "Parallel" else {"ItemProcessor": inner}
    definition = jsonata(
        A={"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
        B=outer | inside | {"Assign": {"sum": "{% $states.result[0] %}"}, "Next": "C"},
        C=PASS | {"Output": "{% [$x, $sum, $exists($own)] %}"},
    )
    assert outcome(machine, definition) == [1, 3, False]


def test_branches_do_not_see_each_other(machine):
    """Each branch has its own variable, even if the name is the same."""
    branches = [
        flow(
            **{
                f"I{n}": {"Type": "Pass", "Assign": {"v": n}, "Next": f"J{n}"},
                f"J{n}": {"Type": "Pass", "Output": "{% $v %}"},
            }
        )
        for n in range(3)
    ]
    assert outcome(machine, alone(Type="Parallel", Branches=branches)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("size", "status", "error"),
    [(262_000, "SUCCEEDED", None), (263_000, "FAILED", "States.DataLimitExceeded")],
)
def test_an_assign_has_at_most_256_kib(machine, size, status, error):
    """The variables of one Assign may have 256 KiB together. More is States.DataLimitExceeded."""
    half = f"{{% $pad('', {size // 2}, 'x') %}}"
    execution = machine(alone(Type="Pass", Assign={"x": half, "y": half})).run()
    assert (execution["status"], execution.get("error")) == (status, error)


def test_all_variables_have_at_most_10_mib(machine):
    """All variables may have 10 MiB together, although an output may have only 256 KiB."""
    text = "{% $pad('', 250000, 'x') %}"
    states = {f"S{n}": {"Type": "Pass", "Assign": {f"x{n}": text}, "Next": f"S{n + 1}"} for n in range(42)}
    error, cause = outcome(machine, jsonata(**states, S42={"Type": "Succeed"}))
    assert error == "States.DataLimitExceeded"
    assert cause.startswith("The state/task 'S41' assigned variables with a size exceeding ")


def test_jsonpath_assigns_by_paths_and_functions(machine):
    """An Assign in JSONPath may have paths, intrinsic functions, the context object and constants."""
    assign = {
        "a.$": "$.a",
        "m.$": "States.Format('{} {}', $.a, $before)",
        "c": {"id.$": "$$.State.Name", "k": ['say "hi"', None, True]},
    }
    definition = flow(
        S={"Type": "Pass", "Assign": {"before": "b"}, "Next": "A"},
        A={"Type": "Pass", "Assign": assign, "Next": "B"},
        B=PASS | {"Parameters": {"a.$": "$a", "m.$": "$m", "c.$": "$c", "k.$": "$c.k[0]"}},
    )
    assert outcome(machine, definition, {"a": 7}) == {
        "a": 7,
        "m": "7 b",
        "c": {"id": "A", "k": ['say "hi"', None, True]},
        "k": 'say "hi"',
    }


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (PASS | {"InputPath": "$x"}, {"list": [1, 2], "n": 0, "t": "2020-01-01T00:00:00Z"}),
        (PASS | {"OutputPath": "$x.list"}, [1, 2]),
        (PASS | {"OutputPath": "$x.list[1]"}, 2),
        (PASS | {"Parameters": {"v.$": "States.ArrayLength($x.list)"}}, {"v": 2}),
        ({"Type": "Wait", "SecondsPath": "$x.n", "OutputPath": "$x.n", "End": True}, 0),
        ({"Type": "Wait", "TimestampPath": "$x.t", "OutputPath": "$x.n", "End": True}, 0),
        (MAP | {"ItemsPath": "$x.list", "End": True}, [1, 2]),
        (PARALLEL | {"ResultSelector": {"v.$": "$x.n"}, "End": True}, {"v": 0}),
        ({"Type": "Choice", "Choices": [{"Variable": "$x.n", "NumericEquals": 0, "Next": "Y"}]}, "yes"),
        ({"Type": "Choice", "Choices": [{"Variable": "$x.nope", "IsPresent": False, "Next": "Y"}]}, "yes"),
    ],
)
def test_jsonpath_reads_variables_where_a_path_may_stand(machine, state, expected):
    """A path may begin with a variable, such as `$x`, `$x.a` and `$x.a[0]`."""
    value = {"list": [1, 2], "n": 0, "t": "2020-01-01T00:00:00Z"}
    states = {"A": {"Type": "Pass", "Assign": {"x": value}, "Next": "B"}, "B": state}
    states["Y"] = PASS | {"Result": "yes"}
    assert outcome(machine, flow(**states)) == expected


def test_jsonpath_sees_the_values_from_before(machine):
    """OutputPath sees the value from before the state, as recorded on AWS."""
    definition = flow(
        A={"Type": "Pass", "Assign": {"answer": 42}, "Next": "B"},
        B={"Type": "Pass", "Assign": {"answer": 43}, "OutputPath": "$answer", "Next": "C"},
        C=PASS | {"Parameters": {"in.$": "$", "now.$": "$answer"}},
    )
    assert outcome(machine, definition) == {"in": 42, "now": 43}


def test_jsonpath_assigns_from_the_result(machine):
    """In the Assign of a Parallel, `$` is its result. In that of a Catcher, it is the error."""
    fail = one({"Type": "Fail", "Error": "E", "Cause": "C"}, "F")
    catch = [{"ErrorEquals": ["E"], "Next": "C", "Assign": {"error.$": "$.Error"}}]
    definition = flow(
        A=PARALLEL | {"Assign": {"first.$": "$[0]"}, "Next": "B"},
        B={"Type": "Parallel", "Branches": [fail], "Catch": catch, "Next": "C"},
        C=PASS | {"Parameters": {"first.$": "$first", "error.$": "$error"}},
    )
    assert outcome(machine, definition, {"a": 1}) == {"first": {"a": 1}, "error": "E"}


def test_jsonpath_assigns_from_the_input(machine):
    """In the Assign of a Pass, `$` is its result. In a Wait or a Choice, it is the input after InputPath."""
    rule = {"Variable": "$.a", "IsPresent": True, "Next": "D"}
    states = {
        "A": {"Type": "Pass", "Parameters": {"p": 1}, "ResultPath": "$.r", "Next": "B"},
        "B": {"Type": "Wait", "InputPath": "$.r", "Seconds": 0, "Next": "C"},
        "C": {"Type": "Choice", "Choices": [rule], "Default": "D"},
        "D": {"Type": "Choice", "Choices": [rule | {"Variable": "$.p", "Next": "E"}]},
        "E": PASS | {"Parameters": {name: f"${name[0]}" for name in ("A.$", "B.$", "C.$", "D.$")}},
    }
    for name, place in (("A", states["A"]), ("B", states["B"]), ("C", states["C"])):
        place["Assign"] = {f"{name}.$": "$"}
    states["D"]["Choices"][0]["Assign"] = {"D.$": "$"}
    assert outcome(machine, flow(**states), {"i": 1}) == {name: {"p": 1} for name in "ABCD"}


def test_jsonpath_fails_at_a_variable_that_is_not_there(machine):
    """A missing variable is States.Runtime, and the cause names its path."""
    error, cause = outcome(machine, one(PASS | {"Parameters": {"v.$": "$nope.a"}}))
    assert error == "States.Runtime"
    assert "'$nope.a'" in cause


def test_both_languages_share_the_variables(machine):
    """A state in JSONata reads variables of a state in JSONPath, and the other way round."""
    definition = flow(
        A={"Type": "Pass", "Assign": {"x.$": "$.a"}, "Next": "B"},
        B={"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"y": "{% $x + 1 %}"}, "Next": "C"},
        C=PASS | {"Parameters": {"v.$": "$y"}},
    )
    assert outcome(machine, definition, {"a": 1}) == {"v": 2}
