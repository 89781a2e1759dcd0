"""The embedding examples: the program in their README, examples/embed and examples/presence serve real
clients."""
import asyncio
import json
import os
import re
import socket
import subprocess
import tempfile
import unittest

import websockets

from async_case import AsyncCase
from client import receive_type
from hosts import (check_half_closed_client_that_does_not_read, check_no_descriptor_left,
                   few_descriptors)

README = os.path.join(os.path.dirname(os.environ["README"]), "examples/README.md")
EMBED = os.environ["EMBED"]
PRESENCE = os.environ["PRESENCE"]
COMPILE = os.environ["COMPILE"].split("\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def connect(port, query=""):
    """Connects as soon as the server listens; it prints nothing when it does."""
    while True:
        try:
            return await websockets.connect(f"ws://127.0.0.1:{port}/{query}")
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


class Embedding(AsyncCase):
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

    def compile_readme(self, port):
        with open(README, encoding="utf-8") as readme:
            programs = re.findall(r"```c\n(#include.*?)```", readme.read(), re.DOTALL)
        self.assertEqual(len(programs), 1)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        source, program = os.path.join(folder.name, "app.c"), os.path.join(folder.name, "app")
        with open(source, "w", encoding="utf-8") as file:
            file.write(programs[0].replace("9000", str(port)))
        subprocess.run([*COMPILE, "-Wall", "-Wextra", "-Werror", source, "-o", program, "-lwsmanager"],
                       check=True)
        return program

    def start(self, *command, **how):
        server = subprocess.Popen(command, **how)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server

    def start_embed(self, **how):
        server = self.start(EMBED, "0", stdout=subprocess.PIPE, **how)
        self.addCleanup(server.stdout.close)
        line = server.stdout.readline().decode()
        return server, int(re.fullmatch(r"listening on ws://127\.0\.0\.1:(\d+)/\n", line).group(1))

    async def test_the_program_in_the_readme(self):
        port = free_port()
        self.start(self.compile_readme(port))
        await self.hear(port, "order_created")

    async def test_the_program_in_the_readme_without_a_free_descriptor(self):
        port = free_port()
        server = self.start(self.compile_readme(port), preexec_fn=few_descriptors)
        await (await asyncio.wait_for(connect(port), 60)).close()
        check_no_descriptor_left(self, server.pid, port)

    async def test_the_smallest_host(self):
        server, port = self.start_embed()
        await self.hear(port, "notification")
        server.terminate()
        self.assertEqual(server.wait(60), 0)

    async def answer_rules(self, client, question, member, value):
        self.assertEqual(question["method"], "accept_rules")
        await client.send(json.dumps({"type": "response", "ref": question["ref"], member: value}))

    async def test_presence_and_requests(self):
        server = self.start(PRESENCE, "127.0.0.1:0", stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        port = int(server.stdout.readline().decode().rpartition(":")[2])
        ana = await connect(port, "?user_id=ana")
        bob = await connect(port, "?user_id=bob")
        await ana.send('{"type":"presence","ref":1}')
        answer = await receive_type(ana, "error")
        self.assertEqual((answer["ref"], answer["data"]["code"]), (1, "forbidden"))
        await ana.send('{"type":"join_room","room":"lobby","presence":true}')
        received = [await receive_type(ana, "presence", "request") for _ in range(2)]
        presence, question = sorted(received, key=lambda message: message["type"])
        self.assertEqual(presence["data"]["members"], [{"user_id": "ana", "connections": 1, "state": None}])
        await self.answer_rules(ana, question, "data", True)
        await bob.send('{"type":"join_room","room":"lobby"}')
        joined = (await receive_type(ana, "presence_changed"))["data"]["joined"]
        self.assertEqual([member["user_id"] for member in joined], ["bob"])
        question = await receive_type(bob, "request")
        await bob.send('{"type":"request","method":"feel","data":"fine","ref":2}')
        await receive_type(bob, "response")
        changed = (await receive_type(ana, "presence_changed"))["data"]["changed"]
        self.assertEqual([(member["user_id"], member["state"]) for member in changed], [("bob", "fine")])
        await self.answer_rules(bob, question, "error", {"code": "rejected", "message": ""})
        left = (await receive_type(ana, "presence_changed"))["data"]["left"]
        self.assertEqual([member["user_id"] for member in left], ["bob"])
        server.terminate()
        self.assertEqual(server.wait(60), 0)

    def test_the_smallest_host_without_a_free_descriptor(self):
        server, port = self.start_embed(preexec_fn=few_descriptors)
        check_no_descriptor_left(self, server.pid, port)

    def test_the_smallest_host_and_a_half_closed_client_that_does_not_read(self):
        server, port = self.start_embed()
        check_half_closed_client_that_does_not_read(self, server.pid, port)


if __name__ == "__main__":
    unittest.main()
