"""Which requests come in at port 80, which clients leave out. `test_same_origin.py` has the rest."""

import re

import pytest

from sfn_emulator.http.messages import RefusalError, Request
from sfn_emulator.http.same_origin import OriginCheck


@pytest.fixture
def check():
    return OriginCheck(80, ["lab.example.org:8443"], re.compile("/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:80", "localhost", "[::1]", "lab.example.org:8443"])
def test_names(check, host):
    """The names stand alone or with their port. A name that was given with a port is valid with this port."""
    assert check.check(Request("GET", "/", {"host": host, "origin": f"http://{host}"})) is None


@pytest.mark.parametrize("host", ["127.0.0.1:81", "localhost:8888", "lab.example.org", "lab.example.org:1"])
def test_other_ports(check, host):
    """Another port is another site."""
    for headers in ({"host": host}, {"host": "127.0.0.1", "origin": f"http://{host}"}):
        with pytest.raises(RefusalError):
            check.check(Request("POST", "/", headers))
