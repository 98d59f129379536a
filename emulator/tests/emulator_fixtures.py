"""One emulator for the tests of a process, with files and a port of its own, and what tests make there."""

import contextlib
import json
import uuid

import helpers
import pytest
from helpers import (
    ECHO,
    Caller,
    Function,
    Gated,
    Machine,
    Own,
    Role,
    client_of,
    emulator_in,
    free_port,
    get,
    policy,
    signed,
    zip_of,
)


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """Emulators of this test have their files here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def emulator(tmp_path_factory):
    with emulator_in(tmp_path_factory.mktemp("state")) as told:
        yield told


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


@pytest.fixture
def function(aws):
    """`function(lambda_handler)`: a function in the emulator whose source is that of a test's own."""
    made = []

    def make(source, **options):
        made.append(Function(aws("lambda"), source, **options))
        return made[-1]

    yield make
    for each in made:
        with contextlib.suppress(Exception):
            each.client.delete_function(FunctionName=each.name)


@pytest.fixture
def gated(aws, tmp_path):
    """`gated(lambda_handler)`: a `Gated` function. Its calls go on when the test has ended, at the latest."""
    made = []

    def make(source=ECHO, **options):
        folder = tmp_path / f"gate-{len(made)}"
        folder.mkdir()
        made.append(Gated(aws("lambda"), folder, source, **options))
        return made[-1]

    yield make
    for each in made:
        each.open()
        with contextlib.suppress(Exception):
            each.client.delete_function(FunctionName=each.name)


@pytest.fixture(scope="session")
def advance(emulator):
    """`advance(60)` lets time pass. `advance()` waits until nothing more happens without that."""
    return lambda seconds=0: helpers.advance(emulator["endpoint"], seconds)


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


@pytest.fixture(scope="session")
def zipped():
    """Modules as a zip: `zipped(lambda_function=lambda_handler, other="value = 1")`."""
    return lambda **sources: zip_of(sources)


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


@pytest.fixture
def topic(aws):
    """The ARN of a topic of the test's own."""
    name = f"t-{uuid.uuid4().hex[:12]}"
    arn = aws("sns").create_topic(Name=name, Attributes={"DisplayName": "Tests"})["TopicArn"]
    yield arn
    aws("sns").delete_topic(TopicArn=arn)


@pytest.fixture
def mails(emulator, topic):
    """`mails()`: those of the test's topic."""
    url = f"{emulator['endpoint']}/_emulator/mail?topic_arn={topic}"
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
