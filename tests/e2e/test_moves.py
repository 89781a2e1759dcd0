#!/usr/bin/env python3
"""Connections of the example backend that move to the thread which has the session of their request:
in order, whatever comes before and after it, with each client counted once, and at the end.

Not here: what is answered (test_sse.py, test_socketio_orders.py)."""
import asyncio
import json
import re
import ssl
import unittest

from backend import START_SECONDS
from backend_log import Log
from client import BackendCase
from event_source import EventSource
from test_process import HANDSHAKE
from tls_backend import Authority, TlsBackend

THREADS = 4
PING = b'{"type":"ping"}'
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(session, body=PING, head=b""):
    return (b"POST /events?session=%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            b"%sContent-Length: %d\r\n\r\n%s" % (session.encode(), head, len(body), body))


class Moves(BackendCase):
    def begin(self, *arguments, kind=None):
        self.log = Log()
        self.addCleanup(self.log.lines)
        options = ("--threads", str(THREADS), "--log-level", "debug", "--no-presence", *arguments)
        if kind is None:
            return self.start(*options, stderr=self.log.pipe)
        backend = kind(self.authority, *options, stderr=self.log.pipe)
        self.addCleanup(backend.stop)
        return backend

    async def moves(self, backend):
        """Ends the backend; returns how many connections moved, of which clients."""
        status, _ = await asyncio.to_thread(backend.stop)
        self.assertEqual(status, 0)
        lines = [re.search(r"connection of (\S+) moves to", line) for line in self.log.lines()]
        return [line.group(1) for line in lines if line is not None]

    async def streams(self, backend, count=3 * THREADS):
        """Opens streams, which are on all threads; returns them and their sessions."""
        sources = []
        for _ in range(count):
            source = await EventSource(backend.port).connect()
            self.addAsyncCleanup(source.close)
            sources.append((source, (await source.message("welcome"))["data"]["session_id"]))
        return sources

    async def talk(self, port, data, is_half_closed=False, **options):
        """Sends bytes and returns the statuses of the answers, which end with the connection."""
        reader, writer = await asyncio.open_connection("localhost", port, **options)
        writer.write(data)
        if is_half_closed:
            writer.write_eof()
        answers = await asyncio.wait_for(reader.read(-1), START_SECONDS)
        writer.close()
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", answers)]

    async def test_requests_of_several_sessions_on_one_connection(self):
        backend = self.begin()
        streams = await self.streams(backend)
        last = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        requests = b"".join(HEALTH + post(session) for _, session in streams)
        expected = [200, 204] * len(streams)
        self.assertEqual(await self.talk(backend.port, requests + last), expected + [200])
        self.assertEqual(await self.talk(backend.port, requests, is_half_closed=True), expected)
        for source, _ in streams:
            await source.message("pong")
            await source.message("pong")
        self.assertGreaterEqual(len(await self.moves(backend)), 2)

    async def test_bodies_that_come_later_and_through_tls(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)
        backend = self.begin(kind=TlsBackend)
        context = self.authority.client_context()
        open_stream = asyncio.open_connection
        streams = []
        for _ in range(2 * THREADS):
            reader, writer = await open_stream("localhost", backend.port, ssl=context)
            self.addCleanup(writer.close)
            writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            found = await asyncio.wait_for(reader.readuntil(b'"session_id":"'), START_SECONDS)
            session = (await asyncio.wait_for(reader.readuntil(b'"'), START_SECONDS))[:-1].decode()
            streams.append((reader, session))
        reader, writer = await open_stream("localhost", backend.port, ssl=context)
        self.addCleanup(writer.close)
        for _, session in streams:
            head, _, body = post(session, head=b"Expect: 100-continue\r\n").partition(b"\r\n\r\n")
            writer.write(head + b"\r\n\r\n")
            for sent, status in ((body[:5], b"100"), (body[5:], b"204")):
                if status == b"204":
                    writer.write(sent)
                answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), START_SECONDS)
                self.assertEqual(answer.split()[1], status)
                if status == b"100":
                    writer.write(sent)
        for reader, _ in streams:
            await asyncio.wait_for(reader.readuntil(b'"pong"'), START_SECONDS)
        self.assertGreaterEqual(len(await self.moves(backend)), 2)

    async def test_a_client_is_counted_once(self):
        """By --max-per-address: as a proxy's client for each request, else for the connection."""
        backend = self.begin("--max-per-address", "1", "--trusted-proxy", "127.0.0.1")
        sessions = []
        for number in range(2 * THREADS):
            source = EventSource(backend.port, **{"X-Forwarded-For": f"192.0.2.{number}"})
            await source.connect()
            self.addAsyncCleanup(source.close)
            sessions.append((await source.message("welcome"))["data"]["session_id"])
        for client in (b"192.0.2.100", b"192.0.2.101", b"192.0.2.100"):
            requests = b"".join(post(session, head=b"X-Forwarded-For: %s\r\n" % client)
                                for session in sessions)
            self.assertEqual(await self.talk(backend.port, requests, is_half_closed=True),
                             [204] * len(sessions))
        while await self.talk(backend.port, requests, True,
                              local_addr=("127.0.0.9", 0)) != [204] * len(sessions):
            await asyncio.sleep(0.02)  # the end of the one before may come late
        moves = await self.moves(backend)
        self.assertLessEqual({"192.0.2.100", "192.0.2.101", "127.0.0.9"}, set(moves))

    async def test_a_client_cannot_fill_one_thread(self):
        """All of its connections name the same session, or one that is made up."""
        backend = self.begin()
        session = (await self.streams(backend, 1))[0][1]
        made_up = session[:-8] + "00000000"
        for number in range(600):
            reader, writer = await asyncio.open_connection("localhost", backend.port)
            self.addCleanup(writer.close)
            writer.write(post(made_up if number % 2 else session))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), START_SECONDS)
            self.assertEqual(head.split()[1], b"404" if number % 2 else b"204")
        self.assertLess(len(await self.moves(backend)), 300)

    async def test_websockets_cannot_fill_one_thread(self):
        """All handshakes name the same session of Socket.IO, or one that is made up."""
        backend = self.begin()
        opened = (await self.call(backend, "GET", "/socket.io/?EIO=4&transport=polling"))[1]
        session = json.loads(opened[1:])["sid"]
        statuses = set()
        for number in range(600):
            sid = session if number % 2 else session[:-8] + "00000000"
            reader, writer = await asyncio.open_connection("localhost", backend.port)
            self.addCleanup(writer.close)
            writer.write(HANDSHAKE.replace(b"/ws", b"/socket.io/?EIO=4&transport=websocket&sid=" + sid.encode()))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), START_SECONDS)
            statuses.add(int(head.split()[1]))
        self.assertLessEqual({101, 503}, statuses)
        self.assertLess(len(await self.moves(backend)), 300)

    async def test_the_end_with_connections_on_their_way(self):
        backend = self.begin()
        sessions = [session for _, session in await self.streams(backend)]
        requests = b"".join(post(session) for session in sessions)
        is_ending = False

        async def keep_moving():
            while not is_ending:
                try:
                    await self.talk(backend.port, requests * 20, True)
                except ConnectionError:
                    return
        clients = [asyncio.create_task(keep_moving()) for _ in range(20)]
        await self.talk(backend.port, requests * 20, True)
        moves = await self.moves(backend)
        is_ending = True
        await asyncio.gather(*clients)
        self.assertGreater(len(moves), 20)


if __name__ == "__main__":
    unittest.main()
