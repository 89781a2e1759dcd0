#!/usr/bin/env python3
"""Python's client of Socket.IO with threads (Debian's python3-socketio) and curl, with the example backend behind
nginx and haproxy, of which it is killed and started again.

Not here: npm's client (socketio_proxies.test.mjs), chromium (socketio_chromium.test.mjs), and
several processes behind a proxy (test_sticky.py)."""
import functools
import json
import queue
import shutil
import signal
import subprocess
import unittest

import socketio

from backend import START_SECONDS, Backend
from proxies import command_of, haproxy, in_front, nginx
from redis_server import RedisServer

TRANSPORTS = ["websocket"], ["polling"], None  # None: as they come, by polling and then an upgrade
CURL = [], ["--compressed"]
ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


class Curl:
    """An event stream that curl reads."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen(
            ["curl", "-sN", "--max-time", str(4 * START_SECONDS), *options, f"http://127.0.0.1:{port}/events"],
            stdout=subprocess.PIPE)
        self.last_id = None

    def __iter__(self):
        """The messages, until the stream ends."""
        for line in self.process.stdout:
            if line.startswith(b"id: "):
                self.last_id = line[4:].decode().rstrip("\n")
            elif line.startswith(b"data: "):
                yield json.loads(line[6:])

    def message(self, kind):
        """The next message of a type; skips others."""
        return next(message for message in self if message["type"] == kind)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@unittest.skipUnless(shutil.which("redis-server"), "there is no redis-server")
class Returns(unittest.TestCase):
    def start(self, node, *arguments):
        backend = Backend(*self.arguments, "--node", node, *arguments)
        self.addCleanup(backend.stop)
        return backend

    def begin(self, kind):
        """Starts a backend behind a proxy, and another one that goes on while the first is away."""
        if command_of(kind.__name__) is None:
            self.skipTest(f"there is no {kind.__name__}")
        redis = RedisServer()
        self.addCleanup(redis.stop)
        self.arguments = ("--redis", redis.uri, "--threads", "2", "--trusted-proxy", "127.0.0.1", "--no-presence")
        self.first, self.other = self.start("first"), self.start("other")
        self.proxy = in_front(kind, self.first.port)
        self.addCleanup(self.proxy.stop)

    def kill(self):
        self.first.process.send_signal(signal.SIGKILL)
        self.first.process.wait(START_SECONDS)

    def start_again(self):
        self.start("second", "--listen", f"127.0.0.1:{self.first.port}")

    def order(self, backend):
        status, order, _ = backend.request("POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        return order["id"]

    def check_python(self, kind):
        self.begin(kind)
        clients = [self.connect(transports) for transports in TRANSPORTS]
        self.check_room(clients)
        self.kill()
        self.start_again()
        for client, connected, _ in clients:
            connected.get(timeout=START_SECONDS)
            # Before the backend stops: a client that tries to reconnect keeps the test's process for ever.
            self.addCleanup(client.disconnect)
        self.check_room(clients)

    def connect(self, transports):
        """Connects a client; returns it and the queues of its connections and orders."""
        client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.05)
        connected, orders = queue.Queue(), queue.Queue()
        client.on("connect", functools.partial(connected.put, True))
        client.on("order_created", lambda event, _: orders.put(event["data"]["id"]))
        client.connect(f"http://127.0.0.1:{self.proxy.port}", transports=transports, wait_timeout=START_SECONDS)
        connected.get(timeout=START_SECONDS)
        self.assertEqual(client.transport(), (transports or ["websocket"])[0])
        return client, connected, orders

    def check_room(self, clients):
        for client, _, _ in clients:
            answer = client.call("join_room", "r", timeout=START_SECONDS)
            self.assertEqual((answer["type"], answer["data"]["room"]), ("room_joined", "r"))
        order = self.order(self.other)
        for _, _, orders in clients:
            self.assertEqual(orders.get(timeout=START_SECONDS), order)

    def curl(self, *options):
        curl = Curl(self.proxy.port, *options)
        self.addCleanup(curl.stop)
        curl.message("welcome")
        return curl

    def check_curl(self, kind):
        self.begin(kind)
        curls = [self.curl(*options) for options in CURL]
        for _ in range(2):  # each passes the proxy before the next is sent
            order = self.order(self.other)
            for curl in curls:
                self.assertEqual(curl.message("order_created")["data"]["id"], order)
        self.kill()
        for curl in curls:
            for _ in curl:  # until the proxy ends it
                pass
        missed = [self.order(self.other) for _ in range(3)]
        self.start_again()
        for curl, options in zip(curls, CURL):
            again = self.curl(*options, "-H", f"Last-Event-ID: {curl.last_id}")
            heard = []
            while (message := next(iter(again)))["type"] != "recovered":
                if message["type"] == "order_created":
                    heard.append(message["data"]["id"])
            self.assertEqual((heard, message["data"]["complete"]), (missed, True))

    def test_python_behind_nginx(self):
        self.check_python(nginx)

    def test_python_behind_haproxy(self):
        self.check_python(haproxy)

    def test_curl_behind_nginx(self):
        self.check_curl(nginx)

    def test_curl_behind_haproxy(self):
        self.check_curl(haproxy)


if __name__ == "__main__":
    unittest.main()
