"""Make by hand what the lessons make by hand, with calls of boto3 alone."""

import json

from lottery_lib import plan

#: A machine that does nothing.
PASS = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})

#: A stack must have a resource.
ONE_TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def make(target, tags=None):
    """Make all of it beside a deployed lottery of the tutorial's edition."""
    tags = target.names.tags if tags is None else tags
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    names = {each.kind: each.name for each, _ in plan.made_by_hand(target)}
    machine = plan.machine(target)
    tagged = {"tags": tags} if tags else {}  # CloudWatch Logs accepts no empty tags
    target.client("logs").create_log_group(logGroupName=names["execution log"], **tagged)
    target.client("cloudwatch").put_metric_alarm(
        AlarmName=names["alarm"],
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine.arn}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Tags=listed,
    )
    events = target.client("events")
    events.put_rule(Name=names["rule"], EventPattern='{"source": ["aws.states"]}', Tags=listed)
    events.put_targets(Rule=names["rule"], Targets=[{"Id": "topic", "Arn": plan.topic(target).arn}])
    states = target.client("stepfunctions")
    version = states.publish_state_machine_version(stateMachineArn=machine.arn)["stateMachineVersionArn"]
    states.create_state_machine_alias(
        name=names["alias"].partition(":")[2],
        routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}],
    )
    for each, _ in plan.made_by_hand(target):
        if each.kind == "state machine":
            states.create_state_machine(
                name=each.name,
                definition=PASS,
                roleArn=plan.machine_role(target).arn,
                type="EXPRESS" if each.name == target.names.of("Lottery-Check") else "STANDARD",
                tags=[{"key": key, "value": value} for key, value in tags.items()],
            )
    s3 = target.client("s3")
    place = {} if target.region == "us-east-1" else {"LocationConstraint": target.region}
    for bucket in (each.name for each, _ in plan.made_by_hand(target) if each.kind == "bucket"):
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
        if listed:
            s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": listed})
        s3.put_object(Bucket=bucket, Key="employees.csv", Body=b"employee_id\n001\n")
    cloudformation = target.client("cloudformation")
    given = [tag for tag in listed if tag["Value"]]  # it refuses an empty tag
    cloudformation.create_stack(StackName=names["stack"], TemplateBody=ONE_TOPIC, Tags=given)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=names["stack"], WaiterConfig={"Delay": 1}
    )
