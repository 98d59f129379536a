"""How the resources of a stack are made and deleted."""

import pytest

from sfn_emulator.cloudformation.resources import Provider, Resource, ResourceError
from sfn_emulator.http.messages import RefusalError, Request, Scope
from sfn_emulator.http.replies import error_reply
from sfn_emulator.storage.clients import Clients

ARN = "arn:aws:sns:us-east-1:123456789012:OrderNotFound"


def deletes_topic(refusal):
    """Delete a topic whose service refuses each call."""

    def answer(_request):
        return error_reply(Request("POST", "/?Action=DeleteTopic", {}), refusal)

    provider = Provider(Clients(answer), answer, Scope("key"), "owner")
    provider.delete(Resource("T", "AWS::SNS::Topic", {}, ARN, {"TopicArn": ARN}, {"TopicArn": ARN}))


def test_what_is_gone_is_deleted():
    """The code of the error says that it is gone."""
    deletes_topic(RefusalError("NotFound", "Topic does not exist", 404))


def test_a_name_does_not_say_that_something_is_gone():
    """A denied call deletes nothing, whatever its message names."""
    with pytest.raises(ResourceError, match="not authorized"):
        deletes_topic(RefusalError("AuthorizationError", f"not authorized to delete {ARN}", 403))
