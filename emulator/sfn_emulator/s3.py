"""Answer S3. moto stores buckets and objects, and is imported at the first call."""

import re
from dataclasses import replace
from typing import Final

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.operations import choosing_names, not_allowed, s3_call
from sfn_emulator.http.replies import s3_ids
from sfn_emulator.storage.application import Moto

# See https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAME: Final = re.compile(
    r"(?!xn--|sthree-)(?!(\d+\.){3}\d+$)(?!.*\.\.)[a-z\d][a-z\d.-]{1,61}[a-z\d]", re.ASCII
)
# AWS encrypts every object, unless a bucket says how.
_ENCRYPTS: Final = frozenset(
    ("PutObject", "GetObject", "HeadObject", "CopyObject", "CreateMultipartUpload", "UploadPart")
) | {"CompleteMultipartUpload"}
_NOT_ENCRYPTED: Final = b"<Code>ServerSideEncryptionConfigurationNotFoundError</Code>"
_BY_DEFAULT: Final = (
    b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
    b"<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
    b"<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"
)
_NO_VALUE: Final = re.compile(rb"(<Tag>\s*<Key>[^<]*</Key>)(\s*</Tag>)")
#: The names in the query by which moto chooses an operation. With others, it would do another one.
_CHOOSE: Final = {
    ("GET", "bucket"): {
        "accelerate", "acl", "cors", "encryption", "inventory", "lifecycle", "list-type", "location",
        "logging", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
        "publicAccessBlock", "replication", "tagging", "uploads", "versioning", "versions", "website",
    },
    ("PUT", "bucket"): {
        "accelerate", "acl", "cors", "encryption", "inventory", "lifecycle", "logging", "notification",
        "object-lock", "ownershipControls", "policy", "publicAccessBlock", "replication", "tagging",
        "versioning", "website",
    },
    ("DELETE", "bucket"): {
        "cors", "encryption", "lifecycle", "ownershipControls", "policy", "publicAccessBlock", "replication",
        "tagging", "website",
    },
    ("POST", "bucket"): {"delete"},
    ("GET", "key"): {"acl", "attributes", "legal-hold", "tagging"},
    ("PUT", "key"): {"acl", "legal-hold", "retention", "tagging"},
    ("DELETE", "key"): {"tagging"},
    ("POST", "key"): {"restore", "select", "select-type", "uploads"},
}  # fmt: skip


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
        known = _CHOOSE.get((request.method, "key" if call["Key"] else "bucket"), set())
        if choosing_names().intersection(request.query) - known:
            raise not_allowed()
        if operation == "CreateBucket" and not _NAME.fullmatch(call["Bucket"]):
            raise RefusalError("InvalidBucketName", "The specified bucket is not valid.")
        reply = self._moto(request)
        # AWS's clients read the ids of S3 only if there is no id in the form of other services.
        headers = {
            name.lower(): value for name, value in reply.headers.items() if name.lower() != "x-amzn-requestid"
        }
        if operation == "GetBucketEncryption" and _NOT_ENCRYPTED in reply.body:
            reply = Reply(200, _BY_DEFAULT)
        if operation == "GetBucketTagging":  # moto leaves an empty value out
            reply = replace(reply, body=_NO_VALUE.sub(rb"\1<Value></Value>\2", reply.body))
        if reply.ok and operation in _ENCRYPTS:
            headers.setdefault("x-amz-server-side-encryption", "AES256")
        if checksums := [it for name, it in headers.items() if name.startswith("x-amz-checksum-")]:
            headers.setdefault("x-amz-checksum-type", "COMPOSITE" if "-" in checksums[0] else "FULL_OBJECT")
        return replace(reply, headers=headers | s3_ids())

    def reset(self) -> None:
        """Forget nothing, because moto has everything."""
