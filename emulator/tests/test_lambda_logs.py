import base64
import os
import re
import threading
from pathlib import Path

import pytest
from helpers import wait_until

SAYS = "def lambda_handler(event, context): print(event['say'])"


def tail(function, event=None):
    return base64.b64decode(function.raw(event, LogType="Tail")["LogResult"]).decode()


def test_the_tail_has_lambdas_own_lines(function):
    """The log has Lambda's lines START, END and REPORT around the output."""
    log = tail(function(SAYS), {"say": "hello"})
    identity = "[0-9a-f-]{36}"
    assert re.fullmatch(
        rf"START RequestId: {identity} Version: \$LATEST\nhello\nEND RequestId: {identity}\n"
        rf"REPORT RequestId: {identity}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n",
        log,
    )


def test_only_a_cold_call_reports_its_start(function):
    """Only the report of the first call has an Init Duration, which AWS bills."""
    mine = function("import time\ntime.sleep(0.1)\n" + SAYS)
    cold, warm = (
        dict(re.findall(r"(\w+) Duration: ([\d.]+) ms", tail(mine, {"say": 1}).replace("\tD", "\tRun D")))
        for _ in range(2)
    )
    assert float(cold["Init"]) >= 100
    assert int(cold["Billed"]) == pytest.approx(float(cold["Run"]) + float(cold["Init"]), abs=1.01)
    assert "Init" not in warm
    assert int(warm["Billed"]) == pytest.approx(float(warm["Run"]), abs=1.01)


def test_the_tail_is_the_last_4_kb(function):
    """LogResult has only the last 4 KB of the log."""
    assert len(tail(function(SAYS), {"say": "x" * 10_000})) == 4096


def test_each_call_has_its_own_output(function):
    """What one call printed is not in the next one's log."""
    mine = function(SAYS)
    assert "first" in tail(mine, {"say": "first"})
    assert "first" not in tail(mine, {"say": "second"})


def test_an_error_is_in_the_log(function):
    """The log has the traceback as AWS's runtime client writes it."""
    assert "[ERROR] KeyError: 'say'" in tail(function(SAYS))


def test_a_time_out_is_in_the_log(function):
    """The last line of the log says that the function timed out."""

    def lambda_handler(event, context):
        import time

        print("before")
        time.sleep(9)

    log = tail(function(lambda_handler, Timeout=1))
    assert "before" in log
    assert "Task timed out after 1.00 seconds" in log


def test_logging_goes_to_the_log(function):
    """The logging module works as on AWS, with level and request id."""

    def lambda_handler(event, context):
        import logging

        logging.getLogger().warning("careful")

    assert re.search(r"\[WARNING\]\t\S+Z\t[0-9a-f-]{36}\tcareful", tail(function(lambda_handler)))


def test_without_asking_there_is_no_tail(function):
    """LogResult comes only with LogType=Tail."""
    assert "LogResult" not in function(SAYS).raw({"say": 1})


def test_cloudwatch_has_it_at_once(function, aws):
    """A reader does not notice that logs are written in the background."""
    mine = function(SAYS)
    for number in range(5):
        mine({"say": f"line {number}"})
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{mine.name}")["events"]
    said = [event["message"] for event in events if event["message"].startswith("line")]
    assert said == [f"line {number}\n" for number in range(5)]


def test_a_worker_has_a_stream(function, aws):
    """Its name is the one that the function sees."""
    mine = function("def lambda_handler(event, context): return context.log_stream_name")
    stream = mine()
    streams = aws("logs").describe_log_streams(logGroupName=f"/aws/lambda/{mine.name}")["logStreams"]
    assert [each["logStreamName"] for each in streams] == [stream]


def test_a_log_group_that_was_deleted_comes_back_with_the_next_call(function, aws):
    """As on AWS: whoever deletes functions deletes their groups last."""
    mine = function(SAYS)
    mine({"say": "one"})
    group = f"/aws/lambda/{mine.name}"
    aws("logs").delete_log_group(logGroupName=group)
    mine({"say": "two"})
    events = aws("logs").filter_log_events(logGroupName=group)["events"]
    assert "two\n" in [event["message"] for event in events]


def test_a_deleted_function_does_not_bring_its_log_group_back(gated, aws):
    """A call that outlives its function writes nothing: who deleted both finds nothing left."""
    mine = gated()
    mine.open()
    mine()
    mine.close()
    call = threading.Thread(target=mine)
    call.start()
    mine.begun(2)
    mine.client.delete_function(FunctionName=mine.name)
    group = f"/aws/lambda/{mine.name}"
    aws("logs").delete_log_group(logGroupName=group)
    mine.open()
    call.join()
    assert aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_the_log_outlives_the_function(function, aws):
    """What a function printed just before it was deleted can still be read."""
    mine = function(SAYS)
    mine({"say": "goodbye"})
    mine.client.delete_function(FunctionName=mine.name)
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{mine.name}")["events"]
    assert "goodbye\n" in [event["message"] for event in events]


def floods(event, context):
    """The handler of a function that prints some MB."""
    import sys

    print("first")
    for _ in range(event["mb"]):
        sys.stdout.write(("x" * 1023 + "\n") * 1024)
    print("last")


def test_a_flood_is_cut(function, aws):
    """The first and the last lines of a call's output are kept, and the log says that lines are missing."""
    mine = function(floods, Timeout=60)
    assert re.search(r"\nlast\nEND RequestId", tail(mine, {"mb": 40}))
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{mine.name}")["events"]
    messages = [event["message"] for event in events]
    assert messages[1] == "first\n"
    assert "last\n" in messages
    assert sum(map(len, messages)) < 2 << 20
    assert [message for message in messages if "keeps the first and the last" in message]


def test_many_short_lines_are_cut(function, aws):
    """Each line is an event. Of a call, a bounded number is kept."""
    mine = function("def lambda_handler(event, context): print('x\\n' * 100_000)", Timeout=60)
    mine()
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{mine.name}")["events"]
    assert len(events) < 10_000
    assert [event for event in events if "keeps the first and the last" in event["message"]]


def test_what_is_printed_between_calls_does_not_fill_the_disk(emulator, function, tmp_path):
    """A thread may print after its call. The file is emptied when it is long, though no call runs."""

    def lambda_handler(event, context):
        import os
        import threading
        import time
        from pathlib import Path

        def flood():
            time.sleep(0.5)
            for _ in range(40):
                os.write(1, (b"x" * 1023 + b"\n") * 1024)
            Path(event).touch()

        threading.Thread(target=flood).start()
        return os.fstat(1).st_ino

    done = tmp_path / "done"
    number = function(lambda_handler)(str(done))
    with os.scandir(Path(emulator["folder"], "output")) as files:
        mine = next(Path(each.path) for each in files if each.inode() == number)
    wait_until(done.exists)
    wait_until(lambda: mine.stat().st_size < 10 << 20)


def test_after_a_flood_the_next_call_is_whole(function):
    """Only the call that printed too much is cut."""
    mine = function(floods, Timeout=60)
    mine({"mb": 40})
    assert "keeps the first" not in tail(mine, {"mb": 0})
