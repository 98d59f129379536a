"""The environment of the emulator and its workers is a list of what is allowed."""

import os

from sfn_emulator.process.environment import bare_environment, clean_environment

USER = {
    "AWS_CONFIG_FILE": "/home/ann/.aws/config",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "GITHUB_TOKEN": "secret",
    "HOME": "/home/ann",
    "HTTPS_PROXY": "http://ann:secret@proxy",
    "JUPYTERHUB_API_TOKEN": "secret",
    "SFN_EMULATOR_IAM": "off",
    "MY_SERVICE": "http://secret@127.0.0.1:5000",
    "PYTHONPATH": "/home/ann/modules",
    "SMTP_HOST": "mail",
    "SystemRoot": "C:\\Windows",
    "TMPDIR": "/scratch",
    "XDG_STATE_HOME": "/home/ann/state",
}


def test_no_secret_is_allowed():
    """A token, a key and a proxy's password are in neither environment."""
    for environment in (clean_environment(USER), bare_environment(USER)):
        assert not [name for name, value in environment.items() if "secret" in value]


def test_the_emulator_gets_its_settings_and_the_home():
    """It reads what was set for it, and finds its folder."""
    names = ("HOME", "SFN_EMULATOR_IAM", "SMTP_HOST", "SystemRoot", "TMPDIR", "XDG_STATE_HOME")
    assert {name: USER[name] for name in names}.items() <= clean_environment(USER).items()


def test_a_worker_gets_what_the_system_needs():
    """A worker gets neither the home nor the emulator's settings."""
    kept = bare_environment(USER)
    assert (kept["SystemRoot"], kept["TMPDIR"]) == (USER["SystemRoot"], USER["TMPDIR"])
    assert not {"HOME", "SFN_EMULATOR_IAM", "SMTP_HOST", "XDG_STATE_HOME"} & kept.keys()


def test_files_of_aws_are_named_nowhere():
    """The user's configuration file is replaced with an empty one."""
    for environment in (clean_environment(USER), bare_environment(USER)):
        assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
