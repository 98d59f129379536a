import json

from lottery_lib.emulator.moto import one_state


def test_a_test_ends_after_five_minutes(monkeypatch):
    """A state that takes longer fails with States.Timeout."""
    assert one_state._SECONDS == 300
    monkeypatch.setattr(one_state, "_SECONDS", 0.01)
    run = one_state.Run(
        definition=json.dumps(
            {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
        ),
        name="W",
        given={},
        context={},
        variables={},
        region="us-east-1",
        role_arn=None,
        mock=None,
        configuration={},
    )
    assert one_state.run_state(run) == {
        "status": "FAILED",
        "error": "States.Timeout",
        "inspectionData": {"input": "{}", "afterInputPath": "{}"},
    }
