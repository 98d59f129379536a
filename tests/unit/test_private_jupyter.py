"""Which way kernels speak, so that no other user listens. `tests/browser/test_neighbour.py` tries it."""

from pathlib import Path

import pytest

from lottery_lib.private_jupyter import private_sockets


@pytest.mark.parametrize(
    ("folder", "way"), [("/" + "é" * 26, "transport"), ("/" + "é" * 27, "transport_encryption")]
)
def test_a_path_may_be_too_long_for_sockets(folder, way):
    """A socket's path has at most 103 bytes on every system. With a longer one, no kernel would start."""
    assert set(private_sockets(Path(folder))) == {way}
