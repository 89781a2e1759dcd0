"""Two processes of examples/embed-libuv and one Redis: clients of both receive what either sends, in one
order."""
import asyncio
import json
import os
import signal
import socket
import subprocess
import tempfile
import unittest

import websockets

from async_case import AsyncCase
from hosts import (check_half_closed_client_that_does_not_read, check_no_descriptor_left,
                   few_descriptors)

EMBED_LIBUV = os.environ["EMBED_LIBUV"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class EmbedLibuv(AsyncCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.redis_port = free_port()
        self.redis = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", "",
             "--dir", folder.name], stdout=subprocess.DEVNULL)
        self.addCleanup(self.redis.wait)
        self.addCleanup(self.redis.kill)

    def start(self, **how):
        """Starts a process; returns it and its port when it has reached Redis."""
        host = subprocess.Popen([EMBED_LIBUV, "0", f"redis://localhost:{self.redis_port}"],
                                stdout=subprocess.PIPE, text=True, **how)
        self.addCleanup(host.stdout.close)
        self.addCleanup(host.wait)
        self.addCleanup(host.kill)
        port = int(host.stdout.readline().split(":")[-1].strip(" /\n"))
        while host.stdout.readline() != "Redis: connected\n":
            pass
        return host, port

    async def hear(self, port, count):
        """The ids of the first events."""
        ids = []
        async with websockets.connect(f"ws://127.0.0.1:{port}/") as client:
            while len(ids) < count:
                message = json.loads(await asyncio.wait_for(client.recv(), 60))
                if message["type"] == "notification":
                    ids.append(message["id"])
        return ids

    async def test_both_hear_the_same(self):
        hosts, ports = zip(self.start(), self.start())
        heard = await asyncio.gather(*[self.hear(port, 4) for port in ports])
        first = max(int(ids[0].split(".")[1]) for ids in heard)
        common = [[i for i in ids if int(i.split(".")[1]) >= first] for ids in heard]
        for pair in zip(*common):
            self.assertEqual(*pair)
        self.assertGreater(len(min(common, key=len)), 1)
        for host in hosts:
            host.send_signal(signal.SIGINT)
            self.assertEqual(host.wait(60), 0)

    def test_no_free_descriptor(self):
        host, port = self.start(preexec_fn=few_descriptors)
        check_no_descriptor_left(self, host.pid, port)

    def test_a_half_closed_client_does_not_read(self):
        host, port = self.start()
        check_half_closed_client_that_does_not_read(self, host.pid, port)


if __name__ == "__main__":
    unittest.main()
