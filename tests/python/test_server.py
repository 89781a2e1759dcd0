"""The package on a server's threads: a real WebSocket client, callbacks, exceptions, threads."""
import asyncio
import json
import logging
import subprocess
import sys
import threading
import unittest

import websockets

from ws_manager import (
    EventType,
    Refused,
    Server,
    WebSocketEvent,
    WebSocketManager,
    WsErrInvalid,
    WsErrNotFound,
    WsErrNotMember,
    WsError,
    WsErrSystem,
    WsErrUnknownType,
)

SECONDS = 60  # generous: the machine may be busy


def authenticate(handshake):
    user = handshake.query("user")
    if user == "nobody":
        raise Refused(401, "log in first")
    if user == "broken":
        raise KeyError("a fault of the application")
    return user


class ServerCase(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.manager = WebSocketManager()
        self.server = Server(self.manager, 0, threads=2, authenticate=authenticate)
        self.addCleanup(self.server.stop)

    async def open(self, query="", **options):
        url = f"ws://127.0.0.1:{self.server.port}/ws{query}"
        client = await websockets.connect(url, open_timeout=SECONDS, **options)
        self.addAsyncCleanup(client.close)
        return client, await self.receive(client, "welcome")

    async def receive(self, client, *types):
        while True:
            message = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
            if message["type"] in types:
                return message

    async def ask(self, client, **message):
        await client.send(json.dumps({"ref": "r", **message}))
        while True:
            answer = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
            if answer.get("ref") == "r":
                return answer


class Events(ServerCase):
    async def test_the_four_ways_to_send(self):
        ids = {}
        self.manager.on_connect = lambda connection: ids.update({connection.user_id: connection.id})
        (ana, _), (bob, _) = await self.open("?user=ana"), await self.open("?user=bob")
        self.manager.join_room(ids["ana"], "r")
        self.manager.broadcast_to_room("r", WebSocketEvent(EventType.ORDER_UPDATED, {"n": 1}))
        self.manager.send_to_user("ana", WebSocketEvent("order_updated", {"n": 2}, user_id="bob"))
        self.manager.send_personal_message(ids["ana"], personal := WebSocketEvent("order_updated", {"n": 3}))
        self.manager.broadcast(everyone := WebSocketEvent(EventType.ORDER_UPDATED, "✓"), exclude=[ids["bob"]])
        self.manager.broadcast(WebSocketEvent(EventType.ORDER_UPDATED, None))
        got = [await self.receive(ana, "order_updated") for _ in range(5)]
        self.assertEqual([event["data"] for event in got], [{"n": 1}, {"n": 2}, {"n": 3}, "✓", None])
        self.assertEqual((got[0]["room"], got[1]["user_id"]), ("r", "bob"))
        self.assertEqual((personal.id, everyone.id), (None, got[3]["id"]))
        self.assertEqual(everyone.timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"), got[3]["timestamp"])
        self.assertIsNone((await self.receive(bob, "order_updated"))["data"])
        self.assertEqual(self.manager.get_stats()["rooms"], {"r": 1})

    async def test_emit_from_many_threads(self):
        client, _ = await self.open()
        emits = [getattr(self.manager, f"emit_{event_type.value}") for event_type in list(EventType)[:7]]

        def emit_all():
            for emit in emits:
                for n in range(20):
                    emit({"n": n})

        threads = [threading.Thread(target=emit_all) for _ in range(4)]
        for thread in threads:
            thread.start()
        types = [kind.value for kind in list(EventType)[:7]]
        got = [(await self.receive(client, *types)) for _ in range(4 * 7 * 20)]
        for thread in threads:
            thread.join()
        positions = [int(event["id"].split(".")[1]) for event in got]
        self.assertEqual(positions, sorted(set(positions)))
        self.manager.emit_notification("careful", severity="warning")
        self.assertEqual((await self.receive(client, "notification"))["data"],
                         {"message": "careful", "severity": "warning"})

    async def test_disconnect_says_why(self):
        ended = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        self.manager.on_connect = lambda connection: self.manager.disconnect(connection.id, 4000, "go")
        self.manager.on_disconnect = lambda *told: loop.call_soon_threadsafe(ended.set_result, told)
        client, _ = await self.open("?user=ana")
        with self.assertRaises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(client.recv(), SECONDS)
        self.assertEqual((closed.exception.rcvd.code, closed.exception.rcvd.reason), (4000, "go"))
        connection, code, reason = await asyncio.wait_for(ended, SECONDS)
        self.assertEqual((connection.user_id, code, reason), ("ana", 4000, "go"))


class Callbacks(ServerCase):
    async def test_who_may_connect(self):
        _, welcome = await self.open("?user=%C3%A5sa")
        self.assertEqual(welcome["data"]["user_id"], "åsa")
        logging.disable(logging.ERROR)
        self.addCleanup(logging.disable, logging.NOTSET)
        for user, status in (("nobody", 401), ("a%00b", 400), ("%ff", 400), ("broken", 403)):
            with self.assertRaises(websockets.InvalidHandshake) as refused:
                await self.open(f"?user={user}")
            response = getattr(refused.exception, "response", None)
            self.assertEqual(response.status_code if response else refused.exception.status_code, status, user)

    async def test_pages_of_other_origins_need_a_permission(self):
        with self.assertRaises(websockets.ConnectionClosed) as closed:
            await self.open(origin="https://example.com")
        self.assertEqual(closed.exception.rcvd.code, 4403)
        await self.open(origin=f"http://127.0.0.1:{self.server.port}")
        for who in (authenticate, None):
            self.server = Server(manager := WebSocketManager(), 0, authenticate=who, origins=["https://example.com"])
            self.addCleanup(self.server.stop)
            await self.open(origin="https://example.com")
            self.assertEqual(manager.get_stats()["total_connections"], 1)

    async def test_rooms_and_messages(self):
        self.manager.authorize_join = lambda connection, room: room == f"of:{connection.user_id}"
        client, _ = await self.open("?user=ana")
        self.assertEqual((await self.ask(client, type="join_room", room="of:bob"))["data"]["code"], "forbidden")
        self.assertEqual((await self.ask(client, type="join_room", room="of:ana"))["type"], "room_joined")
        self.assertEqual((await self.ask(client, type="message", data=1))["data"]["code"], "forbidden")

        def accept(connection, message):
            if not self.manager.is_member(connection.id, message.room):
                raise WsErrNotMember
            return {"twice": 2 * message.data}

        self.manager.accept_message = accept
        answer = await self.ask(client, type="message", room="of:ana", data=21)
        self.assertEqual((answer["type"], answer["data"]), ("ack", {"twice": 42}))
        self.assertEqual((await self.ask(client, type="message", room="x", data=1))["data"]["code"], "not_member")

    async def test_a_callback_that_raises_is_logged(self):
        def fail(*_):
            raise RuntimeError("a fault of the application")

        self.manager.on_connect = self.manager.accept_message = self.manager.authorize_join = fail
        with self.assertLogs("ws_manager", logging.ERROR) as logged:
            client, _ = await self.open()
            self.assertEqual((await self.ask(client, type="message", data=1))["data"]["code"], "bad_request")
            self.assertEqual((await self.ask(client, type="join_room", room="r"))["data"]["code"], "forbidden")
        self.assertEqual(sum("a fault of the application" in line for line in logged.output), 3)
        self.assertEqual((await self.ask(client, type="ping"))["type"], "pong")


class Errors(unittest.TestCase):
    def test_they_have_the_names_of_the_library(self):
        manager = WebSocketManager(max_event_bytes=1000)
        event = WebSocketEvent("order_created", {})
        for error, call in (
            (WsErrNotFound, lambda: manager.join_room(1, "r")),
            (WsErrInvalid, lambda: manager.broadcast_to_room("a\0b", event)),
            (WsErrInvalid, lambda: manager.broadcast_to_room("", event)),
            (WsErrInvalid, lambda: manager.emit_notification("x", severity="loud")),
            (WsErrInvalid, lambda: WebSocketManager(max_connections=-1)),
            (WsErrInvalid, lambda: Server(manager, 0, threads=1000)),
            (WsErrSystem, lambda: Server(manager, 0, "192.0.2.1")),
            (WsErrUnknownType, lambda: manager.emit("unheard_of", 1)),
            (ValueError, lambda: manager.emit_order_created("x" * 1001)),
            (ValueError, lambda: manager.emit_order_created(float("nan"))),
            (ValueError, lambda: manager.emit_order_created("\ud800")),
            (TypeError, lambda: manager.emit_order_created(object())),
            (TypeError, lambda: WebSocketManager(max_conections=1)),
        ):
            with self.assertRaises(error) as raised:
                call()
            if isinstance(raised.exception, WsError):
                self.assertTrue(str(raised.exception))

    def test_a_process_ends_while_its_server_runs(self):
        program = ("from ws_manager import *; Server(WebSocketManager(), 0);"
                   "import ws_manager as w; w.emit_order_created({})")  # fmt: skip
        ended = subprocess.run([sys.executable, "-c", program], timeout=SECONDS, capture_output=True, check=False)
        self.assertEqual((ended.returncode, ended.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
