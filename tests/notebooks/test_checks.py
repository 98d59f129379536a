"""The lessons from top to bottom: what their cells show, and what their checks answer to whatever one may write."""

import html
import json
import re
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import nbformat
import pytest
import time_machine
from babel.messages import pofile
from helpers import clock
from nbval.plugin import get_sanitize_patterns

from notebooks import cells
from notebooks.holds import HOLDS
from notebooks.refresh import SANITIZE, WIDGET_VIEW

from lottery_lib import KIT, connect, employees, translation
from lottery_course import checks
from lottery_course.notebooks import NOTEBOOKS_FOLDER, notebooks
from sfn_emulator import control, status

#: What each exercise asks for: a name to assign; "" where AWS itself is to be changed.
NAMES: Final = {
    "00": ("started", "broken"),
    "01": ("machine_trust", "", ""),
    "02": ("", "", ""),
    "03": ("", "text", ""),
    "04": ("newcomer", "person", "pages"),
    "05": ("", "", ""),
    "06": ("start_once", "entered", "reason"),
    "07": ("failed", "state", "winners_of"),
    "08": ("fault", "mails", ""),
    "15": ("retries", "allowed", "mail_catch"),
    "16": ("record_all", "recorder", ""),
    "17": ("count_items", "recorded", "limited"),
    "18": ("", "", ""),
    "19": ("roles", "", ""),
    "20": (),
    "90": ("kinds", "proof_of_007", "without_receipt"),
    "09": ("written", "ends", "answer"),
    "10": ("output", "condition", "careful"),
    "11": ("", "", ""),
    "12": ("status", "more", ""),
    "13": ("catch", "reminder", "condition"),
    "14": ("draw_name", "redrive_failed", ""),
    "99": ("delete_role",),
}
#: Not an answer to any of them.
VALUES: Final = (
    "None",
    "0",
    "-7",
    "3.5",
    "True",
    "''",
    "'abc'",
    "[]",
    "[1, 'a']",
    "{}",
    "{'S': '12'}",
    "b'1'",
    "{1, 2}",
    "object()",
    "__import__('pandas').DataFrame({'a': [1, 2]})",
    "lambda *anything: 1 / 0",
    "lambda anything: anything",
)
#: The tests of lesson 12's third exercise.
RETRIABLE: Final = "assert tried(1)['status'] == 'RETRIABLE'"
CAUGHT: Final = "assert tried(2)['status'] == 'CAUGHT_ERROR'"


def checked_by(*statements: str) -> str:
    """A cell of lesson 12 that writes a file of tests, one for each statement."""
    file = """%%writefile test_errors.py
# Exercise 3
from pathlib import Path
from lottery_lib import connect
states = connect().client("stepfunctions")
text = Path(__file__).with_name("machine.asl.json").read_text()
given = {"definition": text, "stateName": "Validate Winners", "input": '{"body": 1}'}
given["mock"] = {"errorOutput": {"error": "E"}}
def tried(count):
    return states.test_state(**given, stateConfiguration={"retrierRetryCount": count})
"""
    return file + "".join(f"def test_{number}(): {each}\n" for number, each in enumerate(statements))


#: What AWS recommends in a trust policy.
OWN_ACCOUNT: Final = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def trusting(service: object, version: str = "2012-10-17", **statement: object) -> str:
    """A trust policy as an attendee may write it."""
    usual = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return repr({"Version": version, "Statement": [usual | statement]})


def trust_lambda(service: object = "lambda.amazonaws.com", **statement: object) -> str:
    """Give the functions' role a trust policy, as an attendee may write it."""
    document = f"json.dumps({trusting(service, **statement)})"
    return f"iam.update_assume_role_policy(RoleName=target.names.lambda_role, PolicyDocument={document})"


def told(message: str, subject: str) -> str:
    """Publish this, as lesson 03's first exercise asks for."""
    return f"sns.publish(TopicArn=topic_arn, Subject={subject!r}, Message={message!r})"


def one_draw(text: str) -> str:
    """Start an execution with this input, as lesson 00 asks for."""
    return f"started = states.start_execution(stateMachineArn=workflow['stateMachineArn'], input={text!r})"


def answering(value: str) -> str:
    """Give lesson 02's function a code that returns this."""
    code = f"def lambda_handler(event, context):\n    return {value}"
    return (
        f"aws_lambda.update_function_code(FunctionName=name, ZipFile=zipped({code!r}))\n"
        "aws_lambda.get_waiter('function_updated_v2').wait(FunctionName=name)"
    )


def reading(**statement: object) -> str:
    """A policy for lesson 01's second exercise, as an attendee may write it."""
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/Lottery-Winners"
    usual = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table}
    return repr({"Version": "2012-10-17", "Statement": [usual | statement]})


def read_winners(**statement: object) -> str:
    """Give the functions' role of lesson 01 such a policy."""
    return (
        "iam.put_role_policy(RoleName=target.names.lambda_role, PolicyName='ReadWinners',"
        f" PolicyDocument=json.dumps({reading(**statement)}))"
    )


def choice(least: int, most: int, default: str = "Number Not Allowed") -> str:
    """A Choice on the number of winners, as lesson 15 asks for."""
    bounds = {"NumericGreaterThanEquals": least, "NumericLessThanEquals": most}
    rules = [{"Variable": "$.input", operator: bound} for operator, bound in bounds.items()]
    return repr(
        {"Type": "Choice", "Choices": [{"And": rules, "Next": "Input Lottery Winners"}], "Default": default}
    )


#: A right answer to lesson 13's first exercise.
CATCH: Final = (
    "catch = [{'ErrorEquals': ['Declined', 'States.Timeout'], 'Next': 'Random Select Winners',"
    " 'Output': {'num_of_winners': '{% $drawn.num_of_winners %}'}}]"
)
#: A right answer to lesson 16's first exercise.
RECORD_ALL: Final = """
def record_all(ids):
    items = [{'employee_id': {'S': each}} for each in ids]
    puts = [{'Put': {'TableName': table, 'Item': item, 'ConditionExpression': condition}} for item in items]
    dynamodb.transact_write_items(TransactItems=puts)
"""
#: A right answer to lesson 16's second exercise: the Catch and the state.
RECORDER: Final = (
    "recorder['States']['Has Won Before'] = {'Type': 'Succeed'}\n"
    "first = recorder['States']['Record']\n"
    "first['Catch'] = [{'ErrorEquals': ['DynamoDB.ConditionalCheckFailedException'], 'Next': 'Has Won Before'}]"
)
ADMIT: Final = """
statement = {{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}
document = {{"Version": "2012-10-17", "Statement": [statement]}}
iam.put_role_policy(**policy, PolicyDocument=json.dumps(document))
"""


def admit(action: str, resource: str) -> str:
    """Give the machine's role of lesson 16 a policy, as an attendee may write it."""
    return ADMIT.format(action=action, resource=resource)


PUBLISH: Final = """
for policy in iam.list_attached_role_policies(RoleName=machine_role)["AttachedPolicies"]:
    iam.detach_role_policy(RoleName=machine_role, PolicyArn=policy["PolicyArn"])
statement = {{"Effect": "Allow", "Action": {action}, "Resource": {resource}}}
text = json.dumps({{"Version": "2012-10-17", "Statement": statement}})
iam.put_role_policy(RoleName=machine_role, PolicyName="PublishToTopic", PolicyDocument=text)
"""


def publishing(action: str, resource: str) -> str:
    """Give the machine's role of lesson 08 this inline policy, and no managed one."""
    return PUBLISH.format(action=action, resource=resource)


def without_receipt(returned: str = "ids") -> str:
    """Lesson 90's own check of the list of winners, as it may be written in one expression."""
    texts = "[json.loads(text) for one in document['draws'].values() for text in one['receipts']]"
    return (
        "def without_receipt(document):\n"
        f"    named = [each for told in {texts} for each in told.get('winners', [])]\n"
        "    ids = [row['employee_id'] for row in document['winners'] if row['employee_id'] not in named]\n"
        f"    return {returned}"
    )


def gate(**more):
    """A machine for the exercise of lesson 05 that begins with an empty definition."""
    rule = {"Variable": "$.input", "NumericLessThanEquals": 10, "Next": "Yes"}
    states = {"Yes": {"Type": "Succeed"}, "No": {"Type": "Fail", "Error": "TooMany"}}
    return {"StartAt": "Gate", "States": {"Gate": {"Type": "Choice", "Choices": [rule], **more}, **states}}


def patient(*retriers: object, **state: object) -> str:
    """Save the file of lesson 05's first exercise, with these Retries."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}]
    task = {"Type": "Task", "Resource": "<RandomSelectWinners:ARN>", "Retry": list(retriers), "Catch": catch}
    states = {"Random Select Winners": {**task, "End": True, **state}, "Failed": {"Type": "Fail"}}
    return cells.saving("retry.asl.json", {"StartAt": "Random Select Winners", "States": states})


def busy(interval: int = 2, attempts: int = 4, **more: object) -> dict[str, object]:
    """The Retry that lesson 05's first exercise asks for."""
    named = {"ErrorEquals": ["Lambda.TooManyRequestsException"]}
    return {**named, "IntervalSeconds": interval, "MaxAttempts": attempts, **more}


def shorter(choice: object, to: str = "Has Won Before", **state: object) -> str:
    """Save the file of lesson 05's second exercise, with these repairs."""
    machine = json.loads((KIT / "asl" / "exercises" / "repair.asl.json").read_text(encoding="utf-8"))
    machine["States"]["Has Won Before"] = {"Type": "Choice", **choice}
    machine["States"]["Validate"]["Next"] = to
    machine["States"]["Notify"].update(state)
    return cells.saving("repair.asl.json", machine)


def rules(*leads_to: str) -> dict[str, object]:
    """Rules for the status 0, 1 and so on."""
    return {
        "Choices": [
            {"Variable": "$.status", "NumericEquals": number, "Next": name} for number, name in enumerate(leads_to)
        ]
    }


