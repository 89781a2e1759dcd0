#!/usr/bin/env python3
"""What a client sends again to another process, because it has not seen the answer, is carried out once: two
backends with a real Redis, which are killed, the line from one of them to Redis, and clients that are cut off.

Not here: each case by itself (unit/core/kept_cluster_test.c); requests that are answered later, and those to clients
(test_requests.py)."""
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
from redis_server import Proxy

N_CLIENTS = 8
N_MESSAGES = 24
BACKOFF_S = 1
BETWEEN_FAULTS_S = 3
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

    async def test_is_answered_when_its_event_is_stored(self):
        client, _ = await self.connect(self.nodes[0], "/ws?user_id=ana&rooms=r")
        self.redis.pause()
        await client.send('{"type":"message","room":"r","data":{"n":1},"ref":"a"}')
        await client.send('{"type":"ping"}')
        self.assertEqual((await receive_type(client, "ack", "pong"))["type"], "pong")
        self.redis.resume()
        self.assertEqual((await receive_type(client, "ack"))["ref"], "a")
        self.assertEqual(self.n_carried_out()[1], 1)

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
    """Sends numbered messages one after the other, each again until it has ended; and behind each a request."""

    def __init__(self, case, number):
        self.case, self.number = case, number
        self.random = random.Random(number)
        self.former, self.after = None, None
        self.ends, self.sent = {}, collections.defaultdict(list)
        self.n_answers = collections.Counter()  # by connection and ref

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
            self.sent[n].append((time.monotonic(), node))
            await client.send(json.dumps({"type": "message", "room": "r", "data": {"n": n}, "ref": n}))
            await client.send(json.dumps({"type": "request", "method": "echo", "data": n, "ref": f"echo {n}"}))
            if self.random.random() < 0.4:
                await asyncio.sleep(0.05)
                client.transport.abort()  # whatever has come is lost
                return
            answers = {}
            while len(answers) < 2:  # one may be answered before the other
                answer = await asyncio.wait_for(receive(client), 60)
                if "ref" in answer:
                    self.n_answers[self.former, answer["ref"]] += 1
                    answers[answer["ref"]] = answer
            pending.pop(0)
            self.ends[n] = (answers[n], time.monotonic(), node)
            echo = answers[f"echo {n}"]
            self.case.assertIn(echo["data"] if echo["type"] == "response" else echo["data"]["code"], (n, "timeout"))
            await asyncio.sleep(0.05)
        client.transport.abort()  # it reads nothing any more, not even the answer to a close


class ALedger(OnceCase):
    async def test_each_message_is_carried_out_once(self):
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        self.nodes[0].stop()
        self.nodes[0] = await asyncio.to_thread(self.node, "a", "--relay", uri=proxy.uri + "?timeout_ms=500")
        self.faults = []
        senders = [Sender(self, i) for i in range(N_CLIENTS)]
        running = asyncio.gather(*(sender.run() for sender in senders))
        for fault in (self.kill_and_start, lambda: self.cut_and_mend(proxy)) * 2:
            await asyncio.sleep(BETWEEN_FAULTS_S)
            await fault()
        await asyncio.wait_for(running, 200)
        await self.check(senders)

    async def kill_and_start(self):
        begin, killed = time.monotonic(), self.nodes[1]
        await asyncio.to_thread(self.kill, 1)
        self.nodes[1] = await asyncio.to_thread(self.node, "b", "--relay")
        self.faults.append((killed, begin - 1, time.monotonic()))

    async def cut_and_mend(self, proxy):
        begin = time.monotonic()
        proxy.cut()
        await asyncio.sleep(BETWEEN_FAULTS_S)
        proxy.mend()
        # It may take a while until it is connected again.
        self.faults.append((self.nodes[0], begin - 1, time.monotonic() + 5))

    def is_excused(self, sent):
        """Whether a message was sent to a process that was killed before it could tell Redis of it, or could not
        reach Redis: it may be carried out twice, or never, and its client may be told that this is open."""
        return any(node is faulty and begin < when < end for when, node in sent for faulty, begin, end in self.faults)

    async def check(self, senders):
        counts = await asyncio.to_thread(self.n_carried_out)
        again = twice = unknown = 0
        for sender in senders:
            self.assertEqual(len(sender.ends), N_MESSAGES)
            self.assertEqual(set(sender.n_answers.values()), {1})
            for n, (end, when, node) in sender.ends.items():
                again += len(sender.sent[n]) > 1
                twice += counts[n] > 1
                unknown += end["type"] == "error"
                if end["type"] == "error":
                    self.assertEqual(end["data"]["code"], "timeout", n)
                else:
                    self.assertGreater(counts[n], 0, f"{n} was acknowledged and lost")
                if not self.is_excused(sender.sent[n] + [(when, node)]):
                    self.assertEqual((n, end["type"], counts[n]), (n, "ack", 1))
        print(f"{again} messages were sent again, {twice} were carried out twice, {unknown} ended with a timeout")
        self.assertGreater(again, N_CLIENTS)
        self.assertLess(unknown, N_CLIENTS * N_MESSAGES / 2)


if __name__ == "__main__":
    unittest.main()
