"""The workbench: a file with a definition is drawn, checked and run at each save."""

import json
import os
import threading

import pytest
from patience import SECONDS
from unit.history.histories import history

from lottery_lib.definition import load
from lottery_lib.errors import LotteryError
from lottery_lib.history import details_of
from lottery_lib.view.workbench import WorkbenchWidget
from lottery_lib.widgets import Workbench

REAL = "aws_lambda_retry_caught"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lottery.asl.json"
    path.write_text(load(), encoding="utf-8")
    return path


@pytest.fixture
def bench(file):
    """A workbench whose thread is the test: `work(bench)` looks at the file and does what was wished."""
    return WorkbenchWidget(file, watch=False)


@pytest.fixture
def real(bench):
    """The same, with the answers of a real draw, after a run."""
    bench.take(history(REAL))
    bench.run()
    return bench


def save(file, text):
    """Write a file as an editor does, and later than before, however coarse the clock of the disk is."""
    then = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(then + 1_000_000, then + 1_000_000))


def faults(bench):
    return [(line, message, state) for line, message, _, state, _ in bench.bench["faults"]]


def work(bench):
    """What its threads do."""
    bench.look()
    bench.work()


def tab(bench, title):
    return next(each for each in bench.details["tabs"] if each["title"] == title)


def test_at_first_it_says_how_it_works(bench):
    """The graph, no fault although placeholders are open, each Task without an answer, and what to do."""
    assert bench.states[0] == "Input Lottery Winners"
    assert (bench.bench["faults"], bench.bench["problem"], bench.header) == ([], "", {})
    assert len(bench.bench["tasks"]) == 5
    assert "Press Run" in " ".join(tab(bench, "How it works")["lines"])


def test_a_run_with_the_answers_of_a_draw(real):
    """It does what the draw did, and says that its time is virtual."""
    assert (real.header["status"], real.header["name"]) == ("failed", "in virtual time")
    assert real.statuses["Random Select Winners"] == "caught"
    assert real.data == details_of(history(REAL)[0])["input"]
    assert real.bench["problem"] == ""


def test_a_run_without_answers_says_which_one_is_missing(bench):
    """The state runs in the graph, and the sentence names it."""
    bench.run()
    assert bench.bench["problem"] == "Input Lottery Winners has no answer yet: write it in the table below."
    assert (bench.bench["open"], bench.statuses) == (
        "Input Lottery Winners",
        {"Input Lottery Winners": "running"},
    )


def test_each_save_is_drawn_and_run(real, file):
    """After the first run. What was chosen stays chosen."""
    real.chosen = "Failed"
    save(file, load().replace('"Type": "Fail"', '"Type": "Succeed"'))
    work(real)
    assert (real.header["status"], real.chosen) == ("succeeded", "Failed")


def test_before_the_first_run_a_save_is_only_drawn(bench, file):
    save(file, '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}')
    work(bench)
    assert (bench.states, bench.header) == (["A"], {})


def test_another_answer_is_run_at_once(real):
    """As soon as somebody has written it; so is another input."""
    real.answers = real.answers | {"Random Select Winners": [{"text": "No: never", "fails": True}]}
    work(real)
    real.chosen = "Random Select Winners"
    assert real.details["error"] == ["No: never"]
    real.data = '{"input": 9}'
    work(real)
    real.chosen = ""
    assert tab(real, "Input")["value"] == '{"input":9}'


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            '"MaxAttempts": 2',
            '"MaxTries": 2',
            (20, "Field 'MaxTries' is not supported", "Random Select Winners"),
        ),
        ('"StartAt": "Notify Winners",', '"StartAt": "Notify Winners"', (46, "Expecting ',' delimiter", "")),
        (
            '"Next": "Validate Winners"',
            '"Next": "Gone"',
            (21, "Missing 'Next' target: Gone", "Random Select Winners"),
        ),
    ],
)
def test_a_fault_stands_at_its_line(real, file, old, new, fault):
    """AWS's sentence, the line and the state. Nothing is run. A graph of an older file is marked."""
    save(file, load().replace(old, new, 1))
    work(real)
    line, words, state = fault
    assert any(at == line and words in message and of == state for at, message, of in faults(real))
    assert real.header.get("status", "failed") == "failed"
    assert real.bench["stale"] == ("MaxTries" not in new)


@pytest.mark.parametrize(
    "half", [load()[:900], "", "7", '{"States": 3, "StartAt": []}', '{"StartAt": "A", "States": {"A": 1}}']
)
def test_half_a_file_keeps_the_last_graph(real, file, half):
    """Whatever stands in it, the last good graph stays, and is marked; a good save shows the new one."""
    save(file, half)
    work(real)
    assert real.bench["stale"]
    assert "cannot be drawn" in real.bench["problem"]
    assert real.states[0] == "Input Lottery Winners"
    save(file, load())
    work(real)
    assert (real.bench["stale"], real.bench["problem"]) == (False, "")


