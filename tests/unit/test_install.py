"""The installation says what is missing before it begins, and shows how far it is."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def install():
    spec = importlib.util.spec_from_file_location("install", ROOT / "data" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_machine_that_has_everything(install, tmp_path):
    """Nothing is missing."""
    assert install.missing(tmp_path) is None


def test_an_old_python(install, tmp_path, monkeypatch):
    """It is told how to name another one."""
    monkeypatch.setattr(install.sys, "version_info", (3, 10, 12))
    assert "make install PYTHON=" in install.missing(tmp_path)


def test_a_python_that_cannot_read_the_kit(monkeypatch, request):
    """It gets the same sentences in English."""
    monkeypatch.setitem(sys.modules, "lottery_lib.translation", None)
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    install = request.getfixturevalue("install")
    monkeypatch.setattr(install.sys, "version_info", (3, 8, 10))
    assert "make install PYTHON=" in install.missing(Path())
    assert install._("{free} MB", free=4) == "4 MB"


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_without_venv(install, tmp_path, monkeypatch, module):
    """Debian has it in a package of its own."""
    monkeypatch.setitem(sys.modules, module, None)
    assert "sudo apt install python3-venv" in install.missing(tmp_path)


def test_a_full_disk(install, tmp_path, monkeypatch):
    """It says how much is free, and how much is needed."""
    monkeypatch.setattr(install.shutil, "disk_usage", lambda folder: SimpleNamespace(free=40_000_000))
    assert install.missing(tmp_path).startswith("40 MB are free here, and the kit needs 1500 MB.")


def test_a_proxy_that_refuses(install, monkeypatch):
    """Its address is told without the password, and what to do."""
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:secret@127.0.0.1:9")
    monkeypatch.setenv("PIP_INDEX_URL", "https://127.0.0.1:9/")
    sentence = install.reach(sys.executable, "click==8.3.1 \\\n    --hash=sha256:0\n")
    assert "Check HTTPS_PROXY, which is http://127.0.0.1:9, or set PIP_INDEX_URL" in sentence
    assert "secret" not in sentence


def fake_pip(folder, *lines, status=0):
    """A program that prints what pip prints."""
    program = folder / "python"
    program.write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in lines) + f"exit {status}\n")
    program.chmod(0o755)
    return str(program)


def test_progress(install, tmp_path, capsys):
    """A log has a line for every 25 packages."""
    lines = [f"Collecting a{number}==1" for number in range(30)]
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"a{number}==1 \\\n    --hash=sha256:0\n" for number in range(40)))
    install.fetch(fake_pip(tmp_path, *lines, "Installing collected packages: a0, a1"), lock)
    assert capsys.readouterr().out.splitlines() == [
        "Fetching the packages: 25 of 40",
        "Unpacking 30 packages. This takes half a minute.",
    ]


def test_what_pip_said_last(install, tmp_path):
    """If pip stops, its error is told, and what to do."""
    (lock := tmp_path / "requirements.lock").write_text("a==1\n")
    pip = fake_pip(tmp_path, "Collecting a==1", "ERROR: no space left", "  on a", status=1)
    with pytest.raises(SystemExit, match=r"pip stopped: ERROR: no space left\n.*again") as stopped:
        install.fetch(pip, lock)
    assert stopped.value.code != 0


@pytest.fixture
def packages(install, tmp_path):
    """The folder on a stick for this system and this Python."""
    (folder := tmp_path / install.wheelhouse()).mkdir()
    return folder


def test_a_stick(install, packages):
    """It may have folders for more systems. The one that fits here is found, also by its own path."""
    (packages.parent / "wheelhouse-plan9-sparc-py3.11").mkdir()
    assert install.on_stick(packages.parent) == packages
    assert install.on_stick(packages) == packages


def test_a_stick_for_others(install, tmp_path, monkeypatch):
    """One sentence says which folder is missing, and what to do."""
    (tmp_path / "wheelhouse-plan9-sparc-py3.11").mkdir()
    monkeypatch.setattr(install.sys, "argv", ["install.py", str(tmp_path / ".venv"), str(tmp_path)])
    assert install.main() == (
        f"{tmp_path} has no folder {install.wheelhouse()}, which this system and this Python need. "
        "Ask for it, or leave out WHEELHOUSE if you have a network."
    )


def test_a_wheel_that_was_built(install):
    """Its hash is added to those of the lock, but only for the version of the lock."""
    lock = "a==1 ; os_name == 'nt' \\\n    --hash=sha256:0\nb==1 \\\n    --hash=sha256:0\n"
    built = "a==1 --hash=sha256:1\nb==2 --hash=sha256:1\n"
    assert install.with_built(lock, built) == lock.replace("'nt' \\\n", "'nt' \\\n    --hash=sha256:1 \\\n")
