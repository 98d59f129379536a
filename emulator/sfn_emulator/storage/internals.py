"""Correct what moto's IAM and S3 refuse, and AWS does not."""

import json
from collections.abc import Callable
from typing import Any

MotoFunction = Callable[..., Any]
"""A function of moto that is replaced, or its replacement."""


def no_bucket_policy(_: MotoFunction, self: Any, action: str, resource: str) -> Any:
    """The policy of a bucket has no effect. moto's reading of it denies too much."""
    from moto.iam.access_control import PermissionResult

    return PermissionResult.NEUTRAL


def inline_policy(kind: str, original: MotoFunction, self: Any, owner: str, *given: str) -> None:
    """An inline policy needs no version, and may have the old one. AWS demands the new one of others."""
    name, document = given
    old = {"Version": "2008-10-17"}
    try:
        policy = old | json.loads(document)
    except (TypeError, ValueError):
        policy = {}
    if policy.get("Version") != old["Version"]:
        original(self, owner, name, document)
        return
    original(self, owner, name, json.dumps(policy | {"Version": "2012-10-17"}))
    getattr(self, f"get_{kind}")(owner).put_policy(name, document)
