"""Starts the example backend for a test, on its own port, and sends HTTP requests to it.

Not here: tests, and WebSocket clients (these are python3-websockets and node's ws)."""
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

BACKEND = os.environ["ORDERS_BACKEND"]
START_SECONDS = 60  # generous: the build may be a slow, sanitized one on a busy machine


def exchange(port, data):
    """Sends bytes and returns everything that arrives until the server closes."""
    with socket.create_connection(("127.0.0.1", port), START_SECONDS) as client:
        client.sendall(data)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer


class Backend:
    """A backend with an in-memory database, unless the arguments name another one; `under` is the
    command of a program that runs the backend, such as a checker."""

    def __init__(self, *arguments, stderr=None, preexec_fn=None, under=()):
        if not any(a.startswith("--db") for a in arguments):
            arguments += ("--db", ":memory:")
        if not any(a.startswith("--listen") for a in arguments):
            arguments += ("--listen", "127.0.0.1:0")
        self.process = subprocess.Popen(
            [*under, BACKEND, "--log-level", "error", *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            preexec_fn=preexec_fn,
        )
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        self.port = self._read_port("listening", ready)
        if "--admin-listen" in arguments:
            self.admin_port = self._read_port("admin listening", ready)

    def _read_port(self, what, ready):
        line = self.process.stdout.readline().decode() if ready else ""
        found = re.fullmatch(what + r" on (?:https?://.*:(\d+)|unix:.*)\n", line)
        if not found:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"the backend did not start: {line!r}")
        return found[1] and int(found[1])  # a Unix socket has none

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def http_connection(self, port=None):
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=START_SECONDS)

    def request(self, method, path, body=None, headers=None, port=None):
        """Returns the status, the JSON of the answer (or its bytes) and its headers."""
        connection = self.http_connection(port)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.headers.get_content_type() == "application/json" and content:
            content = json.loads(content)
        return response.status, content, response.headers

    def stats(self):
        return self.request("GET", "/ws/stats")[1]

    def stop(self):
        """Ends the backend with SIGTERM; returns its exit status and how long that took."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(START_SECONDS)
        self.process.stdout.close()
        return status, time.monotonic() - started

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        status, _ = self.stop()
        if status != 0 and failure[0] is None:
            raise RuntimeError(f"the backend ended with status {status}")
