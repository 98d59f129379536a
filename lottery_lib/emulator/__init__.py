"""Emulate AWS on the attendee's own machine: moto's server, a real Lambda runtime, and a mailbox.

This is a program of its own (``python -m lottery_lib.emulator``). It imports nothing else of the kit. The kit
only imports `process.control` and `process.errors`. Its folders:

    process/   start, find, run and end emulators
    http/      requests and replies in AWS's protocols
    moto/      the engine, and everything that we replace in it
    iam/       who may do what
    lambda_/ states/ sns/ dynamodb/   the services that moto does not answer as AWS does

A request goes through `http.http_server` to `front`. There, `http.door` refuses it if it may come from the
page of another web site. `iam.gate` refuses it if its access key is unknown, or if its caller may not do it.
Otherwise a service answers it, mostly with moto's help. The signature of a request names the service.
``docs/emulator.md`` says what differs from AWS.
"""
