import email
import json
import mailbox
import socketserver
import threading
from email import policy
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from helpers import get, refused, signed, wait_until

ADDRESS = "employee@example.org"


@pytest.fixture
def sns(aws):
    return aws("sns")


@pytest.fixture
def subscribed(sns, topic, mails, browse):
    """A confirmed subscription's address."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    browse(mails()[0]["link"])
    return ADDRESS


def test_the_confirmation_mail(sns, topic, mails):
    """The confirmation mail has the sender, recipient, subject and link of AWS."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    (mail,) = mails()
    assert mail["from"] == "Tests <no-reply@sns.amazonaws.com>"
    assert (mail["to"], mail["type"], mail["topic_arn"]) == (ADDRESS, "confirmation", topic)
    assert mail["subject"] == "AWS Notification - Subscription Confirmation"
    assert mail["text"].startswith(f"You have chosen to subscribe to the topic:\n{topic}\n")
    assert mail["link"] in mail["text"]


def test_nothing_is_mailed_before_the_confirmation(sns, topic, mails):
    """A message to a pending subscriber is lost."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    sns.publish(TopicArn=topic, Message="lost")
    assert [mail["type"] for mail in mails()] == ["confirmation"]


def test_a_message_is_mailed(sns, topic, subscribed, mails):
    """Each confirmed subscriber gets the text of a message and a footer."""
    sns.publish(TopicArn=topic, Message="Hello! [王小明] This is for you.")
    mail = mails()[-1]
    assert (mail["type"], mail["subject"], mail["link"]) == ("notification", "AWS Notification Message", None)
    assert mail["text"].startswith("Hello! [王小明] This is for you.\n\n--\n")


def test_a_subject_is_kept(sns, topic, subscribed, mails):
    """The message's subject is the mail's."""
    sns.publish(TopicArn=topic, Message="x", Subject="The news")
    assert mails()[-1]["subject"] == "The news"


def test_a_batch_is_mailed(sns, topic, subscribed, mails):
    """Each entry is a mail."""
    entries = [{"Id": str(n), "Message": f"message {n}"} for n in range(3)]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [mail["text"][:9] for mail in mails()[1:]] == ["message 0", "message 1", "message 2"]


def test_a_structured_message_is_mailed_by_its_part(sns, topic, subscribed, mails):
    """The mail of a structured message has the part `email`, or else `default`."""
    parts = json.dumps({"default": "for all", "email": "for mail"})
    sns.publish(TopicArn=topic, Message=parts, MessageStructure="json")
    assert mails()[-1]["text"].startswith("for mail\n")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "x" * 262_145}, "Invalid parameter: Message too long"),
        ({"Message": "x", "Subject": ""}, "Invalid parameter: Subject"),
        ({"Message": "x", "Subject": "a\nb"}, "Invalid parameter: Subject"),
        ({"Message": "x", "Subject": "x" * 101}, "Invalid parameter: Subject"),
    ],
)
@pytest.mark.usefixtures("subscribed")
def test_bad_messages_are_refused(sns, topic, mails, parameters, message):
    """The error is InvalidParameter, and nothing is mailed."""
    assert refused(sns.publish, TopicArn=topic, **parameters) == ("InvalidParameter", message)
    assert len(mails()) == 1


@pytest.mark.parametrize("other", ["TargetArn", "PhoneNumber"])
@pytest.mark.usefixtures("subscribed")
def test_a_message_has_one_target(sns, topic, mails, other):
    """IAM checks only one."""
    with pytest.raises(ClientError, match="InvalidParameter"):
        sns.publish(TopicArn=topic, Message="m", **{other: topic if other == "TargetArn" else "+15550100"})
    assert len(mails()) == 1


def test_a_batch_for_a_topic_that_is_not_there(sns, topic):
    """A batch for an unknown topic is refused with NotFound."""
    entries = [{"Id": "a", "Message": "x"}]
    told = refused(sns.publish_batch, TopicArn=topic + "-not", PublishBatchRequestEntries=entries)
    assert told.code == "NotFound"


def test_the_unsubscribe_link_works(sns, topic, subscribed, mails, browse):
    """A browser that opens the link ends the subscription."""
    sns.publish(TopicArn=topic, Message="x")
    link = next(line for line in mails()[-1]["text"].splitlines() if "Action=Unsubscribe" in line)
    status, page = browse(link)
    assert status == 200 and "Subscription removed" in page
    sns.publish(TopicArn=topic, Message="y")
    assert not mails()[-1]["text"].startswith("y")


def test_mails_are_files_of_a_maildir(emulator, sns, topic, subscribed):
    """Each mail is a file with SNS's headers that any mail program can read."""
    sns.publish(TopicArn=topic, Message="你好")
    box = mailbox.Maildir(Path(emulator["folder"]) / "mailbox", create=False)
    raw = [box.get_bytes(key) for key in box.iterkeys()]
    messages = [email.message_from_bytes(each, policy=policy.default) for each in raw]
    ours = [message for message in messages if message["x-amz-sns-topic-arn"] == topic]
    kinds = sorted(message["x-amz-sns-message-type"] for message in ours)
    assert kinds == ["Notification", "SubscriptionConfirmation"]
    assert any(message.get_content().startswith("你好") for message in ours)


