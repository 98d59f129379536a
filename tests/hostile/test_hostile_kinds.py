"""Each kind of resource meets what AWS may do while it is made, changed or deleted."""

import pytest
from hostile.hostile_aws import HTML, NEVER
from hostile.kinds import CASES, FUNCTION, KINDS, ROLE, TABLE, assert_settled, there
from kit.calls import make_foreign

from lottery_lib.errors import LotteryError

STATES = {"create": "created", "update": "updated", "delete": "deleted"}


def cases(is_wanted):
    """The cases whose failure is such a one."""
    found = [pytest.param(*case, id=name) for name, case in CASES.items() if is_wanted(case[-1])]
    return pytest.mark.parametrize(("kind", "step", "failure"), found)


def begin(aws, kind, step, failure, long):
    """Have what there is before a step, and let AWS begin to fail; returns the step.

    The steps "create again" and "delete again" find that a delete was interrupted.
    """
    there(aws, kind, None if step == "create" else kind.otherwise if step == "update" else kind.make)
    resource = kind.make(aws.target)
    failure.begin(aws, kind, long)
    if step.endswith("again"):
        aws.interrupt_after(kind.delete)
        with pytest.raises(KeyboardInterrupt):
            resource.delete()
        aws.attempts.clear()
    return resource.delete if step.startswith("delete") else resource.ensure


@cases(lambda failure: failure.long != NEVER)
def test_failure_that_passes(aws, clock, kind, step, failure):
    """The step waits, or asks again, for as long as the failure lasts; then it is done, and was done once."""
    take = begin(aws, kind, step, failure, failure.long)
    begun = clock.now
    done = take()
    assert done.state == STATES[step.split()[0]] or not failure.is_reported
    assert {operation: aws.attempts.count(operation) for operation in failure.calls} == failure.calls
    if failure.is_waited_for:
        assert clock.now - begun >= failure.long
    if step.startswith("delete"):
        aws.forget()
        assert kind.make(aws.target).find() is None
    else:
        assert_settled(aws, kind)


@pytest.mark.usefixtures("slow")
@cases(lambda failure: failure.ends)
def test_failure_that_never_passes(aws, clock, kind, step, failure):
    """The step ends in a quarter of an hour, or at once if a wait is in vain, and says why."""
    take = begin(aws, kind, step, failure, NEVER)
    begun = clock.now
    with pytest.raises(LotteryError, match=failure.ends):
        take()
    assert clock.now - begun < 900
    if failure.long == NEVER:
        assert clock.now == begun
        assert {operation: aws.attempts.count(operation) for operation in failure.calls} == failure.calls
        assert aws.attempts[-1] in failure.calls or not failure.calls


def hide(aws, kind):
    """Let two looks not find what there is; a creation says that it exists."""
    aws.refuse(kind.describe, *kind.absent, times=2)
    if kind.exists:
        aws.refuse(kind.create, *kind.exists)


def those(with_what):
    """The kinds that have these words."""
    named = [pytest.param(kind, id=name) for name, kind in KINDS.items() if getattr(kind, with_what)]
    return pytest.mark.parametrize("kind", named)


@those("absent")
def test_hidden_at_first(aws, kind):
    """What AWS does not show at first, and then says that it exists, is not made again."""
    there(aws, kind, kind.make)
    hide(aws, kind)
    assert kind.make(aws.target).ensure().state == "unchanged"
    assert aws.attempts.count(kind.create) == 1
    assert_settled(aws, kind)


@those("otherwise")
def test_changed_and_hidden_at_first(aws, kind):
    """If somebody else changed it, it is brought up to date, too."""
    there(aws, kind, kind.otherwise)
    hide(aws, kind)
    assert kind.make(aws.target).ensure().state == "updated"
    assert_settled(aws, kind)


@those("absent")
def test_foreign_and_hidden_at_first(aws, kind):
    """What has our name and is not ours is refused, also if AWS does not show it at first."""
    there(aws, kind, None)
    make_foreign(aws.emulated, kind.make)
    aws.forget()
    hide(aws, kind)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        kind.make(aws.target).ensure()
    assert aws.writes == [kind.create]


@those("untagged")
def test_gone_while_it_is_looked_at(aws, kind):
    """What is still shown, but whose tags are not found, has gone."""
    there(aws, kind, kind.make)
    aws.refuse(kind.tags, *kind.untagged)
    assert kind.make(aws.target).find() is None
    assert kind.make(aws.target).delete().state == "missing"


@those("denied")
def test_missing_right(aws, kind):
    """Each service denies a right in its own words. It is not asked again, and it is said whom to ask."""
    aws.refuse(kind.describe, *kind.denied)
    advice = rf"ann may not \({kind.denied[0]}\)\. Ask the administrator of the account"
    with pytest.raises(LotteryError, match=advice):
        kind.make(aws.target).find()
    assert aws.attempts.count(kind.describe) == 1


#: A kind of each of AWS's protocols.
PROTOCOLS = pytest.mark.parametrize("kind", [ROLE, FUNCTION, TABLE], ids=["role", "function", "table"])
#: What comes from AWS, or from a proxy, while a service is down: status, body, and its type.
TROUBLE = {
    **{f"page with {status}": (status, HTML, "text/html") for status in (500, 502, 503)},
    "words with 503": (503, "no healthy upstream", "text/plain"),
}


@pytest.mark.parametrize("reply", TROUBLE.values(), ids=TROUBLE)
@PROTOCOLS
def test_trouble_that_does_not_pass(aws, kind, reply):
    """A reply that says that a service is down ends, after some tries, in what to do."""
    aws.rule(kind.describe, lambda ask: ask.answer(*reply))
    with pytest.raises(LotteryError, match="AWS has a problem: wait a minute"):
        kind.make(aws.target).find()
    assert aws.attempts.count(kind.describe) >= 5
