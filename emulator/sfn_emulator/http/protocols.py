"""CloudWatch speaks three protocols. Turn them into its JSON protocol, and the replies back.

boto3 and the AWS CLI send JSON, older ones send forms (the query protocol), and the SDKs of other languages
send CBOR. Behind this module there is only JSON, so a request has one form for `iam` and for the service.

See https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import datetime
import re
import struct
import uuid
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from xml.sax.saxutils import escape

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.replies import error_reply, unknown_operation
from sfn_emulator.http.service_models import shape_of

SERVICE: Final = "monitoring"  # CloudWatch's name in signatures
_MODEL: Final = "cloudwatch"  # botocore's name for it
_TARGET: Final = "GraniteServiceVersion20100801"
_NAMESPACE: Final = "http://monitoring.amazonaws.com/doc/2010-08-01/"
_CBOR_PATH: Final = re.compile(rf"/service/{_TARGET}/operation/([A-Z][A-Za-z0-9]*)")
_UNREADABLE: Final = "the request cannot be read"
_LARGEST: Final = 1_048_576  # the largest request that CloudWatch accepts, in bytes
#: Errors that have other names in the query protocol.
_EXCEPTIONS: Final = {
    "InvalidParameterCombination": "InvalidParameterCombinationException",
    "InvalidParameterValue": "InvalidParameterValueException",
    "ValidationError": "ValidationException",
}
_NUMBERS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda text: {"true": True, "false": False}[text],
    "timestamp": lambda text: _seconds(datetime.datetime.fromisoformat(text)),
}


def in_json(request: Request) -> Request:
    """The same request to CloudWatch in its JSON protocol.

    Raises:
        MalformedRequestError: It cannot be read.
        RefusalError: It is too large.
    """
    body, operation = _unpacked(request), request.operation
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    if "x-amz-target" in headers:
        return replace(request, headers=headers, body=body)
    request = replace(request, headers=headers, body=body)
    try:
        if match := _CBOR_PATH.fullmatch(request.path):
            operation, parameters = match[1], _of_cbor(body)
        else:
            operation = request.form["Action"]
            tree: dict[str, Any] = {}
            for name, value in request.form.items():
                node = tree
                *path, last = name.split(".")
                for part in path:
                    node = node.setdefault(part, {})
                node[last] = value
            parameters = _of_form(shape_of(_MODEL, operation, "input"), tree)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise MalformedRequestError(_UNREADABLE) from error
    headers |= {"x-amz-target": f"{_TARGET}.{operation}", "content-type": "application/x-amz-json-1.0"}
    return Request("POST", "/", headers).with_json(parameters or {})


def in_protocol_of(request: Request, reply: Reply) -> Reply:
    """The same reply in the protocol of the request.

    Args:
        request: The request as it came.
        reply: A reply in CloudWatch's JSON protocol.

    Raises:
        RefusalError: The reply is an error.
    """
    result = reply.json
    if not reply.ok:
        code = str(result.get("__type", "")).rpartition("#")[2]
        if code == "UnknownOperationException":
            raise unknown_operation(request)
        raise RefusalError(code, str(result.get("message") or result.get("Message") or ""), reply.status)
    if "x-amz-target" in request.headers:
        return reply
    headers = {"x-amzn-RequestId": (number := str(uuid.uuid4()))}
    if match := _CBOR_PATH.fullmatch(request.path):
        body = _cbor(shape_of(_MODEL, match[1], "output"), result)
        return Reply(200, body, headers | _CBOR_HEADERS)
    name = request.operation
    shape = shape_of(_MODEL, name, "output")
    told = f"<{name}Result>{_xml(shape, result)}</{name}Result>" if shape else ""
    meta = f"<ResponseMetadata><RequestId>{number}</RequestId></ResponseMetadata>"
    text = f'<{name}Response xmlns="{_NAMESPACE}">{told}{meta}</{name}Response>'
    return Reply(200, text.encode(), headers | {"Content-Type": "text/xml"})


def error_in_protocol_of(request: Request, error: RefusalError) -> Reply:
    """The reply with an error, in the protocol of the request, to whatever service it is."""
    in_cbor = bool(_CBOR_PATH.fullmatch(request.path))
    is_here = request.scope.service == SERVICE
    if not (is_here and (in_cbor or "x-amz-target" in request.headers)):
        if is_here and error.code == "AccessDeniedException":  # the form was read as JSON
            error = RefusalError("AccessDenied", error.message, 403)
        return error_reply(request, error)
    # The header has the error's name in the query protocol, by which clients know it.
    header = {"x-amzn-query-error": f"{error.code};{'Sender' if error.status < 500 else 'Receiver'}"}
    name = _EXCEPTIONS.get(error.code, error.code)
    if in_cbor:
        body = _cbor(None, {"__type": name, "message": error.message or None})
        return Reply(error.status, body, _CBOR_HEADERS | header)
    reply = error_reply(request, RefusalError(name, error.message, error.status))
    return replace(reply, headers={**reply.headers, **header})


_CBOR_HEADERS: Final = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def _unpacked(request: Request) -> bytes:
    """The body. AWS's clients compress a large PutMetricData."""
    if request.headers.get("content-encoding") != "gzip":
        return request.body
    packed = zlib.decompressobj(wbits=31)
    try:
        body = packed.decompress(request.body, _LARGEST)
    except zlib.error as error:
        raise MalformedRequestError(_UNREADABLE) from error
    if packed.unconsumed_tail:
        raise RefusalError("RequestEntityTooLargeException", "The request is too large", 413)
    return body


