"""An export is the lottery: CloudFormation makes of it what `deploy` makes, and it draws the same.

AWS's own package, aws-sam-translator, transforms the template. The emulator makes the resources.
"""

import io
import itertools
import json
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from lottery_lib import Stack, connect, draw, employees, execution, inbox, plan, state_table, winners
from lottery_lib.__main__ import main
from lottery_lib.errors import LotteryError
from lottery_lib.export import export, project
from lottery_lib.hardened import draw_in_public
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.resources.lambda_function import zipped
from lottery_party import Evening, receipts, verify_draw

EDITIONS = ("tutorial", "jsonata", "hardened")
_numbers = itertools.count(1)


def packaged(target, bucket, folder):
    """The template of an export, as `sam package` leaves it: what it names by its path is in a bucket."""

    def uploaded(match):
        path = folder / match[2]
        data = zipped(path) if path.is_dir() else path.read_bytes()
        key = sha256(data).hexdigest()
        target.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
        return f"{match[1]}: s3://{bucket}/{key}"

    text = (folder / "template.yaml").read_text(encoding="utf-8")
    return re.sub(r"(CodeUri|DefinitionUri): (\S+)", uploaded, text)


class Exported:
    """An export, deployed as a stack.

    Attributes:
        target: Whose names are those of the stack's resources.
        stack: Its name.
        text: Its template.
    """

    def __init__(self, folder, edition, *, name=None, email="", region=None):
        name = f"e{next(_numbers)}" if name is None else name
        self.target = connect("embedded", attendee=name, edition=edition, region=region)
        self.stack, self.cloudformation = f"lottery-{edition}-{name}", self.target.client("cloudformation")
        bucket = f"packages-{edition}-{name}-{self.target.region}"
        place = {"LocationConstraint": self.target.region}
        more = {} if region is None else {"CreateBucketConfiguration": place}
        self.target.client("s3").create_bucket(Bucket=bucket, **more)
        export(folder, edition)
        self.text = packaged(self.target, bucket, folder)
        self.parameters = [{"ParameterKey": "Name", "ParameterValue": name}]
        self.parameters += [{"ParameterKey": "Email", "ParameterValue": email}]
        self.apply("create", self.text)

    def apply(self, verb, text):
        """Create or update the stack, and wait."""
        call = getattr(self.cloudformation, f"{verb}_stack")
        capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
        call(StackName=self.stack, TemplateBody=text, Parameters=self.parameters, Capabilities=capabilities)
        self.wait(verb)

    def delete(self):
        """Delete the stack, and wait."""
        self.cloudformation.delete_stack(StackName=self.stack)
        self.wait("delete")

    def wait(self, verb):
        waiter = self.cloudformation.get_waiter(f"stack_{verb}_complete")
        waiter.wait(StackName=self.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 100})

    def resources(self):
        """The physical names, by logical name."""
        found = self.cloudformation.list_stack_resources(StackName=self.stack)["StackResourceSummaries"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def load(target):
    """Load the ten employees, as the kit does."""
    load_employees(target, employees.tutorial_roster())


@pytest.fixture(scope="module", params=EDITIONS)
def pair(request, tmp_path_factory):
    """The same lottery twice: as a stack, and as `deploy` makes it."""
    stacked = Exported(tmp_path_factory.mktemp("export"), request.param, email="ann@example.com")
    load(stacked.target)
    deployed = Stack(connect("embedded", attendee=f"e{next(_numbers)}", edition=request.param))
    deployed.deploy("ann@example.com")
    for target in (stacked.target, deployed.target):
        inbox(target).confirm("ann@example.com")
    return stacked, deployed.target


#: What differs between two of a kind, and what an export adds on purpose: roles of its own, and logs.
OWN = {
    *("ResponseMetadata", "RequestId", "creationDate", "creationTime", "CreationDateTime", "LastModified"),
    *("Location", "TableId", "revisionId", "ItemCount", "TableSizeBytes", "storedBytes"),
    *("Role", "roleArn", "Tags", "loggingConfiguration", "retentionInDays"),
}


def described(target):
    """What AWS says about each resource, with a word in the place of the attendee."""

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items() if key not in OWN}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return value.replace(target.names.attendee, "ATTENDEE") if isinstance(value, str) else value

    found = {}
    for each, _row in plan.resources(target):
        if each.kind != "role":
            found[each.kind, plain(each.name)] = plain(each.describe())
            if each.kind == "state machine":  # the same JSON; CloudFormation reads it, and writes it again
                machine = found[each.kind, plain(each.name)]
                machine["definition"] = json.loads(machine["definition"])
    return found


def test_what_is_made_is_equal(pair):
    """The machine, the functions, their code, the tables, the topic, the logs are as `deploy` makes them."""
    stacked, deployed = pair
    ours, theirs = described(stacked.target), described(deployed)
    assert ours == theirs
    assert {kind for kind, _name in ours} == {"state machine", "function", "table", "topic", "log group"}


