"""Answer Lambda's API: run functions, and refuse what AWS refuses; moto keeps them."""

import base64
import binascii
import json
import re
import threading
import uuid
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from lottery_lib.emulator.http.messages import MalformedRequestError, Reply, Request, Scope
from lottery_lib.emulator.http.replies import rest_error
from lottery_lib.emulator.iam.callers import Sessions
from lottery_lib.emulator.iam.gate import Iam
from lottery_lib.emulator.lambda_.checks import why_not_configuration
from lottery_lib.emulator.lambda_.code import why_not_code
from lottery_lib.emulator.lambda_.concurrency import Concurrency, ThrottledError
from lottery_lib.emulator.lambda_.function import Function, arn_of, function_of, name_of
from lottery_lib.emulator.lambda_.pool import Busy
from lottery_lib.emulator.lambda_.runner import Call, Runner
from lottery_lib.emulator.moto.application import Moto

__all__ = ["LambdaApi"]

_FUNCTIONS: Final = re.compile(r"/2015-03-31/functions(?:/([^/]*)(?:/([^?]*?))?)?/?")
_NOT_ASSUMED: Final = "The role defined for the function cannot be assumed by Lambda."
_LIMITS: Final = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}


class LambdaApi:
    """The functions of one emulator.

    Args:
        moto: Keeps their configuration.
        runner: Runs them.
        concurrency: What is reserved for them.
        iam: Knows whether Lambda can assume their roles.
        sessions: Know which callers are functions.
    """

    def __init__(
        self, moto: Moto, runner: Runner, concurrency: Concurrency, iam: Iam, sessions: Sessions
    ) -> None:
        self._moto = moto
        self._runner = runner
        self._concurrency = concurrency
        self._iam = iam
        self._sessions = sessions
        self._looked_up: dict[tuple[Scope, str, str], Function] = {}

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that is Lambda's; None for any other."""
        if not (match := _FUNCTIONS.fullmatch(request.path)):
            return None
        name, rest = name_of(match[1] or ""), (match[2] or "").strip("/")
        scope = replace(request.scope, service="lambda")
        if rest == "invocations" and request.method == "POST":
            return self._invoke(request, scope, name)
        if request.method == "GET":
            return self._moto(request)
        return self._change(request, scope, name, rest)

    def reset(self) -> None:
        """Forget all."""
        self._runner.retire()
        self._looked_up.clear()

    def _change(self, request: Request, scope: Scope, name: str, rest: str) -> Reply:
        zipped = None
        if request.method in {"POST", "PUT"} and rest in {"", "code", "configuration"}:
            parameters = request.json
            zipped = _zip(parameters if rest == "code" else parameters.get("Code") or {})
            if reason := (zipped and why_not_code(zipped)) or why_not_configuration(parameters):
                return rest_error("InvalidParameterValueException", reason)
            arn = arn_of(scope, str(parameters.get("FunctionName") or name))
            if not self._iam.can_assume("lambda", parameters.get("Role"), arn):
                return rest_error("InvalidParameterValueException", _NOT_ASSUMED)
        reply = self._moto(request)
        if reply.ok:
            self._looked_up.clear()
            if zipped:
                self._runner.code.keep(zipped)
            if rest in {"", "code", "configuration"}:
                self._retire(request, scope, name, reply)
        return reply

    def _retire(self, request: Request, scope: Scope, name: str, reply: Reply) -> None:
        if request.method == "DELETE":
            if "Qualifier" not in request.query:
                self._runner.retire(arn_of(scope, name))
                self._concurrency.remove(arn_of(scope, name))
            return
        # AWS starts new execution environments after each change, even one that changes nothing.
        self._runner.retire(function_of(reply.json).arn, "$LATEST")
        self._runner.expect(self._cold(scope))

    def _cold(self, scope: Scope) -> int:
        listed = self._moto.rest(scope, "GET", "/2015-03-31/functions/").json.get("Functions", [])
        return sum(not self._runner.has(function["FunctionArn"]) for function in listed)

    def _invoke(self, request: Request, scope: Scope, name: str) -> Reply:
        request_id = str(uuid.uuid4())
        kind = request.headers.get("x-amz-invocation-type") or "RequestResponse"
        if refused := _why_not_invoke(kind, request.body, request_id):
            return refused
        name, _, in_name = name.partition(":")
        qualifier = request.query.get("Qualifier") or in_name
        function = self._look_up(scope, name, qualifier)
        if isinstance(function, Reply):
            return function
        if kind == "DryRun":
            return Reply(204, b"", {"x-amzn-RequestId": request_id})
        call = Call(
            request_id=request_id,
            arn=f"{function.arn}:{qualifier}" if qualifier else function.arn,
            event=request.body or b"{}",
            client_context=_client_context(request),
            scope=scope,
            nested=self._sessions.is_function(scope.access_key),
        )
        if kind == "Event":
            threading.Thread(target=self._run, args=(function, call, False), daemon=True).start()
            return Reply(202, b"", {"x-amzn-RequestId": request_id})
        return self._run(function, call, request.headers.get("x-amz-log-type") == "Tail")

    def _run(self, function: Function, call: Call, tail: bool) -> Reply:
        try:
            with self._concurrency.call(function.arn):
                outcome = self._runner.run(function, call)
        except ThrottledError:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            return rest_error(
                "TooManyRequestsException", "Rate Exceeded.", 429, call.request_id, Reason=reason
            )
        except Busy:
            return rest_error("TooManyRequestsException", "Rate Exceeded.", 429, call.request_id)
        except LookupError:
            message = "The emulator runs only code that came as ZipFile"
            return rest_error("InvalidZipFileException", message, 502, call.request_id)
        headers = {
            "Content-Type": outcome.content_type,
            "x-amzn-RequestId": call.request_id,
            "X-Amz-Executed-Version": function.version,
        }
        headers |= {"X-Amz-Function-Error": "Unhandled"} if outcome.failed else {}
        headers |= {"X-Amz-Log-Result": outcome.tail} if tail else {}
        return Reply(200, outcome.payload, headers)

    def _look_up(self, scope: Scope, name: str, qualifier: str) -> Function | Reply:
        key = (scope, name, qualifier)
        if function := self._looked_up.get(key):
            return function
        query = f"?Qualifier={quote(qualifier, safe='')}" if qualifier else ""
        path = f"/2015-03-31/functions/{quote(name, safe='')}/configuration{query}"
        reply = self._moto.rest(scope, "GET", path)
        if reply.status == 404:
            arn = arn_of(scope, name) + (f":{qualifier}" if qualifier else "")
            return rest_error("ResourceNotFoundException", f"Function not found: {arn}", 404)
        if not reply.ok:
            return reply
        self._looked_up[key] = function = function_of(reply.json)
        return function


def _zip(code: dict[str, Any]) -> bytes | None:
    try:
        return base64.b64decode(code["ZipFile"], validate=True) if code.get("ZipFile") else None
    except (binascii.Error, TypeError) as error:
        raise MalformedRequestError("ZipFile is not Base64") from error


def _client_context(request: Request) -> str | None:
    try:
        return base64.b64decode(request.headers.get("x-amz-client-context", "")).decode() or None
    except ValueError:
        return None


def _why_not_invoke(kind: str, body: bytes, request_id: str) -> Reply | None:
    if kind not in {"RequestResponse", "Event", "DryRun"}:
        text = (
            f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
        )
        return rest_error("ValidationException", text, 400, request_id)
    limit = _LIMITS.get(kind, _LIMITS["RequestResponse"])
    if len(body) > limit:
        text = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        return rest_error("RequestEntityTooLargeException", text, 413, request_id)
    try:
        json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        text = f"Could not parse request body into json: Could not parse payload into json: {error}"
        return rest_error("InvalidRequestContentException", text, 400, request_id)
    return None
