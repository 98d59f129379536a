"""State machines in JSONata. The facts are AWS's guide's and of recorded executions."""

import datetime
import json

import pytest
from helpers import flow, one, outcome, wait_until

PASS = {"Type": "Pass"}
ENTERED = "An error occurred while executing the state 'A' (entered at the event id #2). "
CATCH = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Z"}]


def jsonata(**states):
    """A machine in JSONata. See `flow`."""
    return {"QueryLanguage": "JSONata", **flow(**states)}


def alone(**state):
    """A machine in JSONata of one state, A."""
    return jsonata(A=state)


def types(mine, execution):
    return [event["type"] for event in mine.events(execution["executionArn"])]


INPUT = {"n": 5, "text": 'say "hi"', "none": None, "half": 0.5, "list": [1, 2, 3], "one": 1.0}


OUTPUTS = [
    ("{% $states.input.n %}", 5),
    ("{%1+1%}", 2),
    ("{%\n 1 +\n 1 \n%}", 2),
    ("{% $states.input %}", INPUT),
    ("{% $states.input.text %}", 'say "hi"'),
    ("{% $states.input.none %}", None),
    ("{% $states.input.half %}", 0.5),
    ("{% [1/0, -1/0] %}", ["Infinity", "-Infinity"]),
    ('{% "é" & \'"\' %}', 'é"'),
    ({"a": {"b": ["{% 1 %}", 2, "$x", None, True]}}, {"a": {"b": [1, 2, "$x", None, True]}}),
    ({"{% 1 %}": 1, "a.$": "$.b", "x": " {% 1 %} "}, {"{% 1 %}": 1, "a.$": "$.b", "x": " {% 1 %} "}),
    ("{% $states.context.Execution.RedriveCount %}", 0),
    ("{% $states.context.StateMachine.Id ~> $contains(':stateMachine:') %}", True),
    ("plain", "plain"),
    ("{% $states.context.State.Name %}", "A"),
    ("{% $states.context.Execution.Input.n %}", 5),
]


def test_an_output_is_evaluated(machine):
    """Each text between the delimiters is evaluated, at any depth. Everything else stays as it is."""
    fields = {str(number): field for number, (field, _) in enumerate(OUTPUTS)}
    expected = {str(number): value for number, (_, value) in enumerate(OUTPUTS)}
    assert outcome(machine, alone(Type="Pass", Output=fields), INPUT) == expected


UNDEFINED = "returned nothing (undefined)."
THREW = "threw an error during evaluation"
MAP = {"Type": "Map", "ItemProcessor": one(PASS, "I")}
RUNS = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
DISTRIBUTED = MAP | {"ItemProcessor": MAP["ItemProcessor"] | RUNS}
PARALLEL = {"Type": "Parallel", "Branches": [one(PASS, "I")]}
CHOICE = {"Type": "Choice", "Default": "Z"}
NEVER = {"Condition": "{% false %}", "Next": "Z"}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:getItem"}


def typed(wanted, found, value):
    return f"returned an unexpected result type. Expected '{wanted}', but was '{found}' for value: {value}"


def with_expression(state, expression):
    """The state, with an expression in the place of its "@"."""
    return json.loads(json.dumps(state).replace('"@"', json.dumps(f"{{% {expression} %}}")))


