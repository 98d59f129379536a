"""The buttons of lesson 13 answer the draw that its panel has started. No cell of the lesson presses them."""

from typing import Final

import nbformat
import pytest

from lottery_course.notebooks import NOTEBOOKS_FOLDER, run

PLAY: Final = """
import asyncio


async def question(number):
    while len(inbox(target).notifications) < number:
        await asyncio.sleep(0.1)
    return inbox(target).notifications[number - 1].text


drawing = asyncio.create_task(panel.run(1))
first = await question(1)
no.click()
second = await question(2)
yes.click()
result = await drawing
assert result["status"] == "SUCCEEDED", result
assert token_in(inbox(target).notifications[0]) != token_in(inbox(target).notifications[1])
assert second.startswith(result["winners"][0]["employee_name"]), (first, second, result)
assert list(questions(result["execution_arn"])["status"]) == ["caught", "succeeded"], result
"""
NEEDED: Final = ("13-47b", "13-50b", "13-52", "13-44")


@pytest.mark.long("plays a lesson once more")
def test_play_the_winner():
    """Decline asks the next winner, and Accept ends the draw."""
    lesson = nbformat.read(NOTEBOOKS_FOLDER / "13_wait_for_a_person.ipynb", as_version=4)
    cells = {cell.id: cell for cell in lesson.cells}
    needed = [cell for cell in lesson.cells if cell.id <= "13-16"]
    cells["13-52"].source = cells["13-52"].source.removesuffix("questions(arn)")
    lesson.cells = [*needed, *(cells[each] for each in NEEDED), nbformat.v4.new_code_cell(PLAY)]
    assert run(lesson, NOTEBOOKS_FOLDER) is None
