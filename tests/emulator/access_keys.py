"""Start emulators of tests, and know their access keys."""

import os

from lottery_lib.emulator.process import control

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
