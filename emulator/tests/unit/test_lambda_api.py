"""What Lambda's API remembers of functions, and what it makes of errors."""

import json
from unittest.mock import MagicMock

import pytest

from sfn_emulator.http.messages import Reply, Request
from sfn_emulator.lambda_.api import LambdaApi

PATH = "/2015-03-31/functions/f"
FUNCTION = {
    "FunctionName": "f",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
    "Handler": "a.b",
    "Role": "arn:aws:iam::123456789012:role/r",
    "Version": "$LATEST",
    "CodeSha256": "x",
}


class Moto:
    """Keeps the memory of one function. `meanwhile` happens while somebody reads it."""

    def __init__(self):
        self.memory, self.meanwhile = 128, lambda: None

    def __call__(self, request):
        self.memory = request.json.get("MemorySize", self.memory)
        return self._told(self.memory)

    def rest(self, _scope, _method, path):
        if path.endswith("/functions/"):
            return Reply(200, b'{"Functions": []}')
        memory, meanwhile, self.meanwhile = self.memory, self.meanwhile, lambda: None
        meanwhile()
        return self._told(memory)

    def _told(self, memory):
        return Reply(200, json.dumps(FUNCTION | {"MemorySize": memory}).encode())


@pytest.fixture
def moto():
    return Moto()


@pytest.fixture
def runner():
    return MagicMock()


@pytest.fixture
def api(moto, runner, monkeypatch):
    monkeypatch.setattr("sfn_emulator.lambda_.api.change_function", lambda region, name: "now")
    runner.run.return_value = MagicMock(payload=b"1", content_type="application/json", failed=False)
    return LambdaApi(moto, runner, MagicMock(), MagicMock(), MagicMock())


def invoke(api):
    return api.answer(Request("POST", f"{PATH}/invocations", {}))


def test_a_function_that_is_changed_while_it_is_read_is_read_again(api, moto, runner):
    """Otherwise it would run with its old memory until the next change."""
    change = Request("PUT", f"{PATH}/configuration", {}, b'{"MemorySize": 256}')
    moto.meanwhile = lambda: api.answer(change)
    invoke(api)
    invoke(api)
    assert [call.args[0].memory for call in runner.run.call_args_list] == [128, 256]


def test_an_error_of_the_emulator_is_not_one_of_the_code(api, runner):
    """Only code that is not there is told as such."""
    runner.run.side_effect = KeyError("of ours")
    with pytest.raises(KeyError):
        invoke(api)
