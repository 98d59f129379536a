"""Requests and replies of AWS's protocols: a request knows its service, region, operation and parameters."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote

#: The emulator's one account, as moto has it.
ACCOUNT: Final = "123456789012"
#: The content type of AWS's query protocol.
FORM: Final = "application/x-www-form-urlencoded"
#: Services with a JSON protocol, by the beginning of the header X-Amz-Target.
JSON_SERVICES: Final = {
    "AWSEvents": "events",
    "AWSStepFunctions": "states",
    "DynamoDB_20120810": "dynamodb",
    "GraniteServiceVersion20100801": "monitoring",
    "Logs_20140328": "logs",
}
# Only this form of the header counts, because moto then finds the same service.
_SIGNATURE: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]*)/[^/,\s]*/([\w-]*)/([\w-]+)/aws4_request(?:,|\s|$)", re.ASCII
)
#: The partitions of regions, by how their names begin.
_PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
_LAMBDA_PATH: Final = re.compile(r"/20\d\d-\d\d-\d\d/functions(/|$)")


class RefusalError(Exception):
    """A request is refused with an error of AWS. The router sends it in the request's protocol.

    Args:
        code: Such as ``"ValidationException"``.
        message: In AWS's words.
        status: The HTTP status.
        more: Further fields of the error.
    """

    def __init__(self, code: str, message: str, status: int = 400, **more: Any) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status, self.more = code, message, status, more


class MalformedRequestError(Exception):
    """The body does not follow its protocol. The reply has the status 400."""


class Arn(NamedTuple):
    """The parts of an ARN."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def of(cls, text: str) -> "Arn":
        """Split an ARN. If it is malformed, missing parts are empty."""
        return cls(*[*text.split(":", 5)[1:], "", "", "", "", ""][:5])

    def __str__(self) -> str:
        return ":".join(("arn", *self))


@dataclass(frozen=True)
class Scope:
    """The access key, the region and the service of a request: the credential scope of AWS's signature."""

    access_key: str = ""
    region: str = "us-east-1"
    service: str = ""

    def arn(self, resource: str) -> str:
        """The ARN of a resource of this service and region, such as ``"function:Name"``."""
        partition = next((it for begin, it in _PARTITIONS if self.region.startswith(begin)), "aws")
        return str(Arn(partition, self.service, self.region, ACCOUNT, resource))


@dataclass(frozen=True)
class Reply:
    """A whole HTTP reply."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the operation succeeded."""
        return 200 <= self.status < 300

    @property
    def json(self) -> dict[str, Any]:
        """The body of a reply in one of AWS's JSON protocols."""
        return json.loads(self.body or b"{}")  # type: ignore[no-any-return]

    def with_json(self, body: Mapping[str, Any]) -> "Reply":
        """The same reply with another body, without the checksum of the old one."""
        headers = {name: value for name, value in self.headers.items() if name.lower() != "x-amz-crc32"}
        return replace(self, body=json.dumps(body).encode(), headers=headers)


@dataclass(frozen=True)
class Request:
    """A whole HTTP request.

    Args:
        method: Such as ``"POST"``.
        target: Path and query, still quoted.
        headers: The headers by their lower-case names.
        body: The whole body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path, unquoted."""
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of AWS's query protocol, from the query and the body. Each has one value."""
        try:
            texts = [self.target.partition("?")[2], self.body.decode() if self.is_form else ""]
        except ValueError as error:
            raise MalformedRequestError(str(error)) from error
        pairs = [pair for text in texts for pair in parse_qsl(text, keep_blank_values=True)]
        if len(form := dict(pairs)) < len(pairs):
            raise MalformedRequestError("a parameter is given twice")
        return form

    @property
    def has_body(self) -> bool:
        """Whether its headers announce a body."""
        return self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers

    @property
    def is_form(self) -> bool:
        """Whether the body is a form, as in AWS's query protocol."""
        return self.headers.get("content-type", "").lower().startswith(FORM)

    @cached_property
    def json(self) -> dict[str, Any]:
        """The parameters of AWS's JSON protocols."""
        try:
            parameters = json.loads(self.body or b"{}", parse_constant=_no_constant)
            if b"\\ud" in self.body.lower():
                json.dumps(parameters, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise MalformedRequestError("a text has half of a character") from error
        except (ValueError, RecursionError) as error:
            raise MalformedRequestError(str(error)) from error
        if not isinstance(parameters, dict):
            raise MalformedRequestError("the body is not a JSON object")
        return parameters

    @cached_property
    def given(self) -> dict[str, Any]:
        """The parameters of AWS's JSON protocols that have a value. Inside of them, null is none, too."""
        given: dict[str, Any] = _without_nulls(self.json)
        return given

    @cached_property
    def scope(self) -> Scope:
        """The signature's scope. Without a signature, X-Amz-Target or the path names the service."""
        if signature := _SIGNATURE.match(self.headers.get("authorization", "")):
            return Scope(signature[1], signature[2], signature[3].lower())
        if _LAMBDA_PATH.match(self.path):
            return Scope(service="lambda")
        return Scope(service=JSON_SERVICES.get(self.headers.get("x-amz-target", "").partition(".")[0], ""))

    @property
    def signed(self) -> bool:
        """Whether the request names an access key. A browser's requests do not."""
        return bool(self.scope.access_key)

    @cached_property
    def operation(self) -> str:
        """The operation's name in the JSON and query protocols. Empty in the REST protocols."""
        in_target = self.headers.get("x-amz-target", "").rpartition(".")[2]
        return in_target or (self.form.get("Action", "") if self.path == "/" else "")

    def with_json(self, parameters: Mapping[str, Any]) -> "Request":
        """The same request with other parameters."""
        return replace(self, body=json.dumps(parameters).encode())


def function_name(text: str) -> str:
    """A Lambda function's name, with its qualifier if it has one, from any form that AWS accepts."""
    return re.sub(r"^(?:arn:[\w-]+:lambda:[\w-]+:)?(?:\d{12}:)?(?:function:)?", "", text)


def _no_constant(name: str) -> None:
    """Refuse what only Python takes for JSON, such as NaN."""
    raise ValueError(f"{name} is not JSON")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
