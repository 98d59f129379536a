"""A new kind of resource, as a developer would add it to `lottery_lib/resources`."""

from typing import ClassVar

from lottery_lib.aws_errors import call_or_none
from lottery_lib.resources.base import Resource
from lottery_lib.translation import N_

#: In the code of the error, if there is no such queue.
_ABSENT = "NonExistentQueue"


class Queue(Resource):
    """An SQS queue that keeps its messages for so many seconds."""

    kind: ClassVar = N_("queue")
    arn_parts: ClassVar = ("sqs", "{}")
    actions: ClassVar = (
        *("CreateQueue", "DeleteQueue", "GetQueueAttributes", "GetQueueUrl", "ListQueueTags"),
        *("SetQueueAttributes", "TagQueue"),
    )
    lesson_actions: ClassVar = {"tutorial": ("ListQueues", "ReceiveMessage")}
    account_actions: ClassVar = ("ListQueues",)
    role_actions: ClassVar = ("SendMessage",)
    #: AWS keeps the name of a deleted queue for a minute.
    not_yet: ClassVar = ("QueueDeletedRecently",)

    def __init__(self, target, name, seconds=3600):
        super().__init__(target, name)
        self.wanted = {"MessageRetentionPeriod": str(seconds)}

    def describe_or_none(self):
        """The queue's address and attributes."""
        sqs = self.target.client("sqs")
        address = call_or_none(sqs.get_queue_url, _ABSENT, QueueName=self.name)
        if address is None:
            return None
        get, url = sqs.get_queue_attributes, address["QueueUrl"]
        found = call_or_none(get, _ABSENT, QueueUrl=url, AttributeNames=["All"])
        return found and {"QueueUrl": url, **found["Attributes"]}

    def has_content(self):
        """Whether it has messages."""
        found = self.describe_or_none()
        return found is not None and found["ApproximateNumberOfMessages"] != "0"

    def _tags(self, found):
        tags = self.target.client("sqs").list_queue_tags
        return (call_or_none(tags, _ABSENT, QueueUrl=found["QueueUrl"]) or {}).get("Tags", {})

    def _create(self):
        create = self.target.client("sqs").create_queue
        wanted = {"Attributes": self.wanted, "tags": self.target.names.tags}
        created = self._once_allowed(create, "QueueNameExists", QueueName=self.name, **wanted)
        return self._wait_until_ready() if created else None

    def _update(self, found):
        if self.wanted.items() <= found.items():
            return False
        change = self.target.client("sqs").set_queue_attributes
        change(QueueUrl=found["QueueUrl"], Attributes=self.wanted)
        return True

    def _remove(self, found):
        if there := self.describe_or_none():
            delete = self.target.client("sqs").delete_queue
            call_or_none(delete, _ABSENT, QueueUrl=there["QueueUrl"])
        self._wait_until_gone()
