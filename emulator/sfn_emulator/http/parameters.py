"""Read a request's parameters in any of AWS's protocols, and refuse what the model of its operation forbids.

moto takes almost everything, and fails later. So each request is checked here before moto sees it. botocore's
models say what AWS accepts: which parameters must be there, of which type, how long, and from which list.
"""

import base64
import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Request
from sfn_emulator.http.models import SERVICES
from sfn_emulator.http.operations import rest_operation, s3_call
from sfn_emulator.http.replies import internal_failure, malformed, violation
from sfn_emulator.http.service_models import (
    check_call,
    fits,
    not_found,
    parameters_of,
    protocol_of,
    shape_of,
)

UNREADABLE: Final = "the request cannot be read"
_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("string", "blob"), str),
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda text: {"true": True, "false": False}[text],
    "timestamp": lambda text: seconds(datetime.datetime.fromisoformat(text)),
}
#: The errors for a parameter that the model does not allow. Those of other services are in `_invalid`.
_BY_MODEL: Final = {"logs": "InvalidParameterException", "s3": "InvalidArgument"}
#: The errors for a parameter that is wrong for another reason.
_INVALID: Final = {
    "lambda": "InvalidParameterValueException",
    "logs": "InvalidParameterException",
    "s3": "InvalidRequest",
    "sns": "InvalidParameter",
}
_NOT_XML: Final = "The XML you provided was not well-formed or did not validate against our published schema"


def check_request(request: Request) -> None:
    """Refuse a request whose parameters do not fit the model of its operation.

    Raises:
        RefusalError: A parameter is missing, too long, or not one of the allowed values.
        MalformedRequestError: It cannot be read, or a parameter has the wrong type.
    """
    operation, given = _call_of(request)
    check_call(_model_name(request), operation, given, _invalid(request, _BY_MODEL))


def fault_of(request: Request, error: Exception) -> RefusalError:
    """Why the emulator's own code failed: a parameter that does not fit its model, or the emulator itself.

    This is only for requests that nothing else has refused. So what is known is the traceback in the log.
    """
    if isinstance(error, RecursionError):
        return malformed(request, "the parameters are nested too deeply")
    try:
        check_request(request)
    except RefusalError as refusal:
        return refusal
    except MalformedRequestError as refusal:
        return malformed(request, str(refusal))
    return _missing_parameter(request, error) or internal_failure()


def refusal_of(request: Request, error: Exception) -> RefusalError:
    """AWS's error for a request that fits its model, but that moto cannot carry out.

    What the request names does not exist, or moto needs more than the model, or cannot read a text. The same
    request would fail again, so it is no internal failure, after which clients try again.

    Args:
        request: The request.
        error: What moto raised.
    """
    operation, given = _call_of(request)
    key = str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
    if key and key in _texts_of(given) and (told := not_found(_model_name(request), operation)):
        return RefusalError(told[0], f"{key} does not exist", told[1])
    reason = "The emulator cannot do this with these parameters. Its log says why."
    return _missing_parameter(request, error) or RefusalError(_invalid(request, _INVALID), reason)


def parameters_of_form(request: Request, service: str) -> dict[str, Any]:
    """The parameters of a form, as a JSON protocol would have them. Only those of the model count.

    ``Tags.member.1.Key=a`` is the ``Key`` of the first one of ``Tags``. An empty text is an empty list.

    Args:
        request: The request.
        service: botocore's name of its service.

    Raises:
        MalformedRequestError: A parameter has two values, or one of another type.
    """
    tree: dict[str, Any] = {}
    try:
        for name, value in request.form.items():
            node = tree
            *path, last = name.split(".")
            for part in path:
                node = node.setdefault(part, {})
            node[last] = value
        shape = shape_of(service, request.form["Action"], "input")
        return _of_form(shape, tree) if shape else {}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise MalformedRequestError(UNREADABLE) from error


def seconds(time: datetime.datetime) -> float:
    """Seconds since 1970. A time without a zone is UTC."""
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()


def _missing_parameter(request: Request, error: Exception) -> RefusalError | None:
    """The error for a parameter that the request lacks, if this is why something failed."""
    operation, given = _call_of(request)
    key = str(error.args[0]) if isinstance(error, KeyError) and error.args else ""
    if given.get(key) is not None or key not in parameters_of(_model_name(request), operation):
        return None
    place = f"{key[:1].lower()}{key[1:]}"
    return RefusalError(_invalid(request, _INVALID), violation(place, "not be null", missing=True))


def _model_name(request: Request) -> str:
    return SERVICES.get(request.scope.service, request.scope.service)


def _invalid(request: Request, codes: Mapping[str, str]) -> str:
    """The code of the error for a wrong parameter: that of the service, or what most services have."""
    in_form = request.operation and "x-amz-target" not in request.headers
    return codes.get(request.scope.service, "ValidationError" if in_form else "ValidationException")


def _call_of(request: Request) -> tuple[str, dict[str, Any]]:
    """The operation and its parameters, by the names of its model. Both are empty if there is no model."""
    service, name = request.scope.service, _model_name(request)
    if "x-amz-target" in request.headers:
        return request.operation, request.json
    if request.operation:
        is_query = protocol_of(name) == "query"
        return request.operation, parameters_of_form(request, name) if is_query else {}
    if protocol_of(name) == "rest-xml" and service != "s3":
        return "", {}
    if service == "s3":
        operation, _ = s3_call(request)
        bucket, _, key = request.path.lstrip("/").partition("/")
        labels: Mapping[str, str] = {"Bucket": bucket, "Key": key}
    else:
        operation, labels = rest_operation(service, request.method, request.target.partition("?")[0])
    return operation, _of_rest(request, shape_of(name, operation, "input"), labels)


