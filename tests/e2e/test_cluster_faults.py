#!/usr/bin/env python3
"""Several backends on one real Redis, under load: clients of all of them receive every event once and in
one order, whichever process or server is killed, paused or cut off.

Not here: several Redis servers that take over from each other (test_failover.py)."""
import asyncio
import os
import random
import signal
import time
import unittest

from cluster_case import ClusterCase, LOAD_SECONDS, Load, numbers
from redis_server import Proxy, RedisServer

PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "5"))
LEFT_BEHIND_SECONDS = 3


class ClusterFaults(ClusterCase):
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
            await client.wait_for(lambda client: client.n_incomplete >= 1)
        await asyncio.sleep(LEFT_BEHIND_SECONDS)
        moved = {number for number, (when, backend) in load.sent_at.items() if backend is nodes[0] and when > moved_at}
        self.assertGreater(len(load.answered & moved), 10)
        for proxy in proxies[1:]:
            proxy.move(replica.port)
            await asyncio.sleep(LOAD_SECONDS / 4)
        await load.stop()
        await self.check_ledger_with_gaps(clients, load)
        for client in clients:
            if client.stays_connected:
                await client.wait_for(lambda client: load.answered & moved <= set(numbers(client)))
        for client in clients[:4]:
            self.assertGreaterEqual(client.n_incomplete, 2)

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


if __name__ == "__main__":
    unittest.main()
