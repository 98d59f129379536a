"""Answer Lambda's API as AWS does, and let the runner run functions. moto stores their configurations."""

import base64
import contextlib
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import (
    MalformedRequestError,
    RefusalError,
    Reply,
    Request,
    Scope,
    function_name,
)
from sfn_emulator.http.replies import json_reply, unknown_operation
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.lambda_.function import Function, NoCodeError, function_of
from sfn_emulator.lambda_.pool import BusyError, Reservations, ThrottledError
from sfn_emulator.lambda_.runner import Invocation, Runner
from sfn_emulator.lambda_.validation import check_code, check_configuration, check_invoke
from sfn_emulator.storage.application import Moto, read_object
from sfn_emulator.storage.backends import change_function

_PATH: Final = re.compile(r"/20\d\d-\d\d-\d\d/functions(?:/([^/]*)(?:/([^?]*?))?)?/?")
_NO_CODE: Final = "Please provide a source for function code."
_NOT_ASSUMED: Final = "The role defined for the function cannot be assumed by Lambda."
#: What AWS answers when it creates a function. Here, it is Active at the next call.
_CREATING: Final = {
    "State": "Pending",
    "StateReason": "The function is being created.",
    "StateReasonCode": "Creating",
}
_TIME: Final = re.compile(rb'("LastModified": ?"[^"]+\.\d{3})\d*Z"')
_RESERVED: Final = "ReservedConcurrentExecutions"


