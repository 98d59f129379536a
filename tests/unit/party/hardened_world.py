"""Hardened draws on tables in memory, run step by step in whatever order a test says, and killed at will."""

import random
import threading
from contextlib import contextmanager, suppress
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from unit.party.fake_dynamodb import CONTEXT, DRAWS, EMPLOYEES, POOL, WINNERS, FakeDynamoDb, lambdas

from lottery_lib.names import Names
from lottery_lib.party import fairness
from lottery_lib.resources import contents

GO, FAIL, LOSE, KILL = "go", "fail", "lose", "kill"
#: What can come of a request: it is answered; it does not get there; its reply is lost; its sender is killed.
ACTIONS = (GO, FAIL, LOSE, KILL)


class Fault(Exception):
    """A call that was not answered: the state machine makes it again."""


class Killed(BaseException):
    """The execution was stopped, and the function with it."""


class World:
    """A roster, who has won before, and any number of executions.

    Attributes:
        mails: Which execution mailed whom of which record, in order.
    """

    def __init__(self, functions, tables, ids, *, won=(), left=(), seed=0, about=None):
        self.functions, self.tables, self.ids = functions, tables, sorted(ids)
        self.won, self.mails, self.executions, self.context = set(won), [], [], CONTEXT
        functions.commit_draw.secrets = random.Random(seed)
        functions.commit_draw.secrets.token_bytes = functions.commit_draw.secrets.randbytes
        about = {"lottery_serial": Decimal(1)} | (about or {})
        staff = [{"employee_id": each, **about} for each in ids if each not in left]
        tables.put(EMPLOYEES, staff)
        tables.put(WINNERS, [{"employee_id": each} for each in won])
        pool = contents.Pool(SimpleNamespace(names=Names(edition="hardened")))
        pool.table = SimpleNamespace(put=lambda items: tables.put(POOL, [*items]))
        pool.write(self.ids)

    def start(self, request, name=None):
        self.executions.append(Execution(self, name or f"x{len(self.executions)}", request))
        return self.executions[-1]

    def run(self, request, name=None):
        """Run an execution with nothing in its way; return it."""
        execution = self.start(request, name)
        while execution.alive:
            execution.step(GO)
        return execution

    def leave(self, number):
        self.tables.tables[EMPLOYEES].pop(self.ids[number % len(self.ids)], None)

    @property
    def heads(self):
        return {each["draw_id"]: each for each in self.tables.tables[DRAWS].values() if "records" in each}

    @property
    def records(self):
        return [self.record(name) for head in self.heads.values() for name in head["records"]]

    def record(self, name):
        return self.tables.tables[DRAWS][name]

    def recorded_of(self, name):
        """Whom the winners' table holds of a record."""
        return {
            each["employee_id"]
            for each in self.tables.tables[WINNERS].values()
            if each.get("draw_id") == name
        }

    @property
    def remaining(self):
        staff, won = self.tables.tables[EMPLOYEES], self.tables.tables[WINNERS]
        return [each for each in self.ids if each in staff and each not in won]

    def receipt(self, record):
        return fairness.receipt(record, self.ids)


class Execution:
    """One execution, in a thread that waits before each request until it is told what becomes of it."""

    def __init__(self, world, name, request):
        self.world, self.name, self.request = world, name, request
        self.error, self.killed, self.alive, self.winners = None, False, True, []
        self._action, self._turn, self._back = None, threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()
        self._back.acquire()

    def step(self, action):
        """Let it make its next request, and go on to the one after."""
        self._action = action
        self._turn.release()
        self._back.acquire()

    def _run(self):
        self.world.tables.threads[threading.get_ident()] = self
        try:
            self._machine()
        except Killed:
            self.killed = True
        except Exception as error:
            self.error = error
        self.alive = False
        self._back.release()

    def _machine(self):
        """Do what the state machine does."""
        functions = self.world.functions
        committed = self._call(functions.commit_draw, {"execution": self.name, "request": self.request})
        for record in committed["records"]:
            event = {"execution": self.name, "remail": committed["remail"], "record": record}
            told = self._call(functions.draw_prize, event)
            self.winners += told["winners"]
            if told["mail"] == "due":
                self.world.mails.append(
                    (self.name, record, [each["employee_id"] for each in told["winners"]])
                )

    def _call(self, function, event):
        again = (Fault, self.world.functions.reading.WinnerTaken)
        for _ in range(100):
            with suppress(*again):
                return function.lambda_handler(event, CONTEXT)
        return function.lambda_handler(event, CONTEXT)

    def request_made(self, do):
        self._back.release()
        self._turn.acquire()
        if self._action == FAIL:
            raise Fault
        answer = do() if self._action != KILL or self.world.kill_after else None
        if self._action in (LOSE, KILL):
            raise Fault if self._action == LOSE else Killed
        return answer


@contextmanager
def world(ids, *, chunk=100, limits=None, **options):
    """A world whose functions have these limits, such as `AT_ONCE=2`, instead of AWS's."""
    tables = FakeDynamoDb()
    tables.threads = {}
    tables.step = lambda operation, do: (
        tables.threads[threading.get_ident()].request_made(do)
        if threading.get_ident() in tables.threads
        else do()
    )
    with lambdas(tables) as functions, patch.object(contents, "CHUNK", chunk):
        functions.reading.CHUNK = chunk
        for name, value in (limits or {}).items():
            assert hasattr(functions.draw_prize, name)
            setattr(functions.draw_prize, name, value)
        made = World(functions, tables, ids, **options)
        made.kill_after = False
        yield made
