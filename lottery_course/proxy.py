"""Pass the browser's requests on to the pages of the kit, where it sees nothing but the Jupyter server.

This is an extension of Jupyter Server for JupyterHub, Binder and Codespaces. jupyter-server-proxy passes
requests on. Its own extension would do so for every port of the machine. But a page that comes through the
server counts as the server's own, so only the kit's pages come.
"""

import os
from functools import partial
from typing import Any

from jupyter_server_proxy.handlers import RemoteProxyHandler

from lottery_lib.addresses import PROXY, is_served


def _load_jupyter_server_extension(server: Any) -> None:
    app = server.web_app
    base, settings = app.settings["base_url"], {"host_allowlist": _lets_through}
    # 127.0.0.1 and not localhost: at ::1, another user could serve the same port.
    paths = {False: r"proxy/(127\.0\.0\.1):(\d+)(/.*|)", True: r"proxy/absolute/(127\.0\.0\.1):(\d+)(/.*|)"}
    for whole, path in paths.items():
        app.add_handlers(".*", [(base + path, RemoteProxyHandler, {**settings, "absolute_url": whole})])
    app.settings["log_function"] = partial(_note_address, app.settings["log_function"])


def _note_address(log: Any, handler: Any) -> None:
    """Log a request. If it opened a page, tell later kernels and terminals where the browser is."""
    log(handler)
    if handler.request.headers.get("Accept", "").startswith("text/html") and handler.current_user:
        scheme, host = _seen(handler.request)
        os.environ[PROXY] = f"{scheme}://{host}{handler.settings['base_url']}proxy/"


def _seen(request: Any) -> tuple[str, str]:
    """The scheme and the host that the browser has asked for."""
    forwarded = [request.headers.get(f"X-Forwarded-{name}", "").split(",")[0] for name in ("Proto", "Host")]
    scheme = forwarded[0] or request.protocol
    # JupyterHub's proxy says "ws" or "wss" of a websocket. Its Origin has the page's scheme.
    return scheme.replace("ws", "http"), forwarded[1] or request.host


def _lets_through(handler: Any, host: str) -> bool:
    """Whether a request goes on to its port. If so, it gets the name that the page has there."""
    port = int(handler.path_args[1])
    if not is_served(port):
        return False
    headers, (scheme, name) = handler.request.headers, _seen(handler.request)
    own = f"{host}:{port}"
    if headers.get("Origin") == f"{scheme}://{name}":
        headers["Origin"] = f"http://{own}"
    headers.update({"Host": own, "X-Forwarded-Proto": scheme, "X-Forwarded-Host": name})
    return True
