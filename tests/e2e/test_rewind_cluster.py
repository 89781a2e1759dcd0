"""Rooms that keep their newest events, with two backends on one Redis: who enters with `last` or `since`
receives the same events from either.

Not here: the state of rooms (test_state_cluster.py)."""
import asyncio
import unittest

from client import receive, request
from cluster_case import ClusterCase

ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
KEPT = 100  # events of a room


class RewindOfSeveralProcesses(ClusterCase):
    def room_node(self, name):
        return self.node(name, "--topic-rooms", "--no-presence")

    async def member(self, backend):
        client, _ = await self.connect(backend)
        await request(client, {"type": "join_room", "room": "orders", "ref": 1})
        return client

    async def order_at(self, backend, members):
        """Creates an order; returns its event when all members have received it."""
        status, order, _ = await self.call(backend, "POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        events = [await receive(client) for client in members]
        self.assertEqual(events, [events[0]] * len(events))
        self.assertEqual((events[0]["type"], events[0]["data"]), ("order_created", order))
        return events[0]

    async def rewind(self, backend, **wish):
        """What a client receives that enters now: `complete` of the answer, and the events."""
        client, _ = await self.connect(backend)
        joined = await request(client, {"type": "join_room", "room": "orders", "ref": 1, **wish})
        self.assertEqual(joined["type"], "room_joined")
        events = [await receive(client) for _ in range(joined["data"]["replayed"])]
        await client.close()
        self.assertTrue(all(event.pop("replayed") for event in events))
        return joined["data"].get("complete"), events

    async def expect(self, backends, events, complete=None, **wish):
        for backend in backends:
            self.assertEqual(await self.rewind(backend, **wish), (complete, events))

    async def test_the_newest_events_on_either_process(self):
        nodes = [self.room_node("here"), self.room_node("there")]
        members = [await self.member(node) for node in nodes]
        events = [await self.order_at(nodes[i % 2], members) for i in range(5)]
        await self.expect(nodes, events, last=20)
        await self.expect(nodes, events[-2:], last=2)
        await self.expect(nodes, events[2:], True, since=events[1]["id"])
        await self.expect(nodes, [], True, since=events[-1]["id"])
        await self.expect(nodes, events[-1:], False, since=events[1]["id"], last=1)

    async def until_complete(self, backend, since, events):
        """Waits until the backend has read all of them from the stream; before, it says that it has not."""
        while (answer := await self.rewind(backend, since=since)) != (True, events):
            self.assertFalse(answer[0])
            await asyncio.sleep(0.02)

    async def test_a_process_that_is_killed_reads_them_again(self):
        here, there = self.room_node("here"), self.room_node("there")
        members = [await self.member(node) for node in (here, there)]
        events = [await self.order_at(here, members) for _ in range(3)]
        there.process.kill()
        events += [await self.order_at(here, members[:1]) for _ in range(2)]
        there = self.room_node("there")
        await asyncio.wait_for(self.until_complete(there, events[0]["id"], events[1:]), 60)
        members = [members[0], await self.member(there)]
        events.append(await self.order_at(there, members))
        await self.expect([here, there], events[1:], True, since=events[0]["id"])

    async def test_redis_is_away(self):
        here, there = self.room_node("here"), self.room_node("there")
        members = [await self.member(node) for node in (here, there)]
        first = await self.order_at(here, members)
        self.redis.kill()
        status, order, _ = await self.call(here, "POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        self.redis.start()
        events = [await receive(client) for client in members]
        self.assertEqual((events[0], events[0]["data"]), (events[1], order))
        await self.expect([here, there], [first, events[0]], last=20)

    async def test_what_the_room_has_no_more(self):
        nodes = [self.room_node("here"), self.room_node("there")]
        members = [await self.member(node) for node in nodes]
        events = [await self.order_at(nodes[i % 2], members) for i in range(KEPT + 2)]
        await self.expect(nodes, events[-KEPT:], last=2 * KEPT)
        await self.expect(nodes, events[-KEPT:], False, since=events[0]["id"])
        await self.expect(nodes, events[-KEPT:], True, since=events[1]["id"])


if __name__ == "__main__":
    unittest.main()