def _of_rest(request: Request, shape: Any, labels: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a REST request: from its path, its query, its headers and its body."""
    if shape is None:
        return {}
    query = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    given: dict[str, Any] = {}
    for name, inner in shape.members.items():
        told = inner.serialization.get("name", name)
        match inner.serialization.get("location"):
            case "uri":
                texts = [labels[told]] if labels.get(told) else []
            case "querystring":
                texts = [value for key, value in query if key == told]
            case "header":
                texts = [request.headers[told.lower()]] if told.lower() in request.headers else []
            case _:
                continue
        if not texts or inner.type_name == "timestamp":  # a time has many forms there
            continue
        try:
            is_list = inner.type_name == "list"
            given[name] = texts if is_list else _SCALARS.get(inner.type_name, str)(texts[0])
        except (KeyError, ValueError) as error:
            if request.scope.service == "s3":
                raise RefusalError("InvalidArgument", f"The value of {told} is not valid") from error
            raise MalformedRequestError(f"'{name}' cannot be read") from error
    return given | _of_body(request, shape)


def _of_body(request: Request, shape: Any) -> dict[str, Any]:
    """The parameters in the body of a REST request. A payload of bytes is read only if it must be there."""
    payload, is_s3 = shape.serialization.get("payload", ""), request.scope.service == "s3"
    inner = shape.members[payload] if payload else shape
    if inner.type_name in {"blob", "string"}:
        if not request.body or payload not in shape.required_members:
            return {}
        body = base64.b64encode(request.body) if inner.type_name == "blob" else request.body
        return {payload: body.decode("utf-8", "replace")}
    if not request.body:
        if is_s3 and payload in shape.required_members:
            raise RefusalError("MissingRequestBodyError", "Request Body is empty")
        return {}
    if is_s3:
        try:
            tree = _of_xml(inner, ElementTree.fromstring(request.body))
        except (ElementTree.ParseError, KeyError, RecursionError, ValueError) as error:
            raise RefusalError("MalformedXML", _NOT_XML) from error
        if not fits(inner, tree):
            raise RefusalError("MalformedXML", _NOT_XML)
    else:
        tree = _of_json(inner, request.json)
    return {payload: tree} if payload else tree


def _of_form(shape: Any, node: Any) -> Any:
    match shape.type_name:
        case "structure":
            named = [(name, inner, _told(inner, name)) for name, inner in shape.members.items()]
            return {name: _of_form(inner, node[told]) for name, inner, told in named if told in node}
        case "list":
            if node and not shape.serialization.get("flattened"):
                name = shape.member.serialization.get("name", "member")
                node = node[name if name in node else "member"]
            return [_of_form(shape.member, node[number]) for number in sorted(node or {}, key=int)]
        case "map":
            names = [
                it.serialization.get("name", name)
                for it, name in ((shape.key, "key"), (shape.value, "value"))
            ]
            entries = node if shape.serialization.get("flattened") else node["entry"]
            return {it[names[0]]: _of_form(shape.value, it[names[1]]) for it in entries.values()}
    if not isinstance(node, str):
        raise TypeError(node)
    return _SCALARS[shape.type_name](node)


def _told(shape: Any, name: str) -> str:
    """What forms and XML call a member of a structure. Of a flattened list, each item has this name."""
    told: str = shape.serialization.get("name", name)
    is_flat = shape.type_name == "list" and shape.serialization.get("flattened")
    return shape.member.serialization.get("name", told) if is_flat else told


def _of_json(shape: Any, value: Any) -> Any:
    """A value with the names of the model. Some REST APIs have others in their JSON."""
    if shape.type_name == "structure" and isinstance(value, dict):
        made = {}
        for name, inner in shape.members.items():
            told = inner.serialization.get("name", name)
            if told in value and "location" not in inner.serialization:
                made[name] = _of_json(inner, value[told])
        return made
    if shape.type_name == "list" and isinstance(value, list):
        return [_of_json(shape.member, each) for each in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _of_json(shape.value, each) for name, each in value.items()}
    return value


def _of_xml(shape: Any, element: ElementTree.Element) -> Any:
    if shape.type_name == "structure":
        made: dict[str, Any] = {}
        for name, inner in shape.members.items():
            names, told = inner.serialization, _told(inner, name)
            found = [child for child in element if child.tag.rpartition("}")[2] == told]
            if names.get("xmlAttribute"):
                values = {key.rpartition("}")[2]: value for key, value in element.items()}
                made[name] = values.get(told.rpartition(":")[2])
            elif found and names.get("flattened"):
                made[name] = [_of_xml(inner.member, child) for child in found]
            elif found and "location" not in names:
                made[name] = _of_xml(inner, found[0])
        return made
    if shape.type_name == "list":
        return [_of_xml(shape.member, child) for child in element]
    if len(element):
        raise ValueError(element.tag)
    return _SCALARS[shape.type_name]((element.text or "").strip())


def _texts_of(value: Any) -> set[str]:
    """All texts in a value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {value} if isinstance(value, str) else set().union(*map(_texts_of, inner))
