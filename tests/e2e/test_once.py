#!/usr/bin/env python3
"""What a client sends again to another process, because it has not seen the answer, is carried out once: two
backends with a real Redis, one of which is killed, and clients that are cut off.

Not here: each case by itself (unit/core/kept_cluster_test.c)."""
import asyncio
import collections
import contextlib
import json
import random
import time
import unittest

import websockets

from client import receive, receive_type
from cluster_case import ClusterCase

N_CLIENTS = 8
N_MESSAGES = 12
BACKOFF_S = 1
FAILURES = (OSError, websockets.WebSocketException, asyncio.TimeoutError)


class OnceCase(ClusterCase):
    def setUp(self):
        super().setUp()
        self.nodes = [self.node(name, "--relay") for name in "ab"]

    def kill(self, i):
        self.nodes[i].process.kill()
        self.nodes[i].process.wait()

    def n_carried_out(self):
        """How often each message is in the stream."""
        entries = self.redis.ask("XRANGE", "{wsmanager}:events", "-", "+")
        fields = [dict(zip(entry[1][::2], entry[1][1::2])) for entry in entries]
        events = [json.loads(entry[b"event"]) for entry in fields if b"event" in entry]
        return collections.Counter(event["data"]["n"] for event in events if event["type"] == "message")


class AClient(OnceCase):
    async def test_has_its_answer_after_its_process_was_killed(self):
        message = '{"type":"message","room":"r","data":{"n":1},"ref":"a"}'
        first, welcome = await self.connect(self.nodes[0], "/ws?user_id=ana&rooms=r")
        await first.send(message)
        self.assertEqual((await receive_type(first, "ack"))["ref"], "a")
        while not self.redis.ask("KEYS", "{wsmanager}:session:*"):
            await asyncio.sleep(0.01)
        self.kill(0)
        former = welcome["data"]["connection_id"]
        for user, count in (("ana", 1), ("bob", 2)):
            second, _ = await self.connect(self.nodes[1], f"/ws?user_id={user}&rooms=r&connection_id={former}")
            await second.send(message)
            self.assertEqual((await receive_type(second, "ack"))["ref"], "a")
            await self.stored(count)

    async def stored(self, count):
        end = time.monotonic() + 30
        while self.n_carried_out()[1] < count and time.monotonic() < end:
            await asyncio.sleep(0.05)
        self.assertEqual(self.n_carried_out()[1], count)

    async def test_is_told_that_it_is_open_while_redis_is_away(self):
        _, welcome = await self.connect(self.nodes[0], "/ws?user_id=ana&rooms=r")
        await asyncio.to_thread(self.redis.kill)
        former = welcome["data"]["connection_id"]
        second, _ = await self.connect(self.nodes[1], f"/ws?user_id=ana&connection_id={former}")
        await second.send('{"type":"request","method":"echo","ref":1}')
        error = await receive_type(second, "error")
        self.assertEqual((error["ref"], error["data"]["code"]), (1, "timeout"))
        await asyncio.to_thread(self.redis.start)
        while True:
            await second.send('{"type":"request","method":"echo","ref":2}')
            answer = await receive_type(second, "response", "error")
            if answer["type"] == "response":
                return
            self.assertEqual(answer["data"]["code"], "timeout")
            await asyncio.sleep(0.1)


class Sender:
    """Sends numbered messages one after the other, each again until it has ended."""

    def __init__(self, case, number):
        self.case, self.number = case, number
        self.random = random.Random(number)
        self.former, self.after = None, None
        self.ends, self.sent_to = {}, collections.defaultdict(list)

    async def run(self):
        pending = [f"{self.number}.{i}" for i in range(N_MESSAGES)]
        while pending:
            node = self.random.choice(self.case.nodes)
            with contextlib.suppress(*FAILURES):
                await self.connected(node, pending)
            await asyncio.sleep(BACKOFF_S)

    async def connected(self, node, pending):
        path = f"/ws?user_id=u{self.number}&rooms=r"
        if self.former:
            path += f"&after={self.after}&connection_id={self.former}"
        client, welcome = await self.case.connect(node, path)
        if self.former:
            await asyncio.wait_for(receive_type(client, "recovered"), 60)
        self.former, self.after = welcome["data"]["connection_id"], welcome["data"]["id"]
        while pending:
            n = pending[0]
            self.sent_to[n].append(node)
            await client.send(json.dumps({"type": "message", "room": "r", "data": {"n": n}, "ref": n}))
            if self.random.random() < 0.4:
                await asyncio.sleep(0.05)
                client.transport.abort()  # whatever has come is lost
                return
            while (answer := await asyncio.wait_for(receive(client), 60)).get("ref") != n:
                pass
            self.ends[pending.pop(0)] = (answer["type"], time.monotonic(), node)
            await asyncio.sleep(0.05)


class ALedger(OnceCase):
    async def test_each_message_is_carried_out_once(self):
        senders = [Sender(self, i) for i in range(N_CLIENTS)]
        running = asyncio.gather(*(sender.run() for sender in senders))
        killed = {}
        for i in range(4):
            await asyncio.sleep(3)
            if running.done():
                break
            node = self.nodes[i % 2]
            await asyncio.to_thread(self.kill, i % 2)
            killed[node] = time.monotonic()
            self.nodes[i % 2] = await asyncio.to_thread(self.node, "ab"[i % 2], "--relay")
        await asyncio.wait_for(running, 200)
        self.check(senders, killed)

    def check(self, senders, killed):
        """Only what a process had in hand when it was killed may be carried out twice, or be lost."""
        counts = self.n_carried_out()
        again = twice = 0
        for sender in senders:
            self.assertEqual(len(sender.ends), N_MESSAGES)
            for n, (end, when, node) in sender.ends.items():
                again += len(sender.sent_to[n]) > 1
                twice += counts[n] > 1
                if counts[n] > 1:
                    self.assertTrue(any(node in killed for node in sender.sent_to[n]), f"{n} was carried out twice")
                if end == "ack" and counts[n] == 0:
                    self.assertTrue(node in killed and killed[node] - when < 1, f"{n} was acknowledged and lost")
        print(f"{again} messages were sent again, {twice} were carried out twice, {len(killed)} processes were killed")
        self.assertGreater(again, N_CLIENTS)
        self.assertLessEqual(twice, len(killed))


if __name__ == "__main__":
    unittest.main()
