"""Second state: draw serial numbers, and find the employees who have them by the index of their table."""

import json
import logging
import secrets
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Key

INDEX = "lottery_serial-index"
logger = logging.getLogger(__name__)
logger.setLevel("INFO")
dynamodb = boto3.resource("dynamodb")  # outside of the handler, so the next calls use it, too


class NotEnoughEmployees(Exception):
    """Fewer employees can still win than there are winners to draw."""


class NoSerial(Exception):
    """An employee has no serial number, so the index does not have this employee."""


class NotInIndex(Exception):
    """The index does not have an employee who was drawn, or not yet."""


def lambda_handler(event, context):
    """Receive `{"num_of_winners": 2}` and return it in a body, together with two `winner_details`.

    As in the tutorial, all employees take part, and the workflow draws again if somebody has won before. If
    too few employees can still win, the workflow would draw again and again. So this is an error.
    """
    number = event["num_of_winners"]
    everybody, past = table("Lottery-Employee", context), table("Lottery-Winners", context)
    # Which numbers are there? The tutorial draws from 1 to 10, but numbers may be missing, or be larger.
    attributes = "employee_id, lottery_serial"
    employees = items(everybody.scan, ConsistentRead=True, ProjectionExpression=attributes)
    winners = {item["employee_id"] for item in items(past.scan, ConsistentRead=True)}
    remaining = [item for item in employees if item["employee_id"] not in winners]
    if number > len(remaining):
        raise NotEnoughEmployees(
            f"{number} winners were asked for, "
            f"but only {len(remaining)} of {len(employees)} employees remain."
        )
    refuse_missing_serial(employees)
    drawn = secrets.SystemRandom().sample(employees, number)
    ids = [item["employee_id"] for item in drawn]
    logger.info(json.dumps({"message": "drawn", "employee_ids": ids, "employees": len(employees)}))
    details = [by_serial(everybody, item["lottery_serial"], item["employee_id"]) for item in drawn]
    return {"body": {"num_of_winners": number, "winner_details": details}}


def table(base_name, context):
    """Return a table of this attendee. Its name has the same ending as the name of this function."""
    ending = context.function_name.removeprefix("Lottery-RandomSelectWinners")
    return dynamodb.Table(base_name + ending)


def refuse_missing_serial(employees):
    """Raise an error if somebody has no number: nobody could draw this employee."""
    for item in employees:
        if not isinstance(item.get("lottery_serial"), Decimal):
            raise NoSerial(
                f"The employee {item['employee_id']} has no number as lottery_serial, and could never win. "
                "`lottery employees load FILE` gives everybody a number."
            )


def by_serial(everybody, serial, employee_id):
    """Return the whole item of an employee who was drawn. Two employees may have the same number."""
    condition = Key("lottery_serial").eq(serial)
    for item in items(everybody.query, IndexName=INDEX, KeyConditionExpression=condition):
        if item["employee_id"] == employee_id:
            return {**item, "lottery_serial": int(serial)}  # a `Decimal` cannot be written as JSON
    raise NotInIndex(
        f"The index {INDEX} does not have the employee {employee_id} with the number {serial}. "
        "An index follows its table a moment later: draw again."
    )


def items(read, **asked):
    """Return all items that a scan or a query finds. DynamoDB returns them in pages."""
    page = read(**asked)
    found = page["Items"]
    while "LastEvaluatedKey" in page:
        page = read(**asked, ExclusiveStartKey=page["LastEvaluatedKey"])
        found = [*found, *page["Items"]]
    return found
