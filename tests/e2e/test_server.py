"""examples/server, the program in README.md: it serves each kind of client on threads of its own."""
import asyncio
import http.client
import json
import os
import re
import subprocess
import unittest

import websockets

from async_case import AsyncCase
from client import receive_type
from test_embedding import connect, free_port

README = os.environ["README"]
SERVER = os.environ["SERVER"]
SOURCE = os.path.join(os.path.dirname(README), "examples/server/server.c")


class Server(AsyncCase):
    def start(self):
        port = free_port()
        server = subprocess.Popen([SERVER, f"127.0.0.1:{port}"])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return port

    async def test_a_websocket_receives_the_time(self):
        client = await asyncio.wait_for(connect(self.start(), "ws"), 60)
        first, second = [(await receive_type(client, "clock"))["data"]["time"] for _ in range(2)]
        self.assertGreaterEqual(second, first)
        await client.close()

    async def test_a_stream_and_socketio(self):
        port = self.start()
        await (await asyncio.wait_for(connect(port, "ws"), 60)).close()  # it listens
        await asyncio.to_thread(self.read_stream, port)
        client = await websockets.connect(f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket")
        self.assertEqual((await client.recv())[0], "0")
        await client.send("40")
        while not (await client.recv()).startswith('42["clock",'):
            pass
        await client.close()

    def read_stream(self, port):
        stream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        stream.request("GET", "/events")
        response = stream.getresponse()
        self.assertEqual(response.status, 200)
        line = b""
        while b'"clock"' not in line:
            line = response.readline()
            self.assertNotEqual(line, b"")
        self.assertIn("time", json.loads(line.removeprefix(b"data: "))["data"])
        stream.close()

    def test_the_readme_shows_it(self):
        with open(README, encoding="utf-8") as readme, open(SOURCE, encoding="utf-8") as source:
            programs = re.findall(r"```c\n(#include.*?)```", readme.read(), re.DOTALL)
            self.assertEqual(programs, [source.read().partition("*/\n")[2]])


if __name__ == "__main__":
    unittest.main()
