"""Random requests to each API, made from botocore's models: most fit partly, and some are no requests."""

import base64
import copy
import io
import json
import math
import random
import re
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from botocore.loaders import create_loader
from botocore.model import ServiceModel

#: botocore's name of each API, by its name in signatures.
MODELS = {
    "cloudformation": "cloudformation",
    "dynamodb": "dynamodb",
    "events": "events",
    "iam": "iam",
    "lambda": "lambda",
    "logs": "logs",
    "monitoring": "cloudwatch",
    "s3": "s3",
    "sns": "sns",
    "sqs": "sqs",
    "states": "stepfunctions",
    "sts": "sts",
}
FORM = "application/x-www-form-urlencoded"
#: What `prepare` in the test makes has this name, so that some requests find something.
NAME = "garbage"
_ACCOUNT = "123456789012"
_ARNS = {
    "cloudformation": [f"stack/{NAME}/1", "changeSet/c/1"],
    "dynamodb": [f"table/{NAME}{rest}" for rest in ("", "/index/i", "/stream/2020", "/backup/1")],
    "events": [f"rule/{NAME}", "event-bus/default", f"archive/{NAME}", f"connection/{NAME}"],
    "iam": [f"role/{NAME}", f"policy/{NAME}", f"user/{NAME}", f"instance-profile/{NAME}", "mfa/m"],
    "lambda": [f"function:{NAME}", f"function:{NAME}:1", f"layer:{NAME}:1", "event-source-mapping:1"],
    "logs": [f"log-group:{NAME}", f"log-group:{NAME}:*", f"destination:{NAME}", "delivery:1"],
    "monitoring": [f"alarm:{NAME}", f"dashboard/{NAME}"],
    "s3": [NAME],
    "sns": [NAME, f"{NAME}:1", f"app/GCM/{NAME}", f"endpoint/GCM/{NAME}/1"],
    "sqs": [NAME],
    "states": [f"stateMachine:{NAME}", f"stateMachine:{NAME}:1", f"execution:{NAME}:e", f"mapRun:{NAME}/m:1"],
    "sts": [f"assumed-role/{NAME}/s"],
}
_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}],
}
_MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
_TEMPLATE = {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "of-a-stack"}}}}
_SOURCE = "def lambda_handler(event, context): return event"