@pytest.mark.parametrize(
    ("state", "expression", "field", "text"),
    [
        ({"Type": "Pass", "Output": "@"}, "$x", "Output", UNDEFINED),
        (
            {"Type": "Pass", "Output": "@"},
            "($f := function($n) { 1 + $f($n) }; $f(1))",
            "Output",
            f"{THREW}: Stack overflow error: Check for non-terminating recursive function. Consider "
            "rewriting as tail-recursive",
        ),
        ({"Type": "Pass", "Output": {"v": ["{% 1 %}", "@"]}}, "$x", "Output/v[1]", UNDEFINED),
        ({"Type": "Pass", "Output": [{"v": "@"}]}, "$x", "Output[0]/v", UNDEFINED),
        ({"Type": "Pass", "Assign": {"y": {"Error": "@"}}}, "$x", "Assign/y/Error", UNDEFINED),
        ({"Type": "Succeed", "Output": "@"}, "$x", "Output", UNDEFINED),
        ({"Type": "Wait", "Seconds": "@"}, "$x", "Seconds", UNDEFINED),
        ({"Type": "Wait", "Seconds": "@"}, "'x'", "Seconds", typed("number", "string", '"x"')),
        ({"Type": "Wait", "Timestamp": "@"}, "5", "Timestamp", typed("string", "number", "5")),
        (MAP | {"Items": "@"}, "'string'", "Items", typed("array", "string", '"string"')),
        (MAP | {"Items": "@"}, "{'a': 1}", "Items", typed("array", "object", '{"a":1}')),
        (MAP | {"Items": ["{% 1 %}", "@"]}, "$x", "Items[1]", UNDEFINED),
        (DISTRIBUTED | {"Items": {"a": "@"}}, "$x", "Items/a", UNDEFINED),
        (
            MAP | {"Items": [1], "MaxConcurrency": "@"},
            "true",
            "MaxConcurrency",
            typed("number", "boolean", "true"),
        ),
        (MAP | {"Items": [1], "ToleratedFailureCount": "@"}, "$x", "ToleratedFailureCount", UNDEFINED),
        (TASK | {"TimeoutSeconds": "@"}, "'x'", "TimeoutSeconds", typed("number", "string", '"x"')),
        (
            CHOICE | {"Choices": [NEVER, NEVER | {"Condition": "@"}]},
            "$x < 1",
            "Choices[1]/Condition",
            UNDEFINED,
        ),
        (
            CHOICE | {"Choices": [NEVER | {"Condition": "@"}]},
            "'true'",
            "Choices[0]/Condition",
            typed("boolean", "string", '"true"'),
        ),
        (
            CHOICE | {"Choices": [NEVER | {"Condition": True, "Output": {"v": "@"}}]},
            "$x",
            "Choices[0]/Output/v",
            UNDEFINED,
        ),
        (CHOICE | {"Choices": [NEVER], "Output": "@"}, "$x", "Output", UNDEFINED),
        ({"Type": "Fail", "Error": "@"}, "5", "Error", typed("string", "number", "5")),
        ({"Type": "Fail", "Cause": "@"}, "{'a': 1}", "Cause", typed("string", "object", '{"a":1}')),
    ],
)
def test_an_expression_without_a_value_fails_the_state(machine, state, expression, field, text):
    """The cause names the expression and its field. One event EvaluationFailed has both."""
    mine = machine(jsonata(A=with_expression(state, expression), Z={"Type": "Succeed"}))
    execution = mine.run()
    cause = f"{ENTERED}The JSONata expression '{expression}' specified for the field '{field}' {text}"
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "FAILED",
        "States.QueryEvaluationError",
        cause,
    )
    events = mine.events(execution["executionArn"])
    (details,) = [e["evaluationFailedEventDetails"] for e in events if e["type"] == "EvaluationFailed"]
    assert details == {"error": execution["error"], "cause": cause, "location": field, "state": "A"}
    assert events[-1]["executionFailedEventDetails"] == {"error": execution["error"], "cause": cause}


