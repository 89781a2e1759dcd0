"""Clients that come back receive from the real backend what they missed: their events only, in order,
once.

Not here: the library's own part, and browsers (the dashboard's tests)."""
import json
import random
import re
import tempfile
import time
import unittest
import urllib.parse

import tokens
from backend import Backend
from client import BackendCase, receive, receive_type, request
from crowd import Client, raise_descriptor_limit
from crowd_kinds import Member, listen_to


def address(after=None, rooms=(), former=None, user=None):
    query = {"after": after, "rooms": ",".join(rooms) or None, "connection_id": former,
             "user_id": user}
    return "/ws?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})


class Recovery(BackendCase):
    def notify(self, backend, message, user=None):
        body = {"message": message, "severity": "info"}
        return self.call(backend, "POST", "/api/notifications",
                         {**body, "user_id": user} if user else body)

    def order(self, backend):
        return self.call(backend, "POST", "/api/orders",
                         {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})

    async def come_back(self, backend, path):
        """Returns the welcome, the messages up to `recovered`, and that message's data."""
        client, welcome = await self.connect(backend, path)
        missed = []
        while True:
            message = await receive(client)
            if message["type"] == "recovered":
                return welcome, missed, message["data"]
            missed.append(message)

    async def test_only_events_of_its_rooms_and_its_user(self):
        backend = self.start("--relay")
        ana, welcome = await self.connect(backend, "/ws?user_id=ana")
        talker, _ = await self.connect(backend, "/ws?user_id=bob")
        await ana.close()
        for room in ("a", "b"):
            await request(talker, {"type": "join_room", "room": room, "ref": room})
            await request_message(talker, room)
        await self.notify(backend, "for all")
        await self.notify(backend, "for ana", "ana")
        await self.notify(backend, "for bob", "bob")
        after = welcome["data"]["id"]
        back, missed, told = await self.come_back(
            backend, address(after, ["a"], welcome["data"]["connection_id"], "ana"))
        missed = [m for m in missed if "id" in m]
        self.assertEqual([m["data"].get("text") or m["data"]["message"] for m in missed],
                         ["in a", "for all", "for ana"])
        self.assertEqual(back["data"]["id"], after)
        self.assertEqual((told["complete"], told["count"]), (True, 3))

    async def test_nothing_was_missed(self):
        backend = self.start()
        client, welcome = await self.connect(backend)
        await client.close()
        after = welcome["data"]["id"]
        back, missed, told = await self.come_back(backend, address(after))
        self.assertEqual((missed, told), ([], {"complete": True, "count": 0, "id": after}))
        self.assertEqual(back["data"]["id"], after)

    async def test_lost_events_are_reported(self):
        for arguments, n_events, complete in (((), 20, True), (("--history", "10"), 20, False),
                                              (("--history", "10"), 10, True),
                                              (("--history", "0"), 1, False)):
            backend = self.start(*arguments)
            _, welcome = await self.connect(backend)
            for i in range(n_events):
                await self.notify(backend, str(i))
            _, missed, told = await self.come_back(backend, address(welcome["data"]["id"]))
            missed = [m for m in missed if "id" in m]
            self.assertEqual(told["complete"], complete, arguments)
            self.assertEqual(len(missed), n_events if complete else 0, arguments)
            for after in ("another0ne.1", "", "nonsense"):
                _, _, told = await self.come_back(backend, address(after))
                self.assertFalse(told["complete"], after)

    async def test_topic_rooms(self):
        backend = self.start("--topic-rooms", "--no-presence")
        _, welcome = await self.connect(backend)
        status, _, _ = await self.order(backend)
        self.assertEqual(status, 201)
        after = welcome["data"]["id"]
        for rooms, types in ((["orders"], ["order_created"]),
                             (["inventory"], ["inventory_updated"]), ([], [])):
            _, missed, told = await self.come_back(backend, address(after, rooms))
            self.assertEqual([m["type"] for m in missed], types)
            self.assertTrue(told["complete"])

    async def test_rooms_that_the_token_does_not_allow(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write(tokens.SECRET)
            secret.flush()
            backend = self.start("--jwt-secret-file", secret.name, "--no-presence")
            token = tokens.token("ana")
            _, missed, told = await self.come_back(
                backend, address("", ["staff:all", "orders"]) + "&token=" + token)
        self.assertEqual([(m["type"], m["ref"], m["data"]["code"]) for m in missed],
                         [("error", "staff:all", "forbidden")])
        self.assertFalse(told["complete"])

    async def test_a_wrongly_encoded_query_is_refused(self):
        backend = self.start()
        for query in ("rooms=%zz", "after=%00", "connection_id=%f"):
            self.assertEqual(await self.refused(backend, "/ws?" + query), 400)


async def request_message(client, room):
    await client.send(json.dumps({"type": "message", "room": room, "data": {"text": f"in {room}"}}))
    await receive_type(client, "message")


# Parsed by hand, because there are more than a million.
EVENT = re.compile(r'{"id":"([^"]+)","type":"message","data":{"n": (\d+)}')
KINDS = "plain", "stream", "socketio", "polling"


class Crowd(unittest.TestCase):
    CLIENTS = 300
    CUTS = 900
    SECONDS = 8
    BATCH = 60

    def test_cut_at_random_while_events_flow(self):
        """Some 2,000 events a second, which a member of the room publishes; the ledger is its own order."""
        raise_descriptor_limit()
        with Backend("--relay", "--no-presence", "--threads", "4", "--history", "100000",
                     "--max-queue", "16777216") as backend:
            members = [Member(backend.port, KINDS[i % len(KINDS)], EVENT, rooms=["r"])
                       for i in range(self.CLIENTS)]
            self.assertTrue(listen_to(members, lambda member: member.session.is_live, 60))
            said = self.play(backend, members)
            self.assertTrue(listen_to(members, lambda member: len(member.numbers) >= said, 60))
            for member in members:
                self.assertEqual(member.session.n_incomplete, 0, member.kind)
                self.assertEqual(member.numbers, list(range(said)), member.kind)
                member.client.close()

    def play(self, backend, members):
        """Returns how many events were published. The clients are read and cut meanwhile."""
        speaker = Client(backend.port, address(rooms=["r"]))
        randomly = random.Random(1)
        begin = time.monotonic()
        said = cuts = 0
        while time.monotonic() < begin + self.SECONDS and cuts < self.CUTS:
            for _ in range(self.BATCH):
                speaker.send(json.dumps({"type": "message", "room": "r", "data": {"n": said}}))
                said += 1
            speaker.receive()
            for member in members:
                if not member.session.is_live:
                    member.receive()
            for member in randomly.sample(members, 30):
                member.receive()
            for member in randomly.sample(members, 8):
                member.cut()
                cuts += 1
        speaker.close()
        self.assertGreater(cuts, 100)
        seconds = time.monotonic() - begin
        print(f"{said} events, {cuts} cuts in {seconds:.1f} s", flush=True)
        return said


if __name__ == "__main__":
    unittest.main()
