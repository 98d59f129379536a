"""Graphviz is found wherever it is."""

import pytest

from lottery_lib import definition
from lottery_lib.errors import LotteryError
from lottery_lib.view import dot
from lottery_lib.view.graph import graph_view

TUTORIAL = definition.load()


def test_dot_is_looked_for_in_order(monkeypatch):
    """GRAPHVIZ_DOT wins over the system's dot, and that over the one which pip installed."""
    monkeypatch.setattr(dot.shutil, "which", lambda name, path=None: f"/{'pip' if path else 'path'}/{name}")
    monkeypatch.setenv("GRAPHVIZ_DOT", "/my/dot")
    assert dot._find_dot() == "/my/dot"
    monkeypatch.delenv("GRAPHVIZ_DOT")
    assert dot._find_dot() == "/path/dot"
    monkeypatch.setattr(dot.shutil, "which", lambda name, path=None: f"/pip/{name}" if path else None)
    assert dot._find_dot() == "/pip/graphviz-pure"


def test_no_dot_says_what_to_install(monkeypatch):
    """Without any Graphviz, or with a wrong GRAPHVIZ_DOT, the error names the package to install."""
    monkeypatch.setenv("GRAPHVIZ_DOT", "/no/such/dot")
    with pytest.raises(LotteryError, match="pip install graphviz-pure"):
        _ = graph_view(TUTORIAL).svg
    monkeypatch.delenv("GRAPHVIZ_DOT")
    monkeypatch.setattr(dot.shutil, "which", lambda name, path=None: None)
    with pytest.raises(LotteryError, match="pip install graphviz-pure"):
        _ = graph_view(TUTORIAL).svg
