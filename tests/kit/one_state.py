"""Test one state of a machine with AWS's TestState: a short form for tests."""

import json
from types import SimpleNamespace

import states_language
from lottery_lib import definition, plan
from lottery_lib.resources.state_machine import StateMachine


def one_state(target, name, given=None, *, mock=..., error="", retries=0, context=None, local=None):
    """What TestState answers for a state of the deployed machine, or of the text `local`."""
    if local is None:
        text = StateMachine(target, target.names.machine).describe()["definition"]
    else:
        text = plan.filled(target, local)
    options = {"stateConfiguration": {"retrierRetryCount": retries}}
    if error:
        options["mock"] = {"errorOutput": {"error": error}}
    elif mock is not ...:
        options["mock"] = {"result": json.dumps(mock)}
    elif dict(states_language.all_states(definition.parse(text)))[name].get("Type") == "Task":
        options["roleArn"] = plan.machine_role(target).arn
    if context is not None:
        options["context"] = json.dumps(context)
    options["input"] = json.dumps({} if given is None else given)
    test = target.client("stepfunctions").test_state
    reply = test(definition=text, stateName=name, inspectionLevel="DEBUG", **options)
    data = {
        key: json.loads(value) if isinstance(value, str) else value
        for key, value in reply.get("inspectionData", {}).items()
    }
    return SimpleNamespace(
        status=reply["status"],
        output=json.loads(reply["output"]) if "output" in reply else None,
        next_state=reply.get("nextState"),
        error=reply.get("error"),
        cause=reply.get("cause"),
        data=data,
    )
