"""CloudFormation: what a template describes is made, changed and deleted, with the caller's rights."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from helpers import ROLE, signed, trust, wait_until, zip_of

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Description: A raffle
Parameters:
  Bucket: {Type: String}
  Address: {Type: String, Default: winner@example.org}
  Seconds: {Type: Number, Default: 5, MaxValue: 60}
  Secret: {Type: String, NoEcho: true, Default: hidden}
Conditions:
  Long: !Equals [!Ref Seconds, 60]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: [lambda.amazonaws.com, states.amazonaws.com]}
            Action: sts:AssumeRole
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]
      Policies:
        - PolicyName: write
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: !GetAtt Seen.Arn}]
  Pick:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Ref Bucket, S3Key: pick.zip}
      Handler: lambda_function.lambda_handler
      Runtime: python3.13
      Role: !GetAtt Role.Arn
      Timeout: !Ref Seconds
      Environment: {Variables: {TABLE: !Ref Seen}}
      Tags: [{Key: own, Value: "yes"}]
  PickVersion: {Type: AWS::Lambda::Version, DeletionPolicy: Delete, Properties: {FunctionName: !Ref Pick}}
  PickLive:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Pick, Name: live, FunctionVersion: !GetAtt PickVersion.Version}
  MayPick:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref PickLive
      Principal: events.amazonaws.com
      SourceArn: !GetAtt Failed.Arn
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: Raffle}
  Mail:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: email, Endpoint: !Ref Address}
  MayPublish:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: "sns:*", Resource: !Ref Topic}
  Seen:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
  Machine:
    Type: AWS::StepFunctions::StateMachine
    DependsOn: MayPublish
    Properties:
      RoleArn: !GetAtt Role.Arn
      DefinitionString: |
        {"StartAt": "Pick", "States": {"Pick": {"Type": "Task", "Resource": "${Pick}", "End": true}}}
      DefinitionSubstitutions: {Pick: !GetAtt Pick.Arn}
      LoggingConfiguration:
        Level: ALL
        IncludeExecutionData: true
        Destinations: [{CloudWatchLogsLogGroup: {LogGroupArn: !GetAtt Logs.Arn}}]
  First:
    Type: AWS::StepFunctions::StateMachineVersion
    Properties:
      StateMachineArn: !Ref Machine
      StateMachineRevisionId: !GetAtt Machine.StateMachineRevisionId
  Live:
    Type: AWS::StepFunctions::StateMachineAlias
    Properties:
      Name: live
      DeploymentPreference: {Type: ALL_AT_ONCE, StateMachineVersionArn: !Ref First}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/States
      MetricName: ExecutionsFailed
      Dimensions: [{Name: StateMachineArn, Value: !Ref Machine}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      AlarmActions: [!Ref Topic]
  Failed:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.states], detail: {stateMachineArn: [!Ref Machine]}}
      Targets: [{Id: topic, Arn: !Ref Topic}]
  Extra: {Type: AWS::SNS::Topic, Condition: Long}
Outputs:
  Machine: {Value: !Ref Machine, Description: The machine, Export: {Name: !Sub "${AWS::StackName}-machine"}}
  Live: {Value: !Ref Live}
  Group: {Value: !Ref Logs}
  Function: {Value: !Ref Pick}
  Table: {Value: !Ref Seen}
  Topic: {Value: !Ref Topic}
"""
#: As `sam package` leaves it: what it named by its path is in a bucket.
OF_SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Bucket: {Type: String}, Name: {Type: String, Default: ""}}
Conditions: {Named: !Not [!Equals [!Ref Name, ""]]}
Globals: {Function: {Runtime: python3.13, Handler: lambda_function.lambda_handler}}
Resources:
  Seen: {Type: AWS::Serverless::SimpleTable}
  Pick:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !If [Named, !Sub "Pick-${Name}", !Ref AWS::NoValue]
      CodeUri: {Bucket: !Ref Bucket, Key: pick.zip}
      Environment: {Variables: {TABLE: !Ref Seen}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: {Bucket: !Ref Bucket, Key: task.json}
      DefinitionSubstitutions: {Pick: !GetAtt Pick.Arn}
      Policies:
        - Version: 2012-10-17
          Statement: [{Effect: Allow, Action: "lambda:InvokeFunction", Resource: !GetAtt Pick.Arn}]
Outputs: {Machine: {Value: !Ref Machine}, Table: {Value: !Ref Seen}}
"""
TASK = '{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Pick}", "End": true}}}'
#: AWS's command line, which has an environment of its own.
AWS = shutil.which("aws", path=f"{sys.prefix}/awscli/bin{os.pathsep}{os.environ['PATH']}")
SOURCE = "import os\ndef lambda_handler(event, context): return [os.environ['TABLE'], event]"


@pytest.fixture(scope="session")
def bucket(aws):
    """The name of a bucket with code and a definition."""
    name = f"code-{uuid.uuid4().hex[:12]}"
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="pick.zip", Body=zip_of({"lambda_function": SOURCE}))
    aws("s3").put_object(Bucket=name, Key="machine.yaml", Body=YAML)
    aws("s3").put_object(Bucket=name, Key="task.json", Body=TASK)
    return name


class Stack:
    """A stack of a test's own."""

    def __init__(self, client):
        self.client, self.name = client, f"s-{uuid.uuid4().hex[:8]}"

    def create(self, body, **options):
        self.client.create_stack(StackName=self.name, TemplateBody=_text(body), **options)
        return self.ended()

    def update(self, body, **options):
        self.client.update_stack(StackName=self.name, TemplateBody=_text(body), **options)
        return self.ended()

    def delete(self, **options):
        self.client.delete_stack(StackName=self.name, **options)
        return self.ended()

    def change_set(self, body, kind="UPDATE", **options):
        names = {"StackName": self.name, "ChangeSetName": f"c-{uuid.uuid4().hex[:8]}"}
        self.client.create_change_set(**names, TemplateBody=_text(body), ChangeSetType=kind, **options)
        return self.client.describe_change_set(**names)

    def ended(self):
        """The status as soon as nothing happens to it; None if it is deleted."""

        def status():
            told = self.described()
            return told and told["StackStatus"]

        wait_until(lambda: not (status() or "").endswith("_IN_PROGRESS"))
        return status()

    def described(self):
        try:
            return self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            assert error.response["Error"]["Message"] == f"Stack with id {self.name} does not exist"
            return None

    @property
    def outputs(self):
        return {it["OutputKey"]: it["OutputValue"] for it in self.described()["Outputs"]}

    def events(self, logical=""):
        """Statuses and reasons, the oldest first; without a name, those of the stack itself."""
        told = self.client.describe_stack_events(StackName=self.name)["StackEvents"][::-1]
        wanted = logical or self.name
        mine = [it for it in told if it["LogicalResourceId"] == wanted]
        return [(it["ResourceStatus"], it.get("ResourceStatusReason", "")) for it in mine]

    def ids(self):
        told = self.client.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        return {it["LogicalResourceId"]: it.get("PhysicalResourceId") for it in told}


def _text(body):
    return (
        body
        if isinstance(body, str)
        else json.dumps({"Resources": body} if "Resources" not in body else body)
    )


@pytest.fixture
def stack(aws):
    made = Stack(aws("cloudformation"))
    yield made
    assert made.delete() is None


def given(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def topic(**properties):
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def machine(**properties):
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": ROLE, **properties}}


PASSING = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${what}", "End": True}}}
YAML = "StartAt: A\nStates:\n  A: {Type: Pass, Result: '${what}', End: true}\n"
TAGS = [{"Key": "team", "Value": "a"}]


@pytest.fixture(scope="module")
def raffle(aws, bucket):
    """The stack of `TEMPLATE`, which tests only read."""
    made = Stack(aws("cloudformation"))
    options = {"Parameters": given(Bucket=bucket), "Capabilities": ["CAPABILITY_IAM"], "Tags": TAGS}
    assert made.create(TEMPLATE, **options) == "CREATE_COMPLETE"
    made.options = options
    yield made
    assert made.delete() is None


def output_of(aws, machine, data):
    """The output of a machine's execution."""
    sfn = aws("stepfunctions")
    arn = sfn.start_execution(stateMachineArn=machine, input=json.dumps(data))["executionArn"]
    wait_until(lambda: sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
    return json.loads(sfn.describe_execution(executionArn=arn)["output"])


def test_what_a_template_describes_works(aws, raffle):
    """The alias starts the machine, which calls the function with its code from S3."""
    told = raffle.outputs
    assert output_of(aws, told["Live"], {"a": 1}) == [told["Table"], {"a": 1}]
    rule = aws("events").list_targets_by_rule(Rule=raffle.ids()["Failed"])["Targets"]
    assert [it["Arn"] for it in rule] == [told["Topic"]]
    group = aws("logs").describe_log_groups(logGroupNamePrefix=told["Group"])["logGroups"][0]
    assert group["retentionInDays"] == 7
    alarm = aws("cloudwatch").describe_alarms(AlarmNames=[raffle.ids()["Alarm"]])["MetricAlarms"][0]
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": told["Machine"]}]


def test_a_stack_is_described(raffle):
    """Also its parameters, without secret ones, its outputs and its tags."""
    told = raffle.described()
    assert {it["ParameterKey"]: it["ParameterValue"] for it in told["Parameters"]}["Secret"] == "****"
    export = f"{raffle.name}-machine"
    (machine,) = [it for it in told["Outputs"] if it["OutputKey"] == "Machine"]
    assert (machine["ExportName"], machine["Description"]) == (export, "The machine")
    assert (told["Tags"], told["Description"]) == (TAGS, "A raffle")
    resource = raffle.client.describe_stack_resource(StackName=raffle.name, LogicalResourceId="Seen")
    assert resource["StackResourceDetail"]["PhysicalResourceId"] == raffle.outputs["Table"]
    listed = raffle.client.describe_stack_resources(StackName=raffle.name)["StackResources"]
    assert {it["ResourceStatus"] for it in listed} == {"CREATE_COMPLETE"}
    assert raffle.name in [it["StackName"] for it in raffle.client.list_stacks()["StackSummaries"]]
    assert raffle.client.get_template(StackName=raffle.name)["TemplateBody"] == TEMPLATE
    assert raffle.events("Seen") == [
        ("CREATE_IN_PROGRESS", ""),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("CREATE_COMPLETE", ""),
    ]
    assert raffle.events() == [("CREATE_IN_PROGRESS", "User Initiated"), ("CREATE_COMPLETE", "")]


def test_a_secret_is_not_in_events(stack):
    """Nor is a text that it is a part of."""
    secret = {"Type": "String", "NoEcho": True}
    body = {"Parameters": {"S": secret}, "Resources": {"T": topic(DisplayName={"Fn::Sub": "it is ${S}"})}}
    assert stack.create(body, Parameters=given(S="hidden")) == "CREATE_COMPLETE"
    events = stack.client.describe_stack_events(StackName=stack.name)["StackEvents"]
    shown = {
        json.loads(it["ResourceProperties"])["DisplayName"] for it in events if "ResourceProperties" in it
    }
    assert shown == {"it is ****"}


def test_resources_have_tags(aws, raffle):
    """Their own, those of the stack, and AWS's. AWS was not seen to tag tables."""
    arn = aws("lambda").get_function(FunctionName=raffle.outputs["Function"])["Configuration"]["FunctionArn"]
    assert aws("lambda").list_tags(Resource=arn)["Tags"] == {
        "own": "yes",
        "team": "a",
        "aws:cloudformation:stack-name": raffle.name,
        "aws:cloudformation:stack-id": raffle.described()["StackId"],
        "aws:cloudformation:logical-id": "Pick",
    }
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{raffle.outputs['Table']}"
    assert aws("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"] == TAGS


def test_the_same_again_is_no_update(raffle):
    """A ValidationError; of a change set, the status is FAILED."""
    with pytest.raises(ClientError, match="No updates are to be performed"):
        raffle.update(TEMPLATE, **raffle.options)
    told = raffle.change_set(TEMPLATE, **raffle.options)
    assert (told["Status"], told["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert told["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_an_app_is_changed_and_deleted(aws, stack, bucket):
    """One property changes in place, another one needs a new table. Nothing stays after the deletion."""
    options = {"Parameters": given(Bucket=bucket), "Capabilities": ["CAPABILITY_IAM"]}
    assert stack.create(TEMPLATE, **options) == "CREATE_COMPLETE"
    before, arn = stack.ids(), stack.described()["StackId"]
    changed = TEMPLATE.replace("Default: 5", "Default: 60").replace("AttributeName: id", "AttributeName: key")
    told = stack.change_set(changed, **options)
    changes = {it["ResourceChange"]["LogicalResourceId"]: it["ResourceChange"] for it in told["Changes"]}
    replaced = {name: it.get("Replacement") for name, it in changes.items()}
    assert replaced == {"Extra": None, "Seen": "True", "Role": "False", "Pick": "False"}
    stack.client.execute_change_set(ChangeSetName=told["ChangeSetId"])
    assert stack.ended() == "UPDATE_COMPLETE"
    after = stack.ids()
    assert {name for name, it in after.items() if it != before.get(name)} == {"Seen", "Extra"}
    function = aws("lambda").get_function_configuration(FunctionName=after["Pick"])
    assert function["Timeout"] == 60
    assert function["Environment"]["Variables"] == {"TABLE": after["Seen"]}
    assert before["Seen"] not in aws("dynamodb").list_tables()["TableNames"]
    reason = "Requested update requires the creation of a new physical resource; hence creating one."
    assert ("UPDATE_IN_PROGRESS", reason) in stack.events("Seen")
    assert stack.events("Seen")[-2:] == [("DELETE_IN_PROGRESS", ""), ("DELETE_COMPLETE", "")]
    assert stack.delete() is None
    assert stack.client.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    events = stack.client.describe_stack_events(StackName=arn)["StackEvents"]
    gone = [it["LogicalResourceId"] for it in events if it["ResourceStatus"] == "DELETE_COMPLETE"]
    assert gone.index("Live") > gone.index("Machine") > gone.index("Role")  # the newest is the first
    left = [
        *(it["FunctionName"] for it in aws("lambda").list_functions()["Functions"]),
        *(it["RoleName"] for it in aws("iam").list_roles()["Roles"]),
        *(it["logGroupName"] for it in aws("logs").describe_log_groups()["logGroups"]),
        *(it["TopicArn"] for it in aws("sns").list_topics()["Topics"]),
        *(it["Name"] for it in aws("events").list_rules()["Rules"]),
        *(it["AlarmName"] for it in aws("cloudwatch").describe_alarms()["MetricAlarms"]),
        *aws("dynamodb").list_tables()["TableNames"],
    ]
    assert not [it for it in left if stack.name in it and not it.startswith("/aws/lambda/")]
    machines = aws("stepfunctions").list_state_machines()["stateMachines"]
    assert after["Machine"] not in [it["stateMachineArn"] for it in machines]


def test_a_change_set_makes_a_stack(stack):
    """Until then, the stack is in review."""
    told = stack.change_set({"T": topic()}, "CREATE")
    assert stack.described()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert (told["Status"], told["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    (change,) = told["Changes"]
    assert change["ResourceChange"]["Action"] == "Add"
    stack.client.execute_change_set(ChangeSetName=told["ChangeSetId"])
    assert stack.ended() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="cannot be executed in its current execution status of"):
        stack.client.execute_change_set(ChangeSetName=told["ChangeSetId"])


@pytest.mark.long
def test_the_command_line_deploys(emulator, stack, tmp_path):
    """`aws cloudformation deploy` makes a change set and executes it. The second time nothing changes.

    Long: only `make test-all` installs the command line.
    """
    assert AWS, "there is no AWS CLI here: run `make test-all`, which installs it"
    (tmp_path / "template.json").write_text(_text({"T": topic()}))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": emulator["endpoint"],
        "AWS_ACCESS_KEY_ID": emulator["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [
        AWS,
        "cloudformation",
        "deploy",
        "--stack-name",
        stack.name,
        "--template-file",
        "template.json",
    ]
    for says in ("Successfully created/updated stack", "No changes to deploy"):
        second = int(time.time())
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert says in done.stdout + done.stderr
        wait_until(lambda second=second: int(time.time()) > second)  # the name of the next change set
    assert stack.described()["StackStatus"] == "CREATE_COMPLETE"


def test_a_template_of_sam_works(aws, stack, bucket):
    """AWS's own package transforms it. Each function, and the machine, gets a role of its own."""
    options = {"Parameters": given(Bucket=bucket, Name=stack.name), "Capabilities": ["CAPABILITY_IAM"]}
    told = stack.change_set(OF_SAM, "CREATE", **options)
    stack.client.execute_change_set(ChangeSetName=told["ChangeSetId"])
    assert stack.ended() == "CREATE_COMPLETE"
    ids = stack.ids()
    assert {*ids} == {"Seen", "Pick", "PickRole", "Machine", "MachineRole"}
    assert ids["Pick"] == f"Pick-{stack.name}"
    assert output_of(aws, stack.outputs["Machine"], {"a": 1}) == [stack.outputs["Table"], {"a": 1}]
    original = stack.client.get_template(StackName=stack.name, TemplateStage="Original")
    assert original["TemplateBody"] == OF_SAM


def test_a_change_set_is_deleted(stack):
    """A second deletion is no error."""
    told = stack.change_set({"T": topic()}, "CREATE")
    for _ in range(2):
        stack.client.delete_change_set(ChangeSetName=told["ChangeSetId"])
    with pytest.raises(ClientError, match=r"\(ChangeSetNotFound\)"):
        stack.client.describe_change_set(ChangeSetName=told["ChangeSetId"])
    assert stack.client.list_change_sets(StackName=stack.name)["Summaries"] == []


def test_an_update_makes_change_sets_obsolete(stack):
    """While it runs, nothing else is done with the stack."""
    assert stack.create({"T": topic()}) == "CREATE_COMPLETE"
    many = {"Resources": {f"T{number}": topic() for number in range(30)}}
    told = stack.change_set({"T": topic(DisplayName="x")})
    stack.client.update_stack(StackName=stack.name, TemplateBody=_text(many))
    with pytest.raises(ClientError, match=r"current execution status of \[OBSOLETE\]"):
        stack.client.execute_change_set(ChangeSetName=told["ChangeSetId"])
    assert stack.ended() == "UPDATE_COMPLETE"
    assert len(stack.events()) == 5  # of one creation and one update


def test_what_depends_on_a_new_resource_may_be_new(stack):
    """A change set says Conditional if a value is not known yet."""
    alarm = {"Namespace": "n", "MetricName": "m", "EvaluationPeriods": 1, "Threshold": 1}
    alarm |= {"ComparisonOperator": "GreaterThanThreshold", "Period": 60, "Statistic": "Sum"}

    def body(name):
        return {
            "T": topic(TopicName=f"{stack.name}-{name}"),
            "S": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"TopicArn": {"Ref": "T"}, "Protocol": "email", "Endpoint": "a@example.org"},
            },
            "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {**alarm, "AlarmActions": [{"Ref": "T"}]}},
        }

    assert stack.create(body("one")) == "CREATE_COMPLETE"
    told = stack.change_set(body("two"))["Changes"]
    replaced = {it["ResourceChange"]["LogicalResourceId"]: it["ResourceChange"]["Replacement"] for it in told}
    assert replaced == {"T": "True", "S": "Conditional", "A": "False"}


def test_the_callers_rights_count(aws, user, stack):
    """AWS's reason stands at the resource. What was made before is deleted."""
    ann = user(
        {"Action": ["cloudformation:*", "sns:*"], "Resource": "*"},
    )
    mine = Stack(ann("cloudformation"))
    mine.name = stack.name
    role = {"Type": "AWS::IAM::Role", "DependsOn": "T"}
    role["Properties"] = {"RoleName": f"r-{mine.name}", "AssumeRolePolicyDocument": trust("lambda")}
    body = {"T": topic(), "R": role}
    assert mine.create(body, Capabilities=["CAPABILITY_NAMED_IAM"]) == "ROLLBACK_COMPLETE"
    status, reason = mine.events("R")[1]
    arn = f"arn:aws:iam::123456789012:role/r-{mine.name}"
    says = f"User: arn:aws:iam::123456789012:user/{ann.name} is not authorized to perform: iam:CreateRole on"
    why = "because no identity-based policy allows the iam:CreateRole action (Service: Iam, Status Code: 403"
    assert status == "CREATE_FAILED"
    assert reason.startswith(
        f'Resource handler returned message: "{says} resource: {arn} {why}, Request ID: '
    )
    assert reason.endswith("HandlerErrorCode: AccessDenied)")
    assert mine.events("T")[-1] == ("DELETE_COMPLETE", "")
    assert "DeletionTime" in mine.described()
    failed = "The following resource(s) failed to create: [R]. Rollback requested by user."
    assert mine.events()[1:] == [("ROLLBACK_IN_PROGRESS", failed), ("ROLLBACK_COMPLETE", "")]
    assert not [it for it in aws("sns").list_topics()["Topics"] if mine.name in it["TopicArn"]]


def test_somebody_needs_rights_on_the_stack(user, stack):
    """Its ARN ends with an id."""
    ann = user({"Action": "cloudformation:*", "Resource": "arn:aws:cloudformation:*:*:stack/other/*"})
    with pytest.raises(ClientError) as caught:
        ann("cloudformation").create_stack(StackName=stack.name, TemplateBody=_text({"T": topic()}))
    arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack.name}/*"
    assert (
        f"perform: cloudformation:CreateStack on resource: {arn}" in caught.value.response["Error"]["Message"]
    )


def test_somebody_needs_a_right_on_the_transform(user, stack, aws):
    """It is AWS's own. Without it, no change set is made."""
    sam, rights = _text(SAM), {"Action": ["cloudformation:*", "sns:*"]}
    macro = "arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31"
    mine = f"arn:aws:cloudformation:*:*:stack/{stack.name}/*"
    names = {"StackName": stack.name, "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": sam}
    with pytest.raises(ClientError) as caught:
        user({**rights, "Resource": mine})("cloudformation").create_change_set(**names)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert f"perform: cloudformation:CreateChangeSet on resource: {macro}" in error["Message"]
    assert stack.described() is None
    ann = user({**rights, "Resource": [mine, macro]})("cloudformation")
    ann.create_change_set(**names)
    assert ann.describe_change_set(StackName=stack.name, ChangeSetName="c")["Status"] == "CREATE_COMPLETE"


def test_a_change_set_is_one_of_the_stack(user, stack, aws):
    """Somebody with rights on one stack cannot execute the change set of another one by its ARN."""
    other = Stack(aws("cloudformation"))
    told = other.change_set({"T": topic()}, "CREATE")
    assert stack.create({"T": topic()}) == "CREATE_COMPLETE"
    mine = f"arn:aws:cloudformation:*:*:stack/{stack.name}/*"
    ann = user({"Action": ["cloudformation:*", "sns:*"], "Resource": mine})("cloudformation")
    with pytest.raises(ClientError, match=r"\(ChangeSetNotFound\)"):
        ann.execute_change_set(StackName=stack.name, ChangeSetName=told["ChangeSetId"])
    with pytest.raises(ClientError, match=r"\(AccessDenied\)"):
        ann.execute_change_set(ChangeSetName=told["ChangeSetId"])
    assert other.delete() is None


@pytest.mark.parametrize("name", ["rolearn", "ROLEARN"])
def test_a_parameter_has_one_name(emulator, aws, name):
    """Another spelling would go past IAM's check. AWS ignores it."""
    form = {"Action": "CreateStack", "StackName": f"n-{name}", "TemplateBody": _text({"T": topic()})}
    body = urlencode({**form, name: "arn:aws:iam::123456789012:role/gone"}).encode()
    headers = signed(emulator["access_key_id"], "cloudformation")
    request = urllib.request.Request(emulator["endpoint"], body, headers)
    assert b"<StackId>" in urllib.request.urlopen(request).read()
    made = Stack(aws("cloudformation"))
    made.name = f"n-{name}"
    assert (made.ended(), made.described().get("RoleARN")) == ("CREATE_COMPLETE", None)
    assert made.delete() is None


def test_a_role_makes_the_stack(user, role, stack):
    """Its rights count, not the caller's. CloudFormation must be able to assume it."""
    maker = role({"Action": "sns:*", "Resource": "*"}, trusted=trust("cloudformation"))
    ann = user({"Action": ["cloudformation:*", "iam:PassRole"], "Resource": "*"})
    stack.client = ann("cloudformation")
    with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
        stack.create({"T": topic()}, RoleARN=role().arn)
    body = {"T": topic(), "L": {"Type": "AWS::Logs::LogGroup", "DependsOn": "T"}}
    assert stack.create(body, RoleARN=maker.arn) == "ROLLBACK_COMPLETE"
    assert f"assumed-role/{maker.name}/AWSCloudFormation is not authorized" in stack.events("L")[1][1]


def test_a_role_that_cannot_be_assumed_changes_nothing(role, stack):
    """A deletion with it is refused before anything is gone."""
    told = stack.change_set({"T": topic()}, "CREATE")
    with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
        stack.delete(RoleARN=role().arn)
    assert stack.client.describe_change_set(ChangeSetName=told["ChangeSetId"])
    assert "RoleARN" not in stack.described()


def test_a_resource_names_its_stack(aws, stack):
    """The resources of other stacks are not told."""
    other = Stack(aws("cloudformation"))
    for each in (stack, other):
        assert each.create({"T": topic()}) == "CREATE_COMPLETE"
    told = stack.client.describe_stack_resources(PhysicalResourceId=stack.ids()["T"])["StackResources"]
    assert [it["StackName"] for it in told] == [stack.name]
    assert other.delete() is None


def test_a_failed_update_is_undone(aws, stack):
    """In place, by another topic, and what is new: all is as before."""
    bad = machine(DefinitionString="{}")
    first = {"A": topic(DisplayName="one"), "B": topic(TopicName=f"{stack.name}-one")}
    assert stack.create(first) == "CREATE_COMPLETE"
    before = stack.ids()
    second = {
        "A": topic(DisplayName="two"),
        "B": topic(TopicName=f"{stack.name}-two") | {"DependsOn": "A"},
        "C": topic() | {"DependsOn": "B"},
        "M": bad | {"DependsOn": "C"},
    }
    assert stack.update(second) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.ids() == before
    shown = aws("sns").get_topic_attributes(TopicArn=before["A"])["Attributes"]["DisplayName"]
    mine = [it["TopicArn"] for it in aws("sns").list_topics()["Topics"] if stack.name in it["TopicArn"]]
    assert (shown, sorted(mine)) == ("one", sorted(before.values()))
    assert [status for status, _ in stack.events()[-3:]] == [
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert "SCHEMA_VALIDATION_FAILED" in next(why for status, why in stack.events("M") if "FAILED" in status)
    assert stack.update({"A": topic(DisplayName="three")}) == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"DeploymentConfig": {"Mode": "EXPRESS", "DisableRollback": True}}, "CREATE_FAILED"),
        ({"DeploymentConfig": {"Mode": "EXPRESS", "DisableRollback": False}}, "ROLLBACK_COMPLETE"),
        ({"OnFailure": "DELETE"}, None),
    ],
)
def test_a_failed_creation_stays_or_is_deleted(stack, options, status):
    """As the caller wants it."""
    assert (
        stack.create({"T": topic(), "M": machine(DefinitionString="{}", DependsOn=[])}, **options) == status
    )


def test_somebody_elses_resource_is_not_taken(aws, stack):
    """Not even where making it again is no error."""
    name = f"there-{stack.name}"
    arn = aws("sns").create_topic(Name=name)["TopicArn"]
    assert stack.create({"T": topic(TopicName=name)}) == "ROLLBACK_COMPLETE"
    says = f"Resource of type 'AWS::SNS::Topic' with identifier '{name}' already exists."
    assert says in stack.events("T")[1][1]
    aws("sns").delete_topic(TopicArn=arn)


def test_a_version_is_one_resource(aws, stack):
    """A second one is the same version, if the machine is as before. It stays when the update is undone."""
    version = {
        "Type": "AWS::StepFunctions::StateMachineVersion",
        "Properties": {"StateMachineArn": {"Ref": "M"}},
    }
    body = {"M": machine(Definition=PASSING), "V": version}
    assert stack.create(body) == "CREATE_COMPLETE"
    arn, of_stack = stack.ids()["V"], stack.described()["StackId"]
    assert stack.update({"M": body["M"], "W": version}) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.events("W")[1] == ("CREATE_FAILED", f"{arn} already exists in stack {of_stack}")
    assert aws("stepfunctions").describe_state_machine(stateMachineArn=arn)["stateMachineArn"] == arn


def test_parts_of_resources_are_changed(aws, stack):
    """Policies of a role, versions of a policy, targets of a rule, tags: what is not named any more goes."""
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]}
    deny = json.loads(json.dumps(allow).replace("Allow", "Deny"))

    def body(managed, inline, document, target):
        policies = [{"PolicyName": name, "PolicyDocument": allow} for name in inline]
        role = {
            "AssumeRolePolicyDocument": trust("lambda"),
            "Policies": policies,
            "ManagedPolicyArns": managed,
        }
        rule = {"EventPattern": {"source": ["x"]}, "Targets": [{"Id": target, "Arn": {"Ref": "T"}}]}
        return {
            "R": {
                "Type": "AWS::IAM::Role",
                "Properties": role | {"Tags": [{"Key": inline[0], "Value": "v"}]},
            },
            "P": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": document, "Roles": [{"Ref": "R"}]},
            },
            "I": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "own", "PolicyDocument": document, "Roles": [{"Ref": "R"}]},
            },
            "T": topic(),
            "E": {"Type": "AWS::Events::Rule", "Properties": rule},
        }

    arns = [f"arn:aws:iam::aws:policy/Amazon{name}FullAccess" for name in ("SNS", "S3")]
    options = {"Capabilities": ["CAPABILITY_IAM"]}
    assert stack.create(body(arns[:1], ["a", "b"], allow, "one"), **options) == "CREATE_COMPLETE"
    assert stack.update(body(arns[1:], ["b", "c"], deny, "two"), **options) == "UPDATE_COMPLETE"
    iam, ids = aws("iam"), stack.ids()
    attached = iam.list_attached_role_policies(RoleName=ids["R"])["AttachedPolicies"]
    assert {it["PolicyArn"] for it in attached} == {arns[1], ids["P"]}
    assert sorted(iam.list_role_policies(RoleName=ids["R"])["PolicyNames"]) == ["b", "c", "own"]
    assert iam.get_role_policy(RoleName=ids["R"], PolicyName="own")["PolicyDocument"] == deny
    (version,) = iam.list_policy_versions(PolicyArn=ids["P"])["Versions"]
    found = iam.get_policy_version(PolicyArn=ids["P"], VersionId=version["VersionId"])["PolicyVersion"]
    assert found["Document"] == deny
    keys = [it["Key"] for it in iam.list_role_tags(RoleName=ids["R"])["Tags"]]
    assert [key for key in keys if not key.startswith("aws:")] == ["b"]
    assert [it["Id"] for it in aws("events").list_targets_by_rule(Rule=ids["E"])["Targets"]] == ["two"]


def test_a_machine_gets_its_definition(aws, stack, bucket):
    """As an object, or from S3 in YAML, with substitutions. A new revision has a new version."""
    where = {"DefinitionS3Location": {"Bucket": bucket, "Key": "machine.yaml"}}
    for values in ({"Definition": PASSING, "DefinitionSubstitutions": {"what": "one"}}, where):
        version = {"StateMachineArn": {"Ref": "M"}}
        version["StateMachineRevisionId"] = {"Fn::GetAtt": ["M", "StateMachineRevisionId"]}
        values.setdefault("DefinitionSubstitutions", {"what": "two"})
        body = {
            "M": machine(**values),
            "V": {"Type": "AWS::StepFunctions::StateMachineVersion", "Properties": version},
        }
        act = stack.update if stack.described() else stack.create
        assert act(body) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
        sfn, ids = aws("stepfunctions"), stack.ids()
        told = json.loads(sfn.describe_state_machine(stateMachineArn=ids["V"])["definition"])
        assert told["States"]["A"]["Result"] == values["DefinitionSubstitutions"]["what"]
    assert ids["V"].endswith(":2")


def test_policies_keep_resources(aws, stack):
    """One that is removed, one that is replaced, and one whose stack is deleted."""
    keep = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    topics = {name: topic() | keep for name in "ABC"}
    assert stack.create(topics) == "CREATE_COMPLETE"
    before = stack.ids()
    del topics["A"]
    topics["B"] = topic(TopicName=f"{stack.name}-new") | keep
    assert stack.update(topics) == "UPDATE_COMPLETE"
    assert ("DELETE_SKIPPED", "") in stack.events("A")
    kept = {*before.values(), stack.ids()["B"]}
    assert stack.delete() is None
    mine = {it["TopicArn"] for it in aws("sns").list_topics()["Topics"] if stack.name in it["TopicArn"]}
    assert mine == kept
    for arn in kept:
        aws("sns").delete_topic(TopicArn=arn)


def test_a_custom_name_stays_unique(stack):
    """AWS refuses to replace what has a name of its own."""
    table = {
        "TableName": f"{stack.name}-t",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    body = {"D": {"Type": "AWS::DynamoDB::Table", "Properties": table}}
    assert stack.create(body) == "CREATE_COMPLETE"
    assert stack.update(_text(body).replace('"id"', '"key"')) == "UPDATE_ROLLBACK_COMPLETE"
    status, reason = stack.events("D")[3]
    words = "CloudFormation cannot update a stack when a custom-named resource requires replacing."
    assert (status, reason) == ("UPDATE_FAILED", f"{words} Rename {stack.name}-t and update the stack again.")


def test_another_stack_imports_a_value(aws, stack):
    """As long as it does, the value stays."""
    other = Stack(aws("cloudformation"))
    name = f"{stack.name}-arn"
    export = {"Export": {"Name": {"Fn::Sub": "${AWS::StackName}-arn"}}, "Value": {"Ref": "T"}}
    user = {"Resources": {"T": topic()}, "Outputs": {"A": {"Value": {"Fn::ImportValue": name}}}}
    assert other.create(user) == "ROLLBACK_COMPLETE"
    assert f"No export named {name} found." in other.events()[1][1]
    other.delete()
    stack.create({"Resources": {"T": topic()}, "Outputs": {"A": export}})
    assert other.create(user) == "CREATE_COMPLETE"
    assert other.outputs["A"] == stack.ids()["T"]
    assert stack.delete() == "DELETE_FAILED"
    why = f"Delete canceled. Cannot delete export {name} as it is in use by {other.name}."
    assert stack.events()[-1] == ("DELETE_FAILED", why)
    assert other.delete() is None


def test_what_cannot_be_deleted_can_stay(aws, stack):
    """A bucket with an object."""
    assert stack.create({"B": {"Type": "AWS::S3::Bucket"}, "T": topic()}) == "CREATE_COMPLETE"
    bucket = stack.ids()["B"]
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"")
    assert stack.delete() == "DELETE_FAILED"
    assert stack.events()[-1] == ("DELETE_FAILED", "The following resource(s) failed to delete: [B]. ")
    assert stack.delete(RetainResources=["B"]) is None
    aws("s3").delete_object(Bucket=bucket, Key="k")
    aws("s3").delete_bucket(Bucket=bucket)


def test_a_template_comes_from_s3(aws, stack, bucket):
    """`sam deploy` sends its address."""
    aws("s3").put_object(Bucket=bucket, Key="t/a.json", Body=_text({"T": topic()}))
    where = f"https://{bucket}.s3.us-east-1.amazonaws.com/t/a.json"
    told = stack.client.get_template_summary(TemplateURL=where)
    assert told["ResourceTypes"] == ["AWS::SNS::Topic"]
    where = f"{aws('s3').meta.endpoint_url}/{bucket}/t/a.json"
    stack.client.create_stack(StackName=stack.name, TemplateURL=where)
    assert stack.ended() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="The specified key does not exist"):
        stack.client.validate_template(TemplateURL=f"{where}n")


def test_a_template_is_summarized(aws):
    """Its parameters and what it needs."""
    told = aws("cloudformation").validate_template(TemplateBody=TEMPLATE)
    assert told["Capabilities"] == ["CAPABILITY_IAM"]
    assert told["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"
    by_name = {it["ParameterKey"]: it for it in told["Parameters"]}
    assert by_name["Secret"] == {"ParameterKey": "Secret", "DefaultValue": "hidden", "NoEcho": True}
    assert by_name["Bucket"] == {"ParameterKey": "Bucket", "NoEcho": False}


ROLE_RESOURCE = {"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust()}}}
UNKNOWN = {"T": topic(DisplayName={"Fn::GetAtt": ["U", "B"]}), "U": topic()}
SAM = {"Resources": {"T": topic()}, "Transform": "AWS::Serverless-2016-10-31"}
INCLUDE = {"Resources": {"T": topic()}, "Transform": "AWS::Include"}
EXPAND = {"Capabilities": ["CAPABILITY_AUTO_EXPAND"]}


@pytest.mark.parametrize(
    ("body", "options", "says"),
    [
        (ROLE_RESOURCE, {}, "Requires capabilities : [CAPABILITY_IAM]"),
        (SAM, {}, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"),
        (INCLUDE, EXPAND, "No transform named AWS::Include found."),
        ({"X": {"Type": "AWS::X::Y"}}, {}, "Template format error: Unrecognized resource types: [AWS::X::Y]"),
        ({"T": topic()}, {"Parameters": given(A="b")}, "Parameters: [A] do not exist in the template"),
        ({"T": topic()}, {"StackName": "a_b"}, "Value 'a_b' at 'stackName' failed to satisfy constraint"),
        ({"T": topic()}, {"NotificationARNs": ["x"]}, "does not have the parameter NotificationARNs"),
        (UNKNOWN, {}, "resource U does not support attribute type B in Fn::GetAtt"),
        ("{", {}, "Template format error: JSON not well-formed. (line 1, column 2)"),
        ("a: [", {}, "Template format error: YAML not well-formed."),
        ("a: &b []\nc: *b", {}, "YAML aliases are not allowed in CloudFormation templates"),
        ("[" * 20_000, {}, "Template format error: unsupported structure."),
    ],
)
def test_a_wrong_request_is_refused(aws, body, options, says):
    """In AWS's words, where AWS has words for it."""
    with pytest.raises(ClientError) as caught:
        aws("cloudformation").create_stack(**({"StackName": "wrong", "TemplateBody": _text(body)} | options))
    error = caught.value.response["Error"]
    assert error["Code"] == ("InsufficientCapabilitiesException" if "Requires" in says else "ValidationError")
    assert says in error["Message"]


def test_a_property_that_does_not_exist_is_refused(stack):
    """When its resource is made."""
    assert stack.create({"T": topic(Names="x")}) == "ROLLBACK_COMPLETE"
    says = "Properties validation failed for resource T with message:\n"
    says += "#: extraneous key [Names] is not permitted"
    assert stack.events("T")[1] == ("CREATE_FAILED", says)


def test_a_name_that_no_request_can_have_is_refused(stack):
    """A client checks the name of a bucket before its request."""
    bad = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "my bucket"}}
    assert stack.create({"B": bad}) == "ROLLBACK_COMPLETE"
    assert stack.events("B")[1][0] == "CREATE_FAILED"


def test_other_stacks_do_not_exist(aws):
    """Except that a deletion is no error."""
    cfn, names = aws("cloudformation"), {"StackName": "absent"}
    cfn.delete_stack(**names)
    for call in (cfn.describe_stack_events, cfn.list_stack_resources, cfn.get_template):
        with pytest.raises(ClientError, match=r"ValidationError.*absent\]? does not exist"):
            call(**names)
    with pytest.raises(ClientError, match="InvalidAction"):
        cfn.list_stack_sets()