@pytest.mark.parametrize(
    ("state", "expression", "text"),
    [
        ({"Type": "Wait", "Seconds": "@"}, "-1", "Seconds cannot be negative but was: -1"),
        ({"Type": "Wait", "Seconds": "@"}, "0.5", "The Seconds field cannot be parsed as an integer: 0.5"),
        (TASK | {"TimeoutSeconds": "@"}, "-1", "TimeoutSeconds must be between 0 and 99999999 but was: -1"),
        (
            {"Type": "Wait", "Timestamp": "@"},
            "'2016-12-05 21:29:29Z'",
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "
            "2016-12-05 21:29:29Z",
        ),
        (
            MAP | {"Items": [1], "ToleratedFailurePercentage": "@"},
            "101",
            "ToleratedFailurePercentage must be between 0 and 100 but was: 101",
        ),
    ],
)
def test_a_value_has_a_range(machine, state, expression, text):
    """A number or a time that its field cannot have is a States.QueryEvaluationError, too."""
    definition = alone(**with_expression(state, expression))
    assert outcome(machine, definition) == ("States.QueryEvaluationError", f"{ENTERED}{text}")


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Output": "{% $x %}"},
        TASK | {"Arguments": "{% $x %}"},
        MAP | {"Items": "{% 5 %}"},
        MAP,
        {"Type": "Wait", "Timestamp": "{% 'soon' %}"},
    ],
)
def test_the_place_of_a_failed_expression_in_the_history(machine, state):
    """The event follows that of its own state."""
    mine = machine(jsonata(S={"Type": "Pass", "Next": "A"}, A=state))
    execution = mine.run()
    entered, evaluated = mine.events(execution["executionArn"])[3:5]
    assert (entered["id"], entered["previousEventId"]) == (4, 3)
    assert (evaluated["type"], evaluated["previousEventId"]) == ("EvaluationFailed", 4)


@pytest.mark.parametrize(
    ("state", "field"),
    [
        (TASK | {"Arguments": {"TableName": "{% $x %}"}}, "Arguments/TableName"),
        (TASK | {"TimeoutSeconds": "{% $x %}"}, "TimeoutSeconds"),
        (PARALLEL | {"Arguments": "{% $x %}"}, "Arguments"),
        (PARALLEL | {"Output": "{% $x %}"}, "Output"),
        (PARALLEL | {"Assign": {"y": "{% $x %}"}}, "Assign/y"),
        (MAP | {"Items": "{% $x %}"}, "Items"),
        (MAP | {"Items": [1], "ItemSelector": {"a": "{% $x %}"}}, "ItemSelector/a"),
        (MAP | {"Items": [1], "Output": {"a": "{% $x %}"}}, "Output/a"),
    ],
)
def test_a_catch_sees_the_error(machine, state, field):
    """The Catch of a Task, a Map or a Parallel gets the error and its cause."""
    catch = CATCH[0] | {"Output": "{% $states.errorOutput %}"}
    mine = machine(jsonata(A=state | {"Catch": [catch]}, Z=PASS))
    execution = mine.run()
    cause = f"{ENTERED}The JSONata expression '$x' specified for the field '{field}' {UNDEFINED}"
    assert json.loads(execution["output"]) == {"Error": "States.QueryEvaluationError", "Cause": cause}
    assert types(mine, execution).count("EvaluationFailed") == 1
    assert "ExecutionFailed" not in types(mine, execution)


@pytest.mark.parametrize("outer", [PARALLEL, MAP | {"Items": [1]}])
def test_an_error_inside_reaches_the_catch_outside(machine, outer):
    """An error of a branch or an iteration reaches the Catch around it. Its cause names the state inside."""
    inner = one(PASS | {"Output": "{% $x %}"}, "I")
    inside = {"Branches": [inner]} if outer["Type"] == "Parallel" else {"ItemProcessor": inner}
    caught = outcome(machine, jsonata(A=outer | inside | {"Catch": CATCH}, Z=PASS))
    assert caught["Error"] == "States.QueryEvaluationError"
    assert caught["Cause"].startswith(
        "An error occurred while executing the state 'I' (entered at the event id #"
    )
    error, cause = outcome(machine, alone(**outer | inside))
    assert (error, cause) == (caught["Error"], caught["Cause"])


def test_a_retry_sees_the_error(machine):
    """A Retry tries an expression again, and `$states.context.State.RetryCount` counts the attempts."""
    retry = {"ErrorEquals": ["States.QueryEvaluationError"], "IntervalSeconds": 1, "MaxAttempts": 1}
    value = "{% $states.context.State.RetryCount = 1 ? $states.result[0] : $x %}"
    mine = machine(
        alone(**PARALLEL | {"Arguments": 7, "Output": value, "Retry": [retry]} | {"Arguments": {"a": 7}})
    )
    execution = mine.run()
    assert (execution["status"], json.loads(execution["output"])) == ("SUCCEEDED", {"a": 7})
    assert types(mine, execution).count("EvaluationFailed") == 1


