#!/usr/bin/env python3
"""Several backends on one real Redis: what one is told, clients of all hear, once and in one order,
whoever is killed, paused or cut off."""
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import tempfile
import time
import unittest
import warnings

from client import BackendCase, receive_type
from redis_server import Proxy, RedisServer
from returning import ReturningClient

N_CLIENTS = 12
LOAD_SECONDS = float(os.environ.get("CLUSTER_SECONDS", "2"))
PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "5"))
LEFT_BEHIND_SECONDS = 3


class ClusterCase(BackendCase):
    def setUp(self):
        if shutil.which("redis-server") is None:
            self.skipTest("there is no redis-server")
        warnings.simplefilter("ignore", ResourceWarning)
        self.redis = RedisServer()
        self.addCleanup(self.redis.stop)
        self.folder = tempfile.mkdtemp(prefix="cluster-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def node(self, name, *arguments, uri=None):
        """A process with a database of its own, which it finds again when it is started anew."""
        return self.start("--redis", uri or self.redis.uri, "--node", name, "--no-presence", "--threads", "2",
                          "--db", os.path.join(self.folder, name + ".db"), *arguments)

    async def follow(self, backends, count=N_CLIENTS, **options):
        clients = [ReturningClient(backends, **options) for _ in range(count)]
        for client in clients:
            self.addAsyncCleanup(client.close)
        for client in clients:
            await asyncio.wait_for(client.is_live.wait(), 60)
        return clients

    async def notify(self, backend, text, user_id=None):
        body = {"message": text}
        if user_id:
            body["user_id"] = user_id
        try:
            status, _, _ = await self.call(backend, "POST", "/api/notifications", body)
        except OSError:
            return False
        return status == 202


class Load:
    """Notifications with a number each, to random backends, one after the other from several tasks."""

    def __init__(self, case, backends):
        self.case = case
        self.backends = backends
        self.answered = set()
        self.sent = 0
        self.sent_at = {}  # by number: when, and to which backend
        self.stopping = False
        self.tasks = [asyncio.create_task(self._run()) for _ in range(4)]

    async def _run(self):
        while not self.stopping:
            self.sent += 1
            number = self.sent
            backend = random.choice(self.backends)
            self.sent_at[number] = (time.monotonic(), backend)
            if await self.case.notify(backend, f"event {number}"):
                self.answered.add(number)
            else:
                await asyncio.sleep(0.02)

    async def stop(self):
        self.stopping = True
        await asyncio.gather(*self.tasks)


def numbers(client):
    return [int(event["data"]["message"].split()[1]) for event in client.events
            if event["type"] == "notification"]


class Cluster(ClusterCase):
    async def check_ledger(self, clients, load, complete=True):
        """Every event that was answered reached every client, once, and all in the same order."""
        for client in clients:
            await client.wait_for(lambda client: load.answered <= set(numbers(client)))
        orders = []
        for client in clients:
            seen = numbers(client)
            self.assertEqual(len(seen), len(set(seen)), "an event came twice")
            if complete:
                self.assertEqual(client.n_incomplete, 0)
            orders.append(seen)
        self.assertGreater(len(load.answered), 50)
        longest = max(orders, key=len)
        for seen in orders:
            # One may have got an event more than another at this moment.
            self.assertEqual(seen, longest[:len(seen)])

    def missing(self, client, load):
        """Answered events that the client neither has, nor was told of a gap for since they were sent."""
        told = max((when for when, _ in client.gaps), default=0)
        return {number for number in load.answered - set(numbers(client)) if load.sent_at[number][0] > told}

    async def check_ledger_with_gaps(self, clients, load):
        """Every event that was answered reached every client, or that was told of a gap afterwards; between
        two gaps each came once, in one order."""
        for client in clients:
            with contextlib.suppress(asyncio.TimeoutError):
                await client.wait_for(lambda client: not self.missing(client, load))
            self.assertEqual(self.missing(client, load), set(), "lost, and nobody was told")
            ends = [n_events for _, n_events in client.gaps] + [len(client.events)]
            for first, end in zip([0] + ends, ends):
                ids = [event["id"].split(".") for event in client.events[first:end]]
                positions = [int(position) for _, position in ids]
                self.assertLessEqual(len({epoch for epoch, _ in ids}), 1)
                self.assertEqual(positions, sorted(set(positions)))
                seen = [event["data"]["message"] for event in client.events[first:end]]
                self.assertEqual(len(seen), len(set(seen)), "an event came twice")

    async def test_three_processes(self):
        nodes = [self.node(name) for name in "abc"]
        clients = []
        for node in nodes:
            clients += await self.follow([node], 4)
        load = Load(self, nodes)
        await asyncio.sleep(LOAD_SECONDS)
        await load.stop()
        await self.check_ledger(clients, load)
        status, _, _ = await self.call(nodes[0], "POST", "/api/orders",
                                       {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
        self.assertEqual(status, 201)
        for client in clients:
            await client.wait_for(lambda client: any(event["type"] == "order_created" for event in client.events))

    async def test_users_and_rooms_of_every_process(self):
        nodes = [self.node(name, "--relay") for name in "ab"]
        ann = (await self.follow([nodes[0]], 1, user_id="ann", rooms=("here",)))[0]
        bob = (await self.follow([nodes[1]], 1, user_id="bob", rooms=("here",)))[0]
        speaker, _ = await self.connect(nodes[0], "/ws?user_id=eve&rooms=here")
        await speaker.send(json.dumps({"type": "message", "room": "here", "data": "hello"}))
        for client in (ann, bob):
            await client.wait_for(lambda client: any(event["type"] == "message" for event in client.events))
        self.assertTrue(await self.notify(nodes[0], "event 1", "bob"))
        self.assertTrue(await self.notify(nodes[0], "event 2"))
        await bob.wait_for(lambda client: numbers(client) == [1, 2])
        await ann.wait_for(lambda client: numbers(client) == [2])

    async def test_clients_move_between_processes(self):
        nodes = [self.node(name) for name in "ab"]
        clients = await self.follow(nodes)
        load = Load(self, nodes)
        for _ in range(60):
            await random.choice(clients).cut()
            await asyncio.sleep(LOAD_SECONDS / 60)
        await load.stop()
        await self.check_ledger(clients, load)
        self.assertGreater(sum(client.n_connections for client in clients), N_CLIENTS + 20)

    async def test_a_process_is_killed(self):
        nodes = [self.node(name) for name in "ab"]
        clients = await self.follow(nodes)
        load = Load(self, nodes)
        await asyncio.sleep(LOAD_SECONDS / 2)
        lost = nodes.pop()
        lost.process.kill()
        lost.process.wait()
        await asyncio.sleep(LOAD_SECONDS / 2)
        # What it had answered and not stored yet comes when it is back.
        nodes.append(self.node("b"))
        await asyncio.sleep(LOAD_SECONDS / 2)
        await load.stop()
        await self.check_ledger(clients, load)

    async def test_clients_that_missed_more_than_a_process_keeps(self):
        n_clients, n_missed = 40, 600
        nodes = [self.node("a")]
        forgetful = self.node("b", "--history", "20")
        clients = await self.follow(nodes, n_clients)
        self.assertTrue(await self.notify(forgetful, "event 0"))
        for client in clients:
            await client.wait_for(lambda client: numbers(client) == [0])
        nodes[0].process.kill()
        nodes[0].process.wait()
        for number in range(1, n_missed + 1):
            self.assertTrue(await self.notify(forgetful, f"event {number}"))
        nodes[0] = forgetful
        for client in clients:
            await client.wait_for(lambda client: n_missed in numbers(client))
            self.assertEqual(numbers(client), list(range(n_missed + 1)))
            self.assertEqual(client.n_incomplete, 0)
        redis = (await self.call(forgetful, "GET", "/ws/stats"))[1]["redis"]
        self.assertGreaterEqual(redis["fetched"], n_missed - 20)
        self.assertLess(redis["fetched"], n_missed * n_clients / 4, "each client fetched for itself")

    async def test_redis_is_killed(self):
        nodes = [self.node(name) for name in "ab"]
        clients = await self.follow(nodes)
        load = Load(self, nodes)
        for _ in range(2):
            await asyncio.sleep(LOAD_SECONDS / 2)
            await asyncio.to_thread(self.redis.kill)
            await asyncio.sleep(LOAD_SECONDS / 4)
            await random.choice(clients).cut()
            await asyncio.to_thread(self.redis.start)
        await asyncio.sleep(LOAD_SECONDS / 2)
        await load.stop()
        await self.check_ledger(clients, load)

    async def test_redis_is_paused(self):
        nodes = [self.node(name) for name in "ab"]
        clients = await self.follow(nodes)
        load = Load(self, nodes)
        await asyncio.sleep(LOAD_SECONDS / 2)
        self.redis.pause()
        await asyncio.sleep(PAUSE_SECONDS)
        self.redis.resume()
        await asyncio.sleep(LOAD_SECONDS / 2)
        await load.stop()
        await self.check_ledger(clients, load)

    async def test_the_network_is_cut(self):
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        nodes = [self.node("a", uri=proxy.uri + "?timeout_ms=500"), self.node("b")]
        clients = await self.follow(nodes)
        load = Load(self, nodes)
        for _ in range(2):
            await asyncio.sleep(LOAD_SECONDS / 2)
            proxy.cut()
            await random.choice(clients).cut()
            await asyncio.sleep(LOAD_SECONDS / 2)
            proxy.mend()
        await asyncio.sleep(LOAD_SECONDS / 2)
        await load.stop()
        await self.check_ledger(clients, load)

    async def test_a_process_stays_with_the_former_master(self):
        """The replica that follows lacks what the master has stored last. One process goes to it at once, the
        others go on with the former master for a while."""
        replica = RedisServer(self.redis)
        self.addCleanup(replica.stop)
        proxies = [Proxy(self.redis.port) for _ in range(3)]
        for proxy in proxies:
            self.addCleanup(proxy.stop)
        nodes = [self.node(name, uri=proxy.uri) for name, proxy in zip("abc", proxies)]
        clients = []
        for node in nodes:
            clients += await self.follow([node], 4)
        load = Load(self, nodes)
        await asyncio.sleep(LOAD_SECONDS / 2)
        replica.command("REPLICAOF", "NO", "ONE")
        await asyncio.sleep(LOAD_SECONDS / 4)
        proxies[0].move(replica.port)
        moved_at = time.monotonic()
        for client in clients[:4]:
            await client.wait_for(lambda client: client.n_incomplete == 1)
        await asyncio.sleep(LEFT_BEHIND_SECONDS)
        moved = {number for number, (when, backend) in load.sent_at.items() if backend is nodes[0] and when > moved_at}
        self.assertGreater(len(load.answered & moved), 10)
        for proxy in proxies[1:]:
            proxy.move(replica.port)
            await asyncio.sleep(LOAD_SECONDS / 4)
        await load.stop()
        await self.check_ledger_with_gaps(clients, load)
        for client in clients:
            await client.wait_for(lambda client: load.answered & moved <= set(numbers(client)))
        for client in clients[:4]:
            self.assertGreaterEqual(client.n_incomplete, 2)

    async def test_redis_is_wiped(self):
        node = self.node("a")
        clients = await self.follow([node], 3)
        self.assertTrue(await self.notify(node, "event 1"))
        for client in clients:
            await client.wait_for(lambda client: numbers(client) == [1])
        self.assertEqual(self.redis.command("FLUSHALL"), b"+OK")
        self.assertTrue(await self.notify(node, "event 2"))
        for client in clients:
            await client.wait_for(lambda client: client.n_incomplete > 0 or 2 in numbers(client))
        self.assertTrue(await self.notify(node, "event 3"))
        for client in clients:
            await client.wait_for(lambda client: client.n_incomplete > 0 and 3 in numbers(client))

    async def test_it_starts_without_redis(self):
        self.redis.kill()
        node = self.node("a")
        self.assertTrue(await self.notify(node, "event 1"))
        client, _ = await self.connect(node)
        self.redis.start()
        self.assertFalse((await receive_type(client, "recovered"))["data"]["complete"])
        message = await receive_type(client, "notification")
        self.assertEqual(message["data"]["message"], "event 1")

    async def test_what_a_killed_process_left_is_told_later(self):
        node = self.node("a")
        follower = (await self.follow([self.node("b")], 1))[0]
        self.redis.pause()
        self.assertTrue(await self.notify(node, "event 1"))
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()
        self.redis.resume()
        self.assertTrue(await self.notify(self.node("a"), "event 2"))
        await follower.wait_for(lambda client: len(numbers(client)) >= 2)
        self.assertEqual(numbers(follower), [1, 2])
        self.assertEqual(follower.n_incomplete, 0)

    async def test_who_is_there(self):
        nodes = [self.node(name) for name in "ab"]
        await self.follow([nodes[0]], 2, user_id="ann", rooms=("r",))
        await self.follow([nodes[1]], 3, user_id="bob", rooms=("r", "s"))
        cluster = {}
        for _ in range(200):
            cluster = (await self.call(nodes[0], "GET", "/ws/stats"))[1]["cluster"]
            if cluster.get("total_connections") == 5:
                break
            await asyncio.sleep(0.1)
        self.assertEqual(cluster["total_connections"], 5)
        self.assertEqual(cluster["rooms"], {"r": 5, "s": 3})
        self.assertEqual(cluster["nodes"]["b"]["unique_users"], 1)


if __name__ == "__main__":
    unittest.main()