def _code():
    """The zip of a function, in Base64, which is always the same."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("lambda_function.py"), _SOURCE)
    return base64.b64encode(file.getvalue()).decode()


def _broken(document):
    """A document, and others that are almost like it."""
    text = json.dumps(document)
    others = ("{}", "[]", "null", "5", '"a"')
    return [*[text] * 6, text[:-1], json.dumps([document]), text.replace("*", ""), *others]


_CODE = _code()

#: Texts for the parameters whose names fit. The first pattern that fits counts.
_TEXTS = [
    (r"assumerolepolicy|policy(document|text)?$|policyinputlist|trust", _broken(_POLICY)),
    (r"definition", _broken(_MACHINE)),
    (r"templatebody|stackpolicybody", _broken(_TEMPLATE)),
    (r"pattern$", _broken({"source": ["a"], "detail": {"b": [{"prefix": "c"}, {"numeric": [">", 1]}]}})),
    (r"^(event|detail|input|output|message|payload|dashboardbody)$", _broken({"a": [1, {"b": None}]})),
    (r"queueurl", [f"http://127.0.0.1/{_ACCOUNT}/{NAME}"] * 5 + ["http://", NAME, "/", f"/{_ACCOUNT}/"]),
    (r"(condition|filter|update|projection|keycondition)expression|^expression", [
        "id = :v", "attribute_exists(id) AND #n < :v", "SET n = :v", "SET n = n + :v REMOVE m", "ADD n :v",
        "size(id) > :v OR NOT n IN (:v, :v)", "begins_with(id, :v)", "((((", "SET", "id = ", "#x.y[0] = :v",
        "id, n", ":v", "DELETE n :v", "contains(id, :v", "a.b[99999999999999]", "e1", "SUM(METRICS())",
    ]),
    (r"arn|resource$|^target$|identifier", []),
    (r"schedule", ["rate(5 minutes)", "cron(0 12 * * ? *)", "rate(x)", "cron()", "at(2020-01-01T00:00:00)"]),
    (r"token|marker|cursor", ["a", "1", "-1", "e30=", '{"a": 1}', "YQ==", "000000000000"]),
    (r"time|date", ["2020-01-01T00:00:00Z", "1", "now", "2020-13-01", "1e400"]),
    (r"zipfile", [_CODE, _CODE[:50], "e30="]),
    (r"bucket", [NAME, NAME, "bucket.of-others", "a", "Capital", "..", "x" * 64]),
    (r"runtime", ["python3.12", "python3.7", "nodejs20.x"]),
    (r"handler", ["lambda_function.lambda_handler", "a", "a.b.c"]),
    (r"endpoint|address|email", ["a@example.org", "http://127.0.0.1:1/", "arn:", "a", "+491"]),
    (r"protocol", ["email", "sqs", "http", "lambda", "sms", "email-json", "nothing"]),
    (r"version|qualifier", ["1", "$LATEST", "live", "0", "v1", "99"]),
]  # fmt: skip
_STRANGE = [
    *(None, True, False, 0, -1, 1.5, 2**31, 2**63, -(10**40), 10**400, 1e308, math.nan, math.inf),
    *(
        "",
        " ",
        "x" * 3000,
        "\x00",
        "\ud800",
        "🦄",
        "ü/../%2F%00",
        "${a}",
        "'\"<&>",
        "arn:",
        "null",
        "1",
        "1e999",
    ),
    *([], {}, [None], {"": None}, [[]], [{}], {"a": {"b": [1, "2", None]}}, {"member": [1]}, ["a", 1, {}]),
]
_BODIES = [b"\xff\xfe\x00", b"null", b"[]", b"5", b'"a"', b"{" * 2000, b"[" * 100_000, b"<a>", b"%", b"&=&"]
_TARGETS = ["/x", "//", "/a/b/c/d?e", "/?", "/%", "/%ff", f"/{NAME}"]
_VALUES = {
    "boolean": [True, False],
    "timestamp": [0, 1.6e9, 1.6e9, 1e13, -1],
    "blob": ["", "YQ==", "e30=", _CODE, "not base64", "YQ"],
}
_NUMBERS = [0, 1, 2, 3, 5, 10, 60, 100, 1000, -1, 2**31, 2**63 - 1, 1.5]


def _right(given):
    """The parameters of a call, with the texts and the code that they describe."""
    match given:
        case {"$json": document}:
            return json.dumps(document)
        case {"$code": _}:
            return _CODE
        case dict():
            return {name: _right(value) for name, value in given.items()}
        case list():
            return [_right(value) for value in given]
    return given


#: Calls that work, as long as what they name is there. A third of the requests is one, with a fault or two.
_RIGHT = json.loads(Path(__file__).with_name("right_calls.json").read_text("utf-8"))


def _deep(levels):
    made = "bottom"
    for level in range(levels):
        made = [made] if level % 2 else {"a": made}
    return made


@dataclass(frozen=True)
class Garbage:
    """A request: its number, what it almost is, and what is sent."""

    number: int
    operation: str
    method: str
    target: str
    headers: dict
    body: bytes

    def __str__(self):
        told = f"{self.method} {self.target[:300]} {self.headers} {self.body[:1500]!r}"
        return f"#{self.number} {self.operation}: {told}"


class Generator:
    """The random requests of a seed to an API.

    Args:
        api: Its name in signatures.
        seed: The same seed makes the same requests.
    """

    def __init__(self, api, seed):
        self.api = api
        self.random = random.Random(f"{api} {seed}")
        described = create_loader().load_service_model(MODELS[api], "service-2")
        self.model = ServiceModel(described, MODELS[api])
        # What is made is there for those that follow.
        makes = re.compile("Create|Put|Add|Start|Send|Publish")
        names = sorted(self.model.operation_names)
        self.names = [name for name in names for _ in range(3 if makes.match(name) else 1)]

    def requests(self, count):
        """So many requests."""
        for number in range(count):
            yield self.almost_right(number) if self.chance(1 / 3) else self.any(number)

    def any(self, number):
        """A request for any operation, with parameters that fit partly."""
        operation = self.model.operation_model(self.choice(self.names))
        self.spoils = self.choice([0, 0, 0, 0.05, 0.2, 0.4])
        given = self.structure(operation.input_shape, 0) if operation.input_shape else {}
        return self.request(number, operation, self.strange() if self.chance(0.02) else given)

    def almost_right(self, number):
        """A request that works, or one with a fault."""
        name, described = self.choice(_RIGHT[self.api])
        given = _right(described)
        for _ in range(self.choice([0, 1, 1, 1, 2])):
            self.spoil(given)
        return self.request(number, self.model.operation_model(name), given)

    def spoil(self, value):
        """Change a value somewhere inside."""
        keys = [*value] if isinstance(value, dict) else [*range(len(value))]
        if not keys:
            return
        key = self.choice(keys)
        if isinstance(value[key], dict | list) and self.chance(0.7):
            self.spoil(value[key])
        elif self.chance(0.3):
            del value[key]
        elif isinstance(value[key], str) and self.chance(0.5):
            text = value[key]
            value[key] = self.choice([text[:-1], text * 2, text.upper(), f"{text}*", f" {text}"])
        else:
            value[key] = self.strange()

    def request(self, number, operation, given):
        """A request for an operation in a protocol of the API, which may be spoilt."""
        protocol = self.model.protocol
        if self.api == "monitoring":
            protocol = self.random.choice(["json", "json", "query", "smithy-rpc-v2-cbor"])
        makers = {"json": self.in_json, "query": self.in_form, "smithy-rpc-v2-cbor": self.in_cbor}
        method, target, headers, body = makers.get(protocol, self.in_rest)(operation, given)
        if self.chance(0.1):
            method, target, headers, body = self.no_request(method, target, headers, body)
        return Garbage(number, operation.name, method, target, headers, body)

    def chance(self, part):
        return self.random.random() < part

    def choice(self, values):
        return self.random.choice(values)

    def strange(self):
        return _deep(self.choice([3, 60, 300])) if self.chance(0.03) else copy.deepcopy(self.choice(_STRANGE))

    def value(self, shape, name, depth):
        """A value for a parameter: of its shape, or strange."""
        if self.chance(self.spoils):
            return self.strange()
        kind, inside = shape.type_name, depth + 1
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            return [self.value(shape.member, name, inside) for _ in range(self.choice([0, 1, 1, 2, 3]))]
        if kind == "map":
            keys = [self.key(shape.key, name, depth) for _ in range(self.choice([0, 1, 1, 2]))]
            return {key: self.value(shape.value, name, inside) for key in keys}
        if kind == "string":
            return self.text(shape, name)
        bounds = [shape.metadata.get(name, 1) for name in ("min", "max")]
        return self.choice(_VALUES.get(kind) or [*_NUMBERS, *bounds])

    def key(self, shape, name, depth):
        made = self.value(shape, name, depth + 1)
        return made if isinstance(made, str) else str(made)

    def structure(self, shape, depth):
        """An object with most of the required members and some of the others."""
        members = dict(shape.members)
        if "NULL" in members and "BOOL" in members and not self.chance(self.spoils):  # a value of DynamoDB
            kind = self.choice(["S", "S", "S", "N", "N", *members])
            return {
                kind: self.choice(["1", NAME]) if kind in "SN" else self.value(members[kind], kind, depth + 1)
            }
        rest = 0.2 if depth < 2 else 0.1 if depth < 5 else 0
        made = {
            name: self.value(inner, name, depth + 1)
            for name, inner in members.items()
            if self.chance(0.95 if name in shape.required_members else rest)
        }
        if self.chance(self.spoils / 4):
            made[self.choice(["Unknown", "", "member", "Action", "__type"])] = self.strange()
        return made

    def text(self, shape, name):
        if (allowed := getattr(shape, "enum", None)) and not self.chance(0.1):
            return self.choice(allowed)
        name = name.lower()
        for pattern, texts in _TEXTS:
            if re.search(pattern, name) and not self.chance(0.1):
                return self.choice(texts) if texts else self.arn(name)
        return self.choice([NAME] * 6 + ["other", "a", "id", "1", "a b", "/a/b/", "a*", "#a", ":v", "n"])

    def arn(self, name):
        of_service = self.api if self.chance(0.8) else self.choice([*_ARNS])
        kinds = [it for it in _ARNS[of_service] if re.match(name.removesuffix("arn") or "-", it.lower())]
        service = {"monitoring": "cloudwatch"}.get(of_service, of_service)
        region = "" if service in {"iam", "s3"} else "us-east-1"
        account = "" if service == "s3" else _ACCOUNT
        whole = f"arn:aws:{service}:{region}:{account}:{self.choice(kinds or _ARNS[of_service])}"
        others = [NAME, whole[:12], whole.rpartition(":")[0], whole.replace("us-east-1", "x")]
        return self.choice([whole] * 8 + others)

    def in_json(self, operation, given):
        metadata = self.model.metadata
        headers = {
            "X-Amz-Target": f"{metadata['targetPrefix']}.{operation.name}",
            "Content-Type": f"application/x-amz-json-{metadata.get('jsonVersion', '1.0')}",
        }
        return "POST", "/", headers, json.dumps(given).encode()

    def in_form(self, operation, given):
        form = {"Action": operation.name, "Version": self.model.metadata["apiVersion"]}
        pairs = [*form.items(), *flat("", given)]
        return "POST", "/", {"Content-Type": FORM}, urlencode(pairs, errors="surrogatepass").encode()

    def in_cbor(self, operation, given):
        target = f"/service/GraniteServiceVersion20100801/operation/{operation.name}"
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return "POST", target, headers, cbor(given)

    def in_rest(self, operation, given):
        given = given if isinstance(given, dict) else {"Unknown": given}
        members = operation.input_shape.members if operation.input_shape else {}
        target, query, headers, inside = operation.http["requestUri"], [], {}, {}
        payload = operation.input_shape.serialization.get("payload") if operation.input_shape else None
        for name, value in given.items():
            serialized = members[name].serialization if name in members else {}
            place, told = serialized.get("location"), serialized.get("name", name)
            if place == "uri":
                target = re.sub(
                    rf"\{{{told}\+?\}}", lambda _, it=value: quote(plain(it), errors="replace"), target
                )
            elif place == "querystring":
                query += [(told, plain(it)) for it in (value if isinstance(value, list) else [value])]
            elif place == "headers" and isinstance(value, dict):
                headers |= {header(told + key): header(plain(it)) for key, it in value.items() if header(key)}
            elif place in {"header", "headers"}:
                headers[told] = header(plain(value))
            else:
                inside[name] = value
        target = re.sub(r"\{\w+\+?\}", self.choice([NAME, NAME, "%20", "%00"]), target)
        if query:
            target += ("&" if "?" in target else "?") + urlencode(query, errors="replace")
        if payload and payload in inside and members[payload].type_name in {"blob", "string"}:
            body = inside[payload].encode("utf-8", "replace") if isinstance(inside[payload], str) else b"{}"
        elif self.model.protocol == "rest-xml":
            name = payload or operation.name
            body = (
                xml(name, inside.get(payload) if payload else inside).encode("utf-8", "replace")
                if inside
                else b""
            )
        else:
            body = json.dumps(inside.get(payload) if payload else inside).encode()
            headers.setdefault("Content-Type", "application/json")
        return operation.http["method"], target, headers, body

    def no_request(self, method, target, headers, body):
        """Spoil what is around the parameters."""
        more = "&" if "?" in target else "?"
        cut, quoted = body[: len(body) // 2], body.replace(b'"', b"", 1)
        untargeted = {name: value for name, value in headers.items() if name != "X-Amz-Target"}
        kind = {"Content-Type": self.choice([FORM, "text/plain", "application/json", "", "\xff"])}
        coding = {"Content-Encoding": self.choice(["gzip", "aws-chunked", "x"])}
        other = {"X-Amz-Target": self.choice(["", "a", ".", "X.Y", "DynamoDB_20120810.ListTables"])}
        longer = {name: f"{value}s" for name, value in headers.items()}
        return self.choice([
            (method, target, headers, self.choice([b"", cut, quoted, body + b"&Action=Nothing"])),
            (method, target, headers, self.choice(_BODIES)),
            (method, target, headers | kind, body),
            (method, target, headers | coding, body),
            (method, target, headers | other, body),
            (method, target, self.choice([untargeted, longer]), body),
            (self.choice(["GET", "PUT", "DELETE", "HEAD", "PATCH", "BREW"]), target, headers, body),
            (method, self.choice([*_TARGETS, f"{target}/more", target.lower()]), headers, body),
            (method, target + more + self.choice(["a=b", "Action=No", "tagging", "a=1&a=2"]), headers, body),
        ])  # fmt: skip


def plain(value):
    """A value as the text of a path, a query or a header."""
    return value if isinstance(value, str) else json.dumps(value)


def header(text):
    """What http.client lets into a header."""
    return re.sub(r"[^\x20-\x7e]", "?", text).strip().replace(":", "")


def flat(prefix, value):
    """The pairs of a form, as AWS's clients write them for any value."""
    if isinstance(value, dict) and (value or not prefix):
        for name, inner in value.items():
            yield from flat(f"{prefix}.{name}" if prefix else str(name), inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value, 1):
            yield from flat(f"{prefix}.member.{number}", inner)
    else:
        yield prefix, "" if value in ([], {}) else plain(value)


def xml(name, value):
    """A value in XML, whatever it is."""
    name = re.sub(r"\W", "_", name) or "_"
    if isinstance(value, dict):
        inner = "".join(xml(key, it) for key, it in value.items())
    elif isinstance(value, list):
        return "".join(xml(name, it) for it in value)
    else:
        inner = escape(plain(value))
    return f"<{name}>{inner}</{name}>"


def cbor(value):
    """A value in CBOR."""

    def head(major, number):
        for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
            if number < 24:
                return bytes([major << 5 | number])
            if number < 256**size:
                return bytes([major << 5 | code]) + number.to_bytes(size)
        return b"\xff"

    match value:
        case None | bool():
            return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            text = value.encode("utf-8", "surrogatepass")
            return head(3, len(text)) + text
        case list():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            return head(5, len(value)) + b"".join(cbor(key) + cbor(it) for key, it in value.items())
