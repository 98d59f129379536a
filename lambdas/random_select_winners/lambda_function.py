"""Second state: draw the winners from the table of employees."""

import json
import logging
import secrets

import boto3

logger = logging.getLogger(__name__)
logger.setLevel("INFO")
dynamodb = boto3.resource("dynamodb")  # outside of the handler, so the next calls use it, too


class NotEnoughEmployees(Exception):
    """Fewer employees can still win than there are winners to draw."""


def lambda_handler(event, context):
    """Receive `{"num_of_winners": 2}` and return it in a body, together with two `winner_details`.

    As in the tutorial, all employees take part, and the workflow draws again if somebody has won before. If
    too few employees can still win, the workflow would draw again and again. So this is an error.
    """
    number = event["num_of_winners"]
    employees = items(table("Lottery-Employee", context))
    winners = {item["employee_id"] for item in items(table("Lottery-Winners", context))}
    remaining = [item for item in employees if item["employee_id"] not in winners]
    if number > len(remaining):
        raise NotEnoughEmployees(
            f"{number} winners were asked for, "
            f"but only {len(remaining)} of {len(employees)} employees remain."
        )
    drawn = secrets.SystemRandom().sample(employees, number)
    ids = [item["employee_id"] for item in drawn]
    logger.info(json.dumps({"message": "drawn", "employee_ids": ids, "employees": len(employees)}))
    return {"body": {"num_of_winners": number, "winner_details": [plain(item) for item in drawn]}}


def table(base_name, context):
    """Return a table of this attendee. Its name has the same ending as the name of this function."""
    ending = context.function_name.removeprefix("Lottery-RandomSelectWinners")
    return dynamodb.Table(base_name + ending)


def items(source):
    """Return all items of a table. DynamoDB returns them in pages."""
    found = []
    page = source.scan(ConsistentRead=True)
    found.extend(page["Items"])
    while "LastEvaluatedKey" in page:
        page = source.scan(ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"])
        found.extend(page["Items"])
    return found


def plain(item):
    """Return an item that can be written as JSON: DynamoDB's numbers are `Decimal`, so make an int."""
    if "lottery_serial" not in item:
        return item
    return {**item, "lottery_serial": int(item["lottery_serial"])}
