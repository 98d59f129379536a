"""Be AWS on the attendee's own machine: moto's server, a real Lambda runtime, and a mailbox.

This is a program of its own (``python -m lottery_lib.emulator``): it imports nothing else of the kit, and the
kit reaches it only through `process.control`. Its folders:

    process/   start, find, run and end emulators
    http/      requests and replies in AWS's protocols
    moto/      the engine, and everything inside it that is replaced
    iam/       who may do what
    lambda_/ states/ sns/ dynamodb/   the services that moto does not answer as AWS does

A request goes through `http.http_server` to `front`. There `iam.gate` refuses what is not allowed. The
service that the request is signed for answers the rest, mostly with moto's help. ``docs/emulator.md`` says
what differs from AWS.
"""

__all__: list[str] = []