def limit(change: Callable[[dict[str, Any]], object] = lambda machine: None, **more: object) -> str:
    """Save the file of lesson 05's third exercise: the answer `gate`, after a change."""
    machine = gate(**more)
    change(machine)
    return cells.saving("limit.asl.json", machine)


LIMITED: Final = """
limited = json.loads(json.dumps(loop))
ask, choice = limited['States']['Ask'], limited['States']['Have They Arrived']
ask['Output'] = {'arrived': '{% $states.input.arrived %}', 'asked': '{% $states.input.asked + 1 %}'}
enough = {'Condition': '{% $states.input.asked >= 100 %}', 'Next': 'Gave Up'}
choice['Choices'].append(enough)
limited['States']['Gave Up'] = {'Type': 'Fail', 'Error': 'NotArrived'}
"""


def task(service: str, **more: object) -> dict[str, Any]:
    """A Task of lesson 11 that looks up an employee, or sends the mail."""
    key = {"employee_id": {"S": "{% $states.input.employee_id %}"}}
    arguments = {
        "dynamodb:getItem": {"TableName": "{% $table %}", "Key": key},
        "sns:publish": {"TopicArn": "{% $topic %}", "Message": "{% $states.input.text %}"},
    }
    found = {"Output": "{% $states.result.Item.employee_name.S %}"} if "dynamodb" in service else {}
    resource = {"Type": "Task", "Resource": f"arn:aws:states:::{service}", "Arguments": arguments[service]}
    return {**resource, **found, "End": True, **more}


def catching(name: str) -> list[dict[str, object]]:
    """A Catch of every error."""
    return [{"ErrorEquals": ["States.ALL"], "Next": name}]


def no(**more: object) -> dict[str, object]:
    """What follows a Catch in lesson 11."""
    return {"Type": "Pass", "Output": False, "End": True, **more}


#: Right answers to lesson 11.
ANNOUNCE: Final[dict[str, Any]] = {
    "Type": "Wait", "Next": "At Once",
    "Timestamp": "{% $exists($states.input.announce_at) ? $states.input.announce_at : $states.context.Execution.StartTime %}",
}  # fmt: skip
MAILING: Final[dict[str, Any]] = {
    "StartAt": "Mail",
    "States": {"Mail": task("sns:publish", Output=True, Catch=catching("No Mail")), "No Mail": no()},
}
LOOKING_UP: Final[dict[str, Any]] = {"StartAt": "Look Up", "States": {"Look Up": task("dynamodb:getItem")}}
RESULTS: Final = {
    "winners": "{% $states.input.winners %}", "mailed": "{% $states.result[0] %}", "main": "{% $states.result[1] %}"
}  # fmt: skip
AT_ONCE: Final[dict[str, Any]] = {
    "Type": "Parallel", "Branches": [MAILING, LOOKING_UP], "Output": RESULTS, "Next": "Each Winner"
}  # fmt: skip
FINDING: Final[dict[str, Any]] = {
    "StartAt": "Find",
    "States": {"Find": task("dynamodb:getItem", Catch=catching("Nobody")), "Nobody": no()},
}
EACH_WINNER: Final[dict[str, Any]] = {
    "Type": "Map", "Items": "{% $states.input.winners %}", "MaxConcurrency": 2, "End": True, "ItemProcessor": FINDING
}  # fmt: skip


def evening(**states: object) -> str:
    """Save states into the file of lesson 11; `At_Once` is At Once."""
    named = {name.replace("_", " "): state for name, state in states.items()}
    return cells.REPLACE.format(file="evening.asl.json", states=json.dumps(named))


def mailing(**mail: object) -> dict[str, object]:
    """Lesson 11's Parallel with another Mail."""
    branch = {"StartAt": "Mail", "States": {"Mail": {**MAILING["States"]["Mail"], **mail}, "No Mail": no()}}
    return {**AT_ONCE, "Branches": [branch, LOOKING_UP]}


def finding(*, nobody: bool = False, **find: object) -> dict[str, object]:
    """Lesson 11's Map with another Task."""
    each = {"StartAt": "Find", "States": {"Find": {**FINDING["States"]["Find"], **find}, "Nobody": no(Output=nobody)}}
    return {**EACH_WINNER, "ItemProcessor": each}


#: Without a Catch inside: a branch, and an item.
BARE_MAIL: Final = {"StartAt": "Mail", "States": {"Mail": task("sns:publish", Output=True)}}
BARE_FIND: Final = {"StartAt": "Find", "States": {"Find": task("dynamodb:getItem")}}
#: An id that DynamoDB refuses is no answer without an Item.
ONLY_MISSING: Final = {
    "StartAt": "Find",
    "States": {"Find": task("dynamodb:getItem", Output="{% $exists($states.result.Item) ? $states.result.Item.employee_name.S : false %}")},
}


def edited(file: str, *pairs: tuple[str, str], begun: str = "") -> str:
    """Edit a file of lesson 18, which begins as another one, as an attendee does."""
    text = f"Path({begun or 'load.asl.json'!r}).read_text(encoding='utf-8')"
    if begun:
        text = f"(KIT / 'asl' / 'exercises' / {begun!r}).read_text(encoding='utf-8')"
    changes = "".join(f".replace({old!r}, {new!r})" for old, new in pairs)
    return f"Path({file!r}).write_text({text}{changes}, encoding='utf-8')"


def badges(*pairs: tuple[str, str]) -> str:
    """The file of lesson 18's first exercise, edited."""
    return edited("badges.asl.json", *pairs, begun="badges.asl.json")


def selects(name: str, office: str = "{% $states.input.office %}") -> tuple[str, str]:
    """Give the Map of the badges an ItemSelector."""
    field = '"ItemProcessor": {'
    return field, f'"ItemSelector": {{"name": "{name}", "office": "{office}"}}, {field}'


def tolerant(size: object, percent: object) -> str:
    """The file of lesson 18's second exercise, with batches of a size and a tolerance."""
    changes = (': 25', f': {size}'), ('"MaxC', f'"ToleratedFailurePercentage": {percent}, "MaxC')
    return edited("tolerant.asl.json", *changes)


def careful(*pairs: tuple[str, str], good: str = "row.employee_id != ''", bad: str = "row.employee_id = ''") -> str:
    """The file of lesson 18's third exercise, edited."""
    end = '%}"\n            },\n            "End"'
    output = f'%}}"}}, "Output": {{"bad": "{{% [$states.input.Items[{bad}].row] %}}"}}, "End"'
    return edited("careful.asl.json", ("[Items.put]", f"[Items[{good}].put]"), (end, output), *pairs)


#: The item of a Map.
ITEM: Final = "{% $states.context.Map.Item.Value %}"


def template(*pairs: tuple[str, str]) -> str:
    """Edit the template of lesson 19, as an attendee does."""
    changes = "".join(f".replace({old!r}, {new!r})" for old, new in pairs)
    return f"template.write_text(begun{changes}, encoding='utf-8')"


def second_alarm(name: str = "-Ended", logical: str = "EndedAlarm", metric: str = "ExecutionsAborted", **more: str) -> str:
    """The template of lesson 19 with one more alarm, before the other. Some lines of it may be others."""
    changes = {"FailedAlarm": logical, "-Failed": name, "ExecutionsFailed": metric, **more}
    replaced = "".join(f".replace({old!r}, {new!r})" for old, new in changes.items())
    return (
        "block = next(each for each in begun.split('\\n\\n') if 'FailedAlarm' in each)\n"
        f"template.write_text(begun.replace(block, block{replaced} + '\\n\\n' + block), encoding='utf-8')"
    )


def routed(*weights: int) -> str:
    """Lead lesson 14's alias to its versions with these weights."""
    routing = "[{'stateMachineVersionArn': arn, 'weight': weight} for arn, weight in zip(versions, weights) if weight]"
    change = f"states.update_state_machine_alias(stateMachineAliasArn=alias_arn, routingConfiguration={routing})"
    return f"weights = {weights}\n{change}"


def draw_name(expression: str) -> str:
    """Lesson 14's name of a draw, as an attendee may write it."""
    return f"def draw_name(evening, prize, minute):\n    return {expression}"


