"""Third state: say whether one of those drawn has won before, and write the congratulation."""

from functools import cache

import boto3

dynamodb = boto3.resource("dynamodb")
open_table = cache(dynamodb.Table)  # made once, like the line above, and kept for the next calls


def lambda_handler(event, context):
    """Receive the body with `winner_details`; return it with `status` (1: won before) and `sns`."""
    winners = event["winner_details"]
    past = table("Lottery-Winners", context)
    won_before = any(has_won(past, winner["employee_id"]) for winner in winners)
    names = " ".join(winner["employee_name"] for winner in winners)
    return {
        "body": event,
        "status": 1 if won_before else 0,
        "sns": f"Congrats! [{names}] You have selected as the Lucky Champ!",
    }


def table(base_name, context):
    """Return the table of this function's attendee: the suffix of the function's name is the table's."""
    suffix = context.function_name.split("-", 2)[2:]
    return open_table("-".join([base_name, *suffix]))


def has_won(past, employee_id):
    """Look one employee up in the table of winners; a draw just recorded must be seen."""
    return "Item" in past.get_item(Key={"employee_id": employee_id}, ConsistentRead=True)