def _of_form(shape: Any, node: Any) -> Any:
    """The parameters of a form, which has ``A.member.1.B=c`` for a list of structures."""
    if shape is None or node is None:
        return None
    if shape.type_name == "structure":
        found = {name: _of_form(inner, node.get(name)) for name, inner in shape.members.items()}
        return {name: value for name, value in found.items() if value is not None}
    if shape.type_name == "list":
        members = node.get("member", {}) if isinstance(node, dict) else {}  # an empty list is an empty text
        return [_of_form(shape.member, members[number]) for number in sorted(members, key=int)]
    if not isinstance(node, str):
        raise ValueError("a parameter has the wrong type")
    return _NUMBERS.get(shape.type_name, str)(node)


def _of_cbor(body: bytes) -> Any:
    from botocore.parsers import ResponseParserError, RpcV2CBORParser  # noqa: PLC0415 (it takes a while)

    parser = RpcV2CBORParser()
    try:
        found = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    except (ResponseParserError, EOFError) as error:
        raise ValueError(str(error)) from error
    return _plain(found)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(name): _plain(inner) for name, inner in value.items() if inner is not None}
        case list():
            return [_plain(inner) for inner in value]
        case datetime.datetime():
            return _seconds(value)
        case bytes():
            raise ValueError("a parameter has the wrong type")
    return value


def _seconds(time: datetime.datetime) -> float:
    """Seconds since 1970. A time without a zone is UTC."""
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()


def _xml(shape: Any, value: Any) -> str:
    match shape.type_name:
        case "structure":
            given = {name: value.get(name) for name in shape.members}
            return "".join(
                f"<{name}>{_xml(shape.members[name], inner)}</{name}>"
                for name, inner in given.items()
                if inner is not None
            )
        case "list":
            return "".join(f"<member>{_xml(shape.member, inner)}</member>" for inner in value)
        case "boolean":
            return str(value).lower()
        case "timestamp":
            time = datetime.datetime.fromtimestamp(value, datetime.UTC)
            return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return escape(str(value))


def _cbor(shape: Any, value: Any) -> bytes:
    """A value in CBOR; a time has a tag.

    Args:
        shape: The shape of the value; None if nothing in it is a time.
        value: What JSON can have.
    """
    kind = shape.type_name if shape else ""
    match value:
        case bool():
            found = b"\xf5" if value else b"\xf4"
        case dict():
            members = shape.members if kind == "structure" else {}
            kept = {name: inner for name, inner in value.items() if inner is not None}
            pairs = [_cbor(None, name) + _cbor(members.get(name), inner) for name, inner in kept.items()]
            found = _head(5, len(kept)) + b"".join(pairs)
        case list():
            inner_shape = shape.member if shape else None
            found = _head(4, len(value)) + b"".join(_cbor(inner_shape, inner) for inner in value)
        case str():
            text = value.encode()
            found = _head(3, len(text)) + text
        case int() if kind in {"", "integer", "long"}:
            found = _head(0, value) if value >= 0 else _head(1, -1 - value)
        case _:
            found = (b"\xc1" if kind == "timestamp" else b"") + b"\xfb" + struct.pack(">d", value)
    return found


def _head(kind: int, number: int) -> bytes:
    """The beginning of a value in CBOR: its kind, and its length or the value itself."""
    if number < 24:
        return bytes([kind << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([kind << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[size]]) + number.to_bytes(size, "big")
