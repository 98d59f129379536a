"""What executions hold is bounded and given back. Each load runs alone, in an emulator of its own.

These tests are long, because each load takes from some seconds to a minute. The client is this process.
"""

import contextlib
import random
import string
import threading
import time

import psutil
import pytest
from helpers import Machine, Own, emulator_in, one, wait_until

pytestmark = pytest.mark.long
MB = 1 << 20
TEXT = "x" * 200_000
WAIT = one({"Type": "Wait", "Seconds": 3600}, name="Wait")
PASS = one({"Type": "Pass"}, name="Work")
MAP = one(
    {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}} | PASS,
    },
    name="Map",
)


def loop(**work):
    """An endless loop of Pass and Choice."""
    choice = {"Variable": "$.count", "NumericGreaterThanEquals": 0, "Next": "Work"}
    states = {
        "Work": {"Type": "Pass", "Next": "Again"} | work,
        "Again": {"Type": "Choice", "Choices": [choice], "Default": "End"},
        "End": {"Type": "Succeed"},
    }
    return {"StartAt": "Work", "States": states}


class Watched:
    """An emulator, and its memory in bytes."""

    def __init__(self, told, home):
        self.own, self.home = Own(told), home
        self.process, self._over = psutil.Process(told["pid"]), threading.Event()
        for service in ("sns", "stepfunctions", "logs"):
            self.own(service)
        wait_until(self._is_warm)
        self.before = self.peak = self.memory()

    def memory(self):
        return self.process.memory_info().rss

    def _is_warm(self):
        """Whether the modules that it loads at its start are there."""
        before = self.memory()
        time.sleep(1)
        return self.memory() == before

    @contextlib.contextmanager
    def watching(self):
        thread = threading.Thread(target=self._sample)
        thread.start()
        yield
        self._over.set()
        thread.join()

    def _sample(self):
        while not self._over.wait(0.02):
            self.peak = max(self.peak, self.memory())

    def files(self):
        return [*self.home.glob("*/*/histories/*")]


@pytest.fixture
def watched(tmp_path):
    with emulator_in(tmp_path, clock="machine") as told:
        yield Watched(told, tmp_path)


def wait_for_end(machine, arns, seconds):
    """Wait until all executions have ended, at most for a time."""
    deadline, running = time.monotonic() + seconds, set(arns)
    while running and time.monotonic() < deadline:
        status = {arn: machine.client.describe_execution(executionArn=arn)["status"] for arn in running}
        running = {arn for arn in running if status[arn] == "RUNNING"}
        time.sleep(0.5)
    return running


#: The definition, the inputs, for how many seconds it is watched, and the status of the executions then.
LOADS = {
    "a loop": (loop(), [{"count": 1, "text": TEXT}], 400, "FAILED"),
    "ten loops": (loop(), [{"count": 1, "text": f"{number}{TEXT}"} for number in range(10)], 45, "RUNNING"),
    "1,000 waiting executions": (WAIT, [{}] * 1000, 5, "RUNNING"),
    "1,000 waiting executions of 200 KB": (WAIT, [{"text": TEXT}] * 1000, 5, "RUNNING"),
    "a Map of 10,000 items": (MAP, [{"items": [*range(10_000)]}], 300, "SUCCEEDED"),
    "25,000 events of 200 KB": (
        loop(Parameters={"count.$": "States.MathAdd($.count, 1)", "text.$": "$.text"}),
        [{"count": 1, "text": "".join(random.Random(1).choices(string.ascii_letters, k=200_000))}],
        600,
        "FAILED",
    ),
}


@pytest.mark.parametrize("load", LOADS)
def test_memory_is_bounded_and_given_back(watched, load, record_property):
    """The emulator needs less than 600 MB.

    When the machine is deleted, the emulator gives the memory back to the system, and removes the files.
    """
    definition, inputs, seconds, status = LOADS[load]
    began = time.monotonic()
    with watched.watching():
        machine = Machine(watched.own("stepfunctions"), definition)
        arns = [machine.start(each) for each in inputs]
        wait_for_end(machine, arns, seconds)
        took = time.monotonic() - began
    told = machine.client.describe_execution(executionArn=arns[-1])
    assert told["status"] == status, told.get("cause")
    machine.client.delete_state_machine(stateMachineArn=machine.arn)
    wait_until(lambda: watched.memory() < watched.before + 50 * MB)
    wait_until(lambda: not watched.files())
    figures = {
        "seconds": round(took),
        "MB before": watched.before // MB,
        "MB peak": watched.peak // MB,
        "MB after": watched.memory() // MB,
    }
    record_property(load, figures)
    print(load, figures)
    assert watched.peak < 600 * MB


def test_the_largest_execution_fails(watched):
    """If the running executions hold too much, the largest one fails. The others go on."""
    states = watched.own("stepfunctions")
    item = one({"Type": "Pass", "Output": "{% [1..30000] %}"}, "P")
    large = {"Type": "Map", "Items": "{% [1..4000] %}", "ItemProcessor": item, "End": True}
    machine = Machine(states, {"QueryLanguage": "JSONata", "StartAt": "Map", "States": {"Map": large}})
    others = Machine(states, WAIT)
    other = others.start({"text": TEXT})
    with watched.watching():
        arn = machine.start()
        wait_until(lambda: machine.told(arn)["status"] != "RUNNING")
    told = machine.told(arn)
    assert (told["status"], told["error"]) == ("FAILED", "Emulator.LimitExceeded")
    assert told["cause"].startswith("All executions together may hold 300 MB in memory. This one held")
    last = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)["events"][0]
    assert last["executionFailedEventDetails"] == {name: told[name] for name in ("error", "cause")}
    assert others.client.describe_execution(executionArn=other)["status"] == "RUNNING"
    assert watched.peak < 600 * MB
    others.client.delete_state_machine(stateMachineArn=machine.arn)
    wait_until(lambda: watched.memory() < watched.before + 50 * MB)
