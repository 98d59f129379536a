import operator

import pytest

from lottery_lib.view.theme import COLOURS, STATUSES, mark_of, marked, retried, word_of


def luminance(colour):
    """As WCAG 2.2 defines it."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(map(operator.mul, linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_can_be_seen_in_both_themes(theme):
    """Text has a contrast of 4.5 at least, and shapes have 3, on each ground where they can stand."""
    colour = {name: getattr(pair, theme) for name, pair in COLOURS.items()}
    pages = [colour["ground"], *(["#ffffff"] if theme == "light" else ["#111111", "#212121"])]
    fills = [colour["idle-fill"], colour["soft"], *(colour[f"{status}-fill"] for status in STATUSES)]
    for ground in [*pages, *fills]:
        assert contrast(colour["text"], ground) >= 4.5
        assert contrast(colour["quiet"], ground) >= 4.5
        assert contrast(colour["wire"], ground) >= 3
        assert contrast(colour["accent"], ground) >= 3
    for name in ("idle", *STATUSES):
        for ground in [*pages, *fills]:  # a box may stand in a box of another status
            assert contrast(colour[f"{name}-border"], ground) >= 3, (name, ground)


def test_no_two_statuses_look_alike():
    """Each status has a mark, a fill and a border that no other one has."""
    fills, borders = ([COLOURS[f"{status}-{part}"] for status in STATUSES] for part in ("fill", "border"))
    for looks in map(mark_of, STATUSES), fills, borders:
        assert len(set(looks)) == len(STATUSES)


def test_unknown_status_is_shown_as_it_is():
    """A word that is no status has no mark."""
    assert marked("odd") == "odd"
    assert marked("") == ""


@pytest.mark.parametrize(("attempts", "text"), [(1, ""), (2, "↻ retried 1 time"), (3, "↻ retried 2 times")])
def test_first_attempt_is_no_retry(attempts, text):
    """Three attempts are two retries."""
    assert retried(attempts) == text


def test_an_execution_that_took_too_long_has_a_word(catalogue, monkeypatch):
    """The operator's page shows how an execution ended."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"timed out": "超时"})
    assert word_of("timed out") == "超时"
