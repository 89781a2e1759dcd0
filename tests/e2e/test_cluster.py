#!/usr/bin/env python3
"""Several backends on one real Redis: clients of all of them receive every event once and in one order,
whichever process is killed, paused or cut off.

Not here: several Redis servers (test_failover.py)."""
import asyncio
import json
import os
import random
import signal
import time
import unittest

from client import receive_type
from cluster_case import ClusterCase, LOAD_SECONDS, Load, N_CLIENTS, numbers
from redis_server import Proxy, RedisServer

PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "5"))
LEFT_BEHIND_SECONDS = 3


class Cluster(ClusterCase):
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

    async def test_users_and_rooms_span_all_processes(self):
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
        # Events that it had answered but not stored are stored when it is back.
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
        """The replica that becomes master lacks the events that the former master stored last. One
        process moves to it at once, the others stay with the former master for a while."""
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

    async def test_a_process_starts_without_redis(self):
        self.redis.kill()
        node = self.node("a")
        self.assertTrue(await self.notify(node, "event 1"))
        client, _ = await self.connect(node)
        self.redis.start()
        self.assertFalse((await receive_type(client, "recovered"))["data"]["complete"])
        message = await receive_type(client, "notification")
        self.assertEqual(message["data"]["message"], "event 1")

    async def test_events_of_a_killed_process_arrive_later(self):
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

    async def test_presence_of_all_processes(self):
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
