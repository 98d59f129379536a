"""The check of answers finds what is wrong."""

import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from shapes import differences

OUTPUT = (
    ServiceModel(create_loader().load_service_model("stepfunctions", "service-2"))
    .operation_model("DescribeExecution")
    .output_shape
)
WHOLE = {"executionArn": "a", "stateMachineArn": "b", "status": "RUNNING", "startDate": 1.5}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, None),
        ({"input": None}, None),
        ({"status": "BUSY"}, "is no ExecutionStatus"),
        ({"startDate": "now"}, "is no time"),
        ({"output": {}}, "is no string"),
        ({"redriveCount": True}, "is no integer"),
        ({"inputDetails": {"included": 1}}, "is no boolean"),
        ({"inputDetails": {"all": True}}, "all is unknown"),
        ({"speed": 1}, "speed is unknown"),
    ],
)
def test_differences(wrong, says):
    """A field that AWS does not know, and a value of another type."""
    found = list(differences(WHOLE | wrong, OUTPUT, "it"))
    assert len(found) == (says is not None)
    assert says is None or says in found[0]


def test_a_field_is_missing():
    """One that AWS always gives."""
    found = list(differences({name: WHOLE[name] for name in WHOLE if name != "status"}, OUTPUT, "it"))
    assert found == ["it.status is missing"]
