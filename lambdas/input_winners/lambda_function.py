"""First state: take the number of winners from the execution's input."""

import json


class CustomError(Exception):
    """Raised on demand, to show what the state machine's Catch does."""


class InvalidInput(Exception):
    """The execution's input does not say how many winners to draw."""


def lambda_handler(event, context):
    """Receive `{"input": n}`; return `{"body": {"num_of_winners": n}}`."""
    if isinstance(event, dict) and "exception" in event:
        raise CustomError("An error occurred!!")
    return {"body": {"num_of_winners": number_of_winners(event)}}


def number_of_winners(event):
    """Return the number in the event. It must be a whole number of at least 1, and not `true`."""
    if not isinstance(event, dict) or "input" not in event:
        raise InvalidInput('The input must look like {"input": 2}: the key "input" is missing.')
    number = event["input"]
    if type(number) is not int or number < 1:
        raise InvalidInput(f'"input" must be a whole number of at least 1, not {json.dumps(number)}.')
    return number
