"""Third state: check whether somebody has won before, and write the text of the mail."""

import json
import logging

import boto3

logger = logging.getLogger(__name__)
logger.setLevel("INFO")
dynamodb = boto3.resource("dynamodb")  # outside of the handler, so the next calls use it, too


def lambda_handler(event, context):
    """Receive the body with `winner_details`; return it with a `status` and the mail's text in `sns`.

    The status is 1 if at least one of them has won before, else 0.
    """
    winners = event["winner_details"]
    past = table("Lottery-Winners", context)
    won_before = any(has_won(past, winner["employee_id"]) for winner in winners)
    ids = [winner["employee_id"] for winner in winners]
    logger.info(json.dumps({"message": "checked", "employee_ids": ids, "won_before": won_before}))
    names = " ".join(winner["employee_name"] for winner in winners)
    return {
        "body": event,
        "status": 1 if won_before else 0,
        "sns": f"Congrats! [{names}] You have selected as the Lucky Champ!",
    }


def table(base_name, context):
    """Return a table of this attendee. Its name has the same ending as the name of this function."""
    ending = context.function_name.removeprefix("Lottery-ValidateWinners")
    return dynamodb.Table(base_name + ending)


def has_won(past, employee_id):
    """Return whether an employee is in the table of winners. A consistent read sees the latest draw."""
    answer = past.get_item(Key={"employee_id": employee_id}, ConsistentRead=True)
    return "Item" in answer