# fmt: off
#: Wrong answers that come naturally, by the id of the exercise's cell. `HINTS` has more of them.
START_ONCE: Final = """
def start_once(order, number):
    wanted = json.dumps({"input": number})
    try:
        states.start_execution(stateMachineArn=machine_arn, name=order, input=wanted)
    except states.exceptions.ExecutionAlreadyExists:
        pass
"""
ENDS: Final = """
ends = {
    "source": ["aws.states"],
    "detail-type": ["Step Functions Execution Status Change"],
    "detail": {"stateMachineArn": [machine_arn], "status": [*failures, "SUCCEEDED"]},
}
"""
FAILED: Final = """
def failed(events):
    table = state_table(events)
    table = table[table['error'] != '']
    if table.empty:
        return None
    first = table.iloc[0]
    return first.state, first.input
"""
REASON: Final = """
def reason(arn):
    history = states.get_execution_history(executionArn=arn, maxResults=1000)
    causes = [cause for cause in state_table(history['events'])['cause'] if cause]
    return json.loads(causes[-1])['errorMessage'] if causes else ''
"""
WRONG: Final = {
    "00-41": ["started = workflow", "started = {'executionArn': arn + 'x'}"],
    "00-45": ["broken['States'] = {}", "broken = workflow"],
    "01-29": [
        "machine_trust = trust",
        f"machine_trust = {trusting('states.amazonaws.com', Effect='Deny')}",
        f"machine_trust = {trusting('states.amazonaws.com', Action='sts:*')}",
        f"machine_trust = {trusting('states.amazonaws.com', Resource='*')}",
        f"machine_trust = {trusting(['states.amazonaws.com', 'lambda.amazonaws.com'])}",
        f"machine_trust = {trusting('', Principal={'Service': 'states.amazonaws.com', 'AWS': '*'})}",
        f"machine_trust = {trusting('states.amazonaws.com', 'today')}",
        f"machine_trust = {trusting('states.amazonaws.com')}['Statement']",
    ],
    "01-33": [
        "iam.delete_role_policy(RoleName=target.names.lambda_role, PolicyName='none')",
        trust_lambda("states.amazonaws.com"),
        trust_lambda(Effect="Deny"),
        trust_lambda(Action="sts:*"),
        trust_lambda(["lambda.amazonaws.com", "states.amazonaws.com"]),
    ],
    "02-51": [answering("'001, 002'"), answering("{'winners': '[1, 2]'}"), answering("1 / 0")],
    "02-39": [
        "aws_lambda.update_function_configuration(FunctionName=name, Handler='lambda_function.CustomError')"
    ],
    "03-31": [told("Li Na, Wang Fang", "The winners"), told("Li Na", "The winners of today")],
    "03-35": [
        "sns.publish(TopicArn=topic_arn, Message=text, Subject='Congratulations')",
        "sns.publish(TopicArn=topic_arn, Message=text, Subject='AWS Notification Message')",
        "sns.publish(TopicArn=topic_arn, Message='Congrats!')",
        "sns.publish(TopicArn=topic_arn, Message=12)",
        "sns.publish(TopicArn=topic_arn, Message=text); inbox(target).clear()",
    ],
    "03-39": ["sns.set_topic_attributes(TopicArn=topic_arn, AttributeName='DisplayName',"
              " AttributeValue='lottery')"],
    "04-22": ["pages = page", "pages *= 4", "pages = [dynamodb.scan(TableName=target.names.employee_table)['Items']]",
              "pages = [page['Items']] * 3 + [page['Items'][:1]]"],
    "04-30": [
        "newcomer |= {'employee_name': {'S': 'Xu Lan'}, 'lottery_serial': {'N': '11'}}\n"
        "dynamodb.put_item(TableName=target.names.employee_table, Item=newcomer)",
        "dynamodb.put_item(TableName=target.names.employee_table, Item={'employee_id': '011'})",
    ],
    "04-34": [
        "person = '12'", "person = 12", "person['employee_id'] = '012'", "person['employee_id'] = {'S': '12'}",
        "person = {'employee_id': {'S': '012'}}",
    ],
    "05-16": [
        patient(), patient(busy(attempts=5)), patient(busy(BackoffRate=1)), patient(busy(), Catch=[]),
        patient(busy(), {"ErrorEquals": ["States.ALL"]}), cells.saving("retry.asl.json", []),
    ],
    "05-52": [
        shorter(rules("Notify", "Select"), End=False), shorter(rules("Notify", "Select"), "has won before", End=True),
        shorter(rules("Select", "Notify"), End=True), cells.saving("repair.asl.json", "Validate"),
    ],
    "05-35": [
        limit(Default="Yes"), limit(Default="Nowhere"), limit(),
        limit(lambda machine: machine["States"]["No"].update(Error="toomany"), Default="No"),
        limit(lambda machine: machine["States"].pop("No"), Default="Gate"),
        cells.saving("limit.asl.json", gate(Default="No")["States"]),
        cells.saving("limit.asl.json", {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "TooMany"}}}),
    ],
    "06-28": ["entered = '2'", "entered = ['Input Lottery Winners', 'Failed']"],
    "06-16f": ["def start_once(order): states.start_execution(stateMachineArn=machine_arn, name=order)",
               START_ONCE.replace("number}", "1}"), START_ONCE.replace("name=order", "name='order'"),
               START_ONCE.replace("ExecutionAlreadyExists", "InvalidName"),
               START_ONCE.replace("name=order", "name=order[:-1]")],
    "06-53": ["def reason(arn): return 'An error occurred!!'", "def reason(arn): return None",
              REASON.replace("['errorMessage']", ""), REASON.replace("['cause']", "['error']")],
    "07-24e": [FAILED.replace("first.input", "first.output"), FAILED.replace("first = table", "first = state_table(events)"),
               FAILED.replace("!= ''", "== ''"), "def failed(events): return 'Input Lottery Winners', {'input': 0}"],
    "07-44": [
        "state = {'Type': 'Pass', 'Result': {'count': 2}, 'ResultPath': '$.mail', 'End': True}",
        "state = {'Type': 'Pass', 'Parameters': {'count.$': '$.body.num_of_winners'}, 'End': True}",
        "state = {'Type': 'Pass', 'Parameters': {'count': '$.body.num_of_winners'},"
        " 'ResultPath': '$.mail', 'End': True}",
        "state = {'Type': 'Pass', 'Parameters': {'count.$': '$.num_of_winners'},"
        " 'ResultPath': '$.mail', 'End': True}",
        "state = {'Type': 'pass', 'Parameters': {'count.$': '$.body.num_of_winners'},"
        " 'ResultPath': '$.mail', 'End': True}",
        "state = {'Type': 'Pass', 'Parameters': {'count.$': '$.body.num_of_winners'}, 'ResultPath': '$.mail'}",
    ],
    "07-50": ["def winners_of(output): return output[1]", "def winners_of(output): return [1, 2]",
              "def winners_of(_): return output[1]['body']['winners']"],
    "08-23": ["fault = 'def lambda_handler(event, context): raise ValueError'",
              "fault = 'def lambda_handler(event, context): return original(event, context)'",
              "fault = 'def lambda_handler(event, context)'"],
    "08-37": ["mails = '3'", "mails = 2", "mails = 1"],
    "08-56": ["iam.attach_role_policy(RoleName=role, PolicyArn=policies['AmazonSNSFullAccess'])",
              "Stack(target).deploy()", publishing("'*'", "'*'")],
    "15-17": [
        "retries = retry", "retries = [retry, {'ErrorEquals': ['States.ALL'], 'MaxAttempts': 3, 'IntervalSeconds': 2}]",
        "retries = [{'ErrorEquals': ['ThrottlingException'], 'MaxAttempts': 3, 'IntervalSeconds': 2}]",
        "retry['ErrorEquals'].append('ThrottlingException'); retries = [retry]; retry['ErrorEquals'].pop()",
        "retries = [{'ErrorEquals': ['ThrottlingException'], 'MaxAttempts': 3}, retry]",
    ],
    "15-e2x": [
        f"allowed = {choice(1, 10, 'Failed')}",
        f"allowed = {choice(1, 11)}",
        f"allowed = {choice(1, 10)}; del allowed['Default']",
        f"allowed = json.dumps({choice(1, 10)})",
        "allowed = {'Type': 'Choice', 'Choices': [], 'Default': 'Number Not Allowed'}",
        "allowed = {'Type': 'Choice', 'Default': 'Number Not Allowed', 'Choices': [{'Variable': '$.input',"
        " 'NumericEquals': number, 'Next': 'Input Lottery Winners'} for number in (1, 10)]}",
        "allowed = {'Type': 'Choice', 'Choices': 5, 'Default': 'Number Not Allowed'}",
        "allowed = {'Type': 'Choice', 'Choices': [5], 'Default': 'Number Not Allowed'}",
    ],
    "15-41": [
        "mail_catch = [{'ErrorEquals': ['States.ALL'], 'Next': 'Nowhere'}]",
        "mail_catch = [{'ErrorEquals': retry['ErrorEquals'], 'Next': 'Recorded Not Mailed'}]",
        "mail_catch = [{'ErrorEquals': ['States.TaskFailed'], 'Next': 'Recorded Not Mailed'}]",
    ],
    "16-31": [
        RECORD_ALL.replace("for each in ids", "for each in ids[:1]"),
        RECORD_ALL.replace("TransactItems=puts", "TransactItems=items"),
        "def record_all(ids):\n"
        "    for each in ids:\n"
        "        item = {'employee_id': {'S': each}}\n"
        "        dynamodb.put_item(TableName=table, Item=item, ConditionExpression=condition)",
    ],
    "16-43": [
        "recorder = record",
        "recorder['States']['Has Won Before'] = {'Type': 'Succeed'}",
        f"{RECORDER}; first['Parameters'] = dict(first['Parameters'])\n"
        "del first['Parameters']['ConditionExpression']",
        f"{RECORDER}; del first['End'], first['Catch']; first['Next'] = 'Has Won Before'",
        f"{RECORDER}; recorder['States']['Has Won Before'] = {{'Type': 'Fail'}}",
        f"{RECORDER}; del recorder['States']['Has Won Before']",
        f"{RECORDER}; recorder = json.dumps(recorder)",
    ],
    "16-69": [
        "iam.delete_role_policy(**policy)",
        admit("'dynamodb:PutItem'", "'*'"),
        admit("['dynamodb:PutItem', 'dynamodb:DeleteItem']", "target.arn('dynamodb', f'table/{table}')"),
        admit("['dynamodb:PutItem', 'dynamodb:DeleteTable', 'dynamodb:Query']", "target.arn('dynamodb', f'table/{table}')"),
        admit("'dynamodb:PutItem'", "target.arn('dynamodb', f'table/{table}*')"),
        admit("'dynamodb:PutItem'", "target.arn('dynamodb', f'table/{target.names.employee_table}')"),
    ],
    "17-26": ["recorded = '60'", "recorded = 60.0"],
    "17-47": [
        "def count_items(table): return 300",
        "def count_items(table): return str(dynamodb.describe_table(TableName=table))",
        "def count_items(table): return dynamodb.scan(TableName=table) and 1000",
        "def count_items(table):\n"
        "    first = dynamodb.scan(TableName=table)\n"
        "    second = dynamodb.scan(TableName=table, ExclusiveStartKey=first['LastEvaluatedKey'])\n"
        "    return first['Count'] + second['Count']",
    ],
    "17-88": [
        f"{LIMITED}del limited['States']['Gave Up']", f"{LIMITED}limited = json.dumps(limited)",
        f"{LIMITED}enough['Condition'] = '{{% $states.input.asked > 100 %}}'",
        f"{LIMITED}choice['Choices'].reverse(); enough['Condition'] = '{{% $states.input.asked >= 1 %}}'",
        f"{LIMITED}choice['Choices'].remove(enough); choice['Default'] = 'Gave Up'",
        f"{LIMITED}limited['States']['Gave Up']['Error'] = 'States.Runtime'",
        f"{LIMITED}limited['States']['Gave Up'] = {{'Type': 'Succeed'}}",
    ],
    "18-31c": [badges(("office %}", "office %} ")), badges(selects("{% $states.input.names[0] %}")), badges(('"End"', '"Ende"'))],
    "18-46": [tolerant(5, 1), tolerant(5, 25), tolerant(10, 10), "Path('tolerant.asl.json').unlink()"],
    "18-52": [
        careful(("[$states.input.Items[row.employee_id = ''].row]", "[]")), careful(bad="row.employee_id != ''"),
        edited("careful.asl.json", ("[Items.put]", "[Items[row.employee_id != ''].put]")),
    ],
    "19-13": ["roles = '5'", "roles = 4", "roles = 5.0"],
    "19-41": [
        template(("Lottery-Winners", "Lottery-Champions")), template(("'Lottery-Notification-", "'Lottery-Party-")),
        template(("DisplayName: Lottery", "DisplayName: Party"), ("Lottery-Winners", "Lottery-Champions")),
        template(("  Notification:", "Notification:")),
    ],
    "19-45": [template(("MemorySize: 256", "MemorySize: 128")), second_alarm(metric="ExecutionsTimedOut")],
    "90-32": [
        "kinds = ['drawn', 'roll call', 'drawn']", "kinds = ['drawn'] * 4",
        "kinds = 'drawn, roll call, drawn, roll call'", "kinds = ['roll call', 'drawn'] * 2",
    ],
    "90-50": [
        "proof_of_007 = merkle.proof(texts, b'', 6)", "proof_of_007 = proof",
        "proof_of_007 = merkle.proof(texts[:9], salt, 6)", "proof_of_007 = merkle.root(texts, salt)",
    ],
    "90-84": [
        "def without_receipt(document): return document['winners']",
        "def without_receipt(document): return [row['employee_id'] for row in document['winners']]",
        "def without_receipt(document): return ['999']",
        without_receipt("ids[1:]"),
    ],
    "09-11": ["written = '3'", "written = 2", "written = 3.0"],
    "09-35": ["ends = pattern", "ends = pattern['detail']", f"{ENDS}ends['detail']['status'].append('RUNNING')",
              f"{ENDS}del ends['detail']['stateMachineArn']", f"{ENDS}ends['detail']['status'].pop()"],
    "09-41": ["answer = {'error': 'NotEnoughEmployees', 'times': 1}", "answer = ('NotEnoughEmployees', 3)",
              "answer = {'error': 'InvalidInput', 'times': 3}"],
    "11-15": [
        evening(Announce={"Type": "Pass", "Next": "At Once", "Comment": "later"}),
        evening(Announce={"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "At Once"}),
        evening(Announce={**ANNOUNCE, "Output": {"a": 1}}), evening(Announce=[ANNOUNCE]),
    ],
    "11-27": [
        evening(At_Once={name: AT_ONCE[name] for name in AT_ONCE if name != "Output"}), evening(At_Once=[MAILING]),
        evening(At_Once=mailing(Output="yes")), evening(At_Once={**AT_ONCE, "Branches": [LOOKING_UP, MAILING]}),
        evening(At_Once={"Type": "Parallel", "Branches": [], "Next": "Each Winner"}),
        evening(At_Once={"Type": "Parallel", "Branches": 5, "Next": "Each Winner"}),
        evening(At_Once={**AT_ONCE, "Branches": [BARE_MAIL, LOOKING_UP],
                         "Catch": [{**catching("Each Winner")[0], "Output": RESULTS}]}),
    ],
    "11-37": [
        evening(Each_Winner={name: EACH_WINNER[name] for name in EACH_WINNER if name != "MaxConcurrency"}),
        evening(Each_Winner=finding(nobody=True)), evening(Each_Winner={**EACH_WINNER, "ItemProcessor": 5}),
        evening(Each_Winner={**EACH_WINNER, "Type": "Parallel"}), evening(Each_Winner=finding(Output="Li Na")),
        evening(Each_Winner={**EACH_WINNER, "ItemProcessor": ONLY_MISSING}),
    ],
    "14-08": [draw_name("f'{evening}-{prize}-{minute}'"), draw_name("print(evening, prize)"), "def draw_name(prize): return prize"],
    "14-20": [
        "def redrive_failed(machine_arn): return states.list_executions(stateMachineArn=machine_arn)",
        "def redrive_failed(machine_arn):\n"
        "    listed = states.list_executions(stateMachineArn=machine_arn, statusFilter='FAILED')['executions']\n"
        "    states.redrive_execution(executionArn=listed[0]['executionArn'])",
    ],
    "14-44": [routed(50, 50), routed(1, 99), routed(0, 100)],
    "10-37": ["output = '3'", "output = [3]"],
    "10-49": [
        "condition = 'Choice'",
        "condition = '{% true %}'",
        "condition = '{% %}'",
        "condition = '{% $states.input.num_of_winners in [1..4] %}'",
        "condition = '{% $exists($states.input.num_of_winners) and $states.input.num_of_winners < 7 %}'",
        "condition = '$exists($states.input.num_of_winners) and $states.input.num_of_winners <= 5'",
        "condition = '{% $exists($states.input.num_of_winners) and $states.input.num_of_winners == 5 %}'",
        "condition = '{% $.num_of_winners <= 5 %}'",
    ],
    "10-75": [
        "choice['Choices'][1]['Next'] = 'Failed'",
        "choice['Choices'][1]['Condition'] = '{% $states.input.status = 1 and $rounds < 3 %}'",
        "first['Assign'] = {'rounds': 1}\n"
        "choice['Choices'][1] |= {'Condition': '{% $states.input.status = 1 and $rounds <= 3 %}',"
        " 'Assign': {'rounds': '{% $rounds + 1 %}'}}\nchoice['Default'] = 'Failed'",
        "careful = json.dumps(careful)",
    ],
    "12-26": ["status = asked", "status = ['CAUGHT_ERROR']"],
    "12-42": [
        "more += [{'stateName': 'Send SNS and Record In Dynamodb', 'mock': {'result': '[1, {}]'}}]",
        "more += [{'stateName': name, 'mock': fails(name)['mock']} for name, _ in edges]",
        "more = edges",
    ],
    "12-54": [
        checked_by("assert tried(0)", "tried(2)", "assert tried(0)['status'] == 'RETRIABLE'"),
        # It reads the definition only.
        "%%writefile test_errors.py\n# Exercise 3\nimport json\nfrom pathlib import Path\n"
        "text = Path(__file__).with_name('machine.asl.json').read_text()\n"
        "state = json.loads(text)['States']['Validate Winners']\n"
        "def test_it():  # states.test_state(...)\n"
        "    assert state['Retry'][0]['MaxAttempts'] == 2 and state['Catch'][0]['Next'] == 'Failed'",
    ],
    "13-49c": [
        CATCH.replace("]", ", 'SNS.NotFound']", 1),
        CATCH.replace("'{% $drawn.num_of_winners %}'", "1"),
        CATCH.replace("Random Select Winners", "Input Lottery Winners"),
        f"{CATCH}; catch = catch[0]",
    ],
    "13-66": [
        "reminder = [{'ErrorEquals': 'States.Timeout', 'MaxAttempts': 1}]",
        "reminder = [{'ErrorEquals': ['States.Timeout'], 'MaxAttempts': '1'}]",
        "reminder = [{'ErrorEquals': ['States.ALL'], 'MaxAttempts': 1}]",
        "reminder = [{'ErrorEquals': ['States.Timeout']}]",
        "reminder = {'ErrorEquals': ['States.Timeout'], 'MaxAttempts': 1}",
    ],
    "13-70": [
        "condition = '$drawn.winner_details.employee_id in $asked_before'",
        "condition = '{% $asked_before in $drawn.winner_details.employee_id %}'",
        "condition = '{% $drawn.winner_details.employee_id = $asked_before %}'",
        "condition = '{% $exists($asked_before) %}'",
        "condition = '{% $count($asked_before) > 1 %}'",
    ],
    "99-10": [
        "def delete_role(name): return Stack(target)",
        "def delete_role(name):\n"
        "    iam = target.client('iam')\n"
        "    policy = iam.list_attached_role_policies(RoleName=name)['AttachedPolicies'][0]\n"
        "    iam.detach_role_policy(RoleName=name, PolicyArn=policy['PolicyArn'])\n"
        "    iam.delete_role(RoleName=name)",
    ],
}
#: Right answers that are put differently from the solution.
ALSO_RIGHT: Final = {
    "00-41": [one_draw(json.dumps({"input": 1}))],
    "00-45": ["broken['States']['Failed'] = {'Type': 'Fail', 'Error': 'Stopped'}", "broken = json.loads(workflow['definition'])"],
    "02-51": [answering("{'winners': sorted({'002', '001'})}"), answering("{'winners': ('002', '001')}")],
    "02-55": ["aws_lambda.update_function_configuration(FunctionName=name, MemorySize=1024)"],
    "02-39": ["Stack(target).deploy(only='function')"],
    "01-29": [
        "machine_trust = json.loads(json.dumps(trust).replace('lambda', 'states'))",
        # This changes `trust`, too.
        "machine_trust = trust.copy()\n"
        "machine_trust['Statement'][0]['Principal']['Service'] = 'states.amazonaws.com'",
        f"machine_trust = {trusting('states.amazonaws.com', Action=['sts:AssumeRole'])}",
        f"machine_trust = {trusting(['states.amazonaws.com'], '2008-10-17', Sid='Machine')}",
        f"machine_trust = {trusting('states.amazonaws.com', Condition=OWN_ACCOUNT)}",
        f"machine_trust = {trusting('states.amazonaws.com')}\n"
        "machine_trust['Statement'] = machine_trust['Statement'][0]; del machine_trust['Version']",
    ],
    "01-47": [read_winners(Action=["dynamodb:GetItem"], Sid="Read")],
    "01-33": [
        "Stack(target).deploy(only='role')",
        trust_lambda(),
        trust_lambda(["lambda.amazonaws.com"], Action=["sts:AssumeRole"]),
    ],
    "03-31": [told("Wang Fang, Li Na", "The winners of today")],
    "03-35": ["sns.publish(TopicArn=topic_arn, Message='Congrats! [Li Na]'"
              " ' You have selected as the Lucky Champ!')"],
    "03-39": ["Stack(target).deploy(only='topic')"],
    "04-22": [
        "paginator = dynamodb.get_paginator('scan')\n"
        "found = paginator.paginate(TableName=target.names.employee_table, PaginationConfig={'PageSize': 3})\n"
        "pages = tuple(page['Items'] for page in found)",
    ],
    "04-30": ["newcomer = wanted.copy()\ndynamodb.put_item(TableName=target.names.employee_table, Item=newcomer)"],
    "04-34": ["person |= dict(employee_id=dict(S='012'))\n"
              "dynamodb.put_item(TableName=target.names.employee_table, Item=person)"],
    "05-16": [patient(busy(BackoffRate=2)), patient(busy(), {"ErrorEquals": ["Lambda.Unknown"], "MaxAttempts": 1})],
    "05-52": [
        shorter({"Choices": rules("Notify", "Select")["Choices"][::-1]}, End=True),
        shorter({**rules("Notify"), "Default": "Select"}, End=True),
    ],
    "05-35": [
        limit(lambda machine: machine["States"]["Gate"].update(
            Choices=[{"Variable": "$.input", "NumericGreaterThan": 10, "Next": "No"}]), Default="Yes"),
        limit(lambda machine: machine["States"].update(Yes={"Type": "Pass", "End": True}), Default="No"),
        limit(lambda machine: machine["States"]["No"].update(Cause="There are ten employees."), Default="No"),
        limit(lambda machine: machine["States"].update(Gate={
            "Type": "Choice", "QueryLanguage": "JSONata", "Default": "No",
            "Choices": [{"Condition": "{% $states.input.input <= 10 %}", "Next": "Yes"}]})),
    ],
    "06-28": ["entered = 2.0", "entered = len(['Input Lottery Winners', 'Failed'])"],
    "06-16f": [START_ONCE.replace("number}", "number}, indent=2"),
               START_ONCE.replace("states.exceptions.ExecutionAlreadyExists", "states.exceptions.ClientError")],
    "06-53": [REASON.replace("causes[-1]", "causes[0]")],
    "07-24e": [FAILED.replace("return first.state, first.input", "return [first.state, first.input]")],
    "07-44": [
        "state = {'Type': 'Pass', 'InputPath': '$.body', 'Parameters': {'count.$': '$.num_of_winners'},"
        " 'ResultPath': '$.mail', 'End': True}",
        "state = {'Type': 'Pass', 'InputPath': '$.body.num_of_winners', 'ResultPath': '$.mail.count', 'End': True}",
        "state = '{\"Type\": \"Pass\", \"Parameters\": {\"count.$\": \"$.body.num_of_winners\"},"
        " \"ResultPath\": \"$.mail\", \"End\": true}'",
        "state = {'Type': 'Pass', 'Parameters': {'body.$': '$.body', 'status.$': '$.status',"
        " 'mail': {'count.$': '$.body.num_of_winners'}}, 'End': True}",
    ],
    "07-50": ["def winners_of(output): return output[-1].get('body', {}).get('winners', [])",
              "winners_of = lambda output: [each for part in output"
              " for each in part.get('body', {}).get('winners', [])]"],
    "08-23": ["fault = flaky.replace('<= 2', '== 1')"],
    "08-37": ["mails = 3.0"],
    "08-56": [publishing("['sns:Publish']", "[topic_arn]")],
    "15-17": [
        "retries = [retry, {'ErrorEquals': ['ThrottlingException'], 'IntervalSeconds': 2, 'MaxAttempts': 3, 'BackoffRate': 3}]",
        "retries = ({'ErrorEquals': ['ThrottlingException'], 'IntervalSeconds': 2}, retry)",
    ],
    "15-e2x": [
        "allowed = {'Type': 'Choice', 'Choices': [{'Variable': '$.input', 'NumericGreaterThan': 10,"
        " 'Next': 'Number Not Allowed'}, {'Variable': '$.input', 'NumericLessThan': 1,"
        " 'Next': 'Number Not Allowed'}], 'Default': 'Input Lottery Winners'}",
        "allowed = {'QueryLanguage': 'JSONata', 'Type': 'Choice', 'Choices': [{'Condition':"
        " '{% $states.input.input in [1..10] %}', 'Next': 'Input Lottery Winners'}],"
        " 'Default': 'Number Not Allowed'}",
    ],
    "15-41": [
        "mail_catch = [{'ErrorEquals': ['States.ALL'], 'ResultPath': '$.why', 'Next': 'Recorded Not Mailed'}]",
        "mail_catch = ({'ErrorEquals': ['States.Timeout'], 'Next': 'Recorded Not Mailed'},"
        " {'ErrorEquals': ['States.ALL'], 'Next': 'Recorded Not Mailed'})",
    ],
    "16-31": [RECORD_ALL, RECORD_ALL.replace("in ids", "in set(ids)")],
    "16-43": [
        RECORDER,
        f"{RECORDER}; recorder['States']['Has Won Before'] = {{'Type': 'Pass', 'End': True}}",
    ],
    "16-69": [admit("['dynamodb:PutItem']", "[target.arn('dynamodb', f'table/{table}')]")],
    "17-47": [
        "def count_items(table):\n"
        "    page = dynamodb.scan(TableName=table)\n"
        "    count = page['Count']\n"
        "    while 'LastEvaluatedKey' in page:\n"
        "        page = dynamodb.scan(TableName=table, ExclusiveStartKey=page['LastEvaluatedKey'])\n"
        "        count += page['Count']\n"
        "    return count",
    ],
    "17-88": [LIMITED, f"{LIMITED}enough['Condition'] = '{{% $states.input.asked = 100 %}}'"],
    "18-31c": [badges(selects(ITEM))],
    "18-46": [tolerant(4, 1.2), tolerant(5, 24.9)],
    "18-52": [careful(), careful(good="$length(row.employee_id) > 0")],
    "19-41": [template(("DisplayName: Lottery", "DisplayName: Party"), ("MemorySize: 256", "MemorySize: 512"))],
    "19-45": [second_alarm(), second_alarm("-Other", "Other")],
    "90-32": ["kinds = ('drawn', 'roll call', 'drawn', 'roll call')", "kinds = ['drawn', 'roll call'] * 2"],
    "90-50": ["proof_of_007 = merkle.proof(texts, salt, 6)", "proof_of_007 = dict(merkle.proof(texts, salt, -4 % 10))"],
    "90-84": [without_receipt(), without_receipt("set(ids)"), without_receipt("tuple(ids + ids)")],
    "09-35": [f"{ENDS}ends['detail']['status'] = [{{'anything-but': ['RUNNING']}}]", f"{ENDS}ends = json.dumps(ends)"],
    "09-41": ["answer = dict(times=3, error='NotEnoughEmployees')"],
    "11-15": [
        evening(Announce=ANNOUNCE),
        evening(Announce={**ANNOUNCE, "Timestamp": ANNOUNCE["Timestamp"].replace("$states.context.Execution.StartTime", "$now()")}),
    ],
    "11-27": [evening(At_Once=AT_ONCE), evening(At_Once={**AT_ONCE, "Comment": "mail and look up"})],
    "11-37": [evening(Each_Winner=EACH_WINNER), evening(Each_Winner={**EACH_WINNER, "MaxConcurrency": 1})],
    "14-08": [draw_name("'-'.join([*prize.split(), evening])"), draw_name("f'{evening}-{prize.encode().hex()}'")],
    "14-20": [
        "def redrive_failed(machine_arn):\n"
        "    for each in states.list_executions(stateMachineArn=machine_arn)['executions']:\n"
        "        if each['status'] == 'FAILED':\n"
        "            states.redrive_execution(executionArn=each['executionArn'])",
    ],
    "14-44": [routed(100, 0)],
    "10-37": ["output = 3.0"],
    "10-49": [
        "condition = '{% $states.input.num_of_winners in [1..5] %}'",
        "condition = '{% ($exists($states.input.num_of_winners) ? $states.input.num_of_winners : 6) <= 5 %}'",
    ],
    "10-75": [
        "select = careful['States']['Random Select Winners']\n"
        "select['Assign']['rounds'] = '{% $exists($rounds) ? $rounds + 1 : 1 %}'\n"
        "choice['Choices'].insert(1, {'Condition': '{% $rounds = 3 %}', 'Next': 'Failed'})",
        "first['Assign'] = {'rounds': 0}\n"
        "careful['States']['Validate Winners']['Assign'] = {'rounds': '{% $rounds + 1 %}'}\n"
        "choice['Choices'][1]['Condition'] = '{% $states.input.status = 1 and $rounds <= 2 %}'\n"
        "choice['Default'] = 'Failed'",
    ],
    "12-26": ["status = 'caught_error'"],
    "12-42": [
        "given = {'input': '{\"body\": 1}'}\n"
        "more += [{'stateName': name, **given, 'mock': {'result': '1'}} for name in list(machine['States'])[1:3]]\n"
        "more += [fails(name) for name, to in edges if to == 'Failed']",
    ],
    "12-54": [checked_by(RETRIABLE, CAUGHT)],
    "13-49c": [
        CATCH,
        CATCH.replace("{'num_of_winners': '{% $drawn.num_of_winners %}'}", "'{% $drawn %}'"),
        f"{CATCH}; catch = (*catch, {{'ErrorEquals': ['States.ALL'], 'Next': 'Failed'}})",
    ],
    "13-66": [
        "reminder = [{'ErrorEquals': ['States.Timeout'], 'IntervalSeconds': 1, 'MaxAttempts': 1}]",
        "reminder = ({'ErrorEquals': ['States.Timeout', 'States.HeartbeatTimeout'], 'MaxAttempts': 1},)",
        "reminder = [{'ErrorEquals': ['Declined'], 'MaxAttempts': 0},"
        " {'ErrorEquals': ['States.ALL'], 'MaxAttempts': 1}]",
    ],
    "13-70": [
        "condition = '{%$drawn.winner_details[0].employee_id in $asked_before%}'",
        "condition = '{% $exists($asked_before) and $drawn.winner_details.employee_id in $asked_before %}'",
        "condition = '{% $count($asked_before[$ = $drawn.winner_details.employee_id]) > 0 %}'",
        "condition = '{% $count($drawn.winner_details[employee_id in $asked_before]) > 0 %}'",
    ],
    "99-10": [
        "def delete_role(name):\n"
        "    iam = target.client('iam')\n"
        "    pages = iam.get_paginator('list_attached_role_policies').paginate(RoleName=name)\n"
        "    for policy in [each for page in pages for each in page['AttachedPolicies']]:\n"
        "        iam.detach_role_policy(RoleName=name, PolicyArn=policy['PolicyArn'])\n"
        "    return iam.delete_role(RoleName=name)",
    ],
}
#: Mistakes that have a hint of their own, and words of it.
HINTS: Final = {
    "09-11": [("written = 1", "Which events of this draw")],
    "09-35": [("ends = pattern", "does not take an event with status SUCCEEDED"),
              (f"{ENDS}del ends['detail']['status']", "takes an event with status RUNNING"),
              (f"{ENDS}ends['detail']['stateMachineArn'] = machine_arn", "AWS refuses the pattern: "),
              (f"{ENDS}del ends['detail']['stateMachineArn']", "takes an event of another machine")],
    "09-41": [("answer = {'error': 'NotEnoughEmployees', 'times': 1}", "Count the events")],
    "18-31c": [
        (badges(("input.office", "input.city")), "$states.input.name' specified for the field"),
        (badges(selects("{% $states.input.names %}")), "The output should be"),
        (badges(('"End"', '"Ende"')), "AWS refuses the file"),
        ("Path('badges.asl.json').write_text('{')", "JSON"),
    ],
    "18-46": [
        (tolerant(5, 1), "April fails with States.ExceedTolerated"), (tolerant(25, 10), "Smaller batches lose fewer"),
        (tolerant(3, 10), "Larger batches need fewer"), (tolerant(5, 100), "May succeeds"),
    ],
    "18-52": [
        (edited("careful.asl.json", ("[Items.put]", "[Items[row.employee_id != ''].put]")), "needs the key bad"),
        (edited("careful.asl.json", ("[Items.put]", "[Items[row.id != ''].put]")), "A child fails"),
        (careful((": 25", ": 5")), "Keep batches of 25"),
        (careful((".row] %", "] %")), "each with its employee_name"),
    ],
    "19-13": [("roles = 2", "each function here has rights of its own"), ("roles = 4", "do not forget the machine")],
    "19-41": [
        (template(("Lottery-Winners", "Lottery-Champions")), "WinnersTable would be replaced"),
        (template(("Lottery-Notification", "Lottery-Party")), "Notification would be replaced"),
        (template(("Timeout: 30", "Timeout: 20")), "the DisplayName is not Party yet"),
    ],
    "19-45": [
        (template(("Timeout: 30", "Timeout: 20")), "alarms of this machine for ExecutionsFailed"),
        (second_alarm(name="-Failed"), "already exists"),
        (template(("  Notification:", "  Topic:")), "Unresolved resource dependencies"),
        (template(("ExecutionsFailed", "ExecutionsAborted")), "for ExecutionsAborted"),
        (second_alarm(**{"      AlarmActions:\n        - !Ref Notification\n": ""}), "tell the topic"),
        (second_alarm(**{"Dimensions": "Dimension"}), "CloudFormation says"),
    ],
    "11-15": [
        (cells.saving("evening.asl.json", "{"), "Correct the JSON"),
        ("from pathlib import Path\nPath('evening.asl.json').write_text(json.dumps(evening))\n"
         + evening(Announce={"Type": "Wait", "Timestamp": "{% $states.input.announce_at %}", "Next": "At Once"}),
         "returned nothing (undefined)"),
        (evening(Announce={"Type": "Wait", "Seconds": 2, "Next": "At Once"}), "Use a Wait with Timestamp"),
        (evening(Announce={**ANNOUNCE, "Next": "Nowhere"}), "AWS refuses your state"),
        (evening(Announce={"Type": "Wait", "Timestamp": "2090-01-01T00:00:00Z", "Next": "At Once"}), "it waits too long"),
    ],
    "11-27": [
        (evening(At_Once={**AT_ONCE, "Branches": [BARE_MAIL, LOOKING_UP]}), "ends with SNS.InvalidParameterException"),
        (evening(At_Once=mailing(Arguments={"TopicArn": "{% $topic %}", "Message": "Hi"})), "does not publish the text"),
        (evening(At_Once={**AT_ONCE, "Type": "Pass"}), "must be a Parallel"),
    ],
    "11-37": [
        # Two winners fail at the same time: the one who is not there, and the one without an id.
        (evening(Each_Winner={**EACH_WINNER, "ItemProcessor": BARE_FIND}), "the execution ends with"),
        (evening(Each_Winner={**EACH_WINNER, "MaxConcurrency": 4}), "MaxConcurrency must be 2"),
    ],
    "14-08": [
        (draw_name("f'{evening}-{prize}'"), "The click for the city trip fails: Invalid Name"),
        (draw_name("prize.replace(' ', '-')"), "The mug of the next party"),
        (draw_name("f'{evening}-{prize.split()[0]}'"), "Two prizes have the same name"),
        (
            draw_name(  # each draw has ended before the next click
                "([ended(each['executionArn']) for each in "
                "states.list_executions(stateMachineArn=machine_arn)['executions']], "
                "f'{evening}-{prize.split()[0]}')[1]"
            ),
            "Two prizes have the same name",
        ),
        (draw_name("f'{evening}-{prize}-{minute}'.replace(' ', '-')"), "The mug is drawn twice"),
        (draw_name("prise"), "ended with NameError"),
    ],
    "14-20": [
        ("def redrive_failed(machine_arn): return []", "Of two draws that failed, 0 continued"),
        (
            "def redrive_failed(machine_arn):\n"
            "    for each in states.list_executions(stateMachineArn=machine_arn)['executions']:\n"
            "        states.redrive_execution(executionArn=each['executionArn'])",
            "ended with ExecutionNotRedrivable",
        ),
    ],
    "14-44": [(routed(50, 50), "look at its weights")],
    "00-41": [
        ("started = arn", "Put the answer of states.start_execution"),
        (one_draw('{"input": 2}'), "It drew 2 winners"),
        (one_draw('{"winners": 1}'), 'the key must be "input"'),
        (one_draw('{"input": "1"}'), "It got the input"),
    ],
    "00-45": [
        ("", "Missing 'Next' target: Failed"),
        ("broken['States']['Failed'] = {}", "AWS says"),
        ("broken['States']['Failed'] = {'Type': 'Succeed'}", "must end as failed"),
    ],
    "04-34": [("person = person", 'has the id "012"'),
              ("person['employee_id'] = {'S': '012'}", "the cell must write the item")],
    "03-31": [
        ("subject = 'The winners of today'", "No mail has the subject"),
        (told("Congratulations!", "The winners of today"), "must have both names"),
    ],
    "03-35": [
        ("mine = sns.list_subscriptions_by_topic(TopicArn=topic_arn)['Subscriptions'][0]\n"
         "sns.unsubscribe(SubscriptionArn=mine['SubscriptionArn'])", "must still be confirmed"),
        ("sns.subscribe(TopicArn=topic_arn, Protocol='email', Endpoint=address)\n"
         "inbox(target).confirm(address)", "No mail has"),
    ],
    "04-22": [("", "The pages have [3] items"), ("pages = []", "The pages have [] items")],
    "04-30": [
        ("newcomer = wanted", "now write it with put_item"),
        ("newcomer = wanted | {'employee_id': {'S': '11'}}\n"
         "dynamodb.put_item(TableName=target.names.employee_table, Item=newcomer)", "Look at employee_id: the"),
    ],
    "05-16": [
        (cells.saving("retry.asl.json", "{"), "Correct the JSON"),
        (patient(busy(1)), "Wait 1 is 1 seconds, and not 2"),
        (patient(busy(attempts=3)), "After call 4, Lambda.TooManyRequestsException must lead to another call"),
        (patient(busy(attempts=5)), "After call 5, Lambda.TooManyRequestsException must not lead"),
        (patient({**busy(), "ErrorEquals": ["States.ALL"]}), "After call 1, ValueError must not lead to another call"),
        (patient(busy(MaxTries=4)), "AWS refuses the state"),
    ],
    "05-52": [
        (shorter(rules("Notify", "Notify")), "only one of the following fields: [Next, End] at /States/Notify"),
        (shorter(rules("Notify", "Notify"), End=True), "leads to Notify. Is this right?"),
        (shorter(rules("Notify", "Select"), End=True, Comment="sends it"), "Repair only the three mistakes"),
    ],
    "05-35": [
        (limit(lambda machine, path=variable: machine["States"]["Gate"]["Choices"][0].update(Variable=path), Default="No"),
         hint)
        for variable, hint in (("input", "Reference path didn't start with '$'"), ("$input", "States.Runtime Invalid path '$input'"),
                               (5, "Expected value of type [STRING] at /States/Gate/Choices[0]/Variable"))
    ] + [
        (limit(lambda machine: machine["States"]["Gate"]["Choices"][0].pop("NumericLessThanEquals"), Default="No"),
         "needs a comparison"),
        (limit(lambda machine: machine["States"]["No"].pop("Error"), Default="No"),
         "should end with TooMany, but ends with no Error"),
        (limit(lambda machine: machine["States"]["Gate"]["Choices"][0].update(NumericLessThanEquals=11), Default="No"),
         '{"input": 11} should end with TooMany, but ends with success'),
        (limit(lambda machine: machine["States"]["Gate"].update(
            Choices=[{"Variable": "$.input", "NumericEquals": number, "Next": "Yes"} for number in (1, 10)]), Default="No"),
         '{"input": 5} should end with success, but ends with TooMany'),
        (limit(lambda machine: machine["States"].pop("No"), Default="Gate"), "no end, after 20 states"),
    ],
    "01-47": [
        (f"read_winners = {reading()}", "call put_role_policy"),
        (read_winners(Principal={"Service": "lambda.amazonaws.com"}), "Only a trust policy has a Principal"),
        (read_winners(Effect="Deny"), "The Effect must allow it"),
        (read_winners(Action="dynamodb:*"), "must be dynamodb:GetItem, and no other"),
        (read_winners(Resource="*"), "must be table_arn, and no other"),
    ],
    "01-29": [
        (f"machine_trust = {trusting('lambda.amazonaws.com')}", "states.amazonaws.com"),
        ("machine_trust = {'Statement': ['Allow']}", "must be a dict"),
        *((f"machine_trust = {trusting('', Principal=principal)}", 'The Principal is {"Service": ...}')
          for principal in ("states.amazonaws.com", {"service": "states.amazonaws.com"})),
    ],
    "02-51": [
        (answering("{'winners': {'001'}}"), "Object of type set is not JSON serializable"),
        (answering("['001', '002']"), 'with {"winners": ["001", "002"]}'),
    ],
    "02-55": [
        ("aws_lambda.update_function_configuration(FunctionName=name, MemorySize=300)", "The function has 300 MB"),
        (answering("{'names': 1}"), "leave the code as it is"),
    ],
    "06-16f": [("def start_once(order, number): return 1", "No execution has the number of the order"),
               (START_ONCE.replace("ExecutionAlreadyExists", "InvalidName"), "it raises ExecutionAlreadyExists"),
               (START_ONCE.replace("number}", "order}"), "For 1 winners, the input was"),
               ("start_once = 5", "ended with TypeError")],
    "06-53": [("def reason(arn): return json.loads('')", "ended with JSONDecodeError"),
              ("def reason(arn): return states.describe_execution(executionArn=arn)['status']", "returns 'SUCCEEDED'")],
    "07-24e": [("def failed(events): return state_table(events).iloc[0]['state']", "it returns one value: 'Input Lott"),
               (FAILED.replace("if table.empty", "if False"), "ended with IndexError"),
               ("def failed(events): return 1, 2", 'For the draw with {"input": 0}, it returns (1, 2)')],
    "07-44": [("state = {'Type': 'Pass', 'End': True}", "'status': 0}, but it should give {'body'")],
    "07-50": [("def winners_of(output): return output['body']", "Your function ended with TypeError: list indices"),
              ("def winners_of(output): return output", "should find Ann"),
              ("def winners_of(output): return output[2]", "ended with IndexError: list index out of range")],
    "08-23": [("fault = 5", "Write the code as a text in quotes"),
              ("fault = 'x = 1'", "must define lambda_handler"), ("fault = flaky", "They ended with ConnectionError, ConnectionError, success"),
              ("fault = flaky.replace('global tries', '')", "They ended with UnboundLocalError, UnboundLocalError, Unb")],
    "08-56": [("", "SNS.AuthorizationErrorException: MyStepFunctionsExecutionRole may not publish"),
              ("iam.attach_role_policy(RoleName=machine_role, PolicyArn=policies['AmazonDynamoDBFullAccess'])",
               "MyStepFunctionsExecutionRole has AmazonDynamoDBFullAccess now, which allows more"),
              (publishing("'sns:Publish'", "'*'"), "Name the ARN of the topic"),
              (publishing("'sns:*'", "topic_arn"), "Name only sns:Publish")],
    "10-37": [("output = 'three'", "Write a number"), ("output = 4", "before Assign")],
    "10-49": [
        ("condition = '$n <= 5'", "between {% and %}"),
        ("condition = '{%$states.input.num_of_winners <= 5%}'", "With the input {} it fails: The JSONata expression"),
        ("condition = '{% $states.input.num_of_winners in [1..6] %}'", '{"num_of_winners": 6} the next state is Go On'),
    ],
    "10-75": [
        ("careful = 1", "AWS would refuse it"),
        ("choice['Choices'][1]['Condition'] = '{% $states.input.status = 1 and $rounds < 3 %}'\n"
         "choice['Default'] = 'Failed'", "comes to Failed in round 1"),
    ],
    "12-26": [("status = 'RETRIABLE'", "look for a Retry. There is none")],
    "12-42": [
        ("more += [{'stateName': 'Random Select Winners', 'mock': {'result': '{}'}}]",
         "Your test of Random Select Winners ends with FAILED, States."),
        ("more += [fails('Input Lottery Winners')]", "from Random Select Winners to Validate Winners"),
        ("more += [{'stateName': 'Nobody'}]", "State not found in definition"),
    ],
    "12-54": [
        ("def test_it(): pass", "None of your tests calls test_state"),
        (checked_by("assert tried(1)"), "yet: If MaxAttempts is 1, none of your tests fails."),
        ("Path('test_errors.py').unlink()", "No such file"),
        (checked_by("assert tried(2)['status'] == 'RETRIABLE'"), "First, all tests must pass"),
        (checked_by(RETRIABLE), "yet: If MaxAttempts is 3, none of your tests fails."),
        (checked_by(CAUGHT), "yet: If MaxAttempts is 1, none of your tests fails."),
    ],
    "13-49c": [
        ("catch = {}", "Write a list of dicts"),
        (CATCH.replace("'Declined', ", ""), "After Declined, the draw fails: no Catch takes the error"),
        (CATCH.replace("['Declined', 'States.Timeout']", "['States.ALL']"), "again and again"),
        (f"{CATCH}; del catch[0]['Output']", 'gets {"Error":"Declined"'),
        (CATCH.replace("Random Select Winners", "Nobody"), "AWS would refuse it"),
    ],
    "13-66": [("reminder = [{'ErrorEquals': ['States.Timeout']}]", "TestState says RETRIABLE, RETRIABLE, CAUGHT_ERROR")],
    "13-70": [
        ("condition = \"{% '003' in $asked_before %}\"", "If 005 is drawn"),
        ("condition = '{% $nothing %}'", "the Choice leads to States.QueryEvaluationError"),
    ],
    "15-17": [
        ("retries = {'ErrorEquals': ['ThrottlingException']}", "is a list"),
        ("retries = [retry, retry]", "After 0 retries, ThrottlingException is not repeated"),
        ("retries = [{'ErrorEquals': ['ThrottlingException'], 'MaxAttempts': 4}, retry]", "After 3 retries, ThrottlingException is repeated"),
        ("retries = [{'ErrorEquals': ['ThrottlingException']}, retry]", "The first wait is 1 second"),
        ("retries = [{'ErrorEquals': 'ThrottlingException'}, retry]", "AWS would refuse it"),
        (
            "retries = [{'ErrorEquals': ['ThrottlingException', *retry['ErrorEquals']], 'IntervalSeconds': 2}]",
            "After 5 retries, Lambda.ServiceException is not",
        ),
    ],
    "15-e2x": [
        ("allowed = {'Type': 'Choice', 'Default': 'Number Not Allowed', 'Choices': [{'Variable': '$.input',"
         " 'NumericGreaterThanEquals': 1, 'NumericLessThanEquals': 10, 'Next': 'Input Lottery Winners'}]}",
         "with And"),
        (f"allowed = {choice(1, 10)}; allowed['Choices'] = allowed['Choices'][0]", "Choices is a list"),
        (f"allowed = {{'Is The Number Allowed': {choice(1, 10)}}}", "without the state's name"),
        (f"allowed = {choice(1, 10)}; del allowed['Choices'][0]['Next']", "AWS would refuse it"),
        (f"allowed = {choice(1, 10)}; allowed['Choices'][0]['And'][0]['Next'] = 'Number Not Allowed'", "beside And"),
        (f"allowed = {choice(0, 10)}", "The number 0 leads to Input Lottery Winners"),
    ],
    "15-41": [
        ("mail_catch = {'ErrorEquals': ['States.ALL'], 'Next': 'Recorded Not Mailed'}", "is a list"),
        ("mail_catch = [{'Next': 'Recorded Not Mailed'}]", "AWS would refuse it"),
        ("mail_catch = record['Catch']", "the Catch leads to Failed"),
        ("mail_catch = [{'ErrorEquals': ['States.All'], 'Next': 'Recorded Not Mailed'}]", "leads to SNS.InvalidParameterException"),
    ],
    "16-31": [
        ("def record_all(ids): pass", "the table has nobody"),
        (RECORD_ALL.replace(", 'ConditionExpression': condition", ""), "003 is written"),
        (RECORD_ALL.replace("    dynamodb", "    if '001' not in ids or len(found()) == 0: dynamodb"),
         "no error comes out"),
        (RECORD_ALL.replace(", 'ConditionExpression': condition", "").replace(
            "    items", "    if {*ids} & {*found()}: raise ValueError\n    items"), "writes in between, 005 wins twice"),
    ],
    "16-43": [
        (f"{RECORDER}; first['Catch'][0]['ErrorEquals'] = ['States.ALL']", "only the error of the condition"),
        (f"{RECORDER}; del first['Catch'], recorder['States']['Has Won Before']",
         "no Catch takes the error DynamoDB.ConditionalCheckFailedException"),
    ],
    "16-69": [
        ("", "A policy has dynamodb:*. Put one with dynamodb:PutItem only"),
        (admit("'dynamodb:GetItem'", "'*'"), "may not call PutItem"),
        (admit("'dynamodb:PutItem'", "target.arn('dynamodb', 'table/*')"), "the ARN of the table of winners"),
    ],
    "17-47": [
        ("", "your function returns 300"),
        ("def count_items(table): return dynamodb.describe_table(TableName=table)['Table']['ItemCount']", "six hours old"),
        ("def count_items(table): return dynamodb.scan(TableName=name)['Count']", "the error NameError"),
    ],
    "17-88": [
        ("limited = json.loads(json.dumps(loop))", "It still ends with AWS's own error"),
        (f"{LIMITED}enough['Next'] = 'Given Up'", "AWS refuses your machine"),
        (f"{LIMITED}enough['Condition'] = '{{% $states.input.asked > 100 %}}'", "It asks 101 times"),
        (f"{LIMITED}del ask['Output']['arrived']", "If the prizes have arrived, the execution should succeed"),
        (f"{LIMITED}limited['States']['Gave Up']['Error'] = 'GaveUp'", "It fails with GaveUp, and not with NotArrived"),
    ],
    "17-26": [("recorded = 1000", "before it writes"), ("recorded = 1010", "who can still win")],
    "90-32": [("kinds = ['drawn', 'roll call']", "if everybody had been here"), ("kinds = 'drawn'", "Write a list"),
            ("kinds = ['announced', 'drawn']", "Use only the kinds")],
    "90-50": [("proof_of_007 = merkle.proof(texts, salt, 7)", "the proof for 008"), ("proof_of_007 = 6", "Call merkle.proof"),
            ("proof_of_007 = merkle.proof(texts[1:], salt, 6)", "another root")],
    "90-84": [
        ("def without_receipt(document): return document['draw']", "Your function ended with KeyError"),
        ("def without_receipt(document): return [row['employee_id'] for row in document['winners']"
         " if row['employee_id'] not in str(document['draws'])]", "002 was only passed over"),
    ],
    "99-10": [
        ("def delete_role(name): target.client('iam').delete_role(RoleName='name')", "ended with NoSuchEntityException"),
        ("delete_role = target.client('iam').delete_role", "ended with TypeError"),
        (
            "def delete_role(name):\n"
            "    iam = target.client('iam')\n"
            "    for policy in iam.list_attached_role_policies(RoleName=name)['AttachedPolicies']:\n"
            "        iam.detach_role_policy(RoleName=name, PolicyArn=policy['PolicyArn'])",
            "The role is still there. Policies that it has: 0",
        ),
        ("def delete_role(name): return target.client('iam').delete_role(RoleName=name)", "must detach all policies first"),
    ],
}
# fmt: on
MARK: Final = re.compile("^# Exercise [123]$", re.MULTILINE)
ANSWER: Final = re.compile(r"(✓ (done|通过)|○ (not yet|未完成))(: |：).+")
#: What these cells show depends on time, so only nbval compares it.
#: In 11 and 15, a state waits a moment after its message is known. In a kernel, the next cell comes later than that.
TIMED: Final = {"08-29b", "13-24", "90-15"}
PATTERNS: Final = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))
#: What an attendee edits.
EDITED: Final = {".json", ".yaml"}
Node = Any


