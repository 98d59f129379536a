import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
from helpers import module, wait_until

COUNTER = module("counter")


def test_module_globals_survive_between_warm_calls(function):
    """The same process runs the next call."""
    counter = function(COUNTER)
    first, second = counter(), counter()
    assert (first[0], second[0]) == (1, 2)
    assert first[1] == second[1]


def test_an_update_of_the_code_starts_cold(function, zipped):
    """Module globals do not survive an update of the code."""
    counter = function(COUNTER)
    counter()
    code = zipped(lambda_function=COUNTER + "# changed")
    counter.client.update_function_code(FunctionName=counter.name, ZipFile=code)
    assert counter()[0] == 1


def test_an_update_of_the_configuration_starts_cold(function):
    """Module globals do not survive an update of the configuration, and its variables are new."""
    counter = function(COUNTER)
    assert counter()[2] is None
    counter.client.update_function_configuration(
        FunctionName=counter.name, Environment={"Variables": {"X": "1"}}
    )
    n, _, x = counter()
    assert (n, x) == (1, "1")


def test_two_calls_at_once_run_in_two_workers(gated):
    """A worker has one call at a time."""
    both = gated(COUNTER)
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(both) for _ in range(2)]
        both.begun(2)
        both.open()
    results = [call.result() for call in calls]
    assert [n for n, _, _ in results] == [1, 1]
    assert len({pid for _, pid, _ in results}) == 2


def test_more_functions_than_workers_take_turns(function):
    """With more calls than workers allowed, all are served, and idle workers of others make room."""
    functions = [function(COUNTER, Timeout=30) for _ in range(20)]
    calls = iter(functions)
    lock = threading.Lock()

    def call():
        with lock:
            mine = next(calls)
        return mine({"seconds": 0.05})

    assert [n for n, _, _ in at_once(call, 20)] == [1] * 20


def test_sleeping_calls_of_one_function_do_not_stop_another(function, gated):
    """Another function is answered while one sleeps that has more calls than there are workers."""
    sleeper = gated()
    for _ in range(100):
        sleeper.raw(InvocationType="Event")
    sleeper.begun(5)
    assert function(COUNTER)()[0] == 1
    assert sleeper.calls() < 100
    sleeper.open()
    sleeper.begun(100)


def test_a_function_may_call_another(function):
    """A nested call gets a worker also when all are taken."""

    def lambda_handler(event, context):
        import json
        import time

        import boto3

        time.sleep(1)
        reply = boto3.client("lambda").invoke(FunctionName=event)
        return json.loads(reply["Payload"].read())

    inner = function("def lambda_handler(event, context): return 'inner'")
    outer = function(lambda_handler, Timeout=60)
    assert at_once(lambda: outer(inner.name), 17) == ["inner"] * 17


def test_a_deleted_function_has_no_worker(function):
    """Deleting a function ends its processes."""
    counter = function(COUNTER)
    _, pid, _ = counter()
    counter.client.delete_function(FunctionName=counter.name)
    assert ended(pid)


def test_a_function_made_again_starts_cold(function):
    """A new function of the same name has nothing of the old one."""
    counter = function(COUNTER)
    counter()
    counter.client.delete_function(FunctionName=counter.name)
    assert function(COUNTER, FunctionName=counter.name)()[0] == 1


def test_same_named_modules_are_separate(function):
    """Two functions whose files have the same name do not see each other's."""
    one = function("value = 1\ndef lambda_handler(event, context): return value")
    two = function("value = 2\ndef lambda_handler(event, context): return value")
    assert [one(), two(), one(), two()] == [1, 2, 1, 2]


def test_a_module_that_the_function_brings_goes_first(function, zipped):
    """A package in the zip is used in place of the runtime's."""
    code = zipped(lambda_function="import six\ndef lambda_handler(e, c): return six.mine", six="mine = True")
    assert function(code)() is True


def test_a_time_out_ends_the_handlers_children(function):
    """What a handler started does not outlive it."""

    def lambda_handler(event, context):
        import subprocess
        import time

        child = subprocess.Popen(["sleep", "60"])
        print("child", child.pid)
        time.sleep(60)

    reply = function(lambda_handler, Timeout=1).raw(LogType="Tail")
    log = base64.b64decode(reply["LogResult"]).decode()
    assert ended(int(log.split("child ")[1].split()[0]))


def at_once(call, number):
    results = []
    threads = [threading.Thread(target=lambda: results.append(call())) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def ended(pid):
    """Wait until a process has ended."""

    def has_ended():
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_until(has_ended)
    return True


def test_results_are_json(function):
    """A plain value is JSON on the wire."""
    assert json.loads(function("def lambda_handler(e, c): return None").raw()["Payload"].read()) is None
