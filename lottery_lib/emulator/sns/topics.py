"""Create topics as SNS does: one that is there is given out again, unless it is asked for with other tags."""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.http.replies import query_error
from lottery_lib.emulator.moto.application import Moto
from lottery_lib.emulator.sns.xml import element

__all__ = ["create_topic"]


def create_topic(moto: Moto, request: Request) -> Reply:
    """CreateTopic."""
    partition = "aws-cn" if request.scope.region.startswith("cn-") else "aws"
    arn = f"arn:{partition}:sns:{request.scope.region}:123456789012:{request.form.get('Name', '')}"
    listed = moto.query(request.scope, "ListTagsForResource", ResourceArn=arn)
    if listed.ok and not set(_asked(request.form)) <= set(_listed(listed.body)):
        reason = "Tags Reason: Topic already exists with different tags"
        return query_error("InvalidParameter", f"Invalid parameter: {reason}")
    reply = moto(request)
    if not reply.ok and element(reply.body, "Message").startswith("Topic names must"):
        return query_error("InvalidParameter", "Invalid parameter: Topic Name")
    return reply


def _asked(form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    index = 1
    while (key := form.get(f"Tags.member.{index}.Key")) is not None:
        yield key, form.get(f"Tags.member.{index}.Value", "")
        index += 1


def _listed(xml: bytes) -> Iterator[tuple[str, str]]:
    namespace = "{http://sns.amazonaws.com/doc/2010-03-31/}"
    for member in ElementTree.fromstring(xml).iter(f"{namespace}member"):
        yield member.findtext(f"{namespace}Key", ""), member.findtext(f"{namespace}Value", "")
