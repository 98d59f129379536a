"""The buttons of lesson 13 answer the draw that its panel has started. No cell of the lesson presses them."""

from typing import Final

import nbformat

from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, run

PLAY: Final = """
import asyncio
from lottery_lib.history import published

mails = lambda: published(draws.execution().events)
answered = []


async def press(button):
    while button.disabled:
        await asyncio.sleep(0.05)
    answered.append(said.value)
    button.click()
    assert (yes.disabled, no.disabled, said.value) == (True, True, "Your answer was sent."), said.value


assert yes.disabled and no.disabled
drawing = asyncio.create_task(panel.run(1))
await press(no)
while len(mails()) < 2:
    await asyncio.sleep(0.1)
no.click()  # a late second click
await press(yes)
result = await drawing
assert (result["status"], len(mails())) == ("SUCCEEDED", 3), (result, mails())  # two questions, then the winner
assert (said.value, yes.disabled) == ("", True), said.value
for question, mail in zip(answered, mails()):
    assert question and mail.startswith(question), (question, mail)
assert answered[-1].startswith(result["winners"][0]["employee_name"]), (answered, result)
"""


def test_play_the_winner():
    """The buttons work while a question is shown. Each answers this question, and a second click does nothing."""
    lesson = nbformat.read(NOTEBOOKS_FOLDER / "13_wait_for_a_person.ipynb", as_version=4)
    needed = [cell for cell in lesson.cells if cell.id <= "13-20" or "13-40" <= cell.id <= "13-44"]
    lesson.cells = [*needed, nbformat.v4.new_code_cell(PLAY)]
    assert run(lesson, NOTEBOOKS_FOLDER) is None
