"""A person of the class, as the hub sees one: logs in, starts a server, runs cells in a kernel."""

import json
import uuid

import requests
import websocket
from helpers import wait_until


class Person:
    """Somebody who has logged in to the hub.

    Args:
        hub: The hub's address, with a slash at its end.
        name: The user's name.
        password: The user's password.
    """

    def __init__(self, hub: str, name: str, password: str) -> None:
        self.hub = hub
        self.name = name
        self.server = f"{hub}user/{name}/"
        self.web = requests.Session()
        self.web.trust_env = False  # no proxy of this machine
        self.web.get(f"{hub}hub/login", timeout=60)
        form = {"username": name, "password": password, "_xsrf": self._xsrf("/hub/")}
        answer = self.web.post(f"{hub}hub/login", data=form, timeout=120)
        assert answer.ok, answer.text

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        self.web.get(f"{self.hub}hub/spawn/{self.name}", timeout=60)
        wait_until(self._has_lab)

    def _has_lab(self) -> bool:
        answer = self.web.get(f"{self.server}lab", timeout=60)
        return answer.ok and answer.url.startswith(self.server)

    def stop(self) -> None:
        """Press *Stop My Server*."""
        headers = {"X-XSRFToken": self._xsrf("/hub/"), "Referer": f"{self.hub}hub/home"}
        url = f"{self.hub}hub/api/users/{self.name}/server"
        assert self.web.delete(url, headers=headers, timeout=60).ok

    def kernel(self) -> "Kernel":
        """A new kernel, as for a notebook beside the lessons."""
        body = {"path": "lottery/my.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
        headers = {"X-XSRFToken": self._xsrf(f"/user/{self.name}/"), "Referer": self.server}
        answer = self.web.post(f"{self.server}api/sessions", json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return Kernel(f"{self.server}api/kernels/{answer.json()['kernel']['id']}/channels", self.cookies())

    def cookies(self) -> str:
        """The cookies that a browser sends to the person's server."""
        paths = {"/", f"/user/{self.name}/"}
        return "; ".join(f"{one.name}={one.value}" for one in self.web.cookies if one.path in paths)

    def _xsrf(self, path: str) -> str:
        (cookie,) = (one for one in self.web.cookies if one.name == "_xsrf" and one.path == path)
        return cookie.value or ""


class Kernel:
    """A kernel on a person's server, at the end of a websocket."""

    def __init__(self, address: str, cookies: str) -> None:
        address = address.replace("http", "ws", 1)
        self._socket = websocket.create_connection(address, cookie=cookies, timeout=180, http_no_proxy=["*"])

    def run(self, code: str) -> str:
        """What a cell prints; an AssertionError with its traceback if it raises."""
        asked = uuid.uuid4().hex
        header = {"msg_id": asked, "msg_type": "execute_request", "session": "1", "username": "", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}}
        self._socket.send(json.dumps(message | {"content": content, "channel": "shell"}))
        printed = ""
        while True:
            told = json.loads(self._socket.recv())
            if told["parent_header"].get("msg_id") != asked:
                continue
            if told["msg_type"] == "stream":
                printed += told["content"]["text"]
            elif told["msg_type"] == "error":
                raise AssertionError("\n".join(told["content"]["traceback"]))
            elif told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
                return printed
