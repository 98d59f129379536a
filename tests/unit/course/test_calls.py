"""Calls of AWS as a table and as command lines: what needs no AWS."""

import json
import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_course.call_log import Call, CallLog, Calls, calls, command, log_of
from lottery_lib.execution import new_name
from lottery_lib.harmless import harmless

MODELS = botocore.session.Session()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:Lottery"


def call(service, operation, /, **parameters):
    return Call(MODELS.get_service_model(service).operation_model(operation), parameters)


def words(*arguments, **parameters):
    return shlex.split(command(call(*arguments, **parameters)))


def fill(log, made):
    for number, each in enumerate(made):
        each.started = number
        log._calls.append(each)


class Connection:
    """Stands for a boto3 session."""


def target_of(*made, endpoint="http://127.0.0.1:5000", key="AKIASECRET", key_file="/a b/access-key"):
    where = {"endpoint": endpoint, "access_key": key, "key_file": key_file}
    target = SimpleNamespace(session=Connection(), region="us-east-1", **where)
    fill(log_of(target), made)
    return target


def shown(*made):
    return calls(target_of(*made))


def listened(reply, service="sts", operation="AssumeRole"):
    """What is kept of a reply."""
    log, context = CallLog(), {}
    log._begin(params={}, model=call(service, operation).model, context=context)
    log._answered(parsed={"ResponseMetadata": {"HTTPStatusCode": 200}} | reply, context=context)
    return log.calls()[0]


def scan(table="t", **options):
    return call("dynamodb", "Scan", TableName=table, **options)


def put(table="t"):
    return call("dynamodb", "PutItem", TableName=table, Item={"id": {"S": "1"}})


def test_line():
    """A line is the service, the operation and each parameter, by the CLI's names."""
    assert command(
        call("stepfunctions", "StartExecution", stateMachineArn=MACHINE, input='{"input": 2}')
    ) == (f"aws stepfunctions start-execution --state-machine-arn {MACHINE} --input '{{\"input\": 2}}'")


@given(JSON)
def test_json_survives_the_shell(value):
    """What is no text goes as JSON, and a shell gives back that very JSON."""
    given_back = words("dynamodb", "PutItem", Item={"id": value})
    assert given_back[:4] == ["aws", "dynamodb", "put-item", "--item"]
    assert json.loads(given_back[4]) == {"id": value}


@given(st.text().filter(lambda text: harmless(text) == text))
def test_text_survives_the_shell(text):
    """A text goes as it is, and one that starts with a dash is not taken for an option."""
    given_back = words("stepfunctions", "StartExecution", input=text)[3:]
    assert given_back == ([f"--input={text}"] if text.startswith("-") else ["--input", text])


def test_bytes_inside_a_value():
    """Bytes inside a value go in base64, as version 2 of the CLI wants them."""
    assert json.loads(words("dynamodb", "PutItem", Item={"id": {"B": b"\x00\xff"}})[4]) == {
        "id": {"B": "AP8="}
    }


def test_names_are_readable():
    """A Chinese name stands in a line as it is."""
    assert "抽奖" in command(call("dynamodb", "PutItem", Item={"name": {"S": "抽奖"}}))


@pytest.mark.parametrize("value, flag", [(True, "--consistent-read"), (False, "--no-consistent-read")])
def test_flag(value, flag):
    """A truth value is a flag, or its opposite."""
    assert words("dynamodb", "Scan", ConsistentRead=value)[3:] == [flag]


def test_renamed_option():
    """On the command line an endpoint is a server and an output is a format: AWS renames these options."""
    assert "--notification-endpoint" in words("sns", "Subscribe", Endpoint="ann@example.com")
    sent = words("stepfunctions", "SendTaskSuccess", taskToken="t", output='"yes"')
    assert sent[3:] == ["--task-token", "t", "--task-output", '"yes"']


def test_name_that_the_kit_made_up():
    """A name that the kit made up for an execution is left out: pasted, the line starts another draw."""
    made_up = words("stepfunctions", "StartExecution", stateMachineArn=MACHINE, name=new_name())
    assert made_up[3:] == ["--state-machine-arn", MACHINE]
    assert "--name" in words("stepfunctions", "StartExecution", stateMachineArn=MACHINE, name="draw-1")


