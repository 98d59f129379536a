"""Answer S3. moto stores buckets and objects, and is imported at the first call."""

import re
from typing import Final

from sfn_emulator.engine.application import Moto
from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.operations import s3_call

# See https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME: Final = re.compile(
    r"(?!xn--|sthree-)(?!(\d+\.){3}\d+$)(?!.*\.\.)[a-z\d][a-z\d.-]{1,61}[a-z\d]", re.ASCII
)


class S3Api:
    """The buckets of one emulator.

    Args:
        moto: Stores them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def answer(self, request: Request) -> Reply:
        """Answer a request to S3."""
        operation, call = s3_call(request)
        if operation == "CreateBucket" and not _NAME.fullmatch(call["Bucket"]):
            raise RefusalError("InvalidBucketName", "The specified bucket is not valid.")
        return self._moto(request)

    def reset(self) -> None:
        """Forget nothing, because moto has everything."""
