"""Call moto inside this process by its public interface, which is HTTP."""

import io
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final
from urllib.parse import quote, urlencode
from wsgiref.util import setup_testing_defaults

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request, Scope
from sfn_emulator.http.parameters import check_request, refusal_of
from sfn_emulator.http.replies import error_reply, malformed, readable_xml, unknown_operation
from sfn_emulator.storage.performance import share_models

# The services that a state machine usually needs, in the order of a deploy, each with a call that loads it.
_USUAL: Final = {
    "sts": "GetCallerIdentity",
    "iam": "ListRoles",
    "lambda": "/2015-03-31/functions/",
    "sns": "ListTopics",
    "dynamodb": "DynamoDB_20120810.ListTables",
    "logs": "Logs_20140328.DescribeLogGroups",
}
#: S3's error for a part of an object that there is not.
_NO_RANGE: Final = RefusalError("InvalidRange", "The requested range is not satisfiable", 416)
#: Larger objects of S3 are in files.
_LARGEST_IN_MEMORY: Final = 1_000_000


class Moto:
    """moto's server application, without its server. moto is imported at the first call, or by `warm_up`."""

    def __init__(self) -> None:
        # moto reads these when it is imported.
        os.environ["MOTO_S3_DEFAULT_KEY_BUFFER_SIZE"] = str(_LARGEST_IN_MEMORY)
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"  # no other web site's page may call

    @cached_property
    def _run(self) -> Callable[..., Any]:
        from moto.core.config import default_user_config
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.test import run_wsgi_app

        def application_of(service: str | None) -> Any:
            if service is None:  # moto has no such service
                raise NotImplementedError
            return create_backend_app(service)

        share_models()
        default_user_config["lambda"] = {"use_docker": False}
        return partial(run_wsgi_app, DomainDispatcherApplication(application_of), buffered=True)

    def warm_up(self) -> None:
        """Load the usual services, so that their first calls do not wait for imports."""
        for service, operation in _USUAL.items():
            scope = Scope(service=service)
            if operation.startswith("/"):
                self.rest(scope, "GET", operation)
            elif "." in operation:
                self.target(scope, operation, {})
            else:
                self.query(scope, operation)

    def __call__(self, request: Request) -> Reply:
        """Pass a request on."""
        from botocore.model import OperationNotFoundError

        run = self._run  # this loads moto, which reads the models once for all
        # moto's application raises the exceptions that its operations do not handle.
        try:
            check_request(request)
            chunks, status, headers = run(_environ(request))
        except RefusalError as error:
            return error_reply(request, error)
        except MalformedRequestError as error:
            return error_reply(request, malformed(request, str(error)))
        # Services that the emulator does not offer lack packages.
        except (ModuleNotFoundError, NotImplementedError, OperationNotFoundError):
            return error_reply(request, unknown_operation(request))
        except Exception as error:
            traceback.print_exc()
            return error_reply(request, refusal_of(request, error))
        reply = Reply(int(status.split()[0]), b"".join(chunks), dict(headers))
        # A page, or nothing: no path of moto fits, or it leads to another one. Only HEAD has nothing anyway.
        empty = not reply.body and (request.method != "HEAD" or reply.status < 400)
        is_page = empty or reply.body.lower().startswith(b"<!doctype html>")
        if is_page and reply.status >= 300 and reply.status != 304:
            missing = unknown_operation(request)
            return error_reply(request, _NO_RANGE if reply.status == _NO_RANGE.status else missing)
        in_form = request.operation and "x-amz-target" not in request.headers
        is_xml = in_form or (request.scope.service == "s3" and not reply.ok)
        return replace(reply, body=readable_xml(reply.body)) if is_xml else reply

    def target(self, scope: Scope, target: str, parameters: Mapping[str, Any]) -> Reply:
        """Call an operation of a JSON protocol, such as ``DynamoDB_20120810.ListTables``."""
        headers = signed(scope) | {"x-amz-target": target, "content-type": "application/x-amz-json-1.0"}
        return self(Request("POST", "/", headers, json.dumps(parameters).encode()))

    def query(self, scope: Scope, action: str, **parameters: str) -> Reply:
        """Call an operation of the query protocol."""
        headers = signed(scope) | {"content-type": "application/x-www-form-urlencoded"}
        return self(Request("POST", "/", headers, urlencode({"Action": action} | parameters).encode()))

    def rest(self, scope: Scope, method: str, target: str) -> Reply:
        """Call an operation of the REST protocol."""
        return self(Request(method, target, signed(scope)))


def signed(scope: Scope) -> dict[str, str]:
    """The headers of a request with this scope."""
    credential = f"{scope.access_key}/20200101/{scope.region}/{scope.service}/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    return {"authorization": signature, "host": "127.0.0.1"}


def read_object(
    answer: Callable[[Request], Reply], scope: Scope, bucket: str, key: str, version: str = ""
) -> bytes:
    """Read an object of S3 as the caller of a request.

    Args:
        answer: Answers requests to the emulator.
        scope: The scope of the caller's request.
        bucket: The bucket.
        key: The object's key.
        version: Its version; empty for the newest.

    Raises:
        RefusalError: In the words that Lambda has for it.
    """
    target = f"/{quote(bucket)}/{quote(key)}" + (f"?versionId={quote(version)}" if version else "")
    reply = answer(Request("GET", target, signed(replace(scope, service="s3"))))
    if reply.ok:
        return reply.body
    code, message = (
        "".join(re.findall(f"<{name}>([^<]*)<", reply.body.decode())[:1]) for name in ("Code", "Message")
    )
    told = f"S3 Error Code: {code}. S3 Error Message: {message}"
    if reply.status == 403:
        may = f"please make sure your request credentials have permission to GetObject for {bucket}/{key}"
        raise RefusalError("AccessDeniedException", f"Your access has been denied by S3, {may}. {told}", 403)
    raise RefusalError("InvalidParameterValueException", f"Error occurred while GetObject. {told}")


def _environ(request: Request) -> dict[str, Any]:
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.target.partition("?")[2],
        "REQUEST_URI": request.target,
        "RAW_URI": request.target,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
    }
    for name, value in request.headers.items():
        if name not in {"content-type", "content-length", "transfer-encoding"}:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    setup_testing_defaults(environ)  # everything else that WSGI requires
    return environ
