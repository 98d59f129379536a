import json

from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager

from sfn_emulator.engine import state_run


def run(state, **more):
    """A run of a state that is called A."""
    definition = json.dumps({"StartAt": "A", "States": {"A": state | {"End": True}}})
    usual = {"state_input": {}, "context": {}, "variables": {}, "region": "us-east-1", "role_arn": None}
    settings = usual | {"mock": None, "configuration": {}} | more
    return state_run.StateRun(definition=definition, name="A", **settings).reply()


def test_a_test_ends_after_five_minutes(monkeypatch):
    """A state that takes longer fails with States.Timeout."""
    assert state_run._SECONDS == 300
    monkeypatch.setattr(state_run, "_SECONDS", 0.01)
    assert run({"Type": "Wait", "Seconds": 60}) == {
        "status": "FAILED",
        "error": "States.Timeout",
        "inspectionData": {"input": "{}", "afterInputPath": "{}"},
    }


def test_a_mocked_callback_makes_no_token(monkeypatch):
    """A mocked callback makes no token, so nobody can send its outcome."""
    monkeypatch.delattr(CallbackPoolManager, "add")
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}
    assert run(state, mock=state_run.Mock(5))["output"] == "5"
