"""Another user of the machine, who attacks. As root, this program becomes `nobody`; else it stays who it is.

neighbour.py listen         subscribes to the ports and paths of a JSON list, and counts what comes
neighbour.py enter          lists the folders and reads the files of a JSON list
neighbour.py serve PORT...  serves a page at ::1 and 127.0.0.1, and prints each request as a line of JSON
neighbour.py knock          asks for addresses with headers: a JSON list of both
"""

import encodings.idna  # noqa: F401 - Python may lie in root's home, where this user cannot import later
import http.client
import json
import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import zmq

NOBODY = 65534


def leave_root():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def listen(endpoints):
    """Subscribe to everything, and ask the other sockets of a kernel, until stdin ends."""
    context, poller, heard = zmq.Context(), zmq.Poller(), dict.fromkeys(endpoints, 0)
    ears = {}
    for endpoint in endpoints:
        ear = context.socket(zmq.SUB)
        ear.subscribe(b"")
        ear.connect(endpoint)
        ears[ear] = endpoint
        poller.register(ear, zmq.POLLIN)
    poller.register(0, zmq.POLLIN)
    print("listens", flush=True)
    ready = {}
    while 0 not in ready:
        ready = dict(poller.poll())
        for ear in ears.keys() & ready.keys():  # also of what came just before the end
            ear.recv_multipart()
            heard[ears[ear]] += 1
    print(json.dumps(heard))
    context.destroy(linger=0)


def enter(paths):
    print(json.dumps([each for each in paths if _opens(Path(each))]))


def _opens(path):
    try:
        return bool(list(path.iterdir()) if path.is_dir() else path.read_bytes())
    except PermissionError:
        return False


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"host": self.headers["Host"], "path": self.path, "headers": dict(self.headers)}
        print(json.dumps(told), flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>a page of the neighbour's</title>")

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Six(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def serve(ports):
    """Serve at each port of both addresses that is free, until stdin ends."""
    for port in ports:
        for server, address in ((ThreadingHTTPServer, "127.0.0.1"), (Six, "::1")):
            try:
                page = server((address, port), Page)
            except OSError:
                continue
            threading.Thread(target=page.serve_forever, daemon=True).start()
    print("serves", flush=True)
    sys.stdin.read()


def knock(requests):
    """The status of the answer to each request, and all that it says."""
    told = []
    for port, path, headers in requests:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        told.append([reply.status, str(reply.getheaders()) + reply.read().decode("utf-8", "replace")])
    print(json.dumps(told))


if __name__ == "__main__":
    leave_root()
    what, *rest = sys.argv[1:]
    if what == "serve":
        serve([int(each) for each in rest])
    else:
        {"listen": listen, "enter": enter, "knock": knock}[what](json.loads(sys.stdin.readline()))
