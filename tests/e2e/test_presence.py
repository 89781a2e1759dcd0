"""Who is in a room: clients of WebSocket, event streams and Socket.IO see each other come, leave and set
their states; the REST API lists them.

Not here: the single cases, and many loops at once (unit/core/presence_list_test.c, presence_random_test.c)."""
import asyncio
import json
import queue
import unittest

try:
    import socketio
except ImportError:
    socketio = None

from backend import START_SECONDS
from client import BackendCase, receive_type, request
from test_sse import SseCase
from test_tokens import TokenCase
from tokens import token

JOIN = {"type": "join_room", "room": "r", "presence": True, "ref": 1}


def member(user, connections=1, state=None):
    return {"user_id": user, "connections": connections, "state": state}


class Belief:
    """What a client knows of the room's members, by user."""

    def __init__(self):
        self.members = {}

    def take(self, message):
        data = message["data"]
        if message["type"] == "presence":
            self.members = {}
        for each in data.get("members", []) + data.get("joined", []) + data.get("changed", []):
            self.members[each["user_id"]] = each
        for each in data.get("left", []):
            self.members.pop(each["user_id"], None)


class PresenceCase(BackendCase):
    async def watch(self, backend, user):
        client, _ = await self.connect(backend, f"/ws?user_id={user}")
        self.assertEqual((await request(client, JOIN))["type"], "room_joined")
        return client, Belief()

    async def until(self, client, belief, *members):
        """Waits until a client believes that these are there."""
        expected = {each["user_id"]: each for each in members}
        while belief.members != expected:
            belief.take(await receive_type(client, "presence", "presence_changed"))


class Presence(PresenceCase, SseCase):
    async def test_tabs_and_reconnects(self):
        backend = self.start("--threads", "3")
        ana, belief = await self.watch(backend, "ana")
        await self.until(ana, belief, member("ana"))
        tabs = [await self.watch(backend, "bob") for _ in range(2)]
        await self.until(ana, belief, member("ana"), member("bob", 2))
        await tabs[0][0].close()
        await self.until(ana, belief, member("ana"), member("bob"))
        answer = await request(tabs[1][0], {"type": "set_state", "room": "r", "ref": 2,
                                            "data": {"typing": True}})
        self.assertEqual(answer["type"], "ack")
        await self.until(ana, belief, member("ana"), member("bob", 1, {"typing": True}))
        # A line that flaps changes nothing; the state is the next thing that is heard.
        await tabs[1][0].close()
        bob, bobs = await self.watch(backend, "bob")
        await self.until(bob, bobs, member("ana"), member("bob", 1, {"typing": True}))
        await request(bob, {"type": "set_state", "room": "r", "ref": 3, "data": 7})
        heard = await receive_type(ana, "presence_changed")
        self.assertEqual(heard["data"], {"joined": [], "left": [], "count": 2,
                                         "changed": [member("bob", 1, 7)]})
        _, listed, _ = await self.call(backend, "GET", "/api/presence/r")
        self.assertEqual(listed["count"], 2)
        self.assertIn(member("bob", 1, 7), listed["members"])
        _, listed, _ = await self.call(backend, "GET", "/api/presence")
        self.assertEqual(sorted(each["user_id"] for each in listed["members"]), ["ana", "bob"])
        belief.take(heard)
        await bob.close()
        await self.until(ana, belief, member("ana"))

    async def test_an_event_stream(self):
        backend = self.start("--threads", "2")
        source = await self.welcomed(backend.port, "/events?user_id=eve")
        self.assertEqual(await self.post(backend, source, JOIN, "&user_id=eve"), 204)
        belief = Belief()
        belief.take(await source.message("presence"))
        self.assertEqual(list(belief.members), ["eve"])
        _, _ = await self.watch(backend, "ana")
        while "ana" not in belief.members:
            belief.take(await source.message("presence_changed"))
        self.assertEqual(await self.post(backend, source, {"type": "set_state", "room": "r", "data": 1},
                                         "&user_id=eve"), 204)
        while belief.members["eve"]["state"] != 1:
            belief.take(await source.message("presence_changed"))

    @unittest.skipUnless(socketio, "python3-socketio is not installed")
    async def test_socketio(self):
        backend = self.start("--threads", "2")
        heard = queue.Queue()
        client = socketio.Client(reconnection=False)
        for name in ("presence", "presence_changed"):
            client.on(name, heard.put)
        await asyncio.to_thread(client.connect, f"http://127.0.0.1:{backend.port}?user_id=sio",
                                wait_timeout=START_SECONDS)
        self.addCleanup(client.disconnect)
        answer = await asyncio.to_thread(client.call, "join_room", ("r", {"presence": True}))
        self.assertEqual(answer["type"], "room_joined")
        belief = Belief()
        belief.take(await asyncio.to_thread(heard.get, timeout=60))
        self.assertEqual(list(belief.members), ["sio"])
        answer = await asyncio.to_thread(client.call, "set_state", ("r", {"x": 1}))
        self.assertEqual(answer["type"], "ack")
        ana, anas = await self.watch(backend, "ana")
        await self.until(ana, anas, member("ana"), member("sio", 1, {"x": 1}))
        while "ana" not in belief.members:
            belief.take(await asyncio.to_thread(heard.get, timeout=60))
        self.assertEqual(await asyncio.to_thread(client.call, "set_state", (None, "here")), {"type": "ack"})
        self.assertEqual((await asyncio.to_thread(client.call, "watch_presence"))["type"], "ack")
        service = Belief()
        for user in ("ana", "eve"):
            if user == "eve":
                await self.connect(backend, "/ws?user_id=eve")
            while user not in service.members:
                message = await asyncio.to_thread(heard.get, timeout=60)
                if "room" not in message:
                    service.take(message)
        self.assertEqual(service.members["sio"], member("sio", 1, "here"))
        answer = await asyncio.to_thread(client.call, "presence", "r")
        self.assertEqual((answer["type"], answer["room"], answer["data"]["count"]), ("presence", "r", 2))


class Rights(TokenCase):
    async def test_the_staff_may_know_more(self):
        backend = self.start()
        staff, _ = await self.connect(backend, "/ws?token=" + token(role="staff"))
        other, _ = await self.connect(backend, "/ws?token=" + token("ana"))
        self.assertEqual((await request(staff, {"type": "presence", "ref": 1}))["type"], "presence")
        self.assertEqual((await request(staff, {"type": "watch_presence", "ref": 1}))["type"], "ack")
        for refused in ({"type": "presence", "ref": 2}, {"type": "watch_presence", "ref": 5}, {"type": "set_state", "ref": 6},
                        {"type": "presence", "room": "staff:x", "ref": 3},
                        {"type": "join_room", "room": "staff:x", "presence": True, "ref": 4}):
            answer = await request(other, refused)
            self.assertEqual((answer["type"], answer["data"]["code"]), ("error", "forbidden"))
        for path in ("/api/presence", "/api/presence/r"):
            self.assertEqual((await self.call(backend, "GET", f"{path}?token={token()}"))[0], 403)
            status, listed, _ = await self.call(backend, "GET", f"{path}?token={token(role='staff')}")
            self.assertEqual(status, 200, json.dumps(listed))


if __name__ == "__main__":
    unittest.main()
