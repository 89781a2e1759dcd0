"""Clients that reconnect and keep a ledger (returning.py), of the other kinds: event streams, and Socket.IO
over WebSocket, over long-polling, and over the one after the other."""
import asyncio
import json
import random
import re

import websockets

from event_source import EventSource
from returning import ReturningClient
from sessions import SocketioSession

PATH = "/socket.io/?EIO=4&transport="
SECONDS = 60


class ReturningStream(ReturningClient):
    """An event stream, which recovers by Last-Event-ID; compressed or not."""

    async def converse(self, backend):
        source = EventSource(backend.port, self.session.path("/events", with_position=False),
                             **{"Accept-Encoding": random.choice(("gzip", "identity"))})
        source.last_id = self.session.position or ""
        await source.connect()
        self.begun(source.writer.transport)
        try:
            while (event := await source.event()) is not None:
                kind, message = event
                if kind == "close":
                    break
                await self.take(message)
                for packet in self.replies():
                    await self._post(backend, packet)
        finally:
            self.session.position = source.last_id
            await source.close()

    async def _post(self, backend, packet):
        request = Requests(backend.port)
        try:
            await request.exchange("POST", f"/events?session={self.session.id}", packet)
        finally:
            request.close()


class ReturningSocketio(ReturningClient):
    """Socket.IO."""

    new_session = SocketioSession
    stays_connected = False

    def path(self):
        return PATH + "websocket"


class Requests:
    """One HTTP connection of a client of long-polling or of an event stream."""

    def __init__(self, port):
        self.port = port
        self.writer = None

    async def exchange(self, method, path, body=""):
        """Returns the body of the answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        data = body.encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        if method == "POST":
            head += f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(data)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + data)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        length = int(length[1]) if length else 0
        body = (await asyncio.wait_for(self.reader.readexactly(length), SECONDS)).decode()
        if not re.match(rb"HTTP/1.1 20[04] ", head):
            raise ConnectionError(head.decode() + body)
        return body

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


class ReturningPolling(ReturningSocketio):
    """Long-polling. Each post has a new connection, and some polls too."""

    async def converse(self, backend):
        self.backend = backend
        self.address = PATH + "polling"
        self.polls = Requests(backend.port)
        try:
            packets = await self.polls.exchange("GET", self.address)
            self.begun(self.polls.writer.transport)
            self.sid = json.loads(packets[1:])["sid"]
            self.address += "&sid=" + self.sid
            await self.take(packets)
            await self.go_on()
        finally:
            self.polls.close()

    async def go_on(self):
        """Has the session, which is open."""
        await self.poll_until(lambda: False)

    async def poll_until(self, is_done):
        while not is_done():
            packets, _ = await asyncio.gather(self._poll(), self._post(self.replies()))
            for packet in packets:
                await self.take(packet)
        await self._post(self.replies())

    async def _poll(self):
        if random.random() < 0.1:
            self.polls.close()
        packets = await self.polls.exchange("GET", self.address)
        self.transport = self.polls.writer.transport
        return packets.split("\x1e")

    async def _post(self, packets):
        if not packets:
            return
        request = Requests(self.backend.port)
        try:
            await request.exchange("POST", self.address, "\x1e".join(packets))
        finally:
            request.close()


class ReturningUpgrading(ReturningPolling):
    """Long-polling at first, and then a WebSocket, as stock clients do."""

    async def go_on(self):
        await self.poll_until(lambda: self.session.is_live)
        url = f"{self.backend.url}{PATH}websocket&sid={self.sid}"
        async with websockets.connect(url, open_timeout=20) as socket:
            probe = asyncio.create_task(self._probe(socket))
            await self.poll_until(probe.done)
            probe.result()
            await socket.send("5")
            self.transport = socket.transport
            await self.listen(socket)

    async def _probe(self, socket):
        await socket.send("2probe")
        if await asyncio.wait_for(socket.recv(), SECONDS) != "3probe":
            raise ValueError("no answer to the probe")


KINDS = ReturningClient, ReturningStream, ReturningSocketio, ReturningPolling, ReturningUpgrading
