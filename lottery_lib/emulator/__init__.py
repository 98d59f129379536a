"""Be AWS on the attendee's own machine: moto's server, a real Lambda runtime, and a mailbox.

`control` starts, stops and finds emulators and is all that the rest of the kit imports. Everything else
runs in the emulator's own process (``python -m lottery_lib.emulator``), except `worker`, which runs in one
process a Lambda execution environment. A request goes through `http_server` to `front`, which asks `iam`
whether it is allowed, then each service's room (`lambda_api`, `states`, `sns`, `dynamodb`, `pages`), and then
moto (`moto_wire`). ``docs/emulator.md`` says what differs from AWS.
"""

__all__: list[str] = []
