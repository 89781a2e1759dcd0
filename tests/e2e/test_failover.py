#!/usr/bin/env python3
"""Backends on several real Redis servers, under load: the master is replaced, with Sentinel or in a
Redis Cluster, or the keys move to another node. Every client receives every event that was answered,
once and in order, or is notified of a gap. The same tests run with Valkey if it is installed.

Not here: one Redis (test_cluster.py, test_cluster_faults.py)."""
import asyncio
import time
import unittest

from cluster_case import ClusterCase, LOAD_SECONDS, Load
from redis_groups import ClusterGroup, SentinelGroup

PATIENCE_SECONDS = 150  # sentinels and cluster nodes wait whole seconds, and start again on a busy machine


class FailoverCase(ClusterCase):
    async def begin(self):
        nodes = [self.node(name) for name in "ab"]
        clients = []
        for node in nodes:
            clients += await self.follow([node], 4)
        load = Load(self, nodes)
        await asyncio.sleep(LOAD_SECONDS / 2)
        return nodes, clients, load

    async def all_at(self, nodes, server):
        """All backends use this server."""
        for node in nodes:
            while (await self.call(node, "GET", "/ws/stats"))[1]["redis"]["server"] != f"127.0.0.1:{server.port}":
                await asyncio.sleep(0.05)

    async def end(self, clients, load):
        await asyncio.sleep(LOAD_SECONDS / 4)
        await load.stop()
        self.assertGreater(len(load.answered), 50)
        await self.check_ledger_with_gaps(clients, load)


class Sentinel(FailoverCase):
    def make_redis(self):
        return SentinelGroup(self.PROGRAM)

    async def test_the_master_is_killed(self):
        nodes, clients, load = await self.begin()
        former, replica = self.redis.servers
        former.kill()
        await asyncio.wait_for(self.all_at(nodes, replica), PATIENCE_SECONDS)
        await asyncio.to_thread(former.start)  # as a master, until a sentinel notices
        await self.end(clients, load)
        await self.all_at(nodes, replica)

    async def test_the_master_is_paused(self):
        """The master comes back when another one has taken its place, and does not know that yet."""
        nodes, clients, load = await self.begin()
        former, replica = self.redis.servers
        former.pause()
        await asyncio.wait_for(self.all_at(nodes, replica), PATIENCE_SECONDS)
        former.resume()
        await self.end(clients, load)
        await self.all_at(nodes, replica)

    async def test_master_and_replica_change_places(self):
        nodes, clients, load = await self.begin()
        while not await asyncio.to_thread(self.redis.fail_over):
            await asyncio.sleep(0.1)
        await asyncio.wait_for(self.all_at(nodes, self.redis.servers[1]), PATIENCE_SECONDS)
        await self.end(clients, load)


class RedisCluster(FailoverCase):
    def make_redis(self):
        return ClusterGroup(self.PROGRAM)

    async def test_the_slot_moves(self):
        nodes, clients, load = await self.begin()
        await self.all_at(nodes, self.redis.servers[0])
        for source, target in ((0, 1), (1, 2)):
            await asyncio.to_thread(self.redis.move_slot, source, target, lambda: time.sleep(LOAD_SECONDS / 10))
            await asyncio.wait_for(self.all_at(nodes, self.redis.servers[target]), PATIENCE_SECONDS)
        await self.end(clients, load)
        await self.check_ledger(clients, load)

    async def test_the_master_is_killed(self):
        nodes, clients, load = await self.begin()
        former, replica = self.redis.servers[0], self.redis.servers[3]
        former.kill()
        await asyncio.wait_for(self.all_at(nodes, replica), PATIENCE_SECONDS)
        await asyncio.to_thread(former.start)
        await asyncio.to_thread(self.redis.wait_until_well)
        await self.end(clients, load)
        await self.all_at(nodes, replica)


class SentinelOfValkey(Sentinel):
    PROGRAM = "valkey-server"


class ValkeyCluster(RedisCluster):
    PROGRAM = "valkey-server"


if __name__ == "__main__":
    unittest.main()
