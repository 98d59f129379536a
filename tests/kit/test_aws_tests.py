"""`pytest --aws` as somebody with an account runs it, with the emulator in the place of AWS.

It is long: each test starts a pytest of its own, and the one with all lessons takes about four minutes.

What this proves: each cell of the course runs on a target of kind `aws`, one lesson after the other, and
nothing is left. What it cannot prove: that AWS answers as the emulator does, how soon, and in which words.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lottery_course.notebooks import notebooks
from lottery_lib import Stack, connect, inbox
from sfn_emulator import control

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]


@pytest.fixture
def selftest(tmp_path_factory, monkeypatch):
    """The lottery of the attendee whom those tests are. Its emulator has the machine's time, as AWS has."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.delenv("LOTTERY_EMULATOR_CLOCK")
    yield Stack(connect("embedded", attendee="selftest"))
    control.stop()


@pytest.fixture
def pytest_aws(tmp_path):
    """Run pytest with words of the test's own and variables beside; the home that it has is empty."""

    def run(*words, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
            env=environment | {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"} | variables,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    return run


@pytest.fixture
def on_the_emulator(pytest_aws, selftest):
    """Run `pytest --aws` where the emulator is AWS."""
    where = selftest.target.endpoint.replace("//", f"//{selftest.target.access_key}@")
    variables = {"EMULATED_AWS": where, "PYTHONPATH": str(ROOT / "tests")}
    variables["PYTEST_ADDOPTS"] = "-p kit.emulated_aws"  # lesson 12 starts a pytest, too
    return lambda *words, **more: pytest_aws("--aws", *words, **variables, **more)


def test_all_pass(on_the_emulator, selftest):
    """All tests run and pass, the account is told first, and nothing is left. Somebody opens a link."""
    ended = on_the_emulator("--aws-email", "bob@example.org")
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.startswith(
        "AWS account 123456789012, region us-east-1, partition aws, attendee selftest"
    )
    assert " passed" in ended.stdout
    assert not any(word in ended.stdout for word in ("skipped", "deselected", "failed"))
    assert all(f"{path.stem} " in ended.stdout for path in notebooks())
    assert "Open the link in the mail that AWS sends to bob@example.org" in ended.stdout
    assert "again in " not in ended.stdout
    assert selftest.left() == []


def test_without_an_address(on_the_emulator, selftest):
    """Without an address, no mail goes out. The lesson on the topic passes, and the summary says so."""
    inbox(selftest.target).clear()
    ended = on_the_emulator("-k", "01_ or 02_ or 03_")
    assert "3 passed" in ended.stdout, ended.stdout
    assert "nobody opens a link: --aws-email is missing" in ended.stdout
    assert inbox(selftest.target).mails == []


def test_what_holds_late_is_tried_again(on_the_emulator):
    """Where rights and definitions hold late, cells run again until they do, and the run says which."""
    ended = on_the_emulator("-k", "01_ or 16_", EMULATED_DELAY="2")
    assert "2 passed" in ended.stdout, ended.stdout
    assert "again in 16-41: it does not show SUCCEEDED" in ended.stdout


def test_the_person_gets_few_mails(on_the_emulator, selftest):
    """The person gets the question and the three mails of the lesson on the topic, and none later."""
    inbox(selftest.target).clear()
    ended = on_the_emulator("-k", "01_ or 02_ or 03_ or 07_", "--aws-email", "bob@example.org")
    assert "4 passed" in ended.stdout, ended.stdout
    # A check that comes before its mail runs again, with the cell that sent it. So a mail may come twice.
    mails = {mail.text: mail.kind for mail in inbox(selftest.target).mails}
    assert [*mails.values()] == ["confirmation", *["notification"] * 3]


def test_what_was_left_is_removed(on_the_emulator, selftest):
    """What an earlier run left is removed first, and also a run without the last test leaves nothing."""
    selftest.deploy()
    Stack(connect("embedded", attendee="selftest", edition="hardened")).deploy()
    ended = on_the_emulator("-k", "test_the_plan_made_nothing")
    assert "1 passed" in ended.stdout, ended.stdout
    assert selftest.left() == []


def test_what_is_not_ours_stays(on_the_emulator, selftest):
    """A thing of such a name without the kit's tags is named, and left alone."""
    topics, name = selftest.target.client("sns"), selftest.target.names.topic
    arn = topics.create_topic(Name=name)["TopicArn"]
    ended = on_the_emulator()
    assert ended.returncode == 1
    assert f"Exit: topic {name}: is not the tests' own" in ended.stdout
    assert [each.name for each in selftest.left()] == [name]
    topics.delete_topic(TopicArn=arn)


def test_what_is_sent_back(on_the_emulator, tmp_path):
    """The file of --junit-xml has what failed and the versions, without account, home and address."""
    file = tmp_path / "report.xml"
    ended = on_the_emulator("-k", "02_", "--aws-email", "bob@example.org", "--junit-xml", str(file))
    assert "1 failed" in ended.stdout
    assert "123456789012" in ended.stdout
    told = file.read_text(encoding="utf-8")
    assert "lesson 02 on AWS" in told
    assert "account ACCOUNT" in told
    assert '<property name="boto3"' in told
    assert not any(secret in told for secret in ("123456789012", "bob@example.org", str(tmp_path)))


SETTINGS = {
    "no region is set. Set AWS_DEFAULT_REGION": {},
    "Unable to locate credentials. Run `aws configure`": {"AWS_DEFAULT_REGION": "eu-west-1"},
    "AWS_ENDPOINT_URL would send the calls elsewhere": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
}


@pytest.mark.parametrize("sentence", SETTINGS)
def test_no_account(pytest_aws, sentence):
    """Without an account to go to, `pytest --aws` ends in one sentence that says what to do."""
    ended = pytest_aws("--aws", **SETTINGS[sentence])
    assert ended.returncode == 1
    assert sentence in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    assert len((ended.stdout + ended.stderr).splitlines()) < 5


def test_not_at_once(pytest_aws):
    """As they share one lottery, they do not run at once."""
    ended = pytest_aws("--aws", "-n", "2")
    assert ended.returncode == 4
    assert "leave -n out" in ended.stderr


def test_never_unasked(pytest_aws):
    """Without --aws none of them is selected, whatever else is asked for."""
    ended = pytest_aws("tests/aws", "-m", "aws")
    assert ended.returncode == 5
    assert "passed" not in ended.stdout