def test_the_error_of_a_catcher_fails_the_execution(machine):
    """The Output of a Catcher may fail, too. The cause names the field of the Catcher."""
    never = {"ErrorEquals": ["Never"], "Next": "Z"}
    catcher = {"ErrorEquals": ["States.ALL"], "Next": "Z", "Output": {"v": "{% $y %}"}}
    _, cause = outcome(machine, jsonata(A=MAP | {"Items": "{% $x %}", "Catch": [never, catcher]}, Z=PASS))
    assert (
        cause
        == f"{ENTERED}The JSONata expression '$y' specified for the field 'Catch[1]/Output/v' {UNDEFINED}"
    )


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([NEVER, {"Condition": "{% $states.input.n = 5 %}", "Next": "Y"}], "Y"),
        ([{"Condition": True, "Next": "Y"}], "Y"),
        ([{"Condition": "{% $states.input.nope = 5 %}", "Next": "Y"}], "Z"),
    ],
)
def test_a_choice_takes_the_first_rule_that_is_true(machine, choices, expected):
    """If no rule is true, the Default is taken. A comparison with a missing value is false."""
    ends = {name: {"Type": "Succeed", "Output": name} for name in "YZ"}
    assert outcome(machine, jsonata(A=CHOICE | {"Choices": choices}, **ends), {"n": 5}) == expected


def test_a_rule_has_its_own_output(machine):
    """The Output of the state counts for its Default only, even if a rule leads to the same state."""
    rule = {"Condition": "{% $states.input.a = 1 %}", "Next": "Z", "Output": "the rule's"}
    mine = jsonata(A=CHOICE | {"Choices": [rule], "Output": "the state's"}, Z={"Type": "Succeed"})
    assert [outcome(machine, mine, {"a": n}) for n in (1, 2)] == ["the rule's", "the state's"]


def test_the_default_of_an_output_is_the_input(machine):
    """A Pass, a Wait, a Choice and a Succeed without an Output return their input."""
    definition = jsonata(
        A={"Type": "Pass", "Next": "B"},
        B={"Type": "Wait", "Seconds": 0, "Next": "C"},
        C={"Type": "Choice", "Choices": [NEVER], "Default": "Z"},
        Z={"Type": "Succeed"},
    )
    assert outcome(machine, definition, {"a": 1}) == {"a": 1}


def test_a_wait_takes_its_time_from_expressions(machine):
    """Seconds and Timestamp may be expressions. A Timestamp may be in the past."""
    definition = jsonata(
        A={"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "B"},
        B={"Type": "Wait", "Timestamp": "{% $states.input.t %}", "Output": "{% $states.input.s %}"},
    )
    assert outcome(machine, definition, {"s": 0, "t": "2020-01-01T00:00:00Z"}) == 0


def test_a_wait_ends_at_its_moment_and_not_before(machine, advance):
    """A Timestamp may have parts of a second, and they are not cut off."""
    definition = jsonata(
        A={"Type": "Wait", "Timestamp": "{% $states.input.t %}", "Next": "B"},
        B={"Type": "Pass", "Output": "{% $states.context.State.EnteredTime %}"},
    )
    wanted = datetime.datetime.fromtimestamp(advance() + 1.4, datetime.UTC)
    told = outcome(machine, definition, {"t": wanted.isoformat(timespec="milliseconds")[:23] + "Z"})
    assert abs(datetime.datetime.fromisoformat(told) - wanted) <= datetime.timedelta(milliseconds=1)


def test_a_map_maps_its_items(machine):
    """Items, ItemSelector, MaxConcurrency and Output may be expressions. ItemSelector sees the item."""
    selector = {
        "i": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value * $states.input.by %}",
    }
    state = MAP | {"Items": "{% $states.input.list %}", "ItemSelector": selector, "MaxConcurrency": "{% 1 %}"}
    state |= {"Output": "{% $states.result.v %}"}
    assert outcome(machine, alone(**state), {"list": [1, 2], "by": 10}) == [10, 20]


