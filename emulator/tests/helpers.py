"""What tests of an emulator do: start one, make clients, functions, machines and roles."""

import contextlib
import http.client
import inspect
import io
import json
import os
import socket
import textwrap
import urllib.error
import urllib.request
import uuid
import zipfile
from pathlib import Path
from types import FunctionType, ModuleType

import boto3
import botocore.session
import pytest
import shapes
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from patience import SECONDS, wait_until

from sfn_emulator import control

#: The access keys of the tests' emulators, by their endpoints.
KEYS = {}


def started(port, **options):
    """Start an emulator, and remember its key for `client_of`."""
    told = control.start(port, while_pid=os.getpid(), **options)
    KEYS[told["endpoint"]] = told["access_key_id"]
    return told


def signed(key, service="sns"):
    """The header of a request that names an access key."""
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20200101/us-east-1/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    }


YEAR = 366 * 86_400


def advance(endpoint, seconds=0):
    """Let time pass in an emulator. What runs ends first: after 0 seconds, nothing more happens by itself."""
    return clock(endpoint, KEYS[endpoint], advance=seconds)


def clock(endpoint, key, **order):
    """Tell the clock of an emulator what to do; the time then."""
    asked = urllib.request.Request(f"{endpoint}/_emulator/clock", json.dumps(order).encode(), signed(key))
    with DIRECT.open(asked, timeout=SECONDS) as reply:
        return json.load(reply)["now"]


#: No proxy stands between a test and its emulator.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
#: Each client reads the models of AWS's services only once.
MODELS = create_loader()


ROLE = "arn:aws:iam::123456789012:role/tests"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def state_home(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield


@contextlib.contextmanager
def emulator_in(home, port=None, clock="virtual", **options):
    """An emulator whose files are in a folder; it has the role that functions and machines of tests have.

    By default, its time stands. `Machine.wait` lets it pass.
    """
    port = port or free_port()
    try:
        with state_home(home):
            told = started(port, environ=os.environ | {"SFN_EMULATOR_CLOCK": clock}, **options)
        make_role(told["endpoint"])
        yield told
    finally:
        with state_home(home):
            control.stop(port)


class Own:
    def __init__(self, told, home=None):
        self.told, self.home = told, home

    def __call__(self, service):
        return client_of(self.told["endpoint"], service)

    def function(self, source, **options):
        return Function(self("lambda"), source, **options)

    def role(self):
        return make_role(self.told["endpoint"])

    def reset(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.told["port"], timeout=SECONDS)
        connection.request("POST", "/moto-api/reset", headers=signed(self.told["access_key_id"]))
        assert connection.getresponse().status == 200
        connection.close()


def make_role(endpoint):
    """The role that functions and machines of tests have; it may do everything."""
    iam, document = client_of(endpoint, "iam"), json.dumps(trust())
    iam.create_role(RoleName="tests", AssumeRolePolicyDocument=document)
    iam.attach_role_policy(RoleName="tests", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return ROLE


def trust(*services):
    """A trust policy; by default Lambda and Step Functions are trusted."""
    principals = [f"{service}.amazonaws.com" for service in services or ("lambda", "states")]
    return policy({"Principal": {"Service": principals}, "Action": "sts:AssumeRole"})


def policy(*statements):
    """A policy document of statements that allow, unless they say otherwise."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | each for each in statements]}


class Role:
    """A role of a test's own."""

    def __init__(self, iam, *statements, trusted=None):
        self.iam = iam
        self.name = f"r-{uuid.uuid4().hex[:12]}"
        document = json.dumps(trusted or trust())
        self.arn = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            self.allow(*statements)

    def allow(self, *statements, name="inline"):
        document = json.dumps(policy(*statements))
        self.iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=document)

    def attach(self, path):
        self.iam.attach_role_policy(RoleName=self.name, PolicyArn=f"arn:aws:iam::aws:policy/{path}")

    def detach(self, path):
        self.iam.detach_role_policy(RoleName=self.name, PolicyArn=f"arn:aws:iam::aws:policy/{path}")


class Caller:
    """Whoever has an access key of IAM's or STS's."""

    def __init__(self, endpoint, name, key):
        self.endpoint, self.name, self.key = endpoint, name, key

    def __call__(self, service):
        return client_of(self.endpoint, service, key=self.key)


def client_of(endpoint, service, region="us-east-1", key=None):
    key = key or {"AccessKeyId": KEYS[endpoint], "SecretAccessKey": "test"}
    core = botocore.session.Session()
    core.register_component("data_loader", MODELS)
    client = boto3.session.Session(botocore_session=core).client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(
            retries={"total_max_attempts": 1}, proxies={}, read_timeout=SECONDS, inject_host_prefix=False
        ),
    )
    return shapes.watch(client)


