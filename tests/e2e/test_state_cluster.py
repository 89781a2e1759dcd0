"""Rooms that keep their last values, with two backends on one Redis: who enters a room receives the same
state on either, whatever happened to the processes, to the stream and to Redis.

Not here: one process (test_state.py), and the values in Redis (redis/values_test.c)."""
import asyncio
import unittest

from client import receive, request
from cluster_case import ClusterCase

ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
JOIN = {"type": "join_room", "room": "orders", "state": True, "ref": 1}


class StateOfSeveralProcesses(ClusterCase):
    def room_node(self, name):
        return self.node(name, "--topic-rooms")

    async def order(self, backend):
        status, order, _ = await self.call(backend, "POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        return order

    async def confirm(self, backend, order):
        status, changed, _ = await self.call(backend, "PATCH", f"/api/orders/{order['id']}/status",
                                             {"status": "confirmed"})
        self.assertEqual(status, 200)
        return changed

    async def state(self, backend):
        """What a client receives that enters now: the messages of the state."""
        client, _ = await self.connect(backend)
        joined = await request(client, JOIN)
        values = [await receive(client) for _ in range(joined["data"]["state"])]
        self.assertTrue(all(value["state"] is True for value in values))
        await client.close()
        return values

    async def until_state(self, backend, orders):
        """Waits until the state has these orders."""
        while [value["data"] for value in await self.state(backend)] != orders:
            await asyncio.sleep(0.02)

    async def check(self, backends, orders):
        states = []
        for backend in backends:
            await asyncio.wait_for(self.until_state(backend, orders), 60)
            states.append(await self.state(backend))
        self.assertTrue(all(state == states[0] for state in states))

    def trim(self):
        self.redis.command("XTRIM", "{wsmanager}:events", "MAXLEN", "=", "0")

    async def test_a_process_that_starts_later(self):
        here = self.room_node("here")
        first, second = await self.order(here), await self.order(here)
        first = await self.confirm(here, first)
        await self.check([here], [second, first])
        self.trim()
        there = self.room_node("there")
        await self.check([here, there], [second, first])
        # The events that follow are the same for both.
        client, _ = await self.connect(there)
        await request(client, JOIN)
        self.assertEqual([(await receive(client))["data"] for _ in range(2)], [second, first])
        second = await self.confirm(here, second)
        event = await receive(client)
        self.assertEqual((event["type"], event["data"]), ("order_status_changed", second))
        self.assertNotIn("state", event)
        await self.check([here, there], [first, second])

    async def test_all_processes_are_killed(self):
        here, there = self.room_node("here"), self.room_node("there")
        first, second = await self.order(here), await self.order(here)
        first = await self.confirm(here, first)
        await self.check([here, there], [second, first])
        here.process.kill()
        there.process.kill()
        self.trim()
        here, there = self.room_node("here"), self.room_node("there")
        await self.check([here, there], [second, first])

    async def test_redis_is_away(self):
        here, there = self.room_node("here"), self.room_node("there")
        first = await self.order(here)
        await self.check([here, there], [first])
        client, _ = await self.connect(there)
        await request(client, JOIN)
        await receive(client)
        self.redis.kill()
        second = await self.order(here)
        await self.check([here, there], [first])
        self.redis.start()
        self.assertEqual((await receive(client))["data"], second)
        await self.check([here, there], [first, second])
        self.trim()
        here.process.kill()
        await self.check([self.room_node("here"), there], [first, second])

    async def enter(self, backend, settled):
        """Enters, and follows the orders until `settled` holds; each order's values come in order."""
        client, _ = await self.connect(backend)
        joined = await request(client, JOIN)
        orders, newest = {}, 0
        for i in range(joined["data"]["state"] + 1000):
            message = await receive(client)
            self.assertEqual("state" in message, i < joined["data"]["state"])
            position = int(message["id"].split(".")[1])
            self.assertGreater(position, newest)
            newest = position
            orders[message["key"]] = message["data"]["status"]
            if settled(orders):
                return
        self.fail("too many messages")

    async def test_clients_enter_while_orders_change_and_a_process_dies(self):
        here, there = self.room_node("here"), self.room_node("there")
        orders = [await self.order(here) for _ in range(10)]
        await self.check([there], orders)
        there.process.kill()
        self.trim()

        def settled(statuses):
            return list(statuses.values()) == ["confirmed"] * 10

        followers = []
        for i, order in enumerate(orders):
            if i == 5:
                there = self.room_node("there")
            for backend in (here, there) if i >= 5 else (here,):
                followers.append(asyncio.create_task(self.enter(backend, settled)))
            orders[i] = await self.confirm(here, order)
        await asyncio.wait_for(asyncio.gather(*followers), 60)
        await self.check([here, there], orders)


if __name__ == "__main__":
    unittest.main()
