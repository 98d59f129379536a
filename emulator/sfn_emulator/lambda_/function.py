"""A Lambda function: its configuration, the environment variables of its process, and its unpacked code."""

import base64
import contextlib
import gc
import hashlib
import io
import os
import re
import shutil
import sys
import threading
import uuid
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.lambda_.validation import BAD_ZIP
from sfn_emulator.process.environment import bare_environment

# A function may set these two variables of ours, as on AWS. The others replace the function's own.
_REPLACEABLE: Final = ("LANG", "PATH")
# With these, AWS's clients would call other addresses or look for other credentials, or other code is loaded.
_IGNORED: Final = re.compile(
    r"AWS_(ENDPOINT_URL_.*|IGNORE_CONFIGURED_ENDPOINT_URLS|CREDENTIAL_FILE|CONTAINER_.*|WEB_IDENTITY_.*)"
    r"|USERPROFILE|LD_AUDIT|LD_PRELOAD|DYLD_INSERT_LIBRARIES",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Function:
    """One version of a function. If any field changes, AWS needs a new execution environment.

    Args:
        arn: The ARN without a qualifier.
        version: ``"$LATEST"`` or a number.
        code: Its CodeSha256.
        handler: Such as ``"lambda_function.lambda_handler"``.
        runtime: Such as ``"python3.12"``.
        seconds: How long an invocation may take.
        memory: How much memory it may use, in MB.
        role: The ARN of its role.
        log_group: The log group for its output.
        variables: Its own environment variables, as pairs of name and value.
    """

    arn: str
    version: str
    code: str
    handler: str
    runtime: str
    seconds: float
    memory: int
    role: str
    log_group: str
    variables: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rpartition(":")[2]

    @property
    def region(self) -> str:
        """Its region."""
        return Arn.of(self.arn).region


def function_of(configuration: Mapping[str, Any]) -> Function:
    """The function of a reply to GetFunctionConfiguration."""
    variables = (configuration.get("Environment") or {}).get("Variables") or {}
    logging = configuration.get("LoggingConfig") or {}
    return Function(
        arn=":".join(configuration["FunctionArn"].split(":")[:7]),
        version=configuration.get("Version") or "$LATEST",
        code=configuration["CodeSha256"],
        handler=configuration.get("Handler") or "",
        runtime=configuration.get("Runtime") or "python3.12",
        seconds=float(configuration.get("Timeout") or 3),
        memory=int(configuration.get("MemorySize") or 128),
        role=str(configuration.get("Role")),
        log_group=logging.get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}",
        variables=tuple(sorted(variables.items())),
    )


def environment_of(
    function: Function, stream: str, folder: Path, home: Path, *, endpoint: str, access_key: str
) -> dict[str, str]:
    """All variables of the function's process. The function's own variables never replace the emulator's.

    Args:
        function: The function.
        stream: Its log stream.
        folder: Its code.
        home: An empty folder.
        endpoint: The emulator, which its AWS clients call.
        access_key: The key that identifies its calls.
    """
    fixed = {
        "_HANDLER": function.handler,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_DEFAULT_REGION": function.region,
        # On AWS, a client finds AWS by itself. Here it needs the emulator's address and must not use another.
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": function.region,
        "AWS_SECRET_ACCESS_KEY": "sfn-emulator",
        "AWS_SESSION_TOKEN": "sfn-emulator",
        "LAMBDA_TASK_ROOT": str(folder),
        "TZ": ":UTC",
    }
    fixed |= dict.fromkeys(("HOME", "USERPROFILE") if sys.platform == "win32" else ("HOME",), str(home))
    bare = bare_environment(os.environ)
    ours = {name: value for name, value in bare.items() if name not in _REPLACEABLE} | fixed
    taken = {name.upper() for name in ours}  # on Windows, names in other letters are the same variables
    ignored = [name for name, _ in function.variables if name.upper() in taken or _IGNORED.fullmatch(name)]
    own = {name: value for name, value in function.variables if name not in ignored}
    return {**bare, **own, **ours}


class NoCodeError(Exception):
    """The code of a function was not uploaded as a zip."""


class CodeStore:
    """The unpacked code of functions, in a folder for each CodeSha256.

    Args:
        folder: Where these folders are made.
        needed: Gives the CodeSha256 of all functions and versions that exist.
    """

    def __init__(self, folder: Path, needed: Callable[[], Set[str]]) -> None:
        # Tracebacks show the path without links. The runner replaces it there with AWS's folder.
        self._folder = folder.resolve()
        self._needed = needed
        self._folders: dict[str, Path] = {}
        self._holders: Counter[str] = Counter()
        self._doomed: Set[str] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def added(self, zipped: bytes) -> Iterator[None]:
        """Unpack a zip. `clean` may remove it after the block, so give it to a function in the block.

        Raises:
            RefusalError: It cannot be unpacked.
        """
        digest = hashlib.sha256(zipped)
        sha256 = base64.b64encode(digest.digest()).decode()
        draft = self._folder / f"{uuid.uuid4().hex}.tmp"
        with self._held(sha256):
            try:
                if sha256 not in self._folders:
                    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
                        archive.extractall(draft)
                    with self._lock:
                        if sha256 not in self._folders:
                            self._folders[sha256] = draft.rename(self._folder / digest.hexdigest()[:16])
            except (EOFError, OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
                raise RefusalError("InvalidParameterValueException", BAD_ZIP) from error
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            yield

    @contextlib.contextmanager
    def held(self, sha256: str) -> Iterator[Path]:
        """The folder of this code. `clean` does not remove it during the block.

        Raises:
            NoCodeError: There is no such code.
        """
        try:
            with self._held(sha256):
                if (folder := self._folders.get(sha256)) is None:
                    raise NoCodeError(sha256)
                yield folder
        finally:
            if sha256 in self._doomed:
                self.clean()

    def clean(self, needed: Set[str] | None = None) -> None:
        """Remove the code that no function has and no invocation runs.

        Args:
            needed: The CodeSha256 of all code that functions have; by default, the store asks for it.
        """
        with self._lock:
            unneeded = self._folders.keys() - (self._needed() if needed is None else needed)
            self._doomed = unneeded & self._holders.keys()
            gone = [self._folders.pop(sha256) for sha256 in unneeded - self._doomed]
            for number, folder in enumerate(gone):
                # From here on, the same code can be added again.
                with contextlib.suppress(OSError):
                    gone[number] = folder.rename(self._folder / f"{uuid.uuid4().hex}.gone")
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)
        if gone:
            gc.collect()  # moto's objects refer to each other, so their zips are not freed at once

    @contextlib.contextmanager
    def _held(self, sha256: str) -> Iterator[None]:
        with self._lock:
            self._holders[sha256] += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders[sha256] -= 1
                if not self._holders[sha256]:
                    del self._holders[sha256]
