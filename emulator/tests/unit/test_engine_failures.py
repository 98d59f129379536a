"""What goes wrong in a thread of moto's engine ends the execution."""

import importlib
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfn_emulator.engine import failures, patches

PARSER = "moto.stepfunctions.parser."
OOPS = {"error": "States.Runtime", "cause": "The emulator could not run this state. Its log says why."}


def oops(*_, **__):
    raise ValueError("oops")


class Env:
    """What is told to an environment of moto's engine."""

    def __init__(self):
        self.event_manager = self
        self.event_history_context = None
        self.told = []

    def set_error(self, error):
        self.told.append(error)

    def add_event(self, *, event_type, event_details, **_):
        self.told.append((event_type, event_details))


def test_what_a_worker_of_a_map_raises_ends_the_map():
    """The Map state gets the error, and does not wait."""
    pool = importlib.import_module(PARSER + "asl.component.state.exec.state_map.iteration.job").JobPool(
        None, [1]
    )
    engine = SimpleNamespace(_create_worker=lambda **_: SimpleNamespace(eval=oops))
    failures.worker_of_map(oops, engine, env=Env(), eval_input=None, job_pool=pool)
    assert pool._termination_event.wait(10)
    assert isinstance(pool.get_worker_exception(), ValueError)


def test_what_a_branch_raises_ends_the_parallel():
    """It fails with the error, and the Parallel state is told that it ended."""
    env, ended = Env(), []
    communication = SimpleNamespace(on_terminated=lambda *, env: ended.append(env))
    failures.branch(oops, SimpleNamespace(env=env, _branch_worker_comm=communication))
    assert (env.told, ended) == ([OOPS], [env])


@pytest.mark.parametrize("begun", [True, False])
def test_what_an_execution_raises_lets_it_fail(begun):
    """An exception fails the execution, even before its first event."""
    env, ended = Env(), []
    worker = SimpleNamespace(
        env=env if begun else None,
        _get_evaluation_environment=lambda: env,
        _execution_communication=SimpleNamespace(terminated=lambda: ended.append(True)),
    )
    failures.execution(oops, worker)
    assert env.told == [OOPS, ("ExecutionFailed", {"executionFailedEventDetails": OOPS})]
    assert (worker.env, ended) == (env, [True])


@pytest.mark.parametrize(
    ("asked", "items", "at_once"), [(0, 100, 40), (0, 3, 3), (7, 100, 7), (1000, 1000, 40), (0, 0, 0)]
)
def test_a_map_runs_at_most_40_iterations_at_once(asked, items, at_once):
    """An inline Map runs at most 40 iterations at once, and starts no more threads than it has items."""
    given = []
    failures.few_at_once(
        lambda _, **fields: given.append(fields), None, max_concurrency=asked, input_items=[1] * items
    )
    assert given[0]["max_concurrency"] == at_once


def module(name):
    """A module of moto with its patches."""
    patched = importlib.import_module(name)
    patches.apply(patched)
    return patched


PATHS = st.text("$.[*]a0:", max_size=10)


@given(PATHS)
def test_the_pattern_of_a_path_matches_the_same(path):
    """The pattern matches the same paths as moto's own."""
    ours = module(PARSER + "asl.utils.json_path")
    assert ours._contains_slice_or_wildcard_array(path) == bool(re.search(MOTOS, path))


#: moto's pattern of a path with a slice or a star.
MOTOS = r"\$(?:\.[^[]+\[(?:\*|\d*:\d*)\]|\[\*\])(?:\.[^[]+)*$"


def test_no_path_takes_long():
    """A path with many names is matched at once."""
    json_path = module(PARSER + "asl.utils.json_path")
    assert not json_path._contains_slice_or_wildcard_array("$[*]" + ".a" * 1000 + "[0]")
