"""CloudWatch speaks three protocols. Turn them into its JSON protocol, and the replies back.

boto3 and the AWS CLI send JSON, older ones send forms (the query protocol), and the SDKs of other languages
send CBOR. Behind this module there is only JSON, so a request has one form for `iam` and for the service.

See https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request
from sfn_emulator.http.parameters import UNREADABLE, parameters_of_form, seconds
from sfn_emulator.http.replies import error_reply, query_reply, unknown_operation
from sfn_emulator.http.service_models import shape_of

SERVICE: Final = "monitoring"  # CloudWatch's name in signatures
_MODEL: Final = "cloudwatch"  # botocore's name for it
_TARGET: Final = "GraniteServiceVersion20100801"
_CBOR_PATH: Final = re.compile(rf"/service/{_TARGET}/operation/([A-Z][A-Za-z0-9]*)")
_LARGEST: Final = 1_048_576  # the largest request that CloudWatch accepts, in bytes
#: Errors that have other names in the query protocol.
_EXCEPTIONS: Final = {
    "InvalidParameterCombination": "InvalidParameterCombinationException",
    "InvalidParameterValue": "InvalidParameterValueException",
    "ValidationError": "ValidationException",
}


def in_json(request: Request) -> Request:
    """The same request to CloudWatch in its JSON protocol.

    Raises:
        MalformedRequestError: It cannot be read.
        RefusalError: It is too large.
    """
    body = _unpacked(request)
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    if "x-amz-target" in headers:
        return replace(request, headers=headers, body=body)
    request = replace(request, headers=headers, body=body)
    try:
        if match := _CBOR_PATH.fullmatch(request.path):
            operation, told = match[1], json.dumps(_of_cbor(body), default=seconds)
        else:
            told, operation = json.dumps(parameters_of_form(request, _MODEL)), request.form["Action"]
    except (AttributeError, MemoryError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise MalformedRequestError(UNREADABLE) from error
    headers |= {"x-amz-target": f"{_TARGET}.{operation}", "content-type": "application/x-amz-json-1.0"}
    return Request("POST", "/", headers, told.encode())


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
    if match := _CBOR_PATH.fullmatch(request.path):
        body = _cbor(shape_of(_MODEL, match[1], "output"), result)
        return Reply(200, body, {"x-amzn-RequestId": str(uuid.uuid4())} | _CBOR_HEADERS)
    return query_reply(SERVICE, request.operation, result, shape_of(_MODEL, request.operation, "output"))


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
        raise MalformedRequestError(UNREADABLE) from error
    if packed.unconsumed_tail:
        raise RefusalError("RequestEntityTooLargeException", "The request is too large", 413)
    return body


def _of_cbor(body: bytes) -> Any:
    from botocore.parsers import ResponseParserError, RpcV2CBORParser  # noqa: PLC0415 (it takes a while)

    parser = RpcV2CBORParser()
    try:
        return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    except (ResponseParserError, EOFError) as error:
        raise ValueError(str(error)) from error


def _cbor(shape: Any, value: Mapping[str, Any]) -> bytes:
    """A structure in CBOR. Without a shape, it is an error or has no members."""
    from botocore.model import DenormalizedStructureBuilder  # noqa: PLC0415 (it takes a while)
    from botocore.serialize import RpcV2CBORSerializer  # noqa: PLC0415

    of_error = {"__type": {"type": "string"}, "message": {"type": "string"}}
    shape = shape or DenormalizedStructureBuilder().with_members(of_error).build_model()
    serializer: Any = RpcV2CBORSerializer()
    written = bytearray()
    serializer._serialize_data_item(written, value, shape)
    return bytes(written)
