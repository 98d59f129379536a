"""First state: read from the input how many winners to draw."""

import json
import logging

logger = logging.getLogger(__name__)
logger.setLevel("INFO")


class CustomError(Exception):
    """Raised if the event asks for it, to show what the state machine does when a function fails."""


class InvalidInput(Exception):
    """The input does not say how many winners to draw."""


def lambda_handler(event, context):
    """Receive `{"input": 2}` and return `{"body": {"num_of_winners": 2}}`."""
    if isinstance(event, dict) and "exception" in event:
        raise CustomError("An error occurred!!")
    number = number_of_winners(event)
    logger.info(json.dumps({"message": "input accepted", "num_of_winners": number}))
    return {"body": {"num_of_winners": number}}


def number_of_winners(event):
    """Return the number in the event, a whole number of at least 1."""
    if not isinstance(event, dict) or "input" not in event:
        raise InvalidInput('The input must look like {"input": 2}: the key "input" is missing.')
    number = event["input"]
    # `type`, because for `isinstance` the value `True` is a number, too.
    if type(number) is not int or number < 1:
        raise InvalidInput(f'"input" must be a whole number of at least 1, not {json.dumps(number)}.')
    return number
