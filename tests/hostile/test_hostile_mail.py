"""An e-mail subscription is pending until somebody opens a link, and AWS has odd words for that."""

import asyncio
import json

import pytest

from lottery_lib import DrawPanel, connect, inbox
from lottery_lib.__main__ import main
from lottery_lib.draws import Draws
from lottery_lib.errors import LotteryError
from lottery_lib.resources.sns_topic import Subscription, Topic

ADDRESS = "ann@example.com"
NOBODY = "Nobody has confirmed a subscription to the topic, so no mail is sent."
PENDING = (
    "InvalidParameter",
    "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending "
    "confirmation",
)
ODD = (
    "InvalidParameter",
    "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
)
TAGS = ("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
ABSENT = ("NotFound", "Topic does not exist")


@pytest.fixture
def name(aws):
    """The name of a topic that is there; a word that is no ARN is not unsubscribed."""
    Topic(aws.target, aws.target.names.topic).ensure()
    aws.refuse("Unsubscribe", *ODD, when=lambda ask: not ask.params["SubscriptionArn"].startswith("arn:"))
    return aws.target.names.topic


def confirm(aws):
    inbox(connect(aws.target.endpoint, attendee=aws.target.names.attendee)).confirm(ADDRESS)


def show(aws, arn):
    """Let every subscription be listed with this ARN, or word."""

    def change(ask, reply):
        for each in reply["Subscriptions"]:
            each["SubscriptionArn"] = arn

    aws.edit("ListSubscriptionsByTopic", change)


@pytest.mark.parametrize("word", ["PendingConfirmation", "pending confirmation"])
def test_pending_is_understood(aws, name, word):
    """AWS's reply and its list have different words for a pending subscription; both are one state."""
    assert Subscription(Topic(aws.target, name), ADDRESS).ensure().state == "pending confirmation"
    show(aws, word)
    again = Subscription(Topic(aws.target, name), ADDRESS).ensure()
    assert (again.state, again.arn) == ("pending confirmation", "")
    assert aws.attempts.count("Subscribe") == 1


def test_ended_subscription_is_none(aws, name):
    """A subscription that was ended stays in AWS's list as `Deleted`: the address is subscribed anew."""
    Subscription(Topic(aws.target, name), ADDRESS).ensure()
    show(aws, "Deleted")
    assert Topic(aws.target, name).subscriptions() == []
    Subscription(Topic(aws.target, name), ADDRESS).ensure()
    assert aws.attempts.count("Subscribe") == 2


def subscribe(aws):
    """Make the topic with a subscription, and nothing else of a lottery."""
    topic = Topic(aws.target, aws.target.names.topic)
    topic.ensure()
    Subscription(topic, ADDRESS).ensure()


@pytest.mark.parametrize(
    "arn", ["PendingConfirmation", "Deleted", "arn:aws:sns:us-east-1:1:t:of-a-pending-one"]
)
def test_teardown_with_a_pending_subscription(aws, stack, arn):
    """A pending subscription cannot be unsubscribed; it goes with its topic, and nothing is left."""
    subscribe(aws)
    show(aws, arn)
    aws.refuse("Unsubscribe", *(PENDING if arn.startswith("arn:") else ODD))
    inventory = stack.teardown()
    assert inventory.left == []
    assert {each.state for each in inventory.resources} == {"deleted", "missing"}


@pytest.mark.usefixtures("slow")
def test_topic_whose_subscriptions_linger(aws, stack):
    """A topic's subscriptions may be listed for a while after the topic went: that is waited for."""
    subscribe(aws)
    shown = {}

    def answer(ask):
        if aws.age("DeleteTopic", ask.resource) < 20:
            return ask.answer(200, shown["list"], "text/xml")
        shown["list"] = aws.forward().text
        return None

    aws.rule("ListSubscriptionsByTopic", answer)
    assert stack.teardown().left == []


def test_subscriptions_in_pages(aws, name):
    """Subscriptions are listed in pages, and one in the middle may be empty."""
    for each in ("ben@example.com", ADDRESS):
        Subscription(Topic(aws.target, name), each).ensure()
    aws.page("ListSubscriptionsByTopic", "Subscriptions", "NextToken", "NextToken")
    assert len(Topic(aws.target, name).subscriptions()) == 2
    Subscription(Topic(aws.target, name), ADDRESS).ensure()
    assert aws.attempts.count("Subscribe") == 2


def test_foreign_topic_behind_a_stale_look(aws):
    """A topic of our name with other tags is refused as somebody else's, also when AWS hid it at first."""
    aws.target.client("sns").create_topic(Name=aws.target.names.topic)
    aws.refuse("GetTopicAttributes", *ABSENT, status=404, times=1)
    aws.refuse("CreateTopic", *TAGS)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        Topic(aws.target, aws.target.names.topic).ensure()


def test_lost_reply(aws):
    """CreateTopic sent again after a lost reply answers with the topic there is."""
    aws.lose("CreateTopic Subscribe")
    Topic(aws.target, aws.target.names.topic).ensure()
    Subscription(Topic(aws.target, aws.target.names.topic), ADDRESS).ensure()
    assert len(Topic(aws.target, aws.target.names.topic).subscriptions()) == 1
    assert aws.attempts.count("CreateTopic") == aws.attempts.count("Subscribe") == 2


def test_topic_that_goes_while_it_is_looked_at(aws, name):
    """A topic that is still shown, but whose tags are not found, has gone."""
    aws.refuse("ListTagsForResource", "ResourceNotFound", "Resource does not exist", status=404)
    assert Topic(aws.target, name).find() is None


def test_bad_address(aws, name):
    """An address that SNS refuses is said as such."""
    aws.refuse("Subscribe", "InvalidParameter", "Invalid parameter: Email address")
    with pytest.raises(LotteryError, match=r"e-mail address 'ann'.*Give an address like"):
        Subscription(Topic(aws.target, name), "ann").ensure()


def test_where_the_mail_is(aws, name):
    """On AWS the inbox says which real mailbox to open, and before that who has to confirm."""
    Subscription(Topic(aws.target, name), ADDRESS).ensure()
    assert inbox(aws.target).where == f"{NOBODY} Open the link in the mail that {ADDRESS} got."
    confirm(aws)
    assert inbox(aws.target).where == f"AWS sends real mail: open the mailbox of {ADDRESS}."
    assert inbox(aws.target).mails == []


def test_confirm_on_aws(aws, name):
    """A real mail's link is the attendee's to open."""
    with pytest.raises(LotteryError, match="Open the link in it where it arrived"):
        inbox(aws.target).confirm(ADDRESS)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_draw_warns_on_the_command_line(deployed, monkeypatch, capsys, option):
    """A draw of which nobody will get mail says so before it begins."""
    monkeypatch.setattr("lottery_lib.target.connect", lambda **_: deployed.target)
    said = []
    deployed.rule("StartExecution", lambda ask: said.append(capsys.readouterr().err))
    assert main(["draw", "1", *option]) == 0
    assert NOBODY in said[0]


def test_draw_though_nobody_knows_who_gets_mail(deployed, monkeypatch, capsys):
    """A draw is made and told, though AWS does not say who gets mail."""
    monkeypatch.setattr("lottery_lib.target.connect", lambda **_: deployed.target)
    deployed.refuse("ListSubscriptionsByTopic", "InternalError", "Oops", status=500)
    assert main(["draw", "1", "--json"]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)["winners"]) == 1
    assert "It is not known who gets mail: AWS ListSubscriptionsByTopic: Oops" in told.err


def test_panel_warns(deployed):
    """The panel says of a draw that nobody gets its mail."""
    panel = DrawPanel(Draws(deployed.target), pause=0, pace=0)
    asyncio.run(panel.run(1))
    assert f"{NOBODY} Open the link in the mail that {ADDRESS} got." in panel.mail.value


def test_panel_though_nobody_knows_who_gets_mail(deployed):
    """The panel shows what was drawn, though AWS does not say who gets mail."""
    deployed.refuse("ListSubscriptionsByTopic", "AuthorizationError", "ann may not list them", status=403)
    panel = DrawPanel(Draws(deployed.target), pause=0, pace=0)
    assert asyncio.run(panel.run(1))["status"] == "SUCCEEDED"
    assert "ann may not list them" in panel.mail.value
