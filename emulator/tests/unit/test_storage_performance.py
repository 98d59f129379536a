"""What is remembered of moto is what moto would find out again."""

import importlib
import json

import pytest
from botocore.loaders import JSONFileLoader, create_loader
from moto.core import utils
from moto.core.loaders import create_loader as motos_loader
from moto.core.model import OperationModel, ServiceModel
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.dynamodb.responses import DynamoHandler
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import IAMBackend
from moto.moto_api._internal.moto_random import MotoRandom

from sfn_emulator.storage import patches, performance


@pytest.fixture(scope="module", autouse=True)
def remembering():
    for name in (
        "moto.core.model",
        "moto.core.utils",
        "moto.core.serialize",
        "moto.moto_api._internal.moto_random",
    ):
        patches.apply(importlib.import_module(name))


def members(service, operation):
    """Each member of the reply, and of the structures in it."""
    shape = get_service_model(service).operation_model(operation).output_shape
    for key, member in shape.members.items():
        member.parent = shape
        yield key, member
        for inner_key, inner in getattr(member, "members", {}).items():
            inner.parent = member
            yield inner_key, inner


@pytest.mark.parametrize(
    ("service", "operation"), [("dynamodb", "DescribeTable"), ("logs", "DescribeLogGroups")]
)
def test_the_names_of_an_attribute_are_motos(service, operation):
    """The names are those of moto, in moto's order, at the first and at the second request."""
    remembered = XFormedAttributePicker.get_possible_keys
    for key, member in members(service, operation):
        context, picker = AttributePickerContext({}, key, member), XFormedAttributePicker()
        expected = [*dict.fromkeys(remembered.__wrapped__(picker, context))]
        assert [*remembered(picker, context)] == [*remembered(picker, context)] == expected


def test_no_thread_sees_botocores_model_of_an_operation():
    """Only moto's model is ever remembered, so two threads that ask for the same one at once both get it."""
    remembered = []

    class Cache(dict):
        def __setitem__(self, key, value):
            remembered.append(type(value))
            super().__setitem__(key, value)

    model = ServiceModel(get_service_model("lambda")._service_description, "lambda")
    model._instance_cache = Cache()
    assert model.operation_model("Invoke") is model.operation_model("Invoke")
    assert set(remembered) == {OperationModel}


def test_the_model_of_a_service_is_in_memory_once(monkeypatch):
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)
    performance.share_models()

    one, other = (create_loader().load_service_model("sns", "service-2") for _ in range(2))

    assert one is other
    assert one["metadata"]["serviceId"] == "SNS"


def test_what_moto_adds_to_a_model_is_not_shared(monkeypatch):
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)
    performance.share_models()

    motos, botocores = (
        make().load_service_model("s3", "service-2")["shapes"] for make in (motos_loader, create_loader)
    )

    assert "NoSuchTagSet" in motos
    assert "NoSuchTagSet" not in botocores


def test_another_object_has_names_of_its_own():
    """The name of its class may be one of the names."""

    class Table:
        name = "mine"

    shape = get_service_model("dynamodb").operation_model("DescribeTable").output_shape
    context = AttributePickerContext(Table(), "TableName", shape.members["Table"].members["TableName"])
    assert XFormedAttributePicker()(context) == "mine"


def test_the_methods_of_a_class_are_found_once():
    """The second request for the methods of a class is answered from memory."""
    methods = utils.method_names_from_class
    assert "transact_write_items" in methods(DynamoHandler)
    hits = methods.cache_info().hits
    assert methods(DynamoHandler) is methods(DynamoHandler)
    assert methods.cache_info().hits == hits + 2


def test_a_random_text_is_random_and_of_its_letters():
    """A text has the wanted length, and no digits or capitals if they are not wanted."""
    text = MotoRandom().get_random_string(length=300, include_digits=False, lower_case=True)
    assert len(text) == 300
    assert text.isalpha()
    assert text == text.lower()
    assert MotoRandom().get_random_string() != MotoRandom().get_random_string()


def test_every_managed_policy_is_read():
    """The policies that are parsed one by one are those of the whole text."""
    policies = performance.managed_policies(None, IAMBackend("aws", "123456789012"))
    read = {policy.name: (policy.arn, json.loads(policy.versions[0].document)) for policy in policies}
    expected = json.loads(aws_managed_policies_data)
    assert len(policies) == len(expected) > 1000
    for name, data in expected.items():
        assert read[name] == (f"arn:aws:iam::aws:policy{data['Path']}{name}", data["Document"])
