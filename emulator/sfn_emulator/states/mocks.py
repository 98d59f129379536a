"""Answer Tasks in the place of their services: what `Emulator.mock` says, or a test case of a file.

The file that ``SFN_MOCK_CONFIG`` names has Step Functions Local's format:

    {"StateMachines": {MACHINE: {"TestCases": {TEST_CASE: {STATE: RESPONSE}}}},
     "MockedResponses": {RESPONSE: {"0": {"Throw": {"Error": NAME, "Cause": TEXT}},
                                    "1-2": {"Return": VALUE}}}}

``#TEST_CASE`` behind the machine's ARN chooses a test case when an execution starts. The numbers are those of
the calls of a state in an execution, from 0 on. Retries, rounds of a loop, iterations and children of Maps
count, too. A call without an answer fails the execution. A state without a response calls its service.

See https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
"""

import json
import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sfn_emulator.errors import EmulatorError
from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply
from sfn_emulator.process.environment import MOCK_CONFIG
from sfn_emulator.translation import _
from states_language.execution import Answered, Call, Failed, Input, Json, Submitted, Succeeded
from states_language.failures import RUNTIME
from states_language.tasks import kind_of

if TYPE_CHECKING:
    from sfn_emulator.states.run import Run

_FORM: Final = '{"Return": VALUE} or {"Throw": {"Error": NAME, "Cause": TEXT}}'
_NUMBERS: Final = re.compile(r"\s*(\d{1,9})\s*(?:-\s*(\d{1,9})\s*)?", re.ASCII)
_MACHINE: Final = re.compile(r"(arn:[\w-]+:states:[\w-]+:\d+:stateMachine:)?[^:#/]+")
#: What the reply of Lambda's Invoke has. The result of a Task with a function's ARN is only the Payload.
_INVOKED: Final = {
    "ExecutedVersion", "LogResult", "Payload", "SdkHttpMetadata", "SdkResponseMetadata", "StatusCode",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to the calls of a Task.

    Args:
        name: What has them, such as ``"The mocked response 'Paid'"``.
        ranges: The number of the first and of the last call that gets an answer, and the answer.
    """

    name: str
    ranges: Sequence[tuple[int, float, Json]]

    def told(self, call: Call, number: int) -> Sequence[Input]:
        """What an execution is told for a call. A job, a worker or a token answers at once."""
        found = [answer for first, last, answer in self.ranges if first <= number <= last]
        if not found:
            reason = f"{self.name} has no answer for call {number} of the state. The first call is number 0."
            return [Failed(call.id, RUNTIME, reason)]
        if not _is_answer(answer := found[0]):
            reason = f"{self.name} has a wrong answer for call {number} of the state. Write {_FORM}."
            return [Failed(call.id, RUNTIME, reason)]
        value, error = answer.get("Return"), answer.get("Throw", {})
        outcome = error.get("Error"), error.get("Cause")
        kind = kind_of(call.resource)
        if kind == "Activity":
            worker = Submitted(call.id, {"workerName": "mock"})
            return [worker, Answered(str(call.token), value, *outcome, is_failure=bool(error))]
        if error:
            return [Failed(call.id, *outcome)]
        if kind == "LambdaFunction" and isinstance(value, dict):
            value = value["Payload"] if {"Payload", "StatusCode"} <= value.keys() <= _INVOKED else value
        if call.token:
            return [Succeeded(call.id, value), Answered(call.token, value)]
        return [*([Submitted(call.id, value)] if ".sync" in call.resource else []), Succeeded(call.id, value)]


def _is_answer(given: Json) -> bool:
    """Whether this has the form of an answer."""
    try:
        json.dumps(given, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    fields = given.keys() if isinstance(given, dict) else ()
    error = given["Throw"] if fields == {"Throw"} else {}
    known = isinstance(error, dict) and {"Error"} <= error.keys() <= {"Error", "Cause"}
    return fields == {"Return"} or (known and all(isinstance(text, str) for text in error.values()))


@dataclass(frozen=True)
class MockFile:
    """What a file in Step Functions Local's format says.

    Attributes:
        path: The file.
        cases: By machine and test case: the names of the responses, by states.
        responses: The answers of each response, by numbers and ranges.
    """

    path: str
    cases: Mapping[str, Mapping[str, Mapping[str, str]]]
    responses: Mapping[str, Mapping[str, Json]]

    @classmethod
    def read(cls, path: Path) -> "MockFile":
        """Read a file.

        Raises:
            EmulatorError: It cannot be read, or it has another format.
        """
        try:
            return cls.of(path.read_text("utf-8-sig"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
            what = _("it cannot be read ({reason})", reason=reason)
            raise EmulatorError(str(path), what, _("Set {name} to another file", name=MOCK_CONFIG)) from error

    @classmethod
    def of(cls, text: str, path: str) -> "MockFile":
        """What the text of a file says.

        Raises:
            EmulatorError: It has another format.
        """

        def part(value: Json, *place: str, kind: type = dict) -> Any:
            if not isinstance(value, kind):
                what = _("{place} is missing, or has a wrong type", place=".".join(place) or "{...}")
                raise EmulatorError(path, what, _("Write the file as Step Functions Local reads it"))
            return value

        try:
            given = part(json.loads(text, parse_constant=_refuse))
        except (ValueError, RecursionError) as error:
            what = _("it is not JSON ({reason})", reason=error)
            raise EmulatorError(path, what, _("Correct it")) from error
        cases, responses = {}, part(given.get("MockedResponses"), "MockedResponses")
        for name, answers in responses.items():
            part(answers, "MockedResponses", name)
        for name, machine in part(given.get("StateMachines"), "StateMachines").items():
            place = ("StateMachines", name, "TestCases")
            cases[name] = part(part(machine, *place[:2]).get("TestCases"), *place)
            for case, states in cases[name].items():
                for state, response in part(states, *place, case).items():
                    part(response, *place, case, state, kind=str)
        return cls(path, cases, responses)

    def answers(self, machine: str, case: str) -> Mapping[str, Answers]:
        """The answers in a test case of a machine, by states.

        Raises:
            EmulatorError: There is no such test case, or its responses are not there or have wrong numbers.
        """
        cases = self.cases.get(machine, {})
        if case not in cases:
            what = _("the state machine {machine!r} has no test case {case!r}", machine=machine, case=case)
            next_step = _("Choose one of these: {names}", names=", ".join(map(repr, cases)))
            raise EmulatorError(self.path, what, next_step if cases else _("Add it"))
        return {state: self._answers(name) for state, name in cases[case].items()}

    def _answers(self, name: str) -> Answers:
        if name not in self.responses:
            raise EmulatorError(self.path, _("MockedResponses has no {name!r}", name=name), _("Add it"))
        ranges = list[tuple[int, float, Json]]()
        for key, answer in self.responses[name].items():
            found = _NUMBERS.fullmatch(key)
            first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
            if first > last or any(first <= end and begin <= last for begin, end, _answer in ranges):
                what = _("{key!r} in MockedResponses.{name} does not number calls", key=key, name=name)
                next_step = _('Write numbers and ranges, such as "0" and "1-2", and each number once')
                raise EmulatorError(self.path, what, next_step)
            ranges.append((first, last, answer))
        return Answers(f"The mocked response '{name}'", ranges)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


class Mocks:
    """The mocks of one emulator.

    Args:
        path: The file with test cases; None if there is none. It is read at each start of a test case.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._answers: dict[tuple[str, str], Answers] = {}
        self._counting = threading.Lock()

    def test_case(self, machine: str, case: str) -> Mapping[str, Answers]:
        """The answers in a test case of the file, by states.

        Raises:
            RefusalError: There is no such test case, or the file is wrong.
        """
        try:
            if self._path is None:
                what = _("it is not set, so there is no test case {case!r}", case=case)
                raise EmulatorError(MOCK_CONFIG, what, _("Set it to a file with test cases"))
            return MockFile.read(self._path).answers(machine, case)
        except EmulatorError as error:
            raise RefusalError("ValidationException", str(error)) from error

    def answer(self, run: "Run", call: Call) -> Sequence[Input] | None:
        """What an execution is told instead of a service's reply; None if the Task has no mock."""
        root, frame = run, run.waiting_for(call.id)
        if frame is None or frame.state["Type"] != "Task":  # a Map reads its items
            return None
        while root.parent:
            root = root.parent[0]
        arn, cases = root.started.arn, root.started.test_case
        machines = (arn, arn.rpartition(":")[2])
        found = [self._answers.get((machine, call.state)) for machine in machines]
        if (answers := found[0] or found[1] or cases.get(call.state)) is None:
            return None
        with self._counting:
            number = root.mocked.get(answers, 0)
            root.mocked[answers] = number + 1
        return answers.told(call, number)

    def change(self, request: Request, tasks_of: Callable[[str], list[str] | None]) -> Reply:
        """Set or remove a mock.

        Args:
            request: ``{"machine": NAME or ARN, "state": NAME, "answers": [ANSWER, ...]}``. Each call gets the
                next answer, and all further calls get the last. Null removes the mock.
            tasks_of: The names of a machine's Tasks; None if the machine is not there yet.

        Returns:
            ``{}``; or the status 400 with a sentence (``message``) and its parts (``error``).
        """
        try:
            self._change(request.json, tasks_of)
        except EmulatorError as error:
            return json_reply({"message": str(error), "error": error.args}, 400)
        except MalformedRequestError as error:
            told = EmulatorError("answers", str(error), _("Give JSON"))
            return json_reply({"message": str(told), "error": told.args}, 400)
        return json_reply({})

    def _change(self, given: Mapping[str, Json], tasks_of: Callable[[str], list[str] | None]) -> None:
        machine, state, answers = given.get("machine"), given.get("state"), given.get("answers")
        if not isinstance(machine, str) or not _MACHINE.fullmatch(machine):
            what = _("{machine!r} is no name or ARN of a state machine", machine=machine)
            raise EmulatorError("machine", what, _("Give one without a version, an alias or a test case"))
        tasks = tasks_of(machine)
        if not isinstance(state, str) or (tasks is not None and state not in tasks):
            what = _("{machine!r} has no Task {state!r}", machine=machine, state=state)
            next_step = _("Choose one of these: {names}", names=", ".join(map(repr, tasks or ())))
            raise EmulatorError("state", what, next_step if tasks else _("Give the name of a Task"))
        if answers is None:
            self._answers.pop((machine, state), None)
            return
        if not isinstance(answers, list) or not answers:
            what = _("{answers!r} is no list of answers", answers=answers)
            raise EmulatorError("answers", what, _("Give an answer for each call"))
        if wrong := [answer for answer in answers if not _is_answer(answer)]:
            what = _("{answer!r} is no answer", answer=wrong[0])
            raise EmulatorError("answers", what, _("Write {form}", form=_FORM))
        last = len(answers) - 1
        ranges = [(each, each if each < last else math.inf, answer) for each, answer in enumerate(answers)]
        self._answers[machine, state] = Answers(f"The mock of '{state}'", ranges)

    def reset(self) -> None:
        """Forget what `change` has set."""
        self._answers.clear()
