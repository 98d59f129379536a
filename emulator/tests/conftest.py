"""Keep the tests apart from the user's emulators and settings."""

import gc
import os
import sys

import pytest
from hypothesis import settings

pytest_plugins = ["emulator_fixtures"]
# The tests read English, whatever the developer's language.
os.environ["LANGUAGE"] = "en"
# A busy machine may take a second for any example. The long run tries more of them.
settings.register_profile("short", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("short")
# Most objects of a test run live long, such as AWS's models. Fewer collections take a twelfth less time.
gc.set_threshold(50_000, 50, 100)
#: Only Linux can fork workers safely, and gives a process those that have lost their parents.
collect_ignore = [] if sys.platform == "linux" else ["test_lambda_forked.py", "test_lambda_orphans.py"]


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory):
    """Keep the emulators of this run apart from the user's, and from the user's settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "SFN_EMULATOR_"))]:
            patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
