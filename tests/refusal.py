"""What somebody reads whose call is refused."""

import pytest

from lottery_lib.errors import LotteryError


def refused(function, *arguments):
    """The sentence of the error in which a call ends; it is one line."""
    with pytest.raises(LotteryError) as caught:
        function(*arguments)
    said = str(caught.value)
    assert "\n" not in said
    return said