@pytest.mark.parametrize(
    "items", [{"a": 1, "b": "{% $states.input.n %}"}, "{% {'a': 1, 'b': $states.input.n} %}"]
)
def test_a_distributed_map_maps_the_pairs_of_an_object(machine, items):
    """Each child gets a key and its value. The context object has both, the index and the source."""
    mine = DISTRIBUTED | {"Items": items}
    pairs = [{"Key": "a", "Value": 1}, {"Key": "b", "Value": [2]}]
    assert outcome(machine, alone(**mine), {"n": [2]}) == pairs
    selected = mine | {"ItemSelector": {"item": "{% $states.context.Map.Item %}"}}
    source = {"Source": "STATE_DATA"}
    expected = [{"item": {"Index": index} | pair | source} for index, pair in enumerate(pairs)]
    assert outcome(machine, alone(**selected), {"n": [2]}) == expected


def test_a_map_says_in_two_ways_what_it_tolerates(machine):
    """ToleratedFailureCount and ToleratedFailurePercentage may both be expressions, or whole numbers."""
    tolerated = {"ToleratedFailureCount": "{% 1 %}", "ToleratedFailurePercentage": "{% 50.5 %}"}
    assert outcome(machine, alone(**DISTRIBUTED | tolerated | {"Items": [1]})) == [1]
    assert outcome(machine, alone(**MAP | {"ToleratedFailurePercentage": 50, "Items": [1]})) == [1]


def test_an_inline_map_maps_no_object(machine):
    """An input without a list fails the Map. The cause shows the input, and the event has no location."""
    mine = machine(alone(**MAP))
    execution = mine.run({"a": 1})
    cause = f'{ENTERED}Map state input must be an array but was: {{"a":1}}'
    assert (execution["error"], execution["cause"]) == ("States.QueryEvaluationError", cause)
    event = mine.events(execution["executionArn"])[2]["evaluationFailedEventDetails"]
    assert event == {"error": execution["error"], "cause": cause, "state": "A"}


def test_a_map_without_items_maps_its_input(machine):
    """The default of Items is the state's input. ItemSelector sees this input, too."""
    assert outcome(machine, alone(**MAP), [1, 2]) == [1, 2]
    selector = {"v": "{% $states.context.Map.Item.Value %}", "all": "{% $states.input %}"}
    selected = [{"v": value, "all": [1, 2]} for value in (1, 2)]
    assert outcome(machine, alone(**MAP | {"ItemSelector": selector}), [1, 2]) == selected


def test_the_arguments_of_a_parallel_are_the_input_of_every_branch(machine):
    """Every branch gets the Arguments, or the state's input if there are no Arguments."""
    branches = {"Branches": [one(PASS, name) for name in "IJ"]}
    state = PARALLEL | branches
    assert outcome(machine, alone(**state), {"b": 1}) == [{"b": 1}] * 2
    state |= {"Arguments": {"a": "{% $states.input.b %}"}}
    assert outcome(machine, alone(**state), {"b": 1}) == [{"a": 1}] * 2


def test_a_task_calls_with_its_arguments(machine, table):
    """A Task evaluates Arguments, TimeoutSeconds and Output, and writes AWS's events."""
    put = TASK | {"Resource": "arn:aws:states:::dynamodb:putItem", "TimeoutSeconds": "{% 50 + 10 %}"}
    item = {"id": {"S": "{% $states.input.id %}"}, "n": {"N": "1"}}
    put |= {"Arguments": {"TableName": table, "Item": item}, "Next": "B"}
    put |= {"Output": {"key": "{% $states.input.id %}", "status": "{% $type($states.result) %}"}}
    get = TASK | {"Arguments": {"TableName": table, "Key": {"id": {"S": "{% $states.input.key %}"}}}}
    get |= {"Output": "{% $merge([$states.result.Item, {'status': $states.input.status}]) %}"}
    mine = machine(jsonata(A=put, B=get))
    execution = mine.run({"id": "x"})
    assert json.loads(execution["output"]) == {"id": {"S": "x"}, "n": {"N": "1"}, "status": "object"}
    scheduled = mine.events(execution["executionArn"])[2]["taskScheduledEventDetails"]
    assert scheduled["timeoutInSeconds"] == 60
    assert types(mine, execution)[1:6] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
    ]


