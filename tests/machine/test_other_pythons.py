"""The lock fits other Pythons and systems: the index has a wheel of each package, with a hash of the lock.

It is long: it asks the index. Nothing is installed, and nothing runs there.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from machine.lab import KIT
from patience import SECONDS

pytestmark = pytest.mark.long
UV = Path(sys.prefix, "tools", "bin", "uv")
#: Packages that have no wheel on a system. pip builds them there. awslambdaric needs a compiler only on
#: Linux. So only Macs with an Intel processor need one, and Rust for cryptography.
BUILT = {
    "x86_64-manylinux_2_28": set(),
    "aarch64-manylinux_2_28": set(),
    "aarch64-apple-darwin": {"awslambdaric"},
    "x86_64-apple-darwin": {"awslambdaric", "argon2-cffi-bindings", "cryptography"},
    "x86_64-pc-windows-msvc": {"awslambdaric"},
}


@pytest.mark.parametrize("system", BUILT)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_each_package_has_a_wheel(python, system, tmp_path):
    """Except those in `BUILT`, and no wheel has been added for these."""
    assert UV.exists(), "run `make test-all`, which installs it"
    lock = (KIT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.split(r"(?m)^(?=[\w.-]+==)", lock)[1:]
    wheels = [pin for pin in pins if pin.partition("==")[0] not in BUILT[system]]
    assert len(wheels) == len(pins) - len(BUILT[system])
    assert has_wheels(wheels, python, system, tmp_path) == ""
    for pin in set(pins) - set(wheels):
        assert "building from source is disabled" in has_wheels([pin], python, system, tmp_path)


def has_wheels(pins, python, system, folder):
    """What uv says against installing these pins from wheels alone."""
    (path := folder / "lock.txt").write_text("".join(pins), encoding="utf-8")
    command = [UV, "pip", "install", "--dry-run", "--require-hashes", "--only-binary=:all:", "--no-deps"]
    command += [f"--target={folder / 'none'}", f"--python-version={python}", f"--python-platform={system}"]
    done = subprocess.run(
        [*command, "--requirement", path], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    return done.stderr if done.returncode else ""