def test_a_draw_has_the_same_history(pair):
    """The same events of the same states, and one mail to the confirmed address."""
    stacked, deployed = pair
    histories = []
    for target in (stacked.target, deployed):
        empty_winners(target)
        inbox(target).clear()
        done = draw(target, 2)
        assert (done["status"], len(done["winners"])) == ("SUCCEEDED", 2), done["cause"]
        events = execution.history(target, done["execution_arn"])
        states = state_table(events)[["state", "branch", "attempt", "status", "error"]].astype(str)
        histories.append((sorted(each["type"] for each in events), sorted(map(tuple, states.to_numpy()))))
        assert len(inbox(target).notifications) == 1
    assert histories[0] == histories[1]


def test_nobody_wins_twice(pair):
    """The rights are enough for all ways through the machine: ten people, ten winners, then an error."""
    target = pair[0].target
    empty_winners(target)
    won = [winner["employee_id"] for number in (9, 1) for winner in drawn(target, number)["winners"]]
    assert sorted(won) == [f"{number:03}" for number in range(1, 11)]
    assert draw(target, 1)["status"] == "FAILED"


def drawn(target, number):
    done = draw(target, number, seconds=300)
    assert done["status"] == "SUCCEEDED", done["cause"]
    return done


@pytest.mark.parametrize("pair", ["hardened"], indirect=True)
def test_an_evening_runs_on_a_stack(pair, tmp_path):
    """From the announcement to the close, with a roll call; then anybody can check it, and all of it fits."""
    target = pair[0].target
    empty_winners(target)
    load(target)
    evening = Evening(target, "party", file=tmp_path / "party.json")
    evening.announce([{"name": "Mug", "count": 2}], question="Call out a number")

    def step(wanted):
        target.waiter.until(wanted, lambda: evening.refresh().step == wanted, seconds=30)

    step("public value")
    evening.ask()
    evening.give("7")
    step("ready")
    evening.draw(1)
    step("roll call")
    evening.call_roll(1, [])
    step("ready")
    evening.close()
    assert False not in verify_draw(receipts(target, "party")).values()
    assert len(winners(target)) == 2


@pytest.mark.long
@pytest.mark.parametrize("pair", ["tutorial", "hardened"], indirect=True)
def test_no_right_is_too_much(pair):
    """Without any one right, a draw does not do its work. It is long: each right has a draw of its own."""
    stacked, _deployed = pair
    iam, target = stacked.target.client("iam"), stacked.target
    tried = 0
    if target.names.edition == "hardened":
        read_all_winners(target)
    for logical, role in stacked.resources().items():
        if not logical.endswith("Role"):
            continue
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for smaller, gone in without_one(document):
                given = {"RoleName": role, "PolicyName": name}
                iam.put_role_policy(**given, PolicyDocument=json.dumps(smaller))
                tried += 1
                assert not works(target), f"{logical} does not need {gone}"
                iam.put_role_policy(**given, PolicyDocument=json.dumps(document))
    assert works(target)
    assert tried == {"tutorial": 10, "hardened": 14}[target.names.edition]


def read_all_winners(target):
    """Let a hardened draw read all winners at once, which it does only after many past winners."""
    code = zipped(*plan.function_folders("DrawPrize"))
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as package, zipfile.ZipFile(changed, "w") as new:
        for name in package.namelist():
            new.writestr(name, package.read(name).replace(b"PASSED_OVER = 2000", b"PASSED_OVER = -1"))
    name = target.names.function("DrawPrize")
    target.client("lambda").update_function_code(FunctionName=name, ZipFile=changed.getvalue())


def without_one(document):
    """The policy without one pair of an action and a resource. The right to write logs is not for draws."""
    for at, statement in enumerate(document["Statement"]):
        resources = statement["Resource"]
        for resource in resources:
            if resource == "*" or resource.endswith(":*"):
                continue
            rest = [each for each in resources if each not in (resource, f"{resource}:*")]
            others = document["Statement"][:at] + document["Statement"][at + 1 :]
            less = [*others, statement | {"Resource": rest}] if rest else others
            nothing = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
            yield document | {"Statement": less or [nothing]}, (statement["Action"], resource)


def works(target):
    """Whether a draw records one winner and sends one mail. A hardened one waits for the public value."""
    empty_winners(target)
    inbox(target).clear()
    hardened = target.names.edition == "hardened"
    done = draw_in_public(target, 1, "7") if hardened else draw(target, 1)
    return done["status"] == "SUCCEEDED" and len(inbox(target).notifications) == 1


def test_it_is_changed_and_deleted(tmp_path):
    """An update changes a function and the machine in place; a deletion leaves nothing with its name."""
    stacked = Exported(tmp_path, "tutorial")
    target, before = stacked.target, stacked.resources()
    load(target)
    assert drawn(target, 1)["winners"]
    text = stacked.text.replace("MemorySize: 256", "MemorySize: 512").replace("Threshold: 1", "Threshold: 2")
    stacked.apply("update", text)
    assert stacked.resources() == before
    name = target.names.function("InputWinners")
    assert target.client("lambda").get_function(FunctionName=name)["Configuration"]["MemorySize"] == 512
    assert len(drawn(target, 2)["winners"]) == 2
    assert target.plain_dynamodb().scan(TableName=target.names.winners_table)["Count"] == 3
    stacked.delete()
    assert {each.state for each in Stack(target).status()} == {"missing"}
    roles = target.client("iam").list_roles()["Roles"]
    assert [each["RoleName"] for each in roles if each["RoleName"].startswith(stacked.stack)] == []
    groups, ours = target.client("logs").describe_log_groups()["logGroups"], f"-{target.names.attendee}"
    assert [each["logGroupName"] for each in groups if each["logGroupName"].endswith(ours)] == []
    assert (
        target.client("cloudwatch").describe_alarms(AlarmNames=[plan.alarm(target).name])["MetricAlarms"]
        == []
    )


