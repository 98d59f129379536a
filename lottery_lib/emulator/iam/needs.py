"""Say all that a request needs; pure.

Besides its own actions: the right to pass a role on, and to tag what it creates.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from lottery_lib.emulator.iam.asked import Asked, Need
from lottery_lib.emulator.iam.iam_dynamodb import dynamodb_needs
from lottery_lib.emulator.iam.resources import (
    iam_needs,
    lambda_needs,
    logs_needs,
    sns_needs,
    states_needs,
    sts_needs,
)

__all__ = ["needs_of"]

_SERVICES: Final[Mapping[str, Callable[[Asked], list[Need]]]] = {
    "dynamodb": dynamodb_needs,
    "iam": iam_needs,
    "lambda": lambda_needs,
    "logs": logs_needs,
    "sns": sns_needs,
    "states": states_needs,
    "sts": sts_needs,
}
# Which parameter is a role that is passed on, and to whom.
_PASSED: Final = {
    ("lambda", "CreateFunction"): "Role",
    ("lambda", "UpdateFunctionConfiguration"): "Role",
    ("states", "CreateStateMachine"): "roleArn",
    ("states", "UpdateStateMachine"): "roleArn",
}
# What else is needed to create something with tags, and the parameters that hold tags.
_TAGGED: Final = {
    ("dynamodb", "CreateTable"): "TagResource",
    ("iam", "CreatePolicy"): "TagPolicy",
    ("iam", "CreateRole"): "TagRole",
    ("iam", "CreateUser"): "TagUser",
    ("lambda", "CreateFunction"): "TagResource",
    ("logs", "CreateLogGroup"): "TagResource",
    ("sns", "CreateTopic"): "TagResource",
    ("states", "CreateActivity"): "TagResource",
    ("states", "CreateStateMachine"): "TagResource",
}
_TAGS: Final = ("Tags", "tags", "Tags.member.1.Key")


def needs_of(asked: Asked) -> list[Need]:
    """The actions and resources, in the order in which AWS asks for them.

    Of a service that is not known here: the operation's name, on ``*``.
    """
    known = _SERVICES.get(asked.service)
    needs = known(asked) if known else [asked.need("*")]
    return [*needs, *_tagging(asked, needs), *_passing(asked)]


def _tagging(asked: Asked, needs: list[Need]) -> Iterator[Need]:
    action = _TAGGED.get((asked.service, asked.operation))
    if action and asked.text(*_TAGS):
        resource = needs[0].resource.removesuffix(":log-stream:")
        yield asked.need(resource, action)


def _passing(asked: Asked) -> Iterator[Need]:
    if role := asked.text(_PASSED.get((asked.service, asked.operation), "")):
        yield Need("iam:PassRole", role, (("iam:passedtoservice", f"{asked.service}.amazonaws.com"),))