#: These compare AWS's time with their own.
ONE_TIME: Final = {"09_watch_it", "11_build_it"}


@pytest.fixture
def shell(path, tmp_path, monkeypatch, request):
    request.getfixturevalue("one_time" if path.stem in ONE_TIME else "quick_looks")
    with cells.shell(tmp_path, monkeypatch) as run:
        yield run


@pytest.fixture
def quick_looks(monkeypatch):
    """A lesson looks again at once, as the emulator does not let it wait."""
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(0.01 if seconds <= 1 else seconds))


@pytest.fixture
def one_time(tmp_path_factory, monkeypatch):
    """An emulator of this test's own. Its time and that of this process pass when this process sleeps."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("LOTTERY_EMULATOR_CLOCK", "virtual")
    connect()
    told = status()
    with time_machine.travel(time.time(), tick=False) as now:

        def sleep(seconds):
            passed = clock(told["endpoint"], told["access_key_id"], advance=seconds)
            now.move_to(passed)

        monkeypatch.setattr(time, "sleep", sleep)
        sleep(0)
        yield
    control.stop()


@pytest.fixture
def chinese(monkeypatch):
    """This process speaks Chinese until the end of the test, as a kernel does whose notebook lies in the folder zh."""
    for module in ("lottery_lib.__main__", "lottery_party.commands"):  # what modules say at import stays English
        import_module(module)
    with monkeypatch.context() as changed:
        changed.setenv("LOTTERY_LANG", "zh")
        changed.setattr(employees, "REQUEST_ITEMS", employees.REQUEST_ITEMS.with_suffix(".zh.json"))
        translation.language.cache_clear()
        yield
    translation.language.cache_clear()


def compared(outputs):
    """What nbval compares of outputs: the text of each kind."""
    texts = {}
    for output in outputs:
        for kind, text in output.get("data", {"stream": output.get("text")}).items():
            texts[kind] = texts.get(kind, "") + str(text)
    texts.pop(WIDGET_VIEW, None)
    for pattern, replacement in PATTERNS:
        texts = {kind: re.sub(pattern, replacement, text) for kind, text in texts.items()}
    return texts


@pytest.fixture
def answer(shell):
    """Run the cell of an exercise with each of these in it, then its check, and return what the check says."""

    def answer(exercise, check, expected, *sources):
        for source in sources:
            marked = MARK.search(exercise.source)[0]
            shell(source if MARK.search(source) else f"{marked}\n{source}")
        result = shell(check.source)[1].result
        assert ANSWER.fullmatch(str(result)), (sources, result)
        assert str(result).startswith(expected), (sources, result)
        return result

    return answer


@pytest.mark.parametrize(
    "most",
    [
        pytest.param(1, id="one of each"),
        pytest.param(None, id="all", marks=pytest.mark.long("hundreds of answers")),
    ],
)
@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_checks_tell_right_from_wrong(path, most, shell, answer, monkeypatch, tmp_path):
    """A check answers in one line whatever it is given: done to what is right, else not yet.

    After a cell that raised, no answer is right: the value may be an old one. Each cell of the lesson shows what
    the notebook stores, as nbval compares it, whatever the answers before were. An exercise that nobody tried
    has no hint. With all solutions the lesson is done, and with none of them it is not.
    """

    def teach(cell):
        outputs, ended = shell(cell.source)
        assert ended.success, (cell.source, outputs)
        if "nbval-ignore-output" not in cell.metadata.get("tags", []) and cell.id not in TIMED:
            assert compared(outputs) == compared(cell.outputs), cell.source
        assert shell(HOLDS.get(cell.id, ""))[1].success, HOLDS[cell.id]

    names = iter(NAMES[path.name[:2]])
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            exercise = cell
            teach(exercise)
        elif "check" in tags:
            check, name = cell, next(names)
            teach(cell)
            files = {file: file.read_bytes() for file in tmp_path.rglob("*.*") if file.suffix in EDITED}
            assert "○ not yet: You have not tried this exercise. " in str(cell.outputs)
            if name:
                for value in VALUES[:most]:
                    answer(exercise, check, "○ not yet", f"{name} = {value}")
                answer(exercise, check, "○ not yet", f"del {name}")
            for mistake, words in HINTS.get(exercise.id, ()):
                assert words in str(answer(exercise, check, "○ not yet", exercise.source, mistake))
            for wrong in WRONG.get(exercise.id, ())[:most]:
                answer(exercise, check, "○ not yet", exercise.source, wrong)
            for right in ALSO_RIGHT.get(exercise.id, ())[:most]:
                answer(exercise, check, "✓ done", exercise.source, right)
            for file, before in files.items():  # the solution meets what an attendee has not changed
                file.write_bytes(before)
            shell(exercise.source)
        elif "solution" in tags:
            solution = cells.solution_of(cell)
            answer(exercise, check, "✓ done", solution)
            answer(exercise, check, "○ not yet", "1 / 0")  # the value is right, but old
            assert "ZeroDivisionError" in str(shell(check.source)[1].result)  # and still is when the check runs again
            shell("1 / 0")  # in another cell, it does not matter
            answer(exercise, check, "✓ done", solution)
        elif cell.source.split("\n")[-1].startswith("verify("):
            # `tests/kit/test_missions.py` solves the missions, which a file keeps.
            unsolved = [str(each) for each in shell(cell.source)[1].result if not each.done]
            assert all("mission" in each for each in unsolved) and len(unsolved) in (0, 6)
            with monkeypatch.context() as nobody_tried:
                nobody_tried.setattr(checks, "_SOLVED", set())
                nobody_tried.setattr(checks, "_RUNS", {})
                nobody_tried.setattr(checks, "_EDITED", set())
                teach(cell)
        elif cell.cell_type == "code":
            teach(cell)


#: What somebody writes in Chinese: right answers, and wrong ones with words of their hint.
CHINESE: Final = {
    "12-26": (["status = 'ＣＡＵＧＨＴ＿ＥＲＲＯＲ'"], []),
}


@pytest.mark.long
@pytest.mark.parametrize("path", notebooks(NOTEBOOKS_FOLDER / "zh"), ids=lambda path: path.stem)
def test_checks_in_chinese(path, shell, answer, chinese, tmp_path):
    """Each right answer is right in Chinese, too; and a hint has neither marks of Markdown nor a list of Python's.

    It runs all lessons once more, which takes minutes.
    """
    with (translation.TRANSLATIONS / "zh" / "notebooks.po").open("rb") as file:
        texts = pofile.read_po(file)
    names = {"Li Na": "李娜", "Wang Fang": "王芳"}
    names |= {text: texts.get(text).string for text in ("draws a second", "The winners of today")}
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            exercise = cell
            shell(cell.source)
        elif "check" in tags:
            check = cell
            files = {file: file.read_bytes() for file in tmp_path.rglob("*.*") if file.suffix in EDITED}
            more, hinted = CHINESE.get(exercise.id, ([], []))
            wrong = [(mistake, "") for mistake, _ in HINTS.get(exercise.id, ())]
            wrong += [(mistake, "") for mistake in WRONG.get(exercise.id, ())]
            for mistake, words in wrong + hinted:
                shown = html.unescape(answer(exercise, check, "○ 未完成", exercise.source, mistake)._repr_html_())
                hint = shown.partition("您的答案是")[0]
                assert words in hint
                assert not re.search(r"`|\[None|(?<!\$)\['|\bNone\b", hint), hint
            for right in ALSO_RIGHT.get(exercise.id, ()):
                for ours, theirs in names.items():
                    right = right.replace(ours, theirs)
                answer(exercise, check, "✓ 通过", exercise.source, right)
            for right in more:
                answer(exercise, check, "✓ 通过", exercise.source, right)
            for file, before in files.items():
                file.write_bytes(before)
            shell(exercise.source)
        elif "solution" in tags:
            answer(exercise, check, "✓ 通过", cells.solution_of(cell))
        elif cell.cell_type == "code":
            assert shell(cell.source)[1].success, cell.source
