import json

from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager

from sfn_emulator.engine import test_state as one_state


def run(state, **more):
    """A run of a state that is called A."""
    definition = json.dumps({"StartAt": "A", "States": {"A": state | {"End": True}}})
    usual = {"given": {}, "context": {}, "variables": {}, "region": "us-east-1", "role_arn": None}
    settings = usual | {"mock": None, "configuration": {}} | more
    return one_state.OneState(definition=definition, name="A", **settings).reply()


def test_a_test_ends_after_five_minutes(monkeypatch):
    """A state that takes longer fails with States.Timeout."""
    assert one_state._SECONDS == 300
    monkeypatch.setattr(one_state, "_SECONDS", 0.01)
    assert run({"Type": "Wait", "Seconds": 60}) == {
        "status": "FAILED",
        "error": "States.Timeout",
        "inspectionData": {"input": "{}", "afterInputPath": "{}"},
    }


def test_a_mocked_callback_makes_no_token(monkeypatch):
    """So nobody can send its outcome, and nothing is kept."""
    monkeypatch.delattr(CallbackPoolManager, "add")
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}
    assert run(state, mock=one_state.Mock(5))["output"] == "5"
