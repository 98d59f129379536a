"""The fixture `sfn_emulator` for pytest, which finds this module as an entry point.

A marker gives the emulator of a test, a class or a module settings: ``@pytest.mark.sfn_emulator(iam="off")``.
"""

from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from sfn_emulator import control
from sfn_emulator.process.environment import SETTINGS
from sfn_emulator.running import Emulator, running

_NAME: Final = "sfn_emulator"
_MOST_LINES: Final = 40
_LOG: Final = pytest.StashKey[Path]()
_BEGIN: Final = pytest.StashKey[tuple[Path | None, int]]()


@pytest.fixture(scope="session")
def sfn_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """An emulator for all tests of a process; with pytest-xdist, each worker has its own.

    Tests with the marker ``sfn_emulator`` get one with other settings. After them, there is a new one again.
    """
    with running(**dict(getattr(request, "param", ()))) as emulator:
        assert emulator.folder is not None
        request.config.stash[_LOG] = emulator.folder / control.LOG
        yield emulator


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker does."""
    what = "settings of the emulator of a test, such as iam='off' or clock='virtual'"
    config.addinivalue_line("markers", f"{_NAME}(**settings): {what}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the fixture the settings of a test's markers. Those of a test go before those of its module."""
    if _NAME not in metafunc.fixturenames:
        return
    given = dict[str, Any]()
    for marker in metafunc.definition.iter_markers(_NAME):  # the closest first
        given = {**marker.kwargs, **given}
        if marker.args or not marker.kwargs.keys() <= SETTINGS.keys():
            wrong = [*map(repr, marker.args), *(name for name in marker.kwargs if name not in SETTINGS)]
            known = f"Choose from these, each with a value: {', '.join(SETTINGS)}."
            pytest.fail(f"The marker {_NAME} has no setting {', '.join(wrong)}. {known}", pytrace=False)
    if given:
        if path := given.get("mock_config"):
            given["mock_config"] = metafunc.definition.path.parent / path
        settings = _same(tuple(sorted(given.items())))
        hidden = [getattr(pytest, "HIDDEN_PARAM", None)]  # the name of the test stays
        metafunc.parametrize(_NAME, [settings], indirect=True, scope="session", ids=hidden)


@cache
def _same(settings: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    """The same object for the same settings, because older versions of pytest compare objects."""
    return settings


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember where the emulator's log ends before a test."""
    log = item.config.stash.get(_LOG, None)
    item.stash[_BEGIN] = log, log.stat().st_size if log and log.exists() else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what the emulator has logged since its beginning."""
    report = yield
    log = item.config.stash.get(_LOG, None)
    if report.failed and log and log.exists() and _NAME in getattr(item, "fixturenames", ()):
        earlier, size = item.stash.get(_BEGIN, (None, 0))
        logged = log.read_bytes()[size if log == earlier else 0 :].decode(errors="replace")
        if lines := logged.splitlines():
            report.sections.append(("sfn-emulator log", "\n".join(lines[-_MOST_LINES:])))
    return report
