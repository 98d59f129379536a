"""AWS Step Functions and what state machines call, on your own machine.

    __main__ command_line  the command `sfn-emulator`
    pytest_plugin          the fixture and the marker `sfn_emulator`
    running                an emulator for a block of code
    control                start, find and stop emulators from any process; needs no moto
    server                 the process of one emulator
    routing                every request goes through here, to the service that its signature names
    pages                  the mailbox, the links in mails, the clock, and the door for mocks
    states/                state machines: `world` runs them on `states_language`, `calls` calls services,
                           and `mocks` answers in their place
    lambda_/ sns/ dynamodb/ s3  the services that moto does not answer as AWS does
    cloudformation/        templates become resources, which the other services make
    watching/              metrics and alarms of CloudWatch, and rules of EventBridge
    logs                   log groups
    iam/                   who may do what
    storage/               moto inside this process, what is replaced in it, and clients of all services
    http/                  requests and replies in AWS's protocols
    process/               an emulator's files, variables, child processes, threads, timers and histories
    errors translation     a sentence for each problem, in the user's language (`locale`)

Imports go down this list. A request comes in through `http.server`. `routing` refuses it if it may come from
the page of another web site (`http.same_origin`), if its access key is unknown, or if its caller may not do
it (`iam.authorization`). Otherwise a service answers it, mostly with moto's help.
``docs/differences.md`` says what differs from AWS.

PYTEST_DONT_REWRITE, because pytest would else warn if this was imported before pytest, such as in a notebook.
"""

from sfn_emulator.control import find, start, status, stop
from sfn_emulator.errors import EmulatorError
from sfn_emulator.running import Emulator, running

__all__ = ["Emulator", "EmulatorError", "find", "running", "start", "status", "stop"]
