"""Graphviz is found and asked; what goes wrong is a sentence."""

import pytest

from lottery_lib.errors import LotteryError
from lottery_lib.view import svg

DOT = "digraph { a -> b }"


def test_dot_is_looked_for_in_order(monkeypatch):
    """GRAPHVIZ_DOT comes before the system's dot, and that before the one which pip installed."""
    asked = []

    def refuse(command, **_):
        asked.append(command[0])
        raise FileNotFoundError

    def drawn_with():
        with pytest.raises(LotteryError):
            svg.render(DOT)
        return asked[-1]

    monkeypatch.setattr(svg.subprocess, "run", refuse)
    monkeypatch.setattr(svg.shutil, "which", lambda name, path=None: f"/{'pip' if path else 'path'}/{name}")
    monkeypatch.setenv("GRAPHVIZ_DOT", "/my/dot")
    assert drawn_with() == "/my/dot"
    monkeypatch.delenv("GRAPHVIZ_DOT")
    assert drawn_with() == "/path/dot"
    monkeypatch.setattr(svg.shutil, "which", lambda name, path=None: f"/pip/{name}" if path else None)
    assert drawn_with() == "/pip/graphviz-pure"


def test_no_dot_says_what_to_install(monkeypatch):
    """Without any Graphviz, or with a wrong GRAPHVIZ_DOT, the error names the package to install."""
    monkeypatch.setenv("GRAPHVIZ_DOT", "/no/such/dot")
    with pytest.raises(LotteryError, match="pip install graphviz-pure"):
        svg.render(DOT)
    monkeypatch.delenv("GRAPHVIZ_DOT")
    monkeypatch.setattr(svg.shutil, "which", lambda name, path=None: None)
    with pytest.raises(LotteryError, match="pip install graphviz-pure"):
        svg.render(DOT)


def test_what_graphviz_says_is_told(monkeypatch, tmp_path):
    """When Graphviz refuses the drawing, the error has its own words."""
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho 'syntax error in line 1' >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("GRAPHVIZ_DOT", str(program))
    with pytest.raises(LotteryError) as caught:
        svg.render(DOT)
    assert caught.value.what == "did not draw (syntax error in line 1)"


def test_the_same_dot_is_laid_out_once(monkeypatch):
    """A second drawing of the same DOT starts no program; a drawing of another DOT starts one."""
    asked, run = [], svg.subprocess.run
    monkeypatch.setattr(
        svg.subprocess, "run", lambda *args, **more: asked.append(more["input"]) or run(*args, **more)
    )
    assert svg.render("digraph { once }") == svg.render("digraph { once }")
    svg.render("digraph { twice }")
    assert asked == ["digraph { once }", "digraph { twice }"]


def test_chinese_letters_arrive():
    """The text goes to Graphviz and back as UTF-8."""
    assert "抽奖" in svg.render('digraph { "抽奖" }')
