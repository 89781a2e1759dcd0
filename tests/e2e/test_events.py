"""Events reach the WebSocket clients that they are for: python3-websockets against the backend."""
import asyncio
import json
import unittest

import websockets

from client import BackendCase, check_slow_client, http_status, receive, receive_type, request

ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


def position(event_id):
    return int(event_id.split(".")[1])


class Events(BackendCase):
    async def test_an_order_reaches_every_client_once(self):
        backend = self.start()
        ana, welcome = await self.connect(backend, "/ws?user_id=ana")
        self.assertEqual(welcome["type"], "welcome")
        self.assertEqual(welcome["data"]["user_id"], "ana")
        self.assertEqual(welcome["data"]["ping_interval_ms"], 25000)
        second, _ = await self.connect(backend, "/ws?user_id=ana")
        joined = await request(second, {"type": "join_room", "room": "orders", "ref": 7})
        self.assertEqual(joined["type"], "room_joined")
        self.assertEqual(joined["data"]["room"], "orders")

        status, order, headers = await self.call(backend, "POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        self.assertEqual(headers["Location"], f"/api/orders/{order['id']}")
        for client in (ana, second):
            seen = []
            while not seen or seen[-1]["type"] != "inventory_updated":
                seen.append(await receive_type(client, "order_created", "inventory_updated"))
            self.assertEqual([e["type"] for e in seen], ["order_created", "inventory_updated"])
            created = seen[0]
            self.assertEqual(created["data"]["id"], order["id"])
            self.assertRegex(created["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIsNone(created["user_id"])
            self.assertGreater(position(created["id"]), position(welcome["data"]["id"]))
            self.assertGreater(position(seen[1]["id"]), position(created["id"]))

        stats = await asyncio.to_thread(backend.stats)
        self.assertEqual(stats["total_connections"], 2)
        self.assertEqual(stats["unique_users"], 1)
        self.assertEqual(stats["rooms"], {"orders": 1})

    async def test_low_stock_is_announced(self):
        backend = self.start()
        client, _ = await self.connect(backend)
        _, listing, _ = await self.call(backend, "GET", "/api/inventory")
        item = listing["inventory"][0]
        threshold = item["quantity"] - 1
        await self.call(backend, "PATCH", f"/api/inventory/{item['sku']}",
                        {"low_stock_threshold": threshold})
        await receive_type(client, "inventory_updated")
        await self.call(backend, "POST", "/api/orders",
                        {"client_id": 1, "items": [{"sku": item["sku"], "quantity": 1}]})
        low = await receive_type(client, "stock_low")
        self.assertEqual(low["data"]["sku"], item["sku"])
        self.assertEqual(low["data"]["quantity"], threshold)

    async def test_topic_rooms_confine_events_to_members(self):
        backend = self.start("--topic-rooms", "--no-presence")
        member, _ = await self.connect(backend)
        outsider, _ = await self.connect(backend)
        await request(member, {"type": "join_room", "room": "orders", "ref": 1})
        await self.call(backend, "POST", "/api/orders", ORDER)
        created = await receive_type(member, "order_created")
        self.assertEqual(created["room"], "orders")
        # The outsider's next message is the answer to its own ping, so nothing arrived before.
        await outsider.send('{"type":"ping","ref":"p"}')
        answer = await receive(outsider)
        self.assertEqual((answer["type"], answer["ref"]), ("pong", "p"))
        self.assertGreaterEqual(position(answer["data"]["id"]), position(created["id"]))

    async def test_notifications_to_one_user_or_to_all(self):
        backend = self.start("--no-presence")
        ana, _ = await self.connect(backend, "/ws?user_id=ana")
        bob, _ = await self.connect(backend, "/ws?user_id=bob")
        status, _, _ = await self.call(backend, "POST", "/api/notifications",
                                       {"message": "for ana", "severity": "warning", "user_id": "ana"})
        self.assertEqual(status, 202)
        await self.call(backend, "POST", "/api/notifications",
                        {"message": "for \"all\" ✓", "severity": "info"})
        first, second = await receive(ana), await receive(ana)
        self.assertEqual(first["data"], {"message": "for ana", "severity": "warning"})
        self.assertEqual(first["user_id"], "ana")
        self.assertEqual(second["data"], {"message": "for \"all\" ✓", "severity": "info"})
        self.assertEqual((await receive(bob))["id"], second["id"])

    async def test_relay_publishes_to_the_room_of_a_member(self):
        backend = self.start("--relay", "--no-presence")
        sender, welcome = await self.connect(backend, "/ws?user_id=ana")
        other, _ = await self.connect(backend)
        refused = await request(sender, {"type": "message", "room": "r", "data": 1, "ref": 1})
        self.assertEqual(refused["data"]["code"], "not_member")
        for client in (sender, other):
            await request(client, {"type": "join_room", "room": "r", "ref": 2})
        data = {"text": "hello", "n": 12345678901234567890, "list": [1, 2.50, None]}
        await sender.send(json.dumps({"type": "message", "room": "r", "data": data}))
        for client in (sender, other):
            event = await receive(client)
            self.assertEqual((event["type"], event["room"], event["data"], event["user_id"]),
                             ("message", "r", data, "ana"))
        answer = await request(sender, {"type": "message", "room": "r", "data": 2, "ref": "a"})
        self.assertEqual(answer, {"type": "ack", "ref": "a", "data": None})
        self.assertEqual((await receive(other))["data"], 2)
        # The client has not seen the answer, comes back and sends the message again.
        former = welcome["data"]["connection_id"]
        again, _ = await self.connect(backend, f"/ws?user_id=ana&connection_id={former}&rooms=r")
        answer = await request(again, {"type": "message", "room": "r", "data": 2, "ref": "a"})
        self.assertEqual(answer, {"type": "ack", "ref": "a", "data": None})
        await request(again, {"type": "message", "room": "r", "data": 3, "ref": "b"})
        self.assertEqual((await receive(other))["data"], 3)

    async def test_requests_are_answered_by_their_method(self):
        client, _ = await self.connect(self.start())
        data = {"a": [1, "\u00e9"]}
        answer = await request(client, {"type": "request", "method": "echo", "data": data, "ref": 1})
        self.assertEqual(answer, {"type": "response", "ref": 1, "data": data})
        answer = await request(client, {"type": "request", "method": "none", "ref": 2})
        self.assertEqual((answer["type"], answer["data"]["code"]), ("error", "unknown_method"))

    async def test_messages_are_forbidden_without_relay(self):
        backend = self.start()
        client, _ = await self.connect(backend)
        answer = await request(client, {"type": "message", "room": "r", "data": 1, "ref": "m"})
        self.assertEqual(answer["data"]["code"], "forbidden")

    async def test_presence_notifies_the_other_clients(self):
        backend = self.start()
        ana, welcome = await self.connect(backend, "/ws?user_id=ana")
        bob, bobs = await self.connect(backend, "/ws?user_id=bob")
        came = await receive(ana)
        self.assertEqual(came["type"], "user_connected")
        self.assertEqual(came["data"], {"connection_id": bobs["data"]["connection_id"],
                                        "user_id": "bob"})
        self.assertNotIn("id", came)
        await ana.close()
        left = await receive(bob)
        self.assertEqual(left["type"], "user_disconnected")
        self.assertEqual(left["data"]["connection_id"], welcome["data"]["connection_id"])

    async def test_errors_leave_the_connection_open(self):
        backend = self.start()
        client, _ = await self.connect(backend)
        for sent, code in (("{", "bad_json"), ("[1]", "bad_request"), ('{"type":1}', "bad_request"),
                           ('{"type":"dance"}', "unknown_type"), ('{"type":"join_room"}', "bad_request"),
                           ('{"type":"leave_room","room":"x"}', "not_member"),
                           ("[" * 100 + "]" * 100, "bad_json")):
            await client.send(sent)
            answer = await receive(client)
            self.assertEqual((answer["type"], answer["data"]["code"]), ("error", code), sent)
        self.assertEqual((await request(client, {"type": "ping", "ref": 1.5}))["type"], "pong")

    async def test_an_invalid_user_id_is_refused(self):
        backend = self.start()
        for user in ("%00", "a%0Ab", "x" * 129, "%ff"):
            with self.assertRaises(websockets.InvalidHandshake) as refused:
                await websockets.connect(f"{backend.url}/ws?user_id={user}")
            self.assertEqual(http_status(refused.exception), 400, user)

    async def test_the_order_of_many_writers_is_the_same_for_all(self):
        backend = self.start("--threads", "4", "--no-presence")
        clients = [(await self.connect(backend))[0] for _ in range(8)]
        await asyncio.gather(*(self.call(backend, "POST", "/api/orders", ORDER) for _ in range(100)))
        orders = []
        for client in clients:
            ids = [(await receive_type(client, "order_created"))["id"] for _ in range(100)]
            self.assertEqual(ids, sorted(ids, key=position))
            orders.append(ids)
        self.assertTrue(all(ids == orders[0] for ids in orders))

    async def test_echo_returns_text_and_binary(self):
        backend = self.start("--echo", "--max-message", "1048576")
        async with websockets.connect(backend.url + "/echo", max_size=None) as client:
            for message in ("", "häßlich ✓", "x" * 70000, b"", b"\x00\xff", bytes(1048576)):
                await client.send(message)
                self.assertEqual(await asyncio.wait_for(client.recv(), 60), message)
            await client.send(["frag", "men", "ted"])
            self.assertEqual(await client.recv(), "fragmented")
            await client.send(bytes(1048577))
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(client.recv(), 60)
            self.assertEqual(closed.exception.rcvd.code, 1009)

    async def test_echo_returns_a_large_message_of_many_fragments(self):
        backend = self.start("--echo", "--max-message", "16777216", "--max-fragments", "65536")
        async with websockets.connect(backend.url + "/echo", max_size=None,
                                      compression=None) as client:
            # 65,536 frames: the client ends a fragmented message with an empty frame.
            await client.send([bytes(256)] * 65534 + [bytes(511) + b"x"])
            echo = await asyncio.wait_for(client.recv(), 60)
            self.assertEqual((len(echo), echo[-1:]), (16777216, b"x"))

    async def test_fragmented_messages_are_accepted_unless_fragments_are_tiny(self):
        backend = self.start("--echo", "--max-continuation-frames", "2")
        async with websockets.connect(backend.url + "/echo", compression=None) as client:
            for _ in range(10):
                await client.send([bytes(4096)] * 15 + [b"x"])
                self.assertEqual(len(await asyncio.wait_for(client.recv(), 60)), 15 * 4096 + 1)
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                while True:
                    await client.send([b"a", b"b", b"c"])
                    await asyncio.wait_for(client.recv(), 60)
            self.assertEqual(closed.exception.rcvd.code, 1008)

    async def test_a_client_that_does_not_read_is_closed_and_delays_no_other(self):
        backend = self.start("--relay", "--no-presence", "--max-queue", "65536")
        slow = await websockets.connect(backend.url + "/ws", max_queue=1, compression=None)
        self.addAsyncCleanup(slow.close)
        await slow.send('{"type":"join_room","room":"r"}')
        fast, _ = await self.connect(backend)
        await request(fast, {"type": "join_room", "room": "r", "ref": 1})
        await check_slow_client(self, backend, slow, fast)

    async def test_sigterm_asks_every_client_to_reconnect(self):
        backend = self.start()
        clients = [(await self.connect(backend))[0] for _ in range(20)]
        status, seconds = await asyncio.to_thread(backend.stop)
        self.assertEqual(status, 0)
        self.assertLess(seconds, 60)
        for client in clients:
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                while True:
                    await asyncio.wait_for(client.recv(), 60)
            self.assertEqual(closed.exception.rcvd.code, 1012)
            self.assertRegex(closed.exception.rcvd.reason, r"^the server restarts; retry in \d+ ms$")


if __name__ == "__main__":
    unittest.main()
