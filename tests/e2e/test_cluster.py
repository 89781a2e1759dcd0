#!/usr/bin/env python3
"""Several backends on one real Redis: clients of all of them receive every event once and in one order.

Not here: processes and servers that fail under load (test_cluster_faults.py), several Redis servers
(test_failover.py)."""
import asyncio
import json
import random
import unittest

from client import receive_type
from cluster_case import ClusterCase, LOAD_SECONDS, Load, N_CLIENTS, numbers


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
