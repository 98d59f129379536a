"""A real kernel, before the first cell of its lesson has run: it starts so, and after each restart."""

from patience import SECONDS
import os

import pytest
from jupyter_client.manager import start_new_kernel

from lottery_course.cells import NOTEBOOKS_FOLDER


def errors_of(client, cell):
    """What the cell shows of its error."""
    shown = []
    client.execute_interactive(cell, timeout=SECONDS, output_hook=shown.append)
    return [message["content"]["traceback"] for message in shown if message["msg_type"] == "error"]


@pytest.mark.parametrize(
    ("folder", "missing", "javascript"),
    [
        (".", "Run the first cell of this lesson", "Python writes True, with a capital letter."),
        ("zh", "请运行本课的第一个单元格", "Python 写作 True，首字母大写。"),
    ],
    ids=["en", "zh"],
)
def test_a_kernel_says_what_to_run(folder, missing, javascript):
    """The settings of kernels load the sentences, in the language of the notebook's folder."""
    place = NOTEBOOKS_FOLDER / folder
    environment = {name: value for name, value in os.environ.items() if name != "LOTTERY_LANG"}
    environment["JPY_SESSION_NAME"] = str(place / "05_state_machine.ipynb")
    manager, client = start_new_kernel(cwd=str(place), env=environment)
    try:
        for is_restarted in (False, True):
            if is_restarted:
                manager.restart_kernel(now=True)
                client.wait_for_ready(timeout=SECONDS)
            ((line,),) = errors_of(client, "# Check: run this cell\ncheck(1)")
            assert missing in line
            (traceback,) = errors_of(client, "true")
            assert javascript in "".join(traceback)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