@pytest.mark.parametrize("payload", [b'{"input": 2}', '{"input": 2}'])
def test_invoke(payload):
    """A function's event is given as text, which version 2 has to be told, and its answer shown."""
    assert words("lambda", "Invoke", FunctionName="f", Payload=payload)[3:] == [
        *("--function-name", "f", "--cli-binary-format", "raw-in-base64-out"),
        *("--payload", '{"input": 2}', "/dev/stdout"),
    ]


@pytest.mark.parametrize(
    "operation, code",
    [("CreateFunction", {"Code": {"ZipFile": b"PK"}}), ("UpdateFunctionCode", {"ZipFile": b"PK"})],
)
def test_zip(operation, code, tmp_path):
    """A function's code is a file, named after the function, that can be written for the line."""
    view = shown(call("lambda", operation, FunctionName="arn:aws:lambda:us-east-1:1:function:f", **code))
    assert shlex.split(view.table["command"][0])[-2:] == ["--zip-file", "fileb://f.zip"]
    assert view.save_files(tmp_path) == ["f.zip"]
    assert (tmp_path / "f.zip").read_bytes() == b"PK"
    assert ".save_files() writes f.zip" in repr(view)


def test_polls_are_one_row():
    """Reads that repeat one since the last write are counted in its row, also when they take turns."""
    view = shown(scan("a"), scan("b"), scan("a"), scan("b"), scan("a"))
    assert list(view.table["calls"]) == [3, 2]
    assert "Scan x 3" in repr(view)


def test_a_read_after_a_write_is_a_row():
    """A read after a write may find something else: it has a row of its own."""
    assert list(shown(scan(), put(), scan()).table["operation"]) == ["Scan", "PutItem", "Scan"]


def test_writes_are_rows():
    """A write that repeats one is another write, and another line to paste."""
    assert shown(put(), put()).commands.count("aws dynamodb put-item") == 2


def test_folded_row():
    """A folded row has the last result and the time of all."""
    first, last = scan(), scan()
    first.result, last.result, first.milliseconds, last.milliseconds = "200 Count 0", "200 Count 1", 1.0, 2.5
    row = shown(first, last).table.iloc[0]
    assert (row["result"], row["milliseconds"]) == ("200 Count 1", 3.5)


def test_parameters_in_short():
    """Of the parameters three are shown, each in short: an ARN from its resource on, a long value's start."""
    machine = call(
        *("stepfunctions", "CreateStateMachine"),
        **{"roleArn": "arn:aws:iam::123456789012:role/R", "definition": "x" * 61, "name": "n", "tags": []},
    )
    assert shown(machine).table["parameters"][0] == f"roleArn=role/R, definition={'x' * 59}…, name=n, 1 more"


def test_a_row_is_one_line():
    """A value of several lines is shown in one."""
    assert shown(call("sns", "Publish", Message="a\n  b")).table["parameters"][0] == "Message=a b"


def test_twice_is_told():
    """Two calls in a row are told, one is not."""
    view = shown(scan("a"), scan("a"), scan("b"))
    assert list(view._shown["operation"]) == ["Scan x 2", "Scan"]


def test_zip_in_short():
    """A package is shown by its size."""
    created = call("lambda", "CreateFunction", Code={"ZipFile": b"12345"}, FunctionName="f")
    updated = call("lambda", "UpdateFunctionCode", ZipFile=b"12345", FunctionName="f")
    table = shown(created, updated).table
    shown_parameters = ["Code=zip of 5 bytes, FunctionName=f", "ZipFile=5 bytes, FunctionName=f"]
    assert list(table["parameters"]) == shown_parameters


@pytest.mark.parametrize(
    "reply, result",
    [
        ({"Role": {"RoleName": "R", "Arn": "arn:aws:iam::1:role/R"}}, "200 role/R"),
        ({"status": "SUCCEEDED", "executionArn": "arn:aws:states:u:1:x"}, "200 status SUCCEEDED"),
        ({"events": [{}, {}], "ResponseMetadata": {"HTTPStatusCode": 200}}, "200 2 events"),
        ({"Items": [], "Count": 0, "ConsumedCapacity": []}, "200 Count 0"),
        ({"Payload": object(), "FunctionError": "Unhandled"}, "200 FunctionError Unhandled"),
        ({"Configuration": {"State": "Active"}, "Tags": {}}, "200 State Active"),
        ({"Item": {"status": {"S": "x"}}}, "200"),
        ({"UnprocessedItems": {}, "ConsumedCapacity": [{}]}, "200"),
        ({}, "200"),
        ({"ResponseMetadata": {"HTTPStatusCode": 200, "RetryAttempts": 2}}, "200 (3 attempts)"),
        (
            {"ResponseMetadata": {"HTTPStatusCode": 404}, "Error": {"Code": "NotFound", "Message": "m"}},
            "404 NotFound",
        ),
    ],
)
def test_result(reply, result):
    """Of a reply the status is told, and what tells most."""
    assert listened(reply).result == result


