"""One emulator for the tests of this folder, with files and a port of its own."""

import contextlib
import http.client
import io
import json
import socket
import sys
import time
import urllib.error
import urllib.request
import uuid
import zipfile

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.loaders import create_loader
from emulator.access_keys import KEYS, signed, started

from lottery_lib.emulator.process import control

#: Only Linux can fork workers safely, and gives a process those that have lost their parents.
collect_ignore = [] if sys.platform == "linux" else ["test_lambda_forked.py", "test_lambda_orphans.py"]

#: Each client reads the models of AWS's services only once.
MODELS = create_loader()
ROLE = "arn:aws:iam::123456789012:role/tests"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def port():
    return free_port()


def wait_until(is_so, seconds=30):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """Emulators of this test have their files here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def state_home(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield


@pytest.fixture
def own(own_home, port):
    """An emulator of this test's own: `own("sns")` is a client of it."""
    with emulator_in(own_home, port) as told:
        yield Own(told)


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """The same for a module. Its files are in `apart.home`."""
    home = tmp_path_factory.mktemp("state")
    with emulator_in(home) as told:
        yield Own(told, home)


@contextlib.contextmanager
def emulator_in(home, port=None, **options):
    """An emulator whose files are in a folder; it has the role that functions and machines of tests have."""
    port = port or free_port()
    try:
        with state_home(home):
            told = started(port, **options)
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
        connection = http.client.HTTPConnection("127.0.0.1", self.told["port"], timeout=10)
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


@pytest.fixture
def role(aws):
    """`role({"Action": "dynamodb:Scan", "Resource": "*"})`: a role that may do that, and nothing else."""
    return lambda *statements, **options: Role(aws("iam"), *statements, **options)


@pytest.fixture
def user(aws, emulator):
    """`user({"Action": ..., "Resource": ...})("lambda")`: a client of a user who may do that."""

    def make(*statements):
        iam, name = aws("iam"), f"u-{uuid.uuid4().hex[:12]}"
        iam.create_user(UserName=name)
        if statements:
            document = json.dumps(policy(*statements))
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Caller(emulator["endpoint"], name, key)

    return make


class Caller:
    """Whoever has an access key of IAM's or STS's."""

    def __init__(self, endpoint, name, key):
        self.endpoint, self.name, self.key = endpoint, name, key

    def __call__(self, service):
        return client_of(self.endpoint, service, key=self.key)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    with emulator_in(tmp_path_factory.mktemp("state")) as told:
        yield told


def client_of(endpoint, service, region="us-east-1", key=None):
    key = key or {"AccessKeyId": KEYS[endpoint], "SecretAccessKey": "test"}
    core = botocore.session.Session()
    core.register_component("data_loader", MODELS)
    return boto3.session.Session(botocore_session=core).client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        config=Config(
            retries={"total_max_attempts": 1}, proxies={}, read_timeout=60, inject_host_prefix=False
        ),
    )


@pytest.fixture(scope="session")
def aws(emulator):
    """`aws("lambda")`: a client."""
    clients = {}

    def client(service, region="us-east-1"):
        key = (service, region)
        if key not in clients:
            clients[key] = client_of(emulator["endpoint"], service, region)
        return clients[key]

    return client


def zip_of(sources):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, source in sources.items():
            archive.writestr(f"{name}.py", source)
    return file.getvalue()


@pytest.fixture(scope="session")
def zipped():
    """Source texts as a zip: `zipped(lambda_function="...")`."""
    return lambda **sources: zip_of(sources)


class Function:
    """A function of a test's own."""

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


@pytest.fixture
def function(aws):
    """`function("def lambda_handler(event, context): ...")`."""
    made = []

    def make(source, **options):
        made.append(Function(aws("lambda"), source, **options))
        return made[-1]

    yield make
    for each in made:
        with contextlib.suppress(Exception):
            each.client.delete_function(FunctionName=each.name)


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
        text = json.dumps({} if given is None else given)
        return self.client.start_execution(stateMachineArn=self.arn, input=text, **options)["executionArn"]

    def run(self, given=None, **options):
        """What DescribeExecution says at the end."""
        return self.wait(self.start(given, **options))

    def wait(self, arn, seconds=30):
        deadline, pause = time.monotonic() + seconds, 0.01
        while (told := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < deadline, "still running"
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)
        return told

    def events(self, arn):
        return self.client.get_execution_history(executionArn=arn, maxResults=1000)["events"]


@pytest.fixture
def machine(aws):
    """`machine({"StartAt": ...})`."""
    made = []

    def make(definition, **options):
        made.append(Machine(aws("stepfunctions"), definition, **options))
        return made[-1]

    yield make
    for each in made:
        with contextlib.suppress(Exception):
            each.client.delete_state_machine(stateMachineArn=each.arn)


@pytest.fixture(scope="session")
def browse():
    """`browse(url)` opens a page as a browser does: its status and text."""
    return get


def get(url, **headers):
    """Open a URL as a browser without proxies does: status and text."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def topic(aws):
    """The ARN of a topic of the test's own."""
    name = f"t-{uuid.uuid4().hex[:12]}"
    arn = aws("sns").create_topic(Name=name, Attributes={"DisplayName": "Lottery"})["TopicArn"]
    yield arn
    aws("sns").delete_topic(TopicArn=arn)


@pytest.fixture
def mails(emulator, topic):
    """`mails()`: those of the test's topic."""
    url = f"{emulator['endpoint']}/lottery/mail?topic_arn={topic}"
    return lambda: json.loads(get(url, **signed(emulator["access_key_id"]))[1])


@pytest.fixture
def table(aws):
    """The name of a table of the test's own, with the key `id`."""
    name = f"t-{uuid.uuid4().hex[:12]}"
    aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    aws("dynamodb").delete_table(TableName=name)


@pytest.fixture(scope="module")
def hardened_stack():
    """The hardened edition, deployed once for a module, with a confirmed address on its topic."""
    from lottery_lib import Stack, connect, inbox

    stack = Stack(connect("embedded", attendee=f"h{uuid.uuid4().hex[:8]}", edition="hardened"))
    stack.deploy("ann@example.com")
    inbox(stack.target).confirm("ann@example.com")
    return stack


@pytest.fixture
def hardened(hardened_stack):
    """Where the hardened edition is deployed: ten employees, no winners, no mails.

    A test that changes its functions, its machine or their rights uses `mended`, or repairs them itself.
    """
    from lottery_lib import inbox, load_employees
    from lottery_lib.draws import forget_winners
    from lottery_lib.employees import tutorial_roster

    load_employees(hardened_stack.target, tutorial_roster())
    forget_winners(hardened_stack.target)
    inbox(hardened_stack.target).clear()
    return hardened_stack.target


@pytest.fixture
def mended(hardened, hardened_stack):
    """The same, and a deploy repairs it after the test."""
    yield hardened
    hardened_stack.deploy()
