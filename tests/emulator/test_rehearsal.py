"""The rehearsal runs every notebook and says which fails, without touching anybody's lesson."""

import nbformat

from lottery_lib import connect
from lottery_lib.emulator import control
from lottery_lib.rehearsal import rehearse


def write(folder, name, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / name)


def test_rows(tmp_path):
    """One row a notebook, with its seconds; one that fails says why and does not stop the others."""
    write(tmp_path, "00_bad.ipynb", "raise ValueError('no luck')")
    write(tmp_path, "01_good.ipynb", "1 + 1")
    write(tmp_path, "notes.ipynb", "raise SystemExit")
    bad, good = rehearse(folder=tmp_path)
    assert (bad["notebook"], bad["ok"], bad["error"]) == ("00_bad.ipynb", False, "ValueError: no luck")
    assert (good["notebook"], good["ok"], good["error"]) == ("01_good.ipynb", True, None)
    assert good["seconds"] > 0


def test_own_emulator(tmp_path):
    """The rehearsal's notebooks meet an emulator of their own, which ends with it."""
    shared = connect().endpoint
    other = tmp_path / "endpoint"
    write(
        tmp_path,
        "00_where.ipynb",
        "from pathlib import Path\nfrom lottery_lib import connect",
        f"Path({str(other)!r}).write_text(connect().endpoint)",
    )
    assert rehearse(folder=tmp_path)[0]["ok"]
    assert other.read_text() != shared
    assert control.status(int(other.read_text().rsplit(":", 1)[1]))["running"] is False
    assert connect().endpoint == shared
