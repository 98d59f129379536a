"""Second state: draw that many different employees from the whole table."""

import secrets
from functools import cache

import boto3

dynamodb = boto3.resource("dynamodb")
open_table = cache(dynamodb.Table)  # made once, like the line above, and kept for the next calls


class NotEnoughEmployees(Exception):
    """There are fewer employees who have not won yet than winners to draw."""


def lambda_handler(event, context):
    """Receive `{"num_of_winners": n}`; return it in a body together with n `winner_details`.

    As in the tutorial, it draws from all employees. If somebody has won before, the workflow comes back here.
    If too few employees are left, it would never end, so this is an error.
    """
    number = event["num_of_winners"]
    employees = items(table("Lottery-Employee", context))
    winners = {item["employee_id"] for item in items(table("Lottery-Winners", context))}
    remaining = sum(employee["employee_id"] not in winners for employee in employees)
    if number > remaining:
        raise NotEnoughEmployees(
            f"{number} winners were asked for, but only {remaining} of {len(employees)} employees remain."
        )
    drawn = secrets.SystemRandom().sample(employees, number)
    return {"body": {"num_of_winners": number, "winner_details": [plain(item) for item in drawn]}}


def table(base_name, context):
    """Return the table of this function's attendee: the suffix of the function's name is the table's."""
    suffix = context.function_name.split("-", 2)[2:]
    return open_table("-".join([base_name, *suffix]))


def items(source):
    """Return all items of a table, page by page."""
    found, page = [], source.scan(ConsistentRead=True)
    while True:
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        page = source.scan(ConsistentRead=True, ExclusiveStartKey=page["LastEvaluatedKey"])


def plain(item):
    """Turn DynamoDB's Decimal serial into an int, which JSON knows."""
    return {**item, "lottery_serial": int(item["lottery_serial"])} if "lottery_serial" in item else item
