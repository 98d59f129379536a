"""The buttons of lesson 11 answer the draw that its panel has started. No cell of the lesson presses them."""

from typing import Final

import nbformat

from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, run

PLAY: Final = """
import asyncio
from lottery_lib.history import published


async def press(button, asked):
    while len(published(draws.execution().events)) < asked:
        await asyncio.sleep(0.1)
    button.click()
    return said.value


drawing = asyncio.create_task(panel.run(1))
while not panel.view.statuses.get("Ask The Winner"):
    await asyncio.sleep(0.1)
words = [await press(no, 1), await press(yes, 2)]
result = await drawing
yes.click()
assert (words, result["status"]) == (["Your answer was sent."] * 2, "SUCCEEDED"), (words, result)
assert said.value == "No winner is waiting for an answer.", said.value
"""


def test_play_the_winner():
    """Decline leads to a second mail, Accept ends the draw, and each click says what became of it."""
    lesson = nbformat.read(NOTEBOOKS_FOLDER / "11_wait_for_a_person.ipynb", as_version=4)
    shown = next(number for number, cell in enumerate(lesson.cells) if "DrawPanel(" in cell.source)
    lesson.cells[shown + 1 :] = [nbformat.v4.new_code_cell(PLAY)]
    assert run(lesson, NOTEBOOKS_FOLDER) is None
