"""The lessons from top to bottom: what their cells show, and what their checks answer to whatever one may write."""

import html
import re
import time
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

from lottery_lib import connect, employees, translation
from lottery_lib.course import checks
from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, notebooks
from sfn_emulator import control, status

#: What each exercise asks for: a name to assign; "" where AWS itself is to be changed.
NAMES: Final = {
    "00": ("entered", "execution_input", "mistyped"),
    "01": ("can_step_functions_assume_it", "machine_trust", ""),
    "02": ("error_type", "returned", ""),
    "03": ("arriving", "text", ""),
    "04": ("newcomer", "person", "pages"),
    "05": ("times", "broken", "mine"),
    "06": ("entered", "request", "expected"),
    "07": ("keys", "state", "winners_of"),
    "08": ("fault", "mails", ""),
    "15": ("tries", "allowed", "mail_catch"),
    "16": ("recorded", "recorder", ""),
    "17": ("count_items", "recorded", "hours"),
    "18": ("loaded", "percentage", "careful"),
    "19": ("roles", "replaced", "improved"),
    "90": ("kinds", "proof_of_007", "without_receipt"),
    "09": ("written", "mails", "answer"),
    "10": ("output", "condition", "careful"),
    "11": ("announce", "at_once", "each_winner"),
    "12": ("status", "more", ""),
    "13": ("sent", "reminder", "condition"),
    "14": ("draws", "status", ""),
    "99": ("forgotten",),
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


def choice(least: int, most: int, default: str = "Number Not Allowed") -> str:
    """A Choice on the number of winners, as lesson 15 asks for."""
    bounds = {"NumericGreaterThanEquals": least, "NumericLessThanEquals": most}
    rules = [{"Variable": "$.input", operator: bound} for operator, bound in bounds.items()]
    return repr(
        {"Type": "Choice", "Choices": [{"And": rules, "Next": "Input Lottery Winners"}], "Default": default}
    )


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


#: The first of the two mistakes of lesson 05 is repaired; the second is still to do.
MENDED: Final = (
    "broken['States']['Validate Winners']['Next'] = 'Is Winner In Past Draw'\n"
    "broken['States']['Send SNS and Record In Dynamodb']"
)

#: Parts of right answers to lesson 11.
ANNOUNCE: Final = (
    "announce = {'Type': 'Wait', 'Next': 'At Once', 'Timestamp': '{% $exists($states.input.announce_at)"
    " ? $states.input.announce_at : $states.context.Execution.StartTime %}'}\n"
)
AT_ONCE: Final = """
catch = [{'ErrorEquals': ['States.ALL'], 'Next': 'No Mail'}]
mailing = {'Mail': mail | {'Output': True, 'Catch': catch}, 'No Mail': {'Type': 'Pass', 'Output': False, 'End': True}}
results = {'winners': '{% $states.input.winners %}', 'mailed': '{% $states.result[0] %}', 'main': '{% $states.result[1] %}'}
branches = [{'StartAt': 'Mail', 'States': mailing}, only('Look Up', look_up)]
at_once = {'Type': 'Parallel', 'Branches': branches, 'Output': results, 'Next': 'Each Winner'}
"""
EACH_WINNER: Final = """
catch = [{'ErrorEquals': ['States.ALL'], 'Next': 'Nobody'}]
found = {'Find': look_up | {'Catch': catch}, 'Nobody': {'Type': 'Pass', 'Output': False, 'End': True}}
each_winner = {'Type': 'Map', 'Items': '{% $states.input.winners %}', 'MaxConcurrency': 2, 'End': True}
each_winner['ItemProcessor'] = {'StartAt': 'Find', 'States': found}
"""


#: A right answer to lesson 18's third exercise.
CAREFUL: Final = """
good = requests.replace('Items.', "Items[employee_id != ''].")
bad = "{% [$states.input.Items[employee_id = '']] %}"
careful = write | {'Arguments': {'RequestItems': {table: good}}, 'Output': {'bad': bad}}
"""


def second_alarm(name="-Ended", logical="EndedAlarm", metric="ExecutionsAborted"):
    """A template with one more alarm, as lesson 19's third exercise asks for, before the other."""
    pairs = {"FailedAlarm": logical, "-Failed": name, "ExecutionsFailed": metric}
    changes = "".join(f".replace({old!r}, {new!r})" for old, new in pairs.items())
    return f"second = alarm{changes}\nimproved = changed.replace(alarm, second + '\\n\\n' + alarm)"


def routed(*weights: int) -> str:
    """Lead lesson 14's alias to its versions with these weights."""
    routing = "[{'stateMachineVersionArn': arn, 'weight': weight} for arn, weight in zip(versions, weights) if weight]"
    return f"weights = {weights}\nstates.update_state_machine_alias(**alias, routingConfiguration={routing})"


# fmt: off
#: Wrong answers that come naturally, by the id of the exercise's cell. `HINTS` has more of them.
WRONG: Final = {
    "00-13": ["entered = ['Is Winner In Past Draw'] * 2", "entered = names[3:0:-1]"],
    "00-25": ["mistyped = 'Validate Winners'", "mistyped = 'Random Select Winner'", "mistyped = definition"],
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
        "wrong = json.dumps(trust).replace('lambda.amazonaws.com', 'states.amazonaws.com')\n"
        "iam.update_assume_role_policy(RoleName=target.names.lambda_role, PolicyDocument=wrong)",
        trust_lambda(Effect="Deny"),
        trust_lambda(Action="sts:*"),
        trust_lambda(["lambda.amazonaws.com", "states.amazonaws.com"]),
    ],
    "02-29": ["error_type = CustomError", "error_type = 'InvalidInput'"],
    "02-35": [
        "returned = aws_lambda.invoke(FunctionName=name, Payload='{\"input\": 5}')['Payload']",
        "returned = aws_lambda.invoke(FunctionName=name, Payload='{\"input\": 5}')['Payload'].read()",
    ],
    "02-39": [
        "aws_lambda.update_function_configuration(FunctionName=name, Handler='lambda_function.CustomError')"
    ],
    "03-31": ["arriving = '1'", "arriving = 2", "arriving = 1.0"],
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
    "05-16": ["times = 2", "times = '3'", "times = 4"],
    "05-52": ["broken['States']['Validate Winners']['Next'] = 'Failed'", "broken = json.dumps(broken)",
              "broken = machine", f"{MENDED}['End'] = False", "broken = filled"],
    "05-35": [
        f"mine = {gate(Default='Yes')}", f"mine = {gate(Default='Nowhere')}", f"mine = {gate()}",
        f"mine = {gate(Default='No')}\nmine['States']['No']['Error'] = 'toomany'",
        f"mine = {gate(Default='Gate')}\ndel mine['States']['No']",
        f"mine = {gate(Default='No')}['States']",
        "mine = {'StartAt': 'No', 'States': {'No': {'Type': 'Fail', 'Error': 'TooMany'}}}",
    ],
    "06-28": ["entered = '2'", "entered = ['Input Lottery Winners', 'Failed']"],
    "06-49": ["expected = '45'", "expected = comb(10, 8) / 2"],
    "06-53": ["request = {'input': 2}", "request = {'input': 1.0}", "request = {'Input': 1}",
              "request = {'input': True}", "request = [('input', 1)]"],
    "07-27": ["keys = ['body']", "keys = ['Body', 'drawn']", "keys = ['num_of_winners']", "keys = body"],
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
    "15-17": ["tries = '1'", "tries = 3", "tries = 1.0"],
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
        "mail_catch = [{'ErrorEquals': temporary, 'Next': 'Recorded Not Mailed'}]",
        "mail_catch = [{'ErrorEquals': ['States.TaskFailed'], 'Next': 'Recorded Not Mailed'}]",
    ],
    "16-31": ["recorded = '10'", "recorded = 5", "recorded = 10.0"],
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
    "17-57": ["hours = 1_000_000 / 10", "hours = '28'", "hours = 20", "hours = 5", "hours = 27"],
    "18-41": ["loaded = '950'", "loaded = 997", "loaded = 950.0"],
    "18-46": ["percentage = '10'", "percentage = 4", "percentage = 25", "percentage = [10]"],
    "18-52": [
        "careful['Output']['bad'] = []", f"{CAREFUL}careful['Output'] = {{'bad': []}}", f"{CAREFUL}del careful['Output']",
        f"{CAREFUL}careful = child", f"{CAREFUL}careful = json.dumps(careful)",
        f"{CAREFUL}careful['Arguments'] = {{'RequestItems': {{table: requests}}}}",
    ],
    "19-13": ["roles = '5'", "roles = 4", "roles = 5.0"],
    "19-41": ["replaced = 'WinnersTable'", "replaced = ['LotteryLog']", "replaced = [*ids]", "replaced = [[]]"],
    "19-45": [
        "improved = changed.replace(alarm, '')",
        "improved = changed.replace('MemorySize: 512', 'MemorySize: 128')",
        second_alarm(metric="ExecutionsTimedOut"),
    ],
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
    "09-11": ["written = '1'", "written = 2", "written = 1.0"],
    "09-35": ["mails = {'alarm': 3, 'rule': 3}", "mails = (1, 3)", "mails = {'alarm': '1', 'rule': '3'}"],
    "09-41": ["answer = {'error': 'NotEnoughEmployees', 'times': 1}", "answer = ('NotEnoughEmployees', 3)",
              "answer = {'error': 'InvalidInput', 'times': 3}"],
    "11-15": [
        "announce = {'Type': 'Pass', 'Next': 'At Once'}",
        "announce = {'Type': 'Wait', 'Timestamp': '2020-01-01T00:00:00Z', 'Next': 'At Once'}",
        f"{ANNOUNCE}announce['Output'] = {{'a': 1}}", f"{ANNOUNCE}announce = json.dumps(announce)",
        f"{ANNOUNCE}announce = {{'Announce': announce}}", f"{ANNOUNCE}plan['Announce'] = announce; announce = {{}}",
    ],
    "11-27": [
        f"{AT_ONCE}del at_once['Output']", f"{AT_ONCE}at_once = at_once['Branches']",
        f"{AT_ONCE}mailing['Mail']['Output'] = 'yes'", f"{AT_ONCE}branches.reverse()",
        "at_once = {'Type': 'Parallel', 'Branches': [], 'Next': 'Each Winner'}",
        "at_once = {'Type': 'Parallel', 'Branches': 5, 'Next': 'Each Winner'}",
        f"{AT_ONCE}del mailing['Mail']['Catch'], mailing['No Mail']\n"
        "at_once['Catch'] = [{'ErrorEquals': ['States.ALL'], 'Next': 'Each Winner', 'Output': results}]",
    ],
    "11-37": [
        f"{EACH_WINNER}del each_winner['MaxConcurrency']", f"{EACH_WINNER}found['Nobody']['Output'] = True",
        f"{EACH_WINNER}each_winner['ItemProcessor'] = 5", f"{EACH_WINNER}each_winner |= {{'Type': 'Parallel'}}",
        f"{EACH_WINNER}found['Find']['Output'] = 'Li Na'",
        # An id that DynamoDB refuses is no answer without an Item.
        f"{EACH_WINNER}del found['Find']['Catch'], found['Nobody']\n"
        "found['Find']['Output'] = '{% $exists($states.result.Item) ? $states.result.Item.employee_name.S : false %}'",
    ],
    "14-08": ["draws = '1'", "draws = 2", "draws = 3", "draws = 1.0"],
    "14-20": ["status = 'failed'", "status = 'SUCCEEDED'", "status = ['FAILED']"],
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
        "more += [{'stateName': name, 'mock': failing['mock']} for name, _ in edges]",
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
    "13-36": ["sent = '3'", "sent = 4"],
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
    "99-10": ["forgotten = 'role, log group'", "forgotten = {'role', 'log group', 'topic'}"],
}
#: Right answers that are put differently from the solution.
ALSO_RIGHT: Final = {
    "00-13": ["entered = tuple(loop)"],
    "00-19": ["execution_input = dict(input=3)"],
    "00-25": ["mistyped = names[1]"],
    "02-35": ["returned = aws_lambda.invoke(FunctionName=name, Payload=b'{\"input\":5}')\n"
              "returned = json.loads(returned['Payload'].read())"],
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
    "01-33": [
        "Stack(target).deploy(only='role')",
        "iam.update_assume_role_policy(RoleName=target.names.lambda_role, PolicyDocument=json.dumps(trust))",
        trust_lambda(["lambda.amazonaws.com"], Action=["sts:AssumeRole"]),
    ],
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
    "05-16": ["times = 3.0"],
    "05-52": [
        "broken = json.loads(filled)",
        "broken = json.loads(json.dumps(broken).replace('Winner in Past', 'Winner In Past'))\n"
        "broken['States']['Send SNS and Record In Dynamodb']['End'] = True",
    ],
    "05-35": [
        f"mine = json.dumps({gate(Default='No')})",
        f"mine = {gate(Default='Yes')}\nmine['States']['Gate']['Choices'] = ["
        "{'Variable': '$.input', 'NumericGreaterThan': 10, 'Next': 'No'}]",
        f"mine = {gate(Default='No')}\nmine['States']['Yes'] = {{'Type': 'Pass', 'End': True}}",
        f"mine = {gate(Default='No')}\nmine['States']['No']['Cause'] = 'There are ten employees.'",
        f"mine = {gate(Default='No')} | {{'QueryLanguage': 'JSONata'}}\nmine['States']['Gate']['Choices'] = ["
        "{'Condition': '{% $states.input.input <= 10 %}', 'Next': 'Yes'}]",
    ],
    "06-28": ["entered = 2.0", "entered = len(['Input Lottery Winners', 'Failed'])"],
    "06-49": ["expected = 45", "expected = 1 / (comb(2, 2) / comb(10, 2))"],
    "06-53": ["request['input'] = 1", "request = '{\"input\": 1}'", "request = {'input': 1, 'why': 'a test'}"],
    "07-27": ["keys = ('drawn', 'body')", "keys = {'body': {}, 'drawn': {}}.keys()"],
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
    "17-57": ["hours = 28", "hours = round(1e6 / 10 / 3600, 1)", "hours = 27.7",
              "hours = 1e6 / limits['draws a second'].min() / 3600"],
    "18-46": ["percentage = 5", "percentage = 24.9"],
    "18-52": [CAREFUL, CAREFUL.replace("employee_id != ''", "$length(employee_id) > 0")],
    "19-41": ["replaced = [each for each in ids if each == 'WinnersTable']"],
    "19-45": [second_alarm(), second_alarm("-Stopped", "Other")],
    "90-32": ["kinds = ('drawn', 'roll call', 'drawn', 'roll call')", "kinds = ['drawn', 'roll call'] * 2"],
    "90-50": ["proof_of_007 = merkle.proof(texts, salt, 6)", "proof_of_007 = dict(merkle.proof(texts, salt, -4 % 10))"],
    "90-84": [without_receipt(), without_receipt("set(ids)"), without_receipt("tuple(ids + ids)")],
    "09-35": ["mails = dict(rule=3, alarm=1)"],
    "09-41": ["answer = dict(times=3, error='NotEnoughEmployees')"],
    "11-15": [ANNOUNCE, ANNOUNCE.replace("$states.context.Execution.StartTime", "$now()")],
    "11-27": [AT_ONCE, f"{AT_ONCE}at_once['Comment'] = 'mail and look up'"],
    "11-37": [EACH_WINNER, f"{EACH_WINNER}each_winner['MaxConcurrency'] = 1"],
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
        "more += [{'stateName': name, **given, **failing} for name, to in edges if to == 'Failed']",
    ],
    "12-54": [checked_by(RETRIABLE, CAUGHT)],
    "13-36": ["sent = 3.0"],
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
    "99-10": ["forgotten = ['log group', 'role']"],
}
#: Mistakes that have a hint of their own, and words of it.
HINTS: Final = {
    "09-11": [("written = 0", "Which events of this draw")],
    "09-35": [("mails['rule'] = 3", "Write two numbers"), ("mails = {'alarm': 3, 'rule': 3}", "only changes its state")],
    "09-41": [("answer = {'error': 'NotEnoughEmployees', 'times': 1}", "Count the events")],
    "18-41": [("loaded = 997", "refuses the whole batch"), ("loaded = 925", "in the same batch")],
    "18-46": [("percentage = 4", "April fails"), ("percentage = 50", "May succeeds")],
    "18-52": [
        (f"{CAREFUL}del careful['Output']['bad']", "needs the key bad"),
        (f"{CAREFUL}careful['Arguments'] = {{}}", "A child failed"),
    ],
    "19-13": [("roles = 2", "each function here has rights of its own"), ("roles = 4", "do not forget the machine")],
    "19-41": [
        ("replaced = ['WinnersTable', 'Notification']", "can change in place"),
        ("replaced = ['Lottery-Winners']", "a list of logical names"),
        ("replaced = ['Notification']", "For which of the three"),
    ],
    "19-45": [
        ("", "alarms of this machine for ExecutionsFailed"),
        (second_alarm(name="-Failed"), "already exists"),
        ("improved = changed.replace('  Notification:', '  Topic:')", "Unresolved resource dependencies"),
        ("improved = changed.replace('ExecutionsFailed', 'ExecutionsAborted')", "for ExecutionsAborted"),
        (second_alarm() + ".replace('      AlarmActions:\\n        - !Ref Notification\\n', '')", "tell the topic"),
        (second_alarm() + ".replace('DisplayName: Lottery', 'DisplayName: Party')", "also changes Notification"),
    ],
    "11-15": [
        ("announce = {'Type': 'Wait', 'Timestamp': '{% $states.input.announce_at %}', 'Next': 'At Once'}",
         "returned nothing (undefined)"),
        ("announce = {'Type': 'Wait', 'Seconds': 2, 'Next': 'At Once'}", "Use a Wait with Timestamp"),
        (f"{ANNOUNCE}announce['Next'] = 'Nowhere'", "AWS refuses your state"),
        ("announce = {'Type': 'Wait', 'Timestamp': '2090-01-01T00:00:00Z', 'Next': 'At Once'}", "it waits too long"),
    ],
    "11-27": [
        (f"{AT_ONCE}del mailing['Mail']['Catch'], mailing['No Mail']", "ends with SNS.InvalidParameterException"),
        (f"{AT_ONCE}mailing['Mail']['Arguments'] = mail['Arguments'] | {{'Message': 'Hi'}}", "does not publish the text"),
    ],
    "11-37": [
        # Two winners fail at the same time: the one who is not there, and the one without an id.
        (f"{EACH_WINNER}del found['Find']['Catch'], found['Nobody']", "the execution ends with"),
        (f"{EACH_WINNER}each_winner['MaxConcurrency'] = 4", "MaxConcurrency must be 2"),
    ],
    "14-08": [("draws = 3", "Which name does each click have")],
    "14-20": [("status = 'SUCCEEDED'", "In which state did")],
    "14-44": [(routed(50, 50), "look at its weights")],
    "00-13": [("entered = [name.upper() for name in loop]", "capitals"), ("entered = names[3]", "Write a list")],
    "00-19": [
        ("execution_input = '{\"input\": 3}'", "dict, without quotes"),
        ("execution_input = {'input': '3'}", "without quotes and without .0"),
        ("execution_input = {'input': 3.0}", "without quotes and without .0"),
        ("execution_input = {'Input': 3}", "small letters"),
        ("execution_input = {input: 3}", "key in quotes"),
        ("execution_input = {'winners': 3}", 'The key is "input"'),
        ("execution_input = {'input': 2}", "For two winners"),
        ("execution_input = {'input': 3, 'Comment': 'three'}", "One key is enough"),
    ],
    "00-25": [
        ("mistyped = 'random select winners'", "same capitals"),
        ("mistyped = 'Validate Winner'", "that begins with Missing"),
    ],
    "04-34": [("person = person", 'has the id "012"'),
              ("person['employee_id'] = {'S': '012'}", "the cell must write the item")],
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
    "05-52": [
        ("", "only one of the following fields: [Next, End] at /States/Send SNS and Record In Dynamodb"),
        (f"{MENDED}['Next'] = 'Failed'", "AWS accepts it. Repair only the two mistakes"),
    ],
    "05-35": [
        (f"mine = {gate(Default='No')}\nmine['States']['Gate']['Choices'][0]['Variable'] = {variable!r}",
         hint)
        for variable, hint in (("input", "Reference path didn't start with '$'"), ("$input", "States.Runtime Invalid path '$input'"),
                               (5, "Expected value of type [STRING] at /States/Gate/Choices[0]/Variable"))
    ] + [
        (f"mine = {gate(Default='No')}\ndel mine['States']['Gate']['Choices'][0]['NumericLessThanEquals']",
         "needs a comparison"),
        (f"mine = {gate(Default='No')}\ndel mine['States']['No']['Error']",
         "should end with TooMany, but ends with no Error"),
        (f"mine = {gate(Default='No')}\nmine['States']['Gate']['Choices'][0]['NumericLessThanEquals'] = 11",
         '{"input": 11} should end with TooMany, but ends with success'),
        (f"mine = {gate(Default='No')}\nmine['States']['Gate']['Choices'] = [{{'Variable': '$.input',"
         " 'NumericEquals': number, 'Next': 'Yes'} for number in (1, 10)]",
         '{"input": 5} should end with success, but ends with TooMany'),
        (f"mine = {gate(Default='Gate')}\ndel mine['States']['No']", "no end, after 20 states"),
    ],
    "01-17": [("can_step_functions_assume_it = 'False'", "without quotes")],
    "01-29": [
        (f"machine_trust = {trusting('lambda.amazonaws.com')}", "states.amazonaws.com"),
        ("machine_trust = {'Statement': ['Allow']}", "must be a dict"),
        *((f"machine_trust = {trusting('', Principal=principal)}", 'The Principal is {"Service": ...}')
          for principal in ("states.amazonaws.com", {"service": "states.amazonaws.com"})),
    ],
    "02-29": [("error_type = 'CustomError: An error occurred!!'", "only the exception's name")],
    "02-35": [
        ("returned = {'body': {'num_of_winners': 5}}", "shows no call with 5"),
        ("returned = {'num_of_winners': 5}", 'Send {"input": 5}'),
        ("returned = aws_lambda.invoke(FunctionName=name, Payload='{\"input\": 5}')", "use json.load on its Payload"),
        ("returned = json.load(aws_lambda.invoke(FunctionName=name, Payload='5')['Payload'])", "failed"),
    ],
    "06-53": [("request = '{\"input\": \"1\"}'", "The reason: "), ("request = 1", "must look like"),
              ("request = {'input': 2}", "It drew 2 winners")],
    "07-27": [("keys = ['body', 'num_of_winners']", "only the top-level keys")],
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
        ("condition = '{% $states.input.num_of_winners <= 5 %}'", "With the input {} it fails: The JSONata expression"),
        ("condition = '{% $states.input.num_of_winners in [1..6] %}'", '{"num_of_winners": 6} the next state is Go On'),
    ],
    "10-75": [
        ("careful = 1", "AWS would refuse it"),
        ("choice['Choices'][1]['Condition'] = '{% $states.input.status = 1 and $rounds < 3 %}'\n"
         "choice['Default'] = 'Failed'", "comes to Failed in round 1"),
    ],
    "12-26": [("status = 'RETRIABLE'", "look for a Retry. There is none")],
    "12-42": [
        ("more += [{'stateName': name, **failing} for name, to in edges if to == 'Failed']",
         "Your test of Random Select Winners ends with FAILED, States."),
        ("more += [{'stateName': 'Input Lottery Winners', **failing}]", "from Random Select Winners to Validate Winners"),
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
    "13-36": [("sent = '3'", "Write a number"), ("sent = 2", "60 seconds")],
    "13-66": [("reminder = [{'ErrorEquals': ['States.Timeout']}]", "TestState says RETRIABLE, RETRIABLE, CAUGHT_ERROR")],
    "13-70": [
        ("condition = \"{% '003' in $asked_before %}\"", "If 005 is drawn"),
        ("condition = '{% $nothing %}'", "the Choice leads to States.QueryEvaluationError"),
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
    "16-43": [
        (f"{RECORDER}; first['Catch'][0]['ErrorEquals'] = ['States.ALL']", "only the error of the condition"),
        (f"{RECORDER}; del first['Catch'], recorder['States']['Has Won Before']",
         "no Catch takes the error DynamoDB.ConditionalCheckFailedException"),
    ],
    "16-69": [
        ("", "names dynamodb:*. Name only dynamodb:PutItem"),
        (admit("'dynamodb:GetItem'", "'*'"), "may not call PutItem"),
        (admit("'dynamodb:PutItem'", "target.arn('dynamodb', 'table/*')"), "the ARN of the table of winners"),
    ],
    "17-47": [
        ("", "your function returns 300"),
        ("def count_items(table): return dynamodb.describe_table(TableName=table)['Table']['ItemCount']", "six hours old"),
        ("def count_items(table): return dynamodb.scan(TableName=name)['Count']", "the error NameError"),
    ],
    "17-57": [("hours = 1e6 / 10 / 60", "These are minutes. Divide by 60"), ("hours = 1e5", "Divide by 3600"),
              ("hours = 0.926", "the time for StartExecution")],
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
        ("forgotten = {'roles', 'log groups'}", "as they stand in the table"),
        ("forgotten = {'role', 'table'}", "one of the two is right"),
        ("forgotten = {'role'}", "one of the two is right"),
        ("forgotten = {'table', 'topic'}", "nobody calls"),
    ],
}
# fmt: on
MARK: Final = re.compile("^# Exercise [123]$", re.MULTILINE)
ANSWER: Final = re.compile(r"(✓ (done|完成)|○ (not yet|未完成))(: |：).+")
#: What these cells show depends on time, so only nbval compares it.
#: In 11 and 15, a state waits a moment after its message is known. In a kernel, the next cell comes later than that.
TIMED: Final = {"08-29b", "13-24", "90-15"}
PATTERNS: Final = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))
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
def test_checks_tell_right_from_wrong(path, most, shell, answer, monkeypatch):
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
            shell(exercise.source)  # the solution meets what an attendee has not changed
        elif "solution" in tags:
            solution = cells.solution_of(cell)
            answer(exercise, check, "✓ done", solution)
            answer(exercise, check, "○ not yet", "1 / 0")  # the value is right, but old
            assert "ZeroDivisionError" in str(shell(check.source)[1].result)  # and still is when the check runs again
            shell("1 / 0")  # in another cell, it does not matter
            answer(exercise, check, "✓ done", solution)
        elif cell.source.split("\n")[-1].startswith("verify("):
            assert [str(each) for each in shell(cell.source)[1].result if not each.done] == []
            with monkeypatch.context() as nobody_tried:
                nobody_tried.setattr(checks, "_SOLVED", set())
                nobody_tried.setattr(checks, "_RUNS", {})
                teach(cell)
        elif cell.cell_type == "code":
            teach(cell)