def test_mails_come_in_order(emulator, sns, topic, subscribed, mails):
    """The oldest mail is the first, and each has its own id."""
    for number in range(20):
        sns.publish(TopicArn=topic, Message=f"{number:02}")
    assert [mail["text"][:2] for mail in mails()[1:]] == [f"{number:02}" for number in range(20)]
    assert len({mail["id"] for mail in mails()}) == 21


def test_the_mailbox_is_a_page(emulator, sns, topic):
    """The mailbox is a page for people. What strangers wrote is text in it, not HTML."""
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="<b>Tests")
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    status, page = get(emulator["endpoint"] + "/_emulator/mail/", **signed(emulator["access_key_id"]))
    assert status == 200
    assert "Confirm subscription" in page and "<b>Tests" not in page


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 test\r\n")
        data = None
        while line := self.rfile.readline():
            if data is not None:
                if line == b".\r\n":
                    self.server.received.append(b"".join(data))
                    data = None
                    self.wfile.write(b"250 OK\r\n")
                else:
                    data.append(line)
            elif line.upper().startswith(b"DATA"):
                data = []
                self.wfile.write(b"354 go\r\n")
            elif line.upper().startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 OK\r\n")


@pytest.fixture
def smtp(monkeypatch):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.received = []
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("SMTP_PORT", str(server.server_address[1]))
        yield server


def test_with_smtp_host_mails_are_sent_there_too(smtp, own):
    """A real mail server gets what the mailbox gets. Whoever publishes does not notice if it is not there."""
    arn = own("sns").create_topic(Name="T")["TopicArn"]
    own("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint=ADDRESS)
    wait_until(lambda: smtp.received)
    assert b"Subscription Confirmation" in smtp.received[0]
    smtp.shutdown()
    smtp.server_close()
    assert own("sns").subscribe(TopicArn=arn, Protocol="email", Endpoint="ben@example.org")


def test_a_fifo_topic_numbers_its_messages(sns):
    """Its messages need a group, and an id unless the topic makes one from the content."""
    topic = sns.create_topic(Name="numbers.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    for more, reason in (
        ({}, "The MessageGroupId parameter is required for FIFO topics"),
        (
            {"MessageGroupId": "g"},
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
            "provided explicitly",
        ),
    ):
        told = refused(sns.publish, TopicArn=topic, Message="m", **more)
        assert told == ("InvalidParameter", f"Invalid parameter: {reason}")
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first, second = (sns.publish(TopicArn=topic, Message="m", **ids)["SequenceNumber"] for _ in range(2))
    assert (len(first), first < second) == (20, True)
    sns.delete_topic(TopicArn=topic)
