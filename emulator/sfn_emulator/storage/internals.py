"""Correct what moto refuses and AWS does not, and what it would do outside this process."""

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

MotoFunction = Callable[..., Any]
"""A function of moto that is replaced, or its replacement."""


def no_bucket_policy(_: MotoFunction, self: Any, action: str, resource: str) -> Any:
    """The policy of a bucket has no effect. moto's reading of it denies too much."""
    from moto.iam.access_control import PermissionResult

    return PermissionResult.NEUTRAL


def own_bucket(_: MotoFunction, self: Any, name: str) -> Any:
    """A bucket is seen in its own partition only. moto would find those of all partitions."""
    from moto.s3.exceptions import MissingBucket

    for known in (self.buckets, self.table_buckets):
        if name in known:
            return known[name]
    raise MissingBucket(bucket=name)


def new_bucket(original: MotoFunction, self: Any, bucket_name: str, *rest: Any, **more: Any) -> Any:
    """A name is taken only in its own partition."""
    from moto.s3.models import s3_backends

    if bucket_name in self.buckets:
        s3_backends.bucket_accounts[bucket_name] = self.partition, self.account_id  # moto refuses it
    else:
        s3_backends.bucket_accounts.pop(bucket_name, None)
    return original(self, bucket_name, *rest, **more)


def no_invocation(_: MotoFunction, self: Any, *__: Any) -> bytes:
    """A function that moto calls does not run. moto would run it in Docker, with images that it fetches."""
    return b""


def no_message(original: MotoFunction, self: Any, *given: Any, **named: Any) -> None:
    """No web server gets messages. moto would wait for it, and Publish would fail if it cannot be reached."""
    if self.protocol not in {"http", "https"}:
        original(self, *given, **named)


def no_records(_: MotoFunction, destination: Any, records: Sequence[Any]) -> list[dict[str, str]]:
    """No web server gets records of Firehose. moto would wait for it, as for those of SNS."""
    return [{"RecordId": str(uuid.uuid4())} for _ in records]


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
