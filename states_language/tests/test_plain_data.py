"""An execution is plain data: pickled between any two steps, it goes on as if nothing had happened."""

import copy
import heapq
import json
import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from states_language import diagnostics
from states_language.execution import Call, Cancel, Due, Execution, Failed, SetTimer, Start, Succeeded
from states_language.interpreter import step
from states_language.outside import Outside

ARN = "arn:aws:states:us-east-1:123456789012"
NAMES = some.sampled_from(["A", "B", "C"])
VALUES = some.sampled_from([0, 1, "text", None, [1, 2], {"n": 1}])


def sequence(states, start="s0"):
    """States one after the other. The last one ends the run."""
    made = {}
    for number, state in enumerate(states):
        last = number == len(states) - 1
        made[f"s{number}"] = state | ({"End": True} if last else {"Next": f"s{number + 1}"})
    return {"StartAt": start, "States": made}


PASS = VALUES.map(lambda value: {"Type": "Pass", "Result": value, "ResultPath": "$.x"})
ASSIGN = some.builds(lambda name, value: {"Type": "Pass", "Assign": {name: value}}, NAMES, VALUES)
WAIT = some.integers(0, 100).map(lambda seconds: {"Type": "Wait", "Seconds": seconds})
RETRY = some.sampled_from([[], [{"ErrorEquals": ["Odd"], "MaxAttempts": 2, "JitterStrategy": "FULL"}]])
TASK = some.builds(
    lambda retry, limit: {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload.$": "$"},
        "ResultPath": "$.y",
        "Retry": retry,
        "TimeoutSeconds": limit,
    },
    RETRY,
    some.integers(1, 5),
)
LEAVES = some.lists(PASS | ASSIGN | WAIT | TASK, min_size=1, max_size=3).map(sequence)


def holding(inner):
    """States that hold others: a Parallel or a Map."""
    parallel = some.lists(inner, min_size=1, max_size=3).map(
        lambda branches: {"Type": "Parallel", "Branches": branches, "ResultPath": "$.p"}
    )
    mapped = some.builds(
        lambda processor, most: {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {"items.$": "$.items", "item.$": "$$.Map.Item.Value"},
            "MaxConcurrency": most,
            "ItemProcessor": processor,
            "ResultPath": "$.m",
        },
        inner,
        some.integers(0, 3),
    )
    return some.lists(parallel | mapped | PASS | TASK, min_size=1, max_size=3).map(sequence)


def named(workflow, path=""):
    """The same states, with names that are unique in the whole machine."""
    states = {}
    for name, state in workflow["States"].items():
        new = dict(state)
        if "Next" in new:
            new["Next"] = path + new["Next"]
        if "Branches" in new:
            new["Branches"] = [named(it, f"{path}{name}.{n}.") for n, it in enumerate(new["Branches"])]
        if "ItemProcessor" in new:
            new["ItemProcessor"] = named(new["ItemProcessor"], f"{path}{name}.")
        states[path + name] = new
    return {"StartAt": path + workflow["StartAt"], "States": states}


MACHINES = some.recursive(LEAVES, holding, max_leaves=6).map(named)


class World:
    """Runs an execution with made-up answers, and gives it to `between` before each step."""

    def __init__(self, definition, between):
        context = {
            "Execution": {"Id": f"{ARN}:execution:m:x"},
            "StateMachine": {"Id": f"{ARN}:stateMachine:m"},
        }
        self.execution = Execution(definition, {"items": [1, 2, 3]}, context)
        self.between, self.random, self.ids, self.now = between, random.Random(1), 0, 0.0
        self.timers, self.calls, self.gone = [], [], set()
        self.tell([Start()])
        while self.execution.status == "RUNNING":
            self.go_on()

    def new_id(self):
        self.ids += 1
        return f"id{self.ids}"

    def tell(self, inputs):
        self.execution = self.between(self.execution)
        for effect in step(self.execution, inputs, Outside(self.now, self.random, self.new_id)):
            if isinstance(effect, SetTimer):
                heapq.heappush(self.timers, (effect.at, effect.id))
            elif isinstance(effect, Call):
                self.calls.append(effect)
            elif isinstance(effect, Cancel):
                self.gone.add(effect.id)

    def go_on(self):
        waiting = [call for call in self.calls if call.id not in self.gone]
        if waiting and self.random.random() < 0.8:
            call = self.random.choice(waiting)
            self.calls.remove(call)
            odd = self.random.random() < 0.3
            self.tell([Failed(call.id, "Odd", "by chance") if odd else Succeeded(call.id, {"ok": 1})])
            return
        due = []
        self.now = self.timers[0][0]
        while self.timers and self.timers[0][0] <= self.now:
            due.append(Due(heapq.heappop(self.timers)[1]))
        self.tell([timer for timer in due if timer.id not in self.gone])


@given(MACHINES)
@settings(max_examples=150)
def test_a_pickled_execution_goes_on(definition):
    """Its history and its end are the same, wherever it was pickled, and the copy shares nothing with it."""
    assert not [it for it in diagnostics(json.dumps(definition)) if it.severity == "ERROR"]
    straight = World(definition, lambda execution: execution).execution
    pickled = World(definition, lambda execution: pickle.loads(pickle.dumps(execution))).execution
    assert pickled.history == straight.history
    assert pickled == straight
    assert straight.history[-1]["type"] in {"ExecutionSucceeded", "ExecutionFailed"}


@given(MACHINES)
@settings(max_examples=50)
def test_an_execution_waits_for_nothing_at_its_end(definition):
    """Whatever it had set or called is cancelled or has come; and each event follows an earlier one."""
    world = World(definition, copy.deepcopy)
    assert not world.execution.frames
    for event in world.execution.history:
        assert 0 <= event["previousEventId"] < event["id"]


def test_two_executions_that_were_told_the_same_are_equal():
    """Executions can be compared."""
    definition = sequence([{"Type": "Wait", "Seconds": 1}])
    context = {"Execution": {"Id": f"{ARN}:execution:m:x"}, "StateMachine": {"Id": f"{ARN}:stateMachine:m"}}
    one, two = (Execution(definition, {}, copy.deepcopy(context)) for _ in range(2))
    for execution in (one, two):
        step(execution, [Start()], Outside(new_id=lambda: "timer"))
    assert one == two
    step(two, [Due("timer")], Outside(now=1.0))
    assert one != two


@pytest.mark.parametrize("message", [Due("unknown"), Succeeded("unknown", 1), Failed("unknown", "E")])
def test_what_nobody_waits_for_changes_nothing(message):
    """A late answer or an old timer is no error."""
    definition = sequence([{"Type": "Wait", "Seconds": 1}])
    context = {"Execution": {"Id": f"{ARN}:execution:m:x"}, "StateMachine": {"Id": f"{ARN}:stateMachine:m"}}
    execution = Execution(definition, {}, context)
    step(execution, [Start()], Outside(new_id=lambda: "timer"))
    before = copy.deepcopy(execution)
    assert step(execution, [message], Outside(now=1.0)) == []
    assert execution == before