#: What somebody writes in Chinese: right answers, and wrong ones with words of their hint.
CHINESE: Final = {
    "02-29": (["error_type = 'ＣｕｓｔｏｍＥｒｒｏｒ'"], []),
    "12-26": (["status = 'ＣＡＵＧＨＴ＿ＥＲＲＯＲ'"], []),
    "14-20": (["status = 'ＦＡＩＬＥＤ'"], [("status = '失败'", "FAILED 或 SUCCEEDED")]),
    "99-10": (
        ["forgotten = {'角色', '日志组'}", "forgotten = ['日志组', 'ｒｏｌｅ']"],
        [("forgotten = {'角色', '表'}", "恰好有一个"), ("forgotten = {'权限', '主题'}", "没有人调用")],
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("path", notebooks(NOTEBOOKS_FOLDER / "zh"), ids=lambda path: path.stem)
def test_checks_in_chinese(path, shell, answer, chinese):
    """Each right answer is right in Chinese, too; and a hint has neither marks of Markdown nor a list of Python's.

    It runs all lessons once more, which takes minutes.
    """
    column = "draws a second"
    with (translation.TRANSLATIONS / "zh" / "notebooks.po").open("rb") as file:
        names = {"Li Na": "李娜", column: pofile.read_po(file).get(column).string}
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            exercise = cell
            shell(cell.source)
        elif "check" in tags:
            check = cell
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
                answer(exercise, check, "✓ 完成", exercise.source, right)
            for right in more:
                answer(exercise, check, "✓ 完成", exercise.source, right)
            shell(exercise.source)
        elif "solution" in tags:
            answer(exercise, check, "✓ 完成", cells.solution_of(cell))
        elif cell.cell_type == "code":
            assert shell(cell.source)[1].success, cell.source
