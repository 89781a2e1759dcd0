"""Who is in a room of several processes with a real Redis, while a process is killed, and Redis too: what
each client believes to be there is what is.

Not here: one process (test_presence.py), and faults in any order, in memory
(unit/core/presence_cluster_random_test.c)."""
import asyncio
import collections
import http.client
import json
import os
import random
import time
import unittest

import websockets

from client import PATIENT, receive_type, request
from cluster_case import ClusterCase
from event_source import EventSource
from redis_server import Proxy
from test_presence import JOIN, Belief, PresenceCase, member

N_PEOPLE = 16
N_USERS = 6
BETWEEN_FAULTS_SECONDS = 1
AGREED_WITHIN_SECONDS = 10 if os.environ.get("SANITIZE", "none") == "none" else 60
LOST = (OSError, EOFError, ValueError, http.client.HTTPException, websockets.WebSocketException)


class Processes(ClusterCase, PresenceCase):
    async def test_users_of_all_processes(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        bob, bobs = await self.watch(second, "bob")
        for client, belief in ((ana, anas), (bob, bobs)):
            await self.until(client, belief, member("ana"), member("bob"))
        tab, tabs = await self.watch(second, "ana")
        await self.until(bob, bobs, member("ana", 2), member("bob"))
        await request(tab, {"type": "set_state", "room": "r", "data": "away", "ref": 2})
        await self.until(ana, anas, member("ana", 2, "away"), member("bob"))
        await tab.close()
        await self.until(bob, bobs, member("ana", 1, "away"), member("bob"))
        # A process begins late, and learns of the others.
        third = self.node("c")
        eve, eves = await self.watch(third, "eve")
        await self.until(eve, eves, member("ana", 1, "away"), member("bob"), member("eve"))

    async def enter(self, node, user):
        client, _ = await self.connect(node, f"/ws?user_id={user}")
        await request(client, {**JOIN, "presence": False})
        return client

    async def quiet_until(self, client, ended):
        """What a client hears of bob until `ended` has left."""
        heard = []
        while True:
            data = (await receive_type(client, "presence_changed"))["data"]
            heard += [each for change in ("joined", "left", "changed") for each in data[change]]
            if any(each["user_id"] == ended for each in data["left"]):
                return [each for each in heard if each["user_id"] == "bob"]

    async def test_a_move_and_a_return(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        bob, eve = await self.enter(second, "bob"), await self.enter(second, "eve")
        await self.until(ana, anas, member("ana"), member("bob"), member("eve"))
        # Bob moves to another process and back; eve has left a moment after him, and her grace time is over.
        for node in (first, second):
            await bob.close()
            await eve.close()
            await asyncio.sleep(0.5)
            bob = await self.enter(node, "bob")
            self.assertEqual(await self.quiet_until(ana, "eve"), [])
            eve = await self.enter(node, "eve")
        await self.until(ana, anas, member("ana"), member("bob"), member("eve"))
        # The process starts again; eve does not come back, and nothing is left of the former process.
        second.stop()
        bob = await self.enter(self.node("b"), "bob")
        self.assertEqual(await self.quiet_until(ana, "eve"), [])

    async def test_a_killed_process(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        await self.watch(second, "bob")
        await self.until(ana, anas, member("ana"), member("bob"))
        second.process.kill()
        await self.until(ana, anas, member("ana"))

    async def test_a_user_who_is_back_before_the_process_is_known_to_be_dead(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        await self.watch(second, "bob")
        await self.until(ana, anas, member("ana"), member("bob"))
        second.process.kill()
        await self.enter(first, "bob")
        heard = []
        while heard[-1:] != [1]:
            data = (await receive_type(ana, "presence_changed"))["data"]
            self.assertEqual((data["joined"], data["left"]), ([], []))
            heard += [each["connections"] for each in data["changed"]]
        self.assertEqual(heard, [2, 1])

    async def test_a_killed_redis(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        bob, _ = await self.watch(second, "bob")
        await self.until(ana, anas, member("ana"), member("bob"))
        self.redis.kill()
        await bob.close()
        eve, _ = await self.connect(first, "/ws?user_id=eve")
        await request(eve, {**JOIN, "presence": False})
        await self.until(ana, anas, member("ana"), member("bob"), member("eve"))
        self.redis.start()
        await self.until(ana, anas, member("ana"), member("eve"))
        late, lates = await self.watch(second, "late")
        await self.until(late, lates, member("ana"), member("eve"), member("late"))


class Person:
    """A client that comes and goes, and believes what it hears of the room."""

    def __init__(self, case, chance):
        self.case = case
        self.chance = chance
        self.client = None
        self.is_in = False
        self.n_joined = 0
        self.reader = None

    async def connect(self, node):
        return await websockets.connect(f"{node.url}/ws?user_id={self.user}", **PATIENT)

    async def messages(self, client):
        async for text in client:
            yield json.loads(text)

    async def send(self, client, message):
        await client.send(json.dumps(message))

    async def open(self):
        self.user = f"u{self.chance.randrange(N_USERS)}"
        self.is_in = False
        self.belief = None
        self.answers = {}
        self.client = await self.connect(self.chance.choice(self.case.nodes))
        self.reader = asyncio.create_task(self.read(self.client))

    async def read(self, client):
        try:
            async for message in self.messages(client):
                self.take(message)
        except LOST:
            pass
        if client is self.client:
            self.client, self.is_in = None, False
        for answer in self.answers.values():
            answer.set_exception(ConnectionError("the process was killed"))

    def take(self, message):
        if message["type"] in ("room_joined", "room_left"):
            self.is_in = message["type"] == "room_joined"
            self.n_joined += self.is_in
        if message["type"] in ("presence", "presence_changed"):
            if message["type"] == "presence":
                self.belief = Belief()
            if self.belief is not None:
                self.belief.take(message)
        if message.get("ref") in self.answers:
            self.answers.pop(message["ref"]).set_result(message)

    async def ask(self, message):
        ref = self.chance.getrandbits(32)
        answer = self.answers[ref] = asyncio.get_running_loop().create_future()
        await self.send(self.client, {**message, "ref": ref})
        await asyncio.wait_for(answer, 60)

    async def close(self):
        client, self.client, self.is_in = self.client, None, False
        if client is not None:
            await client.close()
            await self.reader

    async def act(self):
        if self.client is None:
            await self.open()
        elif not self.is_in:
            await self.ask({"type": "join_room", "room": "r", "presence": True})
        else:
            await self.chance.choice((
                self.close,
                lambda: self.ask({"type": "leave_room", "room": "r"}),
                lambda: self.ask({"type": "presence", "room": "r"}),
                lambda: self.ask({"type": "set_state", "room": "r", "data": self.chance.randrange(9)}),
                lambda: self.ask({"type": "set_state", "room": "r", "data": None}),
            ))()

    async def live(self, stop):
        while not stop.is_set():
            try:
                await self.act()
            except LOST:
                pass  # its process was killed
            await asyncio.sleep(self.chance.random() / 5)
        if self.client is None:
            await self.open()


class StreamPerson(Person):
    """On an event stream, with messages that are posted."""

    async def connect(self, node):
        source = await EventSource(node.port, f"/events?user_id={self.user}").connect()
        source.node = node
        source.session = (await source.message("welcome"))["data"]["session_id"]
        return source

    async def messages(self, client):
        while (event := await client.event()) is not None and event[0] == "message":
            yield event[1]

    async def send(self, client, message):
        path = f"/events?session={client.session}&user_id={self.user}"
        status, _, _ = await self.case.call(client.node, "POST", path, message)
        if status != 204:
            raise ConnectionError(f"the message was answered with {status}")


class SocketioPerson(Person):
    """On Socket.IO, over a WebSocket."""

    async def connect(self, node):
        url = f"{node.url}/socket.io/?EIO=4&transport=websocket&user_id={self.user}"
        client = await websockets.connect(url, **PATIENT)
        await client.recv()
        await client.send("40")
        await client.recv()
        return client

    async def messages(self, client):
        async for packet in client:
            if packet == "2":
                await client.send("3")
            elif packet.startswith("42"):
                yield json.loads(packet[2:])[1]
            elif packet.startswith("43"):
                ref, text = packet[2:].split("[", 1)
                yield {**json.loads("[" + text)[0], "ref": int(ref)}

    async def send(self, client, message):
        arguments = [message["type"], message["room"]]
        if message["type"] == "join_room":
            arguments.append({"presence": True})
        elif message["type"] == "set_state":
            arguments.append(message["data"])
        await client.send(f"42{message['ref']}" + json.dumps(arguments))


KINDS = (Person, StreamPerson, SocketioPerson)


class Faults(ClusterCase):
    def who_is_there(self):
        return collections.Counter(person.user for person in self.people if person.is_in)

    async def known(self):
        """What each client and each process believes."""
        beliefs = [person.belief.members for person in self.people if person.is_in]
        for node in self.nodes:
            _, listed, _ = await self.call(node, "GET", "/api/presence/r")
            beliefs.append({each["user_id"]: each for each in listed["members"]})
        return beliefs

    async def all_agree(self):
        there = self.who_is_there()
        beliefs = await self.known()
        return all({user: each["connections"] for user, each in belief.items()} == there and
                   belief == beliefs[0] for belief in beliefs)

    async def test_what_clients_believe_is_what_is(self):
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        self.nodes = [self.node("a", uri=proxy.uri + "?timeout_ms=500"), self.node("b")]
        self.people = [KINDS[seed % len(KINDS)](self, random.Random(seed)) for seed in range(N_PEOPLE)]
        stop = asyncio.Event()
        lives = [asyncio.create_task(person.live(stop)) for person in self.people]
        for person in self.people:
            self.addAsyncCleanup(person.close)
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        killed = self.nodes.pop()
        killed.process.kill()
        killed.process.wait()
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        self.nodes.append(self.node("b"))
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        proxy.cut()
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        proxy.mend()
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        await asyncio.to_thread(self.redis.kill)
        await asyncio.sleep(BETWEEN_FAULTS_SECONDS)
        await asyncio.to_thread(self.redis.start)
        last_fault = time.monotonic()
        stop.set()
        await asyncio.gather(*lives)
        while not await self.all_agree() and time.monotonic() - last_fault < AGREED_WITHIN_SECONDS:
            await asyncio.sleep(0.2)
        print(f"{time.monotonic() - last_fault:.1f} s after the last fault")
        self.assertTrue(await self.all_agree(), (self.who_is_there(), await self.known()))
        await asyncio.sleep(1)
        self.assertTrue(await self.all_agree(), (self.who_is_there(), await self.known()))
        self.assertGreater(len(self.who_is_there()), 0)
        for kind in KINDS:
            self.assertGreater(sum(person.n_joined for person in self.people if type(person) is kind), 5)


if __name__ == "__main__":
    unittest.main()
