"""The roster of lesson 17."""

import importlib.util

from lottery_lib.employees import DATA_FOLDER, read


def test_script_writes_the_same_file(tmp_path, monkeypatch):
    """The file is what its script writes, byte for byte."""
    spec = importlib.util.spec_from_file_location("make_roster_1000", DATA_FOLDER / "make_roster_1000.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "FILE", tmp_path / "roster.csv")
    script.main()
    assert script.FILE.read_bytes() == (DATA_FOLDER / "roster_1000.csv").read_bytes()


def test_thousand_employees():
    """It holds a thousand people, no two of one name, and no row is rejected."""
    roster = read(DATA_FOLDER / "roster_1000.csv")
    assert roster.rejected == []
    assert len({each["employee_name"] for each in roster.employees}) == 1000
