"""In China and GovCloud every ARN is of that partition, in all that is sent."""

import re
from functools import partialmethod
from types import SimpleNamespace
from urllib.parse import unquote

import nbformat
import pytest
from hostile.hostile_aws import HostileAws

from lottery_course import calls, notebooks, restore, verify
from lottery_course.lessons import LESSONS
from lottery_lib import DrawPanel, Stack, connect, draw, inbox, winners
from notebooks import cells

ADDRESS = "ann@example.com"


@pytest.fixture(scope="module")
def lived():
    """An AWS in GovCloud on which a lottery was deployed, drawn and removed."""
    aws = HostileAws(SimpleNamespace(now=0.0), "gov", "us-gov-west-1")
    stack = Stack(aws.target, announce=lambda plan: None)
    stack.deploy(ADDRESS)
    stack.deploy(ADDRESS)
    assert draw(aws.target, 2)["status"] == "SUCCEEDED"
    assert len(winners(aws.target)) == 2
    assert stack.teardown().left == []
    return aws


def test_every_arn_is_of_the_partition(lived):
    """Role, policy, function, topic, machine, service integration: none names another partition."""
    named = {found for text in lived.sent for found in re.findall(r"arn:([\w-]+)", text)}
    assert len(lived.sent) > 100
    assert named == {"aws-us-gov"}


def test_every_region_is_the_right_one(lived):
    """No ARN that is sent names another region."""
    regions = {
        found for text in lived.sent for found in re.findall(r"arn:[\w-]+:[a-z]+:([\w-]+):\d{12}", text)
    }
    assert regions == {"us-gov-west-1"}


def test_service_principals_are_those_of_everywhere(lived):
    """Lambda and Step Functions have one service principal in all partitions, without .cn."""
    named = {found for text in lived.sent for found in re.findall(r"\w+\.amazonaws\.com[.\w]*", text)}
    assert {"lambda.amazonaws.com", "states.amazonaws.com"} <= named
    assert not any(found.endswith(".cn") for found in named)


CHINA = "cn-north-1"


@pytest.fixture
def china(monkeypatch):
    """A target in China, chosen as an attendee chooses it; `china.said` is all that went to and fro."""
    monkeypatch.setenv("LOTTERY_REGION", CHINA)
    target = connect("embedded", attendee="china")
    target.said = []
    target.session.events.register(
        "before-send", lambda request, **_: note(target, request.url, request.body)
    )
    target.session.events.register("after-call", lambda http_response, **_: note(target, http_response.text))
    return target


def note(target, *texts):
    for text in texts:
        target.said.append(unquote(text.decode(errors="replace") if isinstance(text, bytes) else str(text)))


def strange(texts):
    """The ARNs that are not of China."""
    return {found for text in texts for found in re.findall(r"arn:(?!aws-cn:)[\w-]+:[^\s\"'&<]*", text)}


@pytest.mark.parametrize("edition", ["tutorial", "hardened"])
def test_life_in_china(china, edition):
    """What is sent, what comes back and what is shown, from a deploy to its teardown, is of China."""
    target = china.named(china.names.in_edition(edition))
    shown = []
    stack = Stack(target, shown.append)
    stack.deploy(ADDRESS)
    inbox(target).confirm(ADDRESS)
    told = draw(target, 2)
    assert told["status"] == "SUCCEEDED"
    shown += [told, winners(target).to_string(), stack.status(), repr(inbox(target))]
    shown += [mail.text for mail in inbox(target).notifications]
    assert stack.teardown().left == []
    shown.append(calls(target)._repr_html_())
    assert strange(map(str, shown)) == set()
    assert strange(china.said) == set()
    assert sum("arn:aws-cn:" in text for text in china.said) > 20
    regions = re.findall(r"arn:[\w-]+:[a-z]+:([\w-]+):\d{12}", " ".join(china.said))
    assert set(regions) == {CHINA}
    assert not re.search(r"\w\.amazonaws\.com\.cn", " ".join(china.said))


@pytest.mark.parametrize(
    "lessons", [["08", "90"], pytest.param(LESSONS, marks=pytest.mark.long)], ids=["two", "all"]
)
def test_every_lesson_is_restored_in_china(china, lessons):
    """What a lesson starts with, and what its check says.

    All are long: 08 and 15 have everything of their edition, and the others less of it.
    """
    shown = []
    for lesson in lessons:
        restore(china, lesson)
        shown.append(repr(verify(china, lesson)))
    assert strange(shown) == set()
    assert strange(china.said) == set()
    assert sum("arn:aws-cn:" in text for text in china.said) > 100


#: Shown by lessons 05 and 13 as the tutorial prints it, before placeholders and partition are filled in.
PRINTED = {"arn:aws:states:::sns:publish", "arn:aws:states:::sns:publish.waitForTaskToken"}


#: All are long except 05, which has the role of 01, too. The whole course takes a minute.
COURSE = [
    pytest.param(path, marks=() if path.name.startswith("05") else pytest.mark.long, id=path.stem)
    for path in notebooks.notebooks()
]


@pytest.mark.parametrize("path", COURSE)
def test_course_in_china(monkeypatch, tmp_path, path):
    """Each lesson runs there, and shows no other partition's ARNs."""
    monkeypatch.setenv("LOTTERY_REGION", CHINA)
    quick = partialmethod(DrawPanel.__init__, pause=0.02, pace=0)  # nobody watches the panel
    monkeypatch.setattr(DrawPanel, "__init__", quick)
    shown = []
    with cells.shell(tmp_path, monkeypatch) as run:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                outputs, ended = run(cell.source)
                assert ended.success, (cell.source, outputs)
                shown += outputs
    assert strange(map(str, shown)) <= PRINTED
