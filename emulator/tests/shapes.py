"""Check each answer against AWS's model of its operation: no unknown field, no wrong type, none missing."""

import json
from xml.etree import ElementTree

#: The types of Python that JSON's values have, by the types of botocore's models.
_JSON = {
    "string": str,
    "blob": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
}


def watch(client):
    """Have a client check each answer that is no error."""

    def check(operation_model, response_dict, **_):
        body, output = response_dict["body"], operation_model.output_shape
        if response_dict["status_code"] >= 300 or output is None or "payload" in output.serialization:
            return
        protocol = operation_model.service_model.resolved_protocol
        if protocol in {"json", "rest-json"}:
            wrong = list(differences(json.loads(body or b"{}"), output, operation_model.name))
        elif protocol == "query":
            wrong = list(_unknown_elements(ElementTree.fromstring(body), operation_model))
        else:
            return
        assert not wrong, "; ".join(wrong)

    client.meta.events.register("before-parse", check)
    return client


def differences(value, shape, place):
    """In which places a value of JSON has not the form that AWS's model gives it."""
    kind = shape.type_name
    if value is None:
        return
    if kind == "timestamp":
        expected = (int, float) if shape.serialization.get("timestampFormat") != "iso8601" else str
        if not isinstance(value, expected):
            yield f"{place} is no time: {value!r}"
    elif kind == "structure":
        yield from _of_structure(value, shape, place)
    elif kind == "list":
        for number, each in enumerate(value):
            yield from differences(each, shape.member, f"{place}[{number}]")
    elif kind == "map":
        for key, each in value.items():
            yield from differences(each, shape.value, f"{place}[{key}]")
    elif not isinstance(value, _JSON[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{place} is no {kind}: {value!r}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{place} is no {shape.name}: {value!r}"


def _of_structure(value, shape, place):
    if getattr(shape, "is_document_type", False):
        return
    if not isinstance(value, dict):
        yield f"{place} is no structure: {value!r}"
        return
    elsewhere = {"header", "headers", "statusCode", "uri", "querystring"}
    members = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if member.serialization.get("location") not in elsewhere
    }
    required = {shape.members[name].serialization.get("name", name) for name in shape.required_members}
    for name in required & set(members) - set(value):
        yield f"{place}.{name} is missing"
    for name, each in value.items():
        if name in members:
            yield from differences(each, members[name], f"{place}.{name}")
        else:
            yield f"{place}.{name} is unknown"


def _unknown_elements(root, operation):
    wrapper = operation.output_shape.serialization.get("resultWrapper")
    for result in root:
        tag = result.tag.rpartition("}")[2]
        if tag == wrapper:
            known = {
                each.serialization.get("name", name) for name, each in operation.output_shape.members.items()
            }
            for element in result:
                if (name := element.tag.rpartition("}")[2]) not in known:
                    yield f"{operation.name}.{name} is unknown"