def checked(client):
    """The same client; from now on, each reply in JSON must have the shape that AWS's model gives it."""

    def check(http_response, model, **_):
        if http_response.status_code == 200 and http_response.content:
            fits(model.output_shape, json.loads(http_response.content), model.name)

    client.meta.events.register("after-call", check, unique_id="checked")
    return client


def fits(shape, value, where):
    """Fail if a part of a reply is unknown, missing, null or of another type."""
    if shape is None:
        assert value == {}, where
        return
    kinds = {"structure": dict, "map": dict, "list": list, "string": str, "boolean": bool}
    assert isinstance(value, kinds.get(shape.type_name, int | float)), where
    if shape.type_name == "structure":
        assert value.keys() <= shape.members.keys(), f"{where}: {value.keys() - shape.members.keys()}"
        assert {*shape.required_members} <= value.keys(), where
        for name, inner in value.items():
            fits(shape.members[name], inner, f"{where}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            fits(shape.member, inner, where)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, where


class Refusal(tuple):
    """The code and the message of an error of AWS's. `status` and `response` tell more."""

    def __new__(cls, response):
        made = super().__new__(cls, (response["Error"]["Code"], response["Error"]["Message"]))
        made.code, made.message = made
        made.status, made.response = response["ResponseMetadata"]["HTTPStatusCode"], response
        return made


def refused(call, *arguments, **parameters):
    """The `Refusal` of a call that must fail: `refused(...) == ("NotFound", "Topic does not exist")`."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return Refusal(caught.value.response)


ECHO = "def lambda_handler(event, context): return event"


def module(name):
    """The text of a module in the folder `functions`."""
    return Path(__file__).with_name("functions").joinpath(f"{name}.py").read_text()


def lists_topics(event, context):
    """The handler of a function that calls SNS."""
    import boto3

    return boto3.client("sns").list_topics()["Topics"]


def source_of(handler):
    """The text of a module whose handler is a function of a test's. A text is a module already.

    Above the function stands what it takes from its test, except other functions.
    """
    if not callable(handler):
        return handler
    taken = inspect.getclosurevars(handler)
    above = [_made_again(name, value) for name, value in (taken.globals | taken.nonlocals).items()]
    source, name = textwrap.dedent(inspect.getsource(handler)), handler.__name__
    below = [] if name == "lambda_handler" else [f"lambda_handler = {name}\n"]
    return "\n".join([*above, source, *below])


def _made_again(name, value):
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    if isinstance(value, type):
        return f"from {value.__module__} import {value.__qualname__} as {name}"
    return "" if isinstance(value, FunctionType) else f"{name} = {value!r}"


def zip_of(sources):
    """A zip of modules, by their names. See `source_of`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, source in sources.items():
            archive.writestr(f"{name}.py", source_of(source))
    return file.getvalue()


class Function:
    """A function of a test's own. Its source may be a zip, too. See `source_of`."""

    def __init__(self, client, source, **options):
        self.client = client
        self.name = options.pop("FunctionName", f"f-{uuid.uuid4().hex[:12]}")
        created = client.create_function(
            FunctionName=self.name,
            Runtime=options.pop("Runtime", "python3.12"),
            Role=options.pop("Role", ROLE),
            Handler=options.pop("Handler", "lambda_function.lambda_handler"),
            Code={"ZipFile": source if isinstance(source, bytes) else zip_of({"lambda_function": source})},
            **options,
        )
        self.arn = created["FunctionArn"]

    def raw(self, event=None, **options):
        payload = event if isinstance(event, bytes) else json.dumps({} if event is None else event).encode()
        return self.client.invoke(FunctionName=options.pop("name", self.name), Payload=payload, **options)

    def __call__(self, event=None, **options):
        """The result, or the error object, of a call."""
        reply = self.raw(event, **options)
        return json.loads(reply["Payload"].read())


class Gated(Function):
    """A function whose calls say that they have begun, and go on when the gate is open."""

    def __init__(self, client, folder, source=ECHO, modules=None, **options):
        self.folder = folder
        variables = {"Variables": {"GATE": str(folder)}}
        code = {"lambda_function": source, "gate": module("gate")} | (modules or {})
        options = {"Timeout": 60, "Handler": "gate.lambda_handler", "Environment": variables} | options
        super().__init__(client, zip_of(code), **options)

    def calls(self):
        """How many calls have begun."""
        return len(list(self.folder.glob("*.begun")))

    def begun(self, number=1):
        """Wait until so many calls have begun."""
        wait_until(lambda: self.calls() >= number)

    def all_calls(self):
        """How many calls have begun until none is under way any more. Its own is not counted."""
        self.client.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=1)
        self.open()
        wait_until(self._is_alone)
        return self.calls() - 1

    def _is_alone(self):
        """Make a call, which is refused while another one runs."""
        try:
            self.raw()
        except self.client.exceptions.TooManyRequestsException:
            return False
        return True

    def open(self):
        (self.folder / "open").touch()

    def close(self):
        (self.folder / "open").unlink()


