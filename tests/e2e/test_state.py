"""Rooms that keep their last values, in the backend with --topic-rooms: the present first, then what follows.

Not here: clients of Socket.IO (socketio_backend.test.mjs)."""
import contextlib
import os
import sqlite3
import tempfile
import unittest

from client import BackendCase, receive, receive_type, request
from event_source import EventSource

ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


class State(BackendCase):
    async def order(self, backend):
        status, order, _ = await self.call(backend, "POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        return order

    async def confirm(self, backend, order):
        status, changed, _ = await self.call(backend, "PATCH", f"/api/orders/{order['id']}/status",
                                             {"status": "confirmed"})
        self.assertEqual(status, 200)
        return changed

    async def two_orders(self, backend):
        """Creates two orders and changes the first; returns both as they are now."""
        first, second = await self.order(backend), await self.order(backend)
        return await self.confirm(backend, first), second

    def check_values(self, messages, values):
        """The messages are the room's values, each with the key of its content."""
        self.assertTrue(all(message["state"] is True for message in messages))
        self.assertEqual([message["data"] for message in messages], values)
        self.assertEqual([message["key"] for message in messages],
                         [str(value.get("sku", value.get("id"))) for value in values])

    def check_live(self, message, order):
        self.assertEqual((message["type"], message["data"]), ("order_created", order))
        self.assertNotIn("state", message)

    async def test_orders_by_websocket(self):
        backend = self.start("--topic-rooms", "--no-presence")
        first, second = await self.two_orders(backend)
        client, _ = await self.connect(backend)
        joined = await request(client, {"type": "join_room", "room": "orders", "state": True, "ref": 1})
        self.assertEqual((joined["type"], joined["data"]["state"]), ("room_joined", 2))
        values = [await receive(client) for _ in range(2)]
        self.assertEqual([value["type"] for value in values], ["order_created", "order_status_changed"])
        self.check_values(values, [second, first])
        self.assertEqual(values[1]["data"]["status"], "confirmed")
        order = await self.order(backend)
        self.check_live(await receive(client), order)

    async def test_who_is_there_comes_before_the_state(self):
        backend = self.start("--topic-rooms", "--no-presence")
        first, second = await self.two_orders(backend)
        client, _ = await self.connect(backend, "/ws?user_id=ana")
        joined = await request(client, {"type": "join_room", "room": "orders", "presence": True, "state": True, "last": 1,
                                        "ref": 1})
        self.assertEqual(joined["type"], "room_joined")
        listed = await receive(client)
        self.assertEqual((listed["type"], listed["room"]), ("presence", "orders"))
        self.assertEqual([member["user_id"] for member in listed["data"]["members"]], ["ana"])
        self.check_values([await receive(client) for _ in range(2)], [second, first])
        for _ in range(joined["data"]["replayed"]):
            self.assertTrue((await receive(client))["replayed"])
        order = await self.order(backend)
        self.check_live(await receive_type(client, "order_created"), order)

    async def test_orders_by_event_stream(self):
        backend = self.start("--topic-rooms", "--no-presence")
        first, second = await self.two_orders(backend)
        source = await EventSource(backend.port, "/events?rooms=orders&state=1").connect()
        self.addAsyncCleanup(source.close)
        welcome = await source.message("welcome")
        values = [await source.message() for _ in range(2)]
        self.check_values(values, [second, first])
        # Their ids are not the stream's position.
        self.assertEqual(source.last_id, welcome["data"]["id"])
        order = await self.order(backend)
        self.check_live(await source.message(), order)
        self.assertNotEqual(source.last_id, welcome["data"]["id"])

    async def test_an_alarm_does_not_replace_the_state_of_its_product(self):
        backend = self.start("--topic-rooms", "--no-presence")
        member, _ = await self.connect(backend)
        await request(member, {"type": "join_room", "room": "inventory", "ref": 1})
        for quantity in (9, 1):
            status, item, _ = await self.call(backend, "PATCH", "/api/inventory/LIMITED-1",
                                              {"quantity": quantity})
            self.assertEqual(status, 200)
        status, other, _ = await self.call(backend, "PATCH", "/api/inventory/CABLE-1", {"quantity": 7000})
        self.assertEqual(status, 200)
        self.assertEqual([(await receive(member))["type"] for _ in range(4)],
                         ["inventory_updated", "inventory_updated", "stock_low", "inventory_updated"])
        client, _ = await self.connect(backend)
        await request(client, {"type": "join_room", "room": "inventory", "state": True, "ref": 1})
        values = [await receive(client) for _ in range(2)]
        self.assertEqual([value["type"] for value in values], ["inventory_updated"] * 2)
        self.check_values(values, [item, other])

    async def test_a_database_of_an_earlier_version_gets_the_keys(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "orders.db")
        self.start("--db", path).stop()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("DROP TABLE outbox; CREATE TABLE outbox ("
                                   "id INTEGER PRIMARY KEY AUTOINCREMENT, node TEXT NOT NULL,"
                                   "producer TEXT NOT NULL, type TEXT NOT NULL, user_id TEXT,"
                                   "data TEXT NOT NULL); PRAGMA user_version = 2;")
        backend = self.start("--db", path, "--topic-rooms", "--no-presence")
        order = await self.order(backend)
        client, _ = await self.connect(backend)
        await request(client, {"type": "join_room", "room": "orders", "state": True, "ref": 1})
        self.check_values([await receive(client)], [order])


if __name__ == "__main__":
    unittest.main()
