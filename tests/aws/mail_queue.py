"""Read the mails in a real account: a queue of SQS gets them, because no program reads a mailbox."""

import json

from lottery_lib import mails, plan
from lottery_lib.aws_errors import says
from lottery_lib.resources.sns_topic import Subscription
from lottery_lib.waiting import Waiter

#: How long a person may take to open a mail, in seconds.
PATIENCE = 600


class MailQueue:
    """A queue that the topic sends to, and the address of the person who runs the tests, if it is known.

    Args:
        target: The account.
        email: The person's address; None if no mail shall go out.
        ask: Shows a sentence to the person.

    Attributes:
        mails: What has come since the lesson began, or since it emptied its mailbox.
        arn: The queue's ARN.
    """

    def __init__(self, target, email, ask):
        self._target, self.email, self._ask = target, email, ask
        self._sqs, name = target.kit_client("sqs"), target.names.of("Lottery-Mails")
        self.arn = target.arn("sqs", name)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
        }
        allow |= {"Resource": self.arn, "Condition": {"ArnEquals": {"aws:SourceArn": plan.topic(target).arn}}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})

        def create():
            return self._sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]

        what, taken = f"the name {name}", says("QueueDeletedRecently")  # for a minute
        self._url = Waiter(report=ask).retry(what, create, taken, seconds=90)
        self.mails, self._is_open = [], False

    def delete(self):
        self._sqs.delete_queue(QueueUrl=self._url)

    @property
    def address(self):
        """The protocol and the address that the lesson on the topic subscribes."""
        return ("email", self.email) if self.email else ("sqs", self.arn)

    def confirm(self, address):
        """Wait until the person has opened the link. From now on, the mails can be read here."""
        self.subscribe()  # first, so that the next lessons do not need the person
        if address != self.email:
            return
        minutes, of_person = PATIENCE // 60, Subscription(plan.topic(self._target), address)
        self._ask(f"Open the link in the mail that AWS sends to {address}. You have {minutes} minutes.")

        def opened():
            found = of_person.find()
            return found and found.state == "confirmed"

        what = f"the link in the mail to {address} to be opened"
        Waiter(report=self._ask).until(what, opened, seconds=PATIENCE, every=5)

    def subscribe(self):
        """Let the topic send to the queue, too. It forgets what came before, as if it had been pending."""
        topic, sns = plan.topic(self._target).arn, self._target.kit_client("sns")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self.arn)
        self._is_open = True
        self.clear()

    def spare_the_person(self):
        """Send no more mails to the person: the lessons after the one on the topic send about a hundred."""
        for each in plan.topic(self._target).subscriptions():
            if each["Endpoint"] == self.email and each["SubscriptionArn"].startswith("arn:"):
                self._target.kit_client("sns").unsubscribe(SubscriptionArn=each["SubscriptionArn"])

    def clear(self):
        self.read()
        self.mails.clear()

    def read(self):
        """Take what has arrived; the queue gives ten messages at most, and not always all that it has."""
        here = self._target.endpoint is not None
        wait = 0 if here else 2
        while got := self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=wait
        ).get("Messages"):
            wait = 0
            for each in got:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
                told = json.loads(each["Body"])
                subject = told.get("Subject") or "AWS Notification Message"
                mail = mails.Mail(
                    "notification", self.arn, "Lottery", subject, told["Timestamp"], told["Message"], None
                )
                self.mails.append(mail)
        self.mails.sort(key=lambda mail: mail.date)
        return list(self.mails) if self._is_open else []

    def take_the_place(self, patch):
        """Let `inbox` on AWS read here."""
        theirs = mails.Inbox.mails, mails.Inbox.clear, mails.Inbox.confirm

        def of_aws(inbox):
            return inbox._target.kind == "aws"

        patch.setattr(
            mails.Inbox, "mails", property(lambda it: self.read() if of_aws(it) else theirs[0].fget(it))
        )
        patch.setattr(mails.Inbox, "clear", lambda it: self.clear() if of_aws(it) else theirs[1](it))
        patch.setattr(
            mails.Inbox,
            "confirm",
            lambda it, address: self.confirm(address) if of_aws(it) else theirs[2](it, address),
        )