def test_an_output_that_fails_names_the_event_of_its_state(machine, table):
    """The cause has the event with which the state began, and not the last event before the Output."""
    key = {"TableName": table, "Key": {"id": {"S": "x"}}}
    get = TASK | {"Arguments": key, "Output": "{% $states.result.Item %}"}
    assert outcome(machine, alone(**get))[1].startswith(ENTERED)


def test_an_output_over_256_kb_can_be_caught(machine):
    """An Output that is too large fails with States.DataLimitExceeded, which a Catch gets."""
    catch = [{"ErrorEquals": ["States.DataLimitExceeded"], "Next": "Z", "Output": "caught"}]
    state = PARALLEL | {"Output": "{% $pad('', 300000, 'x') %}", "Catch": catch}
    assert outcome(machine, jsonata(A=state, Z=PASS)) == "caught"


def test_states_inside_have_the_machines_language(machine):
    """A state inside a Parallel has the query language of the machine, not that of the Parallel."""
    inner = one({"Type": "Pass", "Parameters": {"a.$": "$.b"}}, "I")
    state = {"Type": "Parallel", "QueryLanguage": "JSONata", "Branches": [inner]}
    state |= {"Output": "{% $states.result[0].a %}"}
    assert outcome(machine, one(state), {"b": 1}) == 1


def test_a_refused_definition_in_jsonata_changes_no_other(machine, aws):
    """After a refused definition in JSONata, the next definition in JSONPath is read as JSONPath."""
    refused = jsonata(A={"Type": "Pass", "Parameters": {}, "End": True})
    with pytest.raises(aws("stepfunctions").exceptions.InvalidDefinition):
        machine(refused)
    state = {"Type": "Pass", "Parameters": {"a.$": "$.b"}, "End": True}
    assert outcome(machine, one(state), {"b": 1}) == {"a": 1}


@pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
def test_a_definition_is_json(machine, language):
    """Names, keys and texts of a definition may have JSON's escapes."""
    words = {"王": 'a "王"\\b/😀'}
    field = {"Output": words} if language == "JSONata" else {"Parameters": words}
    states = {"é": {"Type": "Pass", "Assign": {"王": words}, "Next": "王"} | field, "王": PASS}
    mine = machine(flow(**states) | {"QueryLanguage": language})
    execution = mine.run()
    assert json.loads(execution["output"]) == words
    exits = [
        event["stateExitedEventDetails"]
        for event in mine.events(execution["executionArn"])
        if "Exited" in event["type"]
    ]
    assert [each["name"] for each in exits] == ["é", "王"]
    assert json.loads(exits[0]["assignedVariables"]["王"]) == words


def test_an_endless_expression_blocks_nobody(machine):
    """Another execution ends while an endless expression runs."""
    endless = machine(alone(Type="Pass", Output="{% $contains($pad('', 60, 'a') & 'b', /^(a|aa)+$/) %}"))
    arn = endless.start()
    quick = machine(alone(Type="Pass", Output="{% 1 %}"))
    other = quick.start()
    wait_until(lambda: quick.told(other)["status"] == "SUCCEEDED")
    assert endless.told(arn)["status"] == "RUNNING"


def test_a_function_fails_with_its_own_error(machine, function):
    """A function gets the Arguments. A Catch has its error, and a Fail state can pass the error on."""

    def lambda_handler(event, context):
        class CustomError(Exception):
            pass

        raise CustomError(event)

    task = {"Type": "Task", "Resource": function(lambda_handler).arn, "Arguments": "{% $states.input.why %}"}
    catch = [{"ErrorEquals": ["CustomError"], "Next": "Z"}]
    fail = {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "{% $states.input.Cause %}"}
    error, cause = outcome(machine, jsonata(A=task | {"Catch": catch}, Z=fail), {"why": "no"})
    assert (error, json.loads(cause)["errorMessage"]) == ("CustomError", "no")