def test_no_secret_is_kept():
    """Of credentials that a reply carries nothing is kept."""
    secret = {"AccessKeyId": "AKIA", "SecretAccessKey": "hush", "SessionToken": "hush"}
    kept = listened({"Credentials": secret, "AssumedRoleUser": {"Arn": "arn:aws:sts::1:assumed-role/R/s"}})
    assert kept.result == "200 assumed-role/R/s"
    assert not any(value in repr(vars(kept)) for value in secret.values())


def test_bounded():
    """Only the latest calls are kept."""
    log = CallLog(limit=2)
    for table in "abc":
        log._end(scan(table), "200")
    assert [each.parameters["TableName"] for each in log.calls()] == ["b", "c"]


def test_order():
    """Calls are in the order in which they began, not in that in which they ended."""
    late, early = scan("late"), scan("early")
    late.started, early.started = 2, 1
    log = CallLog()
    log._end(late, "200")
    log._end(early, "200")
    assert [each.parameters["TableName"] for each in log.calls()] == ["early", "late"]


def test_never_breaks_a_call():
    """Whatever comes in, listening raises nothing: not even for a call whose beginning it has missed."""
    log = CallLog()
    log._begin(params={}, model=None, context=None)
    log._answered(parsed=None, context={})
    log._failed(exception=ValueError(), context={})
    assert log.calls() == []


def test_parameters_are_copied():
    """What the caller changes after the call does not change what is shown of it."""
    items, context, log = {"t": [{"PutRequest": {}}]}, {}, CallLog()
    log._begin(params={"RequestItems": items}, model=put().model, context=context)
    log._failed(exception=TimeoutError(), context=context)
    items["t"].clear()
    (kept,) = log.calls()
    assert kept.parameters == {"RequestItems": {"t": [{"PutRequest": {}}]}}
    assert kept.result == "TimeoutError"


def of_cells(*cells):
    made = [scan(str(cell)) for cell in cells]
    for each, cell in zip(made, cells, strict=True):
        each.cell, each.request = cell, cell and f"request {cell}"
    return target_of(*made)


@pytest.mark.parametrize("cell, tables", [(None, ["6"]), (4, ["4"]), (5, [])])
def test_cell(cell, tables):
    """The calls of the request that made the last call are shown, or those of the cell that is asked for."""
    view = calls(of_cells(4, 6), cell)
    assert [line.split()[-1] for line in view.table["command"]] == tables


def test_outside_of_a_notebook():
    """Outside of a notebook all calls are shown."""
    assert calls(of_cells(None, None)).table["calls"].sum() == 2


TERMINAL = SimpleNamespace(user_ns={"In": ["", "a", "b"]})
KERNEL = SimpleNamespace(**vars(TERMINAL), get_parent=lambda: {"header": {"msg_id": "m"}})
FRESH_KERNEL = SimpleNamespace(**vars(TERMINAL), get_parent=dict)


@pytest.mark.parametrize(
    "shell, origin", [(TERMINAL, (2, 2)), (KERNEL, ("m", 2)), (FRESH_KERNEL, (2, 2)), (None, (None, None))]
)
def test_origin_of_a_call(monkeypatch, shell, origin):
    """A call knows which request led to it, and the number of the last cell, whose text is in In."""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert (listened({}).request, listened({}).cell) == origin


def test_nothing():
    """Without a call that is said in a sentence, in every form."""
    view = shown()
    assert (repr(view), view._repr_html_()) == ("No call of AWS.", "<p>No call of AWS.</p>")


def test_twelve_rows():
    """Twelve rows are displayed with their lines, and how many more there are; `commands` has all."""
    view = shown(*[put() for _ in range(14)])
    for text in (repr(view), view._repr_html_()):
        assert "2 more rows" in text
        assert text.count("aws dynamodb put-item") == 12
    assert view._repr_html_().count("<tr") == 13
    assert view.commands.count("aws dynamodb put-item") == 14


def test_no_note_without_need():
    """Twelve rows are no more than are shown, and without files there is nothing to save."""
    assert shown(*[put() for _ in range(12)])._notes() == []


