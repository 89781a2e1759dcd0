#!/usr/bin/env python3
"""examples/rooms: who may connect and join which rooms, clients of both threads in one room, clients
that do not read or send too much, no free descriptor, and shutdown."""
import asyncio
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import unittest

import websockets

import crowd
from async_case import AsyncCase
from client import PATIENT, http_status, receive, receive_type, request, with_headers
from hosts import assert_does_not_spin, check_no_descriptor_left, connect, few_descriptors, opened

ROOMS = os.environ["ROOMS"]
ANA, BEN, EVA = (f"/ws?token={token}" for token in ("ana-3f9c1e", "ben-71d0a4", "eva-c8265b"))
LARGE = "x" * 16000


def join(room):
    return {"type": "join_room", "room": room, "ref": room}


def message(room, data):
    return {"type": "message", "room": room, "data": data, "ref": 0}


def loop_of(welcome):
    """The loop's number is the highest byte of a connection's id, which is hexadecimal."""
    return int(welcome["data"]["connection_id"].rpartition("-")[2], 16) >> 56


class Rooms(AsyncCase):
    def start(self, **how):
        self.server = subprocess.Popen([ROOMS, "0"], stdout=subprocess.PIPE,
                                       **how)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        line = self.server.stdout.readline().decode()
        self.port = int(re.fullmatch(r"listening on ws://127\.0\.0\.1:(\d+)/ws\n", line)[1])

    async def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(await asyncio.to_thread(self.server.wait, 60), 0)

    async def open(self, target, *rooms, **options):
        """Opens a client in these rooms; returns it and its welcome."""
        client = await websockets.connect(f"ws://127.0.0.1:{self.port}{target}", **{**PATIENT, **options})
        self.addAsyncCleanup(client.close)
        welcome = await receive(client)
        for room in rooms:
            answer = await request(client, join(room))
            self.assertEqual(answer["type"], "room_joined")
        return client, welcome

    async def closed(self, client):
        """Waits for the end of a connection; returns how it was closed."""
        with self.assertRaises(websockets.ConnectionClosed) as end:
            while True:
                await receive(client)
        return end.exception.rcvd

    async def test_a_client_needs_a_token(self):
        self.start()
        for target, status in {"/ws": 401, "/ws?token=": 401, "/ws?token=ana-3f9c1f": 401,
                               "/ws?token=ana-3f9c1e%00": 401, "/other?token=ana-3f9c1e": 404}.items():
            with self.subTest(target), self.assertRaises(websockets.InvalidHandshake) as refusal:
                await websockets.connect(f"ws://127.0.0.1:{self.port}{target}")
            self.assertEqual(http_status(refusal.exception), status)
        page = await websockets.connect(f"ws://127.0.0.1:{self.port}/ws",
                                        **with_headers(Origin="http://127.0.0.1"))
        self.assertEqual((await self.closed(page)).code, 4401)
        _, welcome = await self.open(ANA)
        self.assertEqual(welcome["data"]["user_id"], "ana")
        await self.stop()

    async def test_who_may_enter_and_publish(self):
        self.start()
        ana, _ = await self.open(ANA, "staff", "lobby")
        ben, _ = await self.open(BEN, "lobby", "status")
        for refused, code in ((join("staff"), "forbidden"), (message("staff", 1), "not_member"),
                              (message("status", 1), "forbidden"), (message("empty", 1), "not_member")):
            with self.subTest(refused):
                answer = await asyncio.wait_for(request(ben, refused), 60)
                self.assertEqual(answer["data"]["code"], code)
        status = await receive_type(ben, "status")
        self.assertEqual(status["data"], {"connections": 2})
        await ana.send(json.dumps(message("staff", "secret")))
        await ana.send(json.dumps(message("lobby", "hello")))
        self.assertEqual((await receive_type(ana, "message"))["data"], "secret")
        heard = await receive_type(ben, "message")
        self.assertEqual((heard["data"], heard["room"], heard["user_id"]), ("hello", "lobby", "ana"))
        await self.stop()

    async def test_clients_of_both_threads_in_one_room(self):
        self.start()
        clients, loops = [], []
        for target in (ANA, BEN, EVA, EVA):
            client, welcome = await self.open(target, "lobby")
            clients.append(client)
            loops.append(loop_of(welcome))
        self.assertEqual(loops, [loops[0], loops[1]] * 2)
        self.assertNotEqual(loops[0], loops[1])
        for number in range(20):
            for client in clients:
                await client.send(json.dumps(message("lobby", [clients.index(client), number])))
        heard = [[(await receive_type(client, "message"))["data"] for _ in range(80)]
                 for client in clients]
        for each in heard:
            self.assertEqual(each, heard[0])
        for sender in range(4):
            self.assertEqual([n for s, n in heard[0] if s == sender], list(range(20)))
        await self.stop()

    def test_messages_sent_at_once_are_handled_in_turns(self):
        """More than the library handles in a turn: the host continues to read when there is room again."""
        self.start()
        client = opened(self.port, target=BEN)
        self.addCleanup(client.close)
        frames = 6000 * (b"\x89\x94\0\0\0\0" + b"x" * 20) + b"\x81\x8f\0\0\0\0" + b'{"type":"ping"}'
        sending = threading.Thread(target=client.sendall, args=(frames,))
        sending.start()
        received = b""
        while b'"type":"pong"' not in received:
            part = client.recv(65536)
            self.assertTrue(part, "the connection ended")
            received = received[-20:] + part
        sending.join()

    def flood(self, target):
        """Sends as fast as it can until it is disconnected; returns the close code."""
        flooder = crowd.Client(self.port, target)
        pings = 1000 * (b"\x81\x8f\0\0\0\0" + b'{"type":"ping"}')
        at = 0
        while flooder.close_code is None and not flooder.ended:
            _, writable, _ = select.select([flooder.socket], [flooder.socket], [], 60)
            if writable:
                at = (at + flooder.socket.send(pings[at:])) % len(pings)
            flooder.receive()
        flooder.close()
        return flooder.close_code

    async def test_a_flooding_client_is_disconnected(self):
        self.start()
        others = [(await self.open(target))[0] for target in (ANA, BEN)]
        flooding = asyncio.create_task(asyncio.to_thread(self.flood, EVA))
        while not flooding.done():
            for other in others:
                self.assertEqual((await request(other, {"type": "ping", "ref": 1}))["type"], "pong")
            await asyncio.sleep(0.05)  # within message_rate
        self.assertEqual(await flooding, 1008)
        await self.stop()

    async def publish_until_disconnected(self, client):
        """Publishes large messages until another client is disconnected; returns the ids of the
        published messages."""
        ids = []
        while True:
            await client.send(json.dumps(message("lobby", LARGE)))
            answer = await receive_type(client, "message", "user_disconnected", "error")
            if answer["type"] == "user_disconnected":
                return ids
            if answer["type"] == "message":
                ids.append(answer["id"])
            else:
                self.assertEqual(answer["data"]["code"], "rate_limited")
                await asyncio.sleep(0.1)

    async def test_a_client_that_does_not_read_is_disconnected(self):
        self.start()
        ana, _ = await self.open(ANA, "lobby")
        other = opened(self.port, target=BEN)
        await receive_type(ana, "user_connected")
        slow = crowd.Client(self.port, EVA, receive_bytes=4096)
        for client in (other, slow):
            self.addCleanup(client.close)
        await receive_type(ana, "user_connected")
        slow.send(json.dumps(join("lobby")))
        ids = await self.publish_until_disconnected(ana)
        # Until its close times out, the server can neither read from it nor write to it.
        slow.socket.shutdown(socket.SHUT_WR)
        assert_does_not_spin(self, self.server.pid, other)
        slow.close()
        assert_does_not_spin(self, self.server.pid, other)
        # It comes back and receives what it missed.
        eva, _ = await self.open(f"{EVA}&rooms=lobby&after={ids[0]}")
        for expected in ids[1:]:
            self.assertEqual((await receive_type(eva, "message"))["id"], expected)
        self.assertTrue((await receive_type(eva, "recovered"))["data"]["complete"])
        await self.stop()

    async def test_shutdown(self):
        self.start()
        ana, _ = await self.open(ANA, "lobby")
        ben, _ = await self.open(BEN, "lobby")
        deaf = crowd.Client(self.port, EVA)
        silent = connect(self.port)
        for client in (deaf, silent):
            self.addCleanup(client.close)
        await ana.send(json.dumps(message("lobby", "last")))
        await receive_type(ana, "message")
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual((await receive_type(ben, "message"))["data"], "last")
        for client in (ana, ben):
            end = await self.closed(client)
            self.assertEqual(end.code, 1012)
            self.assertRegex(end.reason, r"the server restarts.*retry in \d+ ms")
        self.assertEqual(await asyncio.to_thread(self.server.wait, 60), 0)
        with self.assertRaises(ConnectionRefusedError):
            connect(self.port)

    def test_no_free_descriptor(self):
        self.start(preexec_fn=few_descriptors)
        check_no_descriptor_left(self, self.server.pid, self.port, BEN)

    def test_an_invalid_port(self):
        for port in ("", "http", "-1", "65536", "90 00"):
            with self.subTest(port):
                run = subprocess.run([ROOMS, port], capture_output=True, text=True, timeout=60,
                                     check=False)
                self.assertEqual((run.returncode, run.stderr.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