def test_a_file_that_goes_and_comes_back(real, file):
    """A deleted or renamed file is a sentence, and the graph stays."""
    kept = file.rename(file.with_name("other.json"))
    work(real)
    assert "lottery.asl.json cannot be read (No such file or directory)." in real.bench["problem"]
    assert (real.bench["stale"], real.states[0]) == (True, "Input Lottery Winners")
    kept.rename(file)
    work(real)
    assert (real.bench["stale"], real.bench["problem"]) == (False, "")


def test_a_file_that_is_not_there_yet(tmp_path):
    """It is shown when it comes."""
    bench = WorkbenchWidget(tmp_path / "new.json", watch=False)
    assert "cannot be read" in bench.bench["problem"]
    bench.run()
    (tmp_path / "new.json").write_text(load(), encoding="utf-8")
    work(bench)
    assert bench.states[0] == "Input Lottery Winners"


def test_a_file_begins_with_what_the_lesson_gives(tmp_path):
    """A new file holds the text, or the copied file, that it begins with. An old one stays."""
    file, other = tmp_path / "mine.asl.json", tmp_path / "other.asl.json"
    for path, begin in ((file, load()), (other, file), (other, "{}")):
        Workbench(path, begin=begin).leave()
        assert path.read_text(encoding="utf-8") == load()


def test_from_event_to_event(real):
    """The graph shows what had happened by then, the slider names the event, and the timeline stays."""
    assert real.at == real.bench["count"] == len(history(REAL))
    real.at = 3
    assert real.statuses == {"Input Lottery Winners": "running"}
    assert real.bench["event"] == ["LambdaFunctionScheduled", "Input Lottery Winners"]
    assert (real.header["status"], real.below["tabs"][0]["title"]) == ("running", "Timeline")
    real.at = real.bench["count"]
    assert real.header["status"] == "failed"


def test_a_chosen_state_is_tested_alone(real, file):
    """With the input that it had, as the file has it now. A state that was not entered has no such tab."""
    real.chosen = "Is Winner In Past Draw"
    work(real)
    assert [each["title"] for each in real.details["tabs"]] == ["Definition"]
    real.chosen = "Input Lottery Winners"
    work(real)
    assert json.loads(tab(real, "Alone")["value"])["nextState"] == "Random Select Winners"
    save(file, load().replace('"ResultPath": "$",', '"ResultPath": "$.more",', 1))
    work(real)
    assert "more" in json.loads(tab(real, "Alone")["value"])["output"]


def test_a_parallel_alone_gets_what_its_states_gave(bench):
    """As TestState needs a result for it."""
    bench.take(history("aws_draw_with_loop_and_timeout"))
    bench.run()
    bench.chosen = "Send SNS and Record In Dynamodb"
    work(bench)
    assert json.loads(tab(bench, "Alone")["value"])["status"] == "SUCCEEDED"


def test_a_wait_says_how_long_it_would_take(bench, file):
    """On AWS, somebody would wait."""
    save(file, '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5400, "End": true}}}')
    work(bench)
    bench.run()
    bench.chosen = "A"
    assert tab(bench, "Input")["lines"] == ["On AWS, it would wait 1:30:00."]
    assert ["Duration", "1:30:00"] in bench.header["facts"]


def test_what_the_tasks_get(real):
    """The table shows what each Task was called with."""
    gets = dict(real.bench["tasks"])
    assert gets["Input Lottery Winners"] == real.data
    assert gets["Notify Winners"] == ""


def test_a_button_takes_the_answers(bench):
    """Of the latest draw, where there is one; why it cannot, in a sentence."""

    def refuse():
        raise LotteryError("machine", "has no executions yet", "Run `lottery draw 2`")

    for record in (refuse, lambda: history(REAL)):
        bench._record = record
        bench._on_asked(bench, {"do": "take"}, [])
        work(bench)
        if record is refuse:
            assert bench.bench["problem"] == "machine: has no executions yet. Run `lottery draw 2`."
    assert (bench.bench["takes"], bench.bench["problem"], bench.header["status"]) == (True, "", "failed")


def test_a_picture_stays_without_a_kernel(real):
    """The graph as it is painted, and the timeline."""
    assert "FAILED" in real.still_html
    assert real.still_html.count("<img") + real.still_html.count("<svg") >= 2