def test_html_is_escaped():
    """Text from data is no markup."""
    made = call("stepfunctions", "StartExecution", input="<b>")
    made.result = "<i>"
    page = shown(made)._repr_html_()
    assert not any(tag in page for tag in ("<b>", "<i>"))
    assert page.count("&lt;b&gt;") == 2


def test_settings_of_an_emulator():
    """The first line of what is pasted sends the terminal to the emulator. It reads the key from a file."""
    assert shown(scan()).commands.splitlines() == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_ACCESS_KEY_ID=\"$(cat '/a b/access-key')\" "
        "AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 AWS_PAGER=''",
        "aws dynamodb scan --table-name t",
    ]


def test_a_call_with_a_host_of_its_own():
    """The first line keeps the terminal from putting `sync-` before the emulator's address."""
    tested = call("stepfunctions", "TestState", definition="{}")
    variable = " AWS_DISABLE_HOST_PREFIX_INJECTION=true"
    assert variable in shown(tested).settings
    assert variable not in calls(target_of(tested, endpoint=None)).settings


def access_key_in(settings, **variables):
    """What a shell has as the access key after these settings."""
    show = ["bash", "-c", f'{settings}\nprintf %s "$AWS_ACCESS_KEY_ID"']
    return subprocess.run(show, env=variables, capture_output=True, text=True, check=True).stdout


def test_key_of_a_file_at_home(tmp_path, monkeypatch):
    """The line does not name the user's home folder; a shell finds the key there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "of mine" / "access-key"
    path.parent.mkdir()
    path.write_text("AKIASECRET")
    settings = calls(target_of(scan(), key_file=str(path))).settings
    assert str(tmp_path) not in settings
    assert access_key_in(settings, HOME=str(tmp_path), PATH=os.environ["PATH"]) == "AKIASECRET"


def test_key_of_an_emulator_elsewhere():
    """A shell takes the key from LOTTERY_TARGET, and the line does not show it."""
    settings = calls(target_of(scan(), key_file=None)).settings
    assert "AKIASECRET" not in settings
    where = {"LOTTERY_TARGET": "http://AKIASECRET@host:5000", "PATH": os.environ["PATH"]}
    assert access_key_in(settings, **where) == "AKIASECRET"


def test_key_that_is_none():
    """For an emulator that takes any key, the line has a dummy."""
    settings = calls(target_of(scan(), key="testing", key_file=None)).settings
    assert access_key_in(settings, PATH=os.environ["PATH"]) == "testing"


def test_settings_of_aws():
    """On AWS the first line sets the region and keeps the pager away; the credentials are the user's own."""
    settings = calls(target_of(scan(), endpoint=None)).settings
    assert settings == "export AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 AWS_PAGER=''"


def test_calls_of_ones_own_choice():
    """`Calls` shows any calls, such as those of some cells."""
    assert len(Calls([scan("a"), put("b")], {}).table) == 2


def test_each_connection_has_its_log():
    """Calls of one connection are not shown for another."""
    first, second = target_of(scan()), target_of()
    assert len(calls(first).table) == 1
    assert calls(second).table.empty


def test_any_import_brings_the_log():
    """A lesson's first import from the course begins to record, whatever it imports."""
    code = "from lottery_course import check; from lottery_lib.target import ON_CLIENT; assert ON_CLIENT"
    subprocess.run([sys.executable, "-c", code], check=True)


HOSTILE = "\x1b]0;mine\x07 \x9b2J it's \\x41 \u202e"


@pytest.mark.parametrize("message", [HOSTILE, "two\nlines", "it's"])
def test_a_pasted_text_arrives_and_gives_the_terminal_no_orders(message):
    """What a terminal would act on is written as the shell's escapes; the command gets the same text."""
    line = command(call("sns", "Publish", TopicArn="arn", Message=message))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", line)
    printed = subprocess.run(
        ["bash", "-c", line.replace("aws sns publish", "printf %s@", 1)],
        check=True,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )
    assert printed.stdout.decode() == f"--topic-arn@arn@--message@{message}@"


def test_what_is_shown_gives_the_terminal_no_orders():
    """Neither in the table nor in JSON."""
    made = [
        call("sns", "Publish", TopicArn="arn", Message=HOSTILE),
        call("dynamodb", "PutItem", TableName="T", Item={"id": {"S": HOSTILE}}),
    ]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", repr(Calls(made, {})))