def test_another_name_keeps_the_winners(tmp_path):
    """The README says not to do it. Who does it gets new tables, and the old ones stay."""
    stacked = Exported(tmp_path, "tutorial")
    load(stacked.target)
    won = drawn(stacked.target, 2)["winners"]
    name = f"e{next(_numbers)}"
    stacked.parameters[0]["ParameterValue"] = name
    stacked.apply("update", stacked.text)
    assert stacked.resources()["WinnersTable"] == f"Lottery-Winners-{name}"
    ids = {each["employee_id"] for each in won}
    assert {*winners(stacked.target)["employee_id"]} == ids
    stacked.delete()
    assert len(winners(stacked.target)) == 2


def test_a_failed_draw_is_logged_and_mailed(tmp_path):
    """The execution log has the error, and the alarm writes to the topic."""
    stacked = Exported(tmp_path, "tutorial", email="ann@example.com")
    target = stacked.target
    inbox(target).confirm("ann@example.com")
    assert draw(target, 0)["error"] == "InvalidInput"
    group = plan.execution_log(target).name
    logs = target.client("logs").filter_log_events(logGroupName=group)["events"]
    assert any("InvalidInput" in each["message"] for each in logs)
    settings = target.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert settings["retentionInDays"] == 7

    def alarmed():
        return any(
            f'ALARM: "{plan.alarm(target).name}"' in each.subject for each in inbox(target).notifications
        )

    target.waiter.until("the alarm's mail", alarmed, seconds=150)


def test_it_draws_in_china(tmp_path):
    """The partition comes from where it is deployed. The plain names do, too, if there is no Name."""
    stacked = Exported(tmp_path, "tutorial", name="", region="cn-north-1")
    target = stacked.target
    load(target)
    assert drawn(target, 2)["execution_arn"].startswith("arn:aws-cn:states:cn-north-1:")
    assert stacked.resources()["WinnersTable"] == "Lottery-Winners"
    stacked.delete()


def test_the_kit_leaves_a_stack_alone(tmp_path, capsys):
    """`deploy` and `teardown` refuse it, with the way to change it. Employees can be loaded, and drawn."""
    stacked = Exported(tmp_path, "hardened")
    stack = Stack(stacked.target)
    made = described(stacked.target)
    load(stacked.target)
    for verb in (stack.deploy, stack.teardown, stack.removal):
        with pytest.raises(
            LotteryError, match=f"belongs to the CloudFormation stack {stacked.stack}. Change it with"
        ):
            verb()
    assert {each.state for each in stack.plan() if each.kind == "function"} == {
        f"would be refused: belongs to the CloudFormation stack {stacked.stack}"
    }
    assert described(stacked.target) == made
    assert len(drawn(stacked.target, 2)["winners"]) == 2
    stacked.delete()
    assert stack.teardown().left == []  # the roles that the deploy had made


@pytest.mark.parametrize(
    "edition", ["hardened", *(pytest.param(it, marks=pytest.mark.long("6 s each")) for it in EDITIONS[:2])]
)
def test_cfn_lint_finds_nothing(tmp_path, edition):
    """Neither an error nor a warning, in any region where people are; with the mistake, it finds one."""
    export(tmp_path, edition)
    lint = [
        Path(sys.executable).with_name("cfn-lint"),
        "--regions",
        "us-east-1",
        "cn-north-1",
        "eu-central-1",
        "--",
    ]
    found = subprocess.run([*lint, tmp_path / "template.yaml"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    text = (tmp_path / "template.yaml").read_text().replace("BillingMode", "BilingMode")
    (tmp_path / "wrong.yaml").write_text(text)
    found = subprocess.run([*lint, tmp_path / "wrong.yaml"], capture_output=True, text=True, check=False)
    assert "BilingMode" in found.stdout


def test_the_command(tmp_path, capsys, monkeypatch):
    """It needs no AWS: it names the files, also in JSON, and a refusal is one sentence."""
    monkeypatch.setenv("LOTTERY_TARGET", "http://127.0.0.1:9")
    monkeypatch.setenv("LOTTERY_ATTENDEE", "alice")
    folder = tmp_path / "lottery"
    assert main(["export", str(folder), "--json", "--edition", "hardened"]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": sorted(project("hardened"))}
    assert main(["export", str(folder), "--edition", "hardened"]) == 0
    assert str(folder / "README.md") in capsys.readouterr().out
    assert main(["export", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["error"]) == ([], "LotteryError")
    assert "has another README.md. Give a new folder" in told["cause"]
