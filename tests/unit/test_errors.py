"""An error says where, what, and what to do next."""

from IPython.core.interactiveshell import InteractiveShell

from lottery_lib.errors import LotteryError


def test_sentence():
    """An error's text is where, what and the next step."""
    error = LotteryError("table A", "does not exist", "Run deploy")
    assert str(error) == "table A: does not exist. Run deploy."


def test_no_traceback_in_notebook(capsys):
    """A notebook shows the sentence and none of our call stack."""
    InteractiveShell().run_cell(
        "from lottery_lib.errors import LotteryError\nraise LotteryError('table A', 'is gone', 'Deploy')"
    )
    shown = capsys.readouterr().out
    assert "LotteryError: table A: is gone. Deploy." in shown
    assert "Traceback" not in shown