def flow(**states):
    """A definition. It begins at the first of the states. A state that nothing names is left out.

    A state that says nothing else is an end.
    """
    first, text = next(iter(states)), json.dumps(states, ensure_ascii=False)
    used = {name: state for name, state in states.items() if name == first or f': "{name}"' in text}
    return {"StartAt": first, "States": {name: _ending(state) for name, state in used.items()}}


def one(state, name="A", **more):
    """A definition of one state. `more` are fields of the machine."""
    return flow(**{name: state}) | more


def _ending(state):
    goes_on = "Next" in state or "End" in state or state.get("Type") in ("Choice", "Fail", "Succeed")
    return state if goes_on else state | {"End": True}


class Machine:
    """A state machine of a test's own."""

    def __init__(self, client, definition, **options):
        self.client = client
        self.name = options.pop("name", f"m-{uuid.uuid4().hex[:12]}")
        text = definition if isinstance(definition, str) else json.dumps(definition)
        options.setdefault("roleArn", ROLE)
        created = client.create_state_machine(name=self.name, definition=text, **options)
        self.arn = created["stateMachineArn"]

    def start(self, given=None, **options):
        options.setdefault("input", json.dumps({} if given is None else given))
        return self.client.start_execution(stateMachineArn=self.arn, **options)["executionArn"]

    def run(self, given=None, **options):
        """What DescribeExecution says at the end."""
        return self.wait(self.start(given, **options))

    def told(self, arn):
        """What DescribeExecution says now."""
        return self.client.describe_execution(executionArn=arn)

    def wait(self, arn):
        """Let time pass until an execution has ended, and functions end; what DescribeExecution says then."""
        seconds = 0
        while (told := self.told(arn))["status"] == "RUNNING":
            assert seconds < YEAR, f"no time ends {arn}: {self.events(arn)[-3:]}"
            advance(self.client.meta.endpoint_url, seconds)
            seconds = 2 * seconds or 1
        return told

    def events(self, arn):
        return self.client.get_execution_history(executionArn=arn, maxResults=1000)["events"]


def outcome(machine, definition, given=None):
    """The output of an execution. If it has none, its error and its cause."""
    told = machine(definition).run(given)
    return json.loads(told["output"]) if "output" in told else (told.get("error"), told.get("cause"))


def get(url, **headers):
    """Open a URL as a browser without proxies does: status and text."""
    try:
        with DIRECT.open(urllib.request.Request(url, headers=headers), timeout=SECONDS) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