def test_input_and_answers_are_kept_beside_the_file(real, file):
    """Who runs the cell again, or restarts the kernel, finds them. The earlier workbench no longer looks."""
    again = WorkbenchWidget(file, watch=False)
    assert (again.data, again.answers) == (real.data, real.answers)
    assert real._over.is_set()
    assert not again._over.is_set()
    (file.parent / "lottery.answers.json").write_text("[", encoding="utf-8")
    assert (WorkbenchWidget(file, watch=False).data, again.answers) == ("{}", real.answers)


def test_an_answer_that_cannot_be_read_marks_the_old_run(real):
    """It stays, and is no longer taken for that of the answers; a good answer is run."""
    before = real.answers
    real.answers = before | {"Random Select Winners": [{"text": "{", "fails": False}]}
    work(real)
    assert real.bench["stale"]
    assert "answer of Random Select Winners: is not JSON" in real.bench["problem"]
    assert 'Write JSON, such as {"input": 2}.' in real.bench["problem"]
    real.answers = before
    work(real)
    assert (real.bench["stale"], real.bench["problem"]) == (False, "")


def test_a_state_of_another_branch_is_explained(bench, file):
    """As AWS does, a branch reaches only its own states. What stands first in the file is told first."""
    text = load().replace('"Failed": {', '"Tell": {"Type": "Succeed"},\n    "Failed": {')
    old = '"Parameters": {"TopicArn"'
    save(file, text.replace(old, '"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Tell"}],' + old))
    work(bench)
    told = [message for _, message, _ in faults(bench)]
    assert told == [
        "Missing 'Next' target: Tell (Catch[0]/Next). "
        "That state is in another branch: a branch reaches only its own States.",
        'State "Tell" is not reachable.',
    ]


def test_the_header_says_why_it_failed(real):
    """With the error that was caught, if the Fail state gives none."""
    assert real.header["facts"][0] == ["Error", "IndexError: list index out of range"]


@pytest.mark.parametrize("name", ['A"B', "A/B", "<img src=x>", "抽奖", "A'B{}"])
def test_any_name_of_a_state(bench, file, name):
    """It is drawn, run and chosen, and a fault in it leads to it."""
    state = {"Type": "Pass", "End": True, "Nonsense": 1}
    machine = {"StartAt": name, "States": {name: state, "B": {"Type": "Pass", "End": True}}}
    save(file, json.dumps(machine, indent=1))
    work(bench)
    assert bench.states == [name, "B"]
    assert faults(bench)[0] == (4, "Field 'Nonsense' is not supported", name)


@pytest.mark.parametrize(
    "text", ["[" * 5000, '{"StartAt": "\\ud800", "States": {"\\ud800": {"Type": "Succeed"}}}']
)
def test_what_no_browser_can_show(bench, file, text):
    """Half a letter, and what is nested too deeply."""
    save(file, text)
    work(bench)
    assert bench.bench["stale"]


def test_each_file_has_answers_of_its_own(tmp_path):
    """Two versions of a definition lie side by side."""
    for name in ("order.v1.asl.json", "order.v2.asl.json"):
        (tmp_path / name).write_text(load(), encoding="utf-8")
        WorkbenchWidget(tmp_path / name, watch=False).data = json.dumps(name)
    kept = {path.name: json.loads(path.read_text("utf-8"))["input"] for path in tmp_path.glob("*answers*")}
    assert kept == {f"order.{v}.answers.json": f'"order.{v}.asl.json"' for v in ("v1", "v2")}


def test_the_slider_leaves_what_stands_below(real):
    """The timeline is of the whole run. It is not drawn again for each event."""
    below = real.below
    real.at = 5
    assert real.below is below


def test_a_second_cell_of_a_file_takes_it_over(bench, file):
    """The first one says so, and no longer looks."""
    WorkbenchWidget(file, watch=False)
    assert bench.bench["problem"].startswith("Another cell shows this file now.")
    assert bench.bench["stale"]
    assert bench.bench["left"]


def test_a_closed_workbench_ends_its_threads(file):
    """Nothing looks at the file any more."""
    before = set(threading.enumerate())
    bench = WorkbenchWidget(file)
    mine = set(threading.enumerate()) - before
    assert len(mine) == 2
    bench.close()
    for thread in mine:
        thread.join(SECONDS)
    assert not any(thread.is_alive() for thread in mine)


def test_nobody_answers_and_there_is_no_limit(file):
    """The workbench says who waits, and until when."""
    save(file, '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "<A:ARN>", "End": true}}}')
    bench = WorkbenchWidget(file, watch=False)
    bench.answers = {"A": [{"text": "", "fails": False, "never": True}]}
    bench.run()
    assert bench.bench["problem"].startswith("Nobody answers A, and it has no time limit")
    assert bench.header["status"] == "running"
