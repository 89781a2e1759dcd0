"""Clients of an asyncio loop, with an ASGI WebSocket that the test writes and reads: queues, back-pressure,
ends. Not here: uvicorn (tests/e2e/test_fastapi.py)."""
import asyncio
import json
import threading
import unittest
from types import SimpleNamespace

from ws_manager import WebSocketEvent, WebSocketManager, WsErrLimit, asgi

SECONDS = 60  # generous: the machine may be busy


class FakeWebSocket:
    """What Starlette's WebSocket is to the package. `may_send` is cleared while the peer does not read."""

    def __init__(self, **query):
        self.query_params = query
        self.application_state = SimpleNamespace(name="CONNECTING")
        self.incoming = asyncio.Queue()
        self.sent = asyncio.Queue()
        self.may_send = asyncio.Event()
        self.may_send.set()
        self.closed = asyncio.get_running_loop().create_future()
        self.n_received = 0

    async def accept(self):
        self.application_state.name = "CONNECTED"

    async def receive(self):
        message = await self.incoming.get()
        self.n_received += 1
        return message

    async def send(self, message):
        await self.may_send.wait()
        self.sent.put_nowait(message)

    async def close(self, code=1000, reason=None):
        self.closed.set_result((code, reason))

    def say(self, **message):
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    def hang_up(self, code=1001):
        self.incoming.put_nowait({"type": "websocket.disconnect", "code": code})

    async def message(self, *types):
        while True:
            sent = await asyncio.wait_for(self.sent.get(), SECONDS)
            message = json.loads(sent["text"])
            if not types or message["type"] in types:
                return message


class Clients(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.manager = WebSocketManager(presence_events=2)
        self.ended = []
        self.manager.on_disconnect = lambda connection, code, reason: self.ended.append(code)

    async def serve(self, user=None, **query):
        websocket = FakeWebSocket(**query)
        task = asyncio.create_task(asgi.serve(self.manager, websocket, user))
        self.addAsyncCleanup(self.end, websocket, task)
        return websocket, task

    async def end(self, websocket, task):
        websocket.may_send.set()
        websocket.hang_up()
        await asyncio.wait((task,), timeout=SECONDS)

    async def test_events_of_other_threads_arrive(self):
        clients = [(await self.serve("ana"))[0] for _ in range(3)]
        for client in clients:
            self.assertEqual((await client.message())["type"], "welcome")
        thread = threading.Thread(target=lambda: [self.manager.emit_order_created({"n": n}) for n in range(100)])
        thread.start()
        for client in clients:
            self.assertEqual([(await client.message())["data"]["n"] for _ in range(100)], list(range(100)))
        thread.join()

    async def test_a_client_that_comes_back_receives_what_it_missed(self):
        client, task = await self.serve("ana", rooms="r")
        welcome = await client.message()
        client.hang_up(1001)
        await asyncio.wait_for(task, SECONDS)
        self.assertEqual(self.ended, [1001])
        for room in ("r", "other"):
            self.manager.broadcast_to_room(room, WebSocketEvent("order_created", room))
        again, _ = await self.serve("ana", rooms="r,", after=welcome["data"]["id"],
                                    connection_id=welcome["data"]["connection_id"])  # fmt: skip
        self.assertEqual([(await again.message())["type"] for _ in range(3)], ["welcome", "order_created", "recovered"])

    async def test_the_queue_of_a_client_that_does_not_read_is_bounded(self):
        slow, task = await self.serve()
        fast, _ = await self.serve()
        await slow.message()
        slow.may_send.clear()
        n = 0
        while self.manager.get_stats()["drops"]["slow_client"] == 0:
            self.manager.broadcast(WebSocketEvent("order_created", "x" * 100000))
            self.assertEqual(len((await fast.message("order_created"))["data"]), 100000)
            n += 1
            self.assertLess(n, 100)
        self.assertLessEqual(n * 100000, asgi.MAX_QUEUE_BYTES + 400000)
        slow.may_send.set()
        self.assertEqual((await asyncio.wait_for(slow.closed, SECONDS))[0], 1013)
        await asyncio.wait_for(task, SECONDS)
        self.assertEqual(slow.sent.qsize(), n - 1)  # what was queued came first

    async def test_a_recovering_client_gets_more_as_it_reads(self):
        client, task = await self.serve()
        welcome = await client.message()
        client.hang_up()
        await asyncio.wait_for(task, SECONDS)
        for n in range(40):
            self.manager.broadcast(WebSocketEvent("order_created", [n, "x" * 100000]))
        again, _ = await self.serve(after=welcome["data"]["id"])
        got = [(await again.message("order_created"))["data"][0] for _ in range(40)]
        self.assertEqual(got, list(range(40)))
        self.assertTrue((await again.message("recovered"))["data"]["complete"])
        self.assertEqual(self.manager.get_stats()["drops"]["slow_client"], 0)

    async def test_a_client_is_read_only_as_fast_as_it_is_served(self):
        client, _ = await self.serve()
        n = 2000
        for i in range(n):
            client.say(type="ping", ref=i)
        self.assertEqual((await client.message())["type"], "welcome")
        self.assertEqual([(await client.message())["ref"] for _ in range(n)], list(range(n)))

    async def test_a_message_that_is_too_large_ends_the_connection(self):
        client, task = await self.serve()
        client.say(type="message", data="x" * asgi.MAX_MESSAGE_BYTES)
        self.assertEqual((await asyncio.wait_for(client.closed, SECONDS))[0], 1009)
        await asyncio.wait_for(task, SECONDS)

    async def test_a_close_that_the_client_does_not_take_is_given_up(self):
        seconds, asgi.CLOSE_SECONDS = asgi.CLOSE_SECONDS, 0.01
        self.addCleanup(setattr, asgi, "CLOSE_SECONDS", seconds)
        ids = []
        self.manager.on_connect = lambda connection: ids.append(connection.id)
        client, task = await self.serve()
        await client.message()
        client.may_send.clear()
        self.manager.emit_order_created({})
        self.manager.disconnect(ids[0])
        await asyncio.wait_for(task, SECONDS)
        self.assertFalse(client.closed.done())

    async def test_a_cancelled_endpoint_and_refused_clients(self):
        client, task = await self.serve()
        await client.message()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(self.manager.get_stats()["total_connections"], 0)
        self.assertEqual((asgi._Share._of, asgi._Share._shares), ({}, {}))
        for query in ({"last": "-1"}, {"last": "x"}, {"rooms": "r," * 1001}, {"after": "a\0b"}):
            websocket = FakeWebSocket(**query)
            await asgi.serve(self.manager, websocket)
            self.assertEqual((await websocket.closed, websocket.application_state.name), ((1000, None), "CONNECTING"))
        full = WebSocketManager(max_connections=1)
        first = await asgi.connect(full, FakeWebSocket())
        second = FakeWebSocket()
        with self.assertRaises(WsErrLimit):
            await asgi.connect(full, second)
        self.assertEqual((await second.closed)[0], 1013)
        full.disconnect(first.id)
        await asyncio.wait_for(first.run(), SECONDS)


if __name__ == "__main__":
    unittest.main()
