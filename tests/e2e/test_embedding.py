"""The embedding examples: the README's program and examples/embed serve a real client."""
import asyncio
import json
import os
import re
import socket
import subprocess
import tempfile
import unittest

import websockets

README = os.environ["README"]
EMBED = os.environ["EMBED"]
COMPILE = os.environ["COMPILE"].split("\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def connect(port):
    """Connects as soon as the server listens, which it does not tell."""
    while True:
        try:
            return await websockets.connect(f"ws://127.0.0.1:{port}/")
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


class Embedding(unittest.IsolatedAsyncioTestCase):
    async def hear(self, port, event_type):
        client = await asyncio.wait_for(connect(port), 60)
        other = await connect(port)
        welcome = json.loads(await client.recv())
        self.assertEqual(welcome["type"], "welcome")
        await client.send('{"type":"join_room","room":"r","ref":1}')
        types = []
        while event_type not in types:
            types.append(json.loads(await asyncio.wait_for(client.recv(), 60))["type"])
        self.assertIn("room_joined", types)
        await other.close()
        left = json.loads(await asyncio.wait_for(client.recv(), 60))
        while left["type"] != "user_disconnected":
            left = json.loads(await asyncio.wait_for(client.recv(), 60))
        await client.close()

    async def test_the_program_in_the_readme(self):
        with open(README, encoding="utf-8") as readme:
            programs = re.findall(r"```c\n(#include.*?)```", readme.read(), re.DOTALL)
        self.assertEqual(len(programs), 1)
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            source, program = os.path.join(folder, "app.c"), os.path.join(folder, "app")
            with open(source, "w", encoding="utf-8") as file:
                file.write(programs[0].replace("9000", str(port)))
            subprocess.run([COMPILE[0], "-Wall", "-Wextra", "-Werror", source, "-o", program, *COMPILE[1:]],
                           check=True)
            server = subprocess.Popen([program])
            try:
                await self.hear(port, "order_created")
            finally:
                server.kill()
                server.wait()

    async def test_the_smallest_host(self):
        server = subprocess.Popen([EMBED, "0"], stdout=subprocess.PIPE)
        try:
            line = server.stdout.readline().decode()
            port = int(re.fullmatch(r"listening on ws://127\.0\.0\.1:(\d+)/\n", line).group(1))
            await self.hear(port, "notification")
        finally:
            server.terminate()
            self.assertEqual(server.wait(60), 0)
            server.stdout.close()


if __name__ == "__main__":
    unittest.main()
