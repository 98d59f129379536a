"""Hardened draws on tables in memory. A test decides which one goes a step, and what happens to it."""

import json
import random
import threading
from contextlib import contextmanager, suppress
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

from unit.party.fake_dynamodb import CONTEXT, DRAWS, EMPLOYEES, POOL, WINNERS, FakeDynamoDb, lambdas

from lottery_lib.hardened import without_receipt
from lottery_lib.names import Names
from lottery_lib.resources import contents
from lottery_party import records

GO, FAIL, LOSE, KILL = "go", "fail", "lose", "kill"
#: What can happen to a request: it is answered; it does not arrive; its reply is lost; its sender is killed.
ACTIONS = (GO, FAIL, LOSE, KILL)


class Fault(Exception):
    """A call that was not answered: the state machine makes it again."""


class Killed(BaseException):
    """The execution was stopped, and the function with it."""


class World:
    """A roster, who has won before, and any number of executions.

    Attributes:
        mails: Which execution mailed whom of which prize of which draw, in order.
        public: The public value that is given when a draw waits for one.
        roll_call: Takes the ids of winners, and returns what the operator answers.
    """

    def __init__(self, functions, tables, ids, *, won=(), left=(), seed=0, about=None):
        self.public, self.roll_call = "17 4 88", lambda winners: {"absent": []}
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
        pool.write([(each, f"Name of {each}", "") for each in self.ids])

    def start(self, request, name=None):
        self.executions.append(Execution(self, name or f"x{len(self.executions)}", request))
        return self.executions[-1]

    def run(self, request, name=None):
        """Run an execution without faults; return it."""
        execution = self.start(request, name)
        while execution.alive:
            execution.step(GO)
        return execution

    def leave(self, number):
        self.tables.tables[EMPLOYEES].pop(self.ids[number % len(self.ids)], None)

    @property
    def draws(self):
        """The draws that were begun, by name."""
        return {key: each for key, each in self.tables.tables[DRAWS].items() if "#" not in key}

    @property
    def prizes(self):
        """All prizes of all draws, each with its draw's name."""
        return [each | {"draw_id": name} for name, draw in self.draws.items() for each in draw["prizes"]]

    def told(self, name):
        """The receipts of a draw, in order."""
        draw, items = self.draws[name], self.tables.tables[DRAWS]
        keys = [f"#chain#{draw['chain']}", *(f"{name}#{number}" for number in range(1, draw["receipts"]))]
        return [json.loads(items[key]["text"]) for key in keys]

    def recorded_of(self, name, status=None):
        """The ids in the table of winners, of one draw and one status."""
        return {
            each["employee_id"]
            for each in self.tables.tables[WINNERS].values()
            if each.get("draw_id") == name and each.get("status") == status
        }

    @property
    def remaining(self):
        won = self.tables.tables[WINNERS]
        return [each for each in self.ids if each not in won]

    def document(self):
        """What `lottery receipts` gives of all draws."""
        return self._read(lambda target: records.receipts(target, next(iter(self.draws))))

    def without_receipt(self):
        """Who is marked in the list of winners."""
        rows = [*self.tables.tables[WINNERS].values()]
        return self._read(lambda target: without_receipt(target, rows))

    def _read(self, ask):
        def table(_target, name, _key=""):
            items = self.tables.tables[name]
            return SimpleNamespace(
                items=lambda: [*items.values()],
                get=lambda keys: [items[key] for key in keys if key in items],
                describe=lambda: None,
            )

        target = SimpleNamespace(names=Names(edition="hardened"))
        with patch.object(contents, "Table", table), patch.object(records, "Table", table):
            return ask(target)


class Execution:
    """One execution, in a thread. Before each request it waits until it is told what happens to it."""

    def __init__(self, world, name, request):
        self.world, self.name, self.request = world, name, request
        self.error, self.killed, self.alive, self.winners = None, False, True, []
        self._action, self._turn, self._back = None, threading.Semaphore(0), threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()
        self._back.acquire()

    def step(self, action):
        """Let it make its next request, and run until the one after that."""
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
        committed = self._commit(self.request)
        if committed["awaits"] == "public value":
            public = self.world.public
            committed = self._commit({"draw_id": committed["draw_id"], "public": public})
        for number in committed["prizes"]:
            self._draw(committed, number)

    def _commit(self, request):
        return self._call(self.world.functions.commit_draw, {"execution": self.name, "request": request})

    def _draw(self, committed, number):
        about = {key: committed[key] for key in ("draw_id", "remail")}
        event = {"execution": self.name, "number": number, **about}
        draw_prize = self.world.functions.draw_prize
        told = self._call(draw_prize, event)
        while told["mail"] == "after the roll call":
            here = self.world.roll_call([each["employee_id"] for each in told["winners"]])
            told = self._call(draw_prize, event | {"drawn": {"Payload": told}, "roll_call": here})
        self.winners += told["winners"]
        if told["mail"] == "due":
            ids = [each["employee_id"] for each in told["winners"]]
            self.world.mails.append((self.name, (committed["draw_id"], number), ids))

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