class LambdaApi:
    """The functions of one emulator.

    Args:
        moto: Stores their configurations.
        runner: Runs them.
        authorizer: Checks whether Lambda can assume their roles.
        sessions: Know whether a caller is a function.
        answer: Answers requests to the emulator, such as those for code in S3.
    """

    def __init__(
        self,
        moto: Moto,
        runner: Runner,
        authorizer: Authorizer,
        sessions: Sessions,
        answer: Callable[[Request], Reply],
    ) -> None:
        self._answer = answer
        self._moto = moto
        self._runner = runner
        self._authorizer = authorizer
        self._sessions = sessions
        self._reservations = Reservations()
        self._functions: dict[tuple[Scope, str, str], Function] = {}

    def answer(self, request: Request) -> Reply:
        """Answer a request to Lambda."""
        if not (match := _PATH.fullmatch(request.path)):
            # moto would take the messages of a queue away, and run nothing.
            if request.method == "POST" and "/event-source-mappings" in request.path:
                raise unknown_operation(request)
            return self._moto(request)
        name, rest = function_name(match[1] or ""), (match[2] or "").strip("/")
        arn = request.scope.arn(f"function:{name.partition(':')[0]}")
        if rest == "invocations" and request.method == "POST":
            kind = request.headers.get("x-amz-invocation-type") or "RequestResponse"
            return self._invoke(request, name, kind)
        if rest == "invoke-async" and request.method == "POST":
            return self._invoke(request, name, "Event")
        reply = self._manage(request, name, rest, arn)
        return replace(reply, body=_TIME.sub(rb'\1+0000"', reply.body))

    def _manage(self, request: Request, name: str, rest: str, arn: str) -> Reply:
        if rest == "concurrency":
            return self._reserve(request, arn)
        if request.method != "GET":
            return self._change(request, name, rest)
        reply = self._moto(request)
        reserved = self._reserved(arn)
        if reply.ok and name and not rest and reserved:
            return reply.with_json(reply.json | {"Concurrency": reserved})
        return reply

    def reset(self) -> None:
        """Forget everything."""
        self._runner.pool.retire()
        self._runner.code.clean(needed=frozenset())
        self._functions = {}
        self._reservations.numbers.clear()

    def _reserve(self, request: Request, arn: str) -> Reply:
        # moto stores the number, and checks whether the function exists. It does not know that 0 is a number.
        reply = self._moto(request)
        match request.method:
            case "PUT" if reply.ok:
                self._reservations.numbers[arn] = int(request.json.get(_RESERVED) or 0)
            case "DELETE" if reply.ok:
                self._reservations.numbers.pop(arn, None)
            case "GET" if reply.ok:
                return json_reply(self._reserved(arn))
        return reply

    def _reserved(self, arn: str) -> dict[str, int]:
        numbers = self._reservations.numbers
        return {_RESERVED: numbers[arn]} if arn in numbers else {}

    def _change(self, request: Request, name: str, rest: str) -> Reply:
        zipped = b""
        about_function = rest in {"", "code", "configuration"}
        if request.method in {"POST", "PUT"} and about_function:
            request = self._with_code_of_s3(request, rest)
            parameters = request.json
            code = parameters if rest == "code" else parameters.get("Code") or {}
            try:
                zipped = base64.b64decode(code.get("ZipFile") or "", validate=True)
            except (TypeError, ValueError) as error:
                raise MalformedRequestError("ZipFile is not Base64") from error
            if zipped:
                check_code(zipped)
            check_configuration(parameters)
            arn = request.scope.arn(f"function:{parameters.get('FunctionName') or name}")
            if not self._authorizer.can_assume("lambda", parameters.get("Role"), arn):
                raise RefusalError("InvalidParameterValueException", _NOT_ASSUMED)
            if not zipped and (rest == "code" or parameters.get("Code")):  # the emulator runs no images
                raise RefusalError("InvalidParameterValueException", _NO_CODE)
        if request.method == "DELETE":
            # Write the function's log before the function is deleted.
            self._runner.logs.flush()
        with self._runner.code.added(zipped) if zipped else contextlib.nullcontext():
            reply = self._moto(request)
        if reply.ok:
            self._functions = {}  # who reads an old function meanwhile keeps it in the old one
            if about_function:
                self._retire(request, name, reply)
        self._runner.code.clean()
        if reply.ok and request.method == "PUT" and about_function:
            changed = change_function(request.scope.region, function_of(reply.json).name)
            reply = reply.with_json(reply.json | {"LastModified": changed})
        is_created = reply.ok and request.method == "POST" and not rest
        return reply.with_json(reply.json | _CREATING) if is_created else reply

    def _with_code_of_s3(self, request: Request, rest: str) -> Request:
        """The request with the code in it. AWS, too, copies the code when the function is made or changed."""
        parameters = request.json
        code = parameters if rest == "code" else parameters.get("Code") or {}
        if rest == "configuration" or not code.get("S3Bucket"):
            return request
        where = [str(code.get(name) or "") for name in ("S3Bucket", "S3Key", "S3ObjectVersion")]
        zipped = read_object(self._answer, request.scope, *where)
        code = {name: it for name, it in code.items() if not name.startswith("S3")}
        code["ZipFile"] = base64.b64encode(zipped).decode()
        return request.with_json(code if rest == "code" else parameters | {"Code": code})

    def _retire(self, request: Request, name: str, reply: Reply) -> None:
        """End the workers of a function that was changed or deleted."""
        if request.method != "DELETE":
            # AWS starts new execution environments after each update, even if the update changes nothing.
            self._runner.pool.retire(function_of(reply.json).arn, "$LATEST")
            listed = self._moto.rest(request.scope, "GET", "/2015-03-31/functions/").json
            cold = [it for it in listed.get("Functions", []) if not self._runner.pool.has(it["FunctionArn"])]
            self._runner.spares.want(len(cold))
        else:
            qualifier = request.query.get("Qualifier")
            self._runner.pool.retire(request.scope.arn(f"function:{name}"), qualifier)
            if qualifier is None:
                self._reservations.numbers.pop(request.scope.arn(f"function:{name}"), None)

    def _invoke(self, request: Request, name: str, kind: str) -> Reply:
        request_id = str(uuid.uuid4())
        check_invoke(kind, request.body)
        name, _, in_name = name.partition(":")
        qualifier = request.query.get("Qualifier") or in_name
        function = self._function(request.scope, name, qualifier)
        if kind == "DryRun":
            return Reply(204, b"", {"x-amzn-RequestId": request_id})
        try:
            client_context = base64.b64decode(request.headers.get("x-amz-client-context", "")).decode()
        except ValueError:
            client_context = ""
        invocation = Invocation(
            request_id=request_id,
            arn=f"{function.arn}:{qualifier}" if qualifier else function.arn,
            event=request.body or b"{}",
            client_context=client_context or None,
            scope=request.scope,
            nested=self._sessions.is_function(request.scope.access_key),
        )

        def run_in_background() -> None:
            with contextlib.suppress(RefusalError):
                self._run(function, invocation, tail=False)

        if kind == "Event":
            threading.Thread(target=run_in_background, daemon=True).start()
            return Reply(202, b"", {"x-amzn-RequestId": request_id})
        return self._run(function, invocation, request.headers.get("x-amz-log-type") == "Tail")

    def _run(self, function: Function, invocation: Invocation, tail: bool) -> Reply:
        try:
            with self._reservations.call(function.arn):
                result = self._runner.run(function, invocation)
        except (ThrottledError, BusyError) as error:
            reason = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
            more = reason if isinstance(error, ThrottledError) else {}
            raise RefusalError("TooManyRequestsException", "Rate Exceeded.", 429, **more) from error
        except NoCodeError as error:
            message = "The emulator runs only code that came as ZipFile"
            raise RefusalError("InvalidZipFileException", message, 502) from error
        ids = {"x-amzn-RequestId": invocation.request_id, "X-Amz-Executed-Version": function.version}
        headers = {"Content-Type": result.content_type} | ids
        headers |= {"X-Amz-Function-Error": "Unhandled"} if result.failed else {}
        headers |= {"X-Amz-Log-Result": result.tail} if tail else {}
        return Reply(200, result.payload, headers)

    def _function(self, scope: Scope, name: str, qualifier: str) -> Function:
        key, known = (scope, name, qualifier), self._functions
        if function := known.get(key):
            return function
        query = f"?Qualifier={quote(qualifier, safe='')}" if qualifier else ""
        path = f"/2015-03-31/functions/{quote(name, safe='')}/configuration{query}"
        reply = self._moto.rest(scope, "GET", path)
        if not reply.ok:
            arn = scope.arn(f"function:{name}:{qualifier or '$LATEST'}")
            raise RefusalError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        known[key] = function = function_of(reply.json)
        return function
