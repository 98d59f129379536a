"""Last state: write one item for each winner."""

import json
import logging

import boto3

logger = logging.getLogger(__name__)
logger.setLevel("INFO")
dynamodb = boto3.resource("dynamodb")  # outside of the handler, so the next calls use it, too


def lambda_handler(event, context):
    """Receive the body with `winner_details`, and put each winner into the table of winners."""
    winners = event["winner_details"]
    with table("Lottery-Winners", context).batch_writer() as batch:
        for winner in winners:
            batch.put_item(Item={"employee_id": winner["employee_id"]})
    ids = [winner["employee_id"] for winner in winners]
    logger.info(json.dumps({"message": "recorded", "employee_ids": ids}))
    return {"body": {"winners": winners}, "status_code": "SUCCESS"}


def table(base_name, context):
    """Return a table of this attendee. Its name has the same ending as the name of this function."""
    ending = context.function_name.removeprefix("Lottery-RecordWinners")
    return dynamodb.Table(base_name + ending)
