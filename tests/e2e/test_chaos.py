"""Clients that connect, disconnect, break, stall and send garbage, while others receive every event in
order, once; afterwards the backend holds no more memory or descriptors than before.

Not here: how each kind of client is answered (the unit tests and test_events.py)."""
import asyncio
import json
import os
import random
import re
import socket
import struct
import time
import unittest

import websockets

from backend import Backend

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 20)
WARM_UP_SECONDS = SECONDS / 2
GOOD_CLIENTS = 30
BAD_CLIENTS = 40  # at any time
EVENTS_A_SECOND = 400  # at most
BURST = 8
TOLERANCE = 0.05  # of the resident memory
REQUEST = (
    b"GET /ws?user_id=bad HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)


def frame(first, payload):
    """A short frame, masked with zeros."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


class BadClient:
    """One connection that misbehaves at random."""

    def __init__(self, port, chance):
        self.port = port
        self.chance = chance

    async def run(self):
        try:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 12)
        except OSError:
            return
        try:
            await self.chance.choice(
                (self.half_request, self.noise, self.reset, self.stall, self.garble, self.rooms, self.leave)
            )()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
            pass
        finally:
            self.writer.transport.abort()

    async def open(self):
        self.writer.write(REQUEST)
        await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)

    async def wait(self):
        await asyncio.sleep(self.chance.random())

    async def half_request(self):
        self.writer.write(REQUEST[: self.chance.randrange(len(REQUEST))])
        await self.wait()

    async def noise(self):
        self.writer.write(self.chance.randbytes(2000))
        await self.wait()

    async def reset(self):
        """Closes with a RST, in the middle of what arrives."""
        await self.open()
        await self.wait()
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def stall(self):
        """Reads nothing, so that its queue grows."""
        await self.open()
        self.writer.transport.pause_reading()
        await asyncio.sleep(3 * self.chance.random())

    async def garble(self):
        await self.open()
        for _ in range(5):
            payload = self.chance.randbytes(self.chance.randrange(126))
            self.writer.write(frame(self.chance.randrange(256), payload))
            await asyncio.sleep(0.05)

    async def rooms(self):
        await self.open()
        for number in range(20):
            kind = self.chance.choice(("join_room", "leave_room"))
            message = {"type": kind, "room": f"room {self.chance.randrange(10)}", "ref": number}
            self.writer.write(frame(0x81, json.dumps(message).encode()))
        await self.wait()

    async def leave(self):
        """Closes correctly."""
        await self.open()
        await self.wait()
        self.writer.write(frame(0x88, b"\x03\xe8"))
        await asyncio.wait_for(self.reader.read(), 10)


class GoodClient:
    """Receives everything, and keeps the numbers of the events."""

    def __init__(self):
        self.numbers = []

    async def run(self, url):
        async with websockets.connect(f"{url}/ws", max_queue=None) as client:
            async for text in client:
                message = json.loads(text)
                if message["type"] == "notification":
                    self.numbers.append(int(message["data"]["message"]))


class Chaos(unittest.IsolatedAsyncioTestCase):
    def resident_kib(self):
        with open(f"/proc/{self.backend.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.backend.process.pid}/fd"))

    async def emit(self, seconds, first):
        """Sends numbered events over one HTTP connection, BURST at a time; returns the next number."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.backend.port)
        end = time.monotonic() + seconds
        number = first
        while time.monotonic() < end:
            for _ in range(BURST):
                body = json.dumps({"message": str(number), "severity": "info"}).encode()
                writer.write(
                    b"POST /api/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
                )
                number += 1
            for _ in range(BURST):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
                self.assertRegex(head, rb"^HTTP/1\.1 20[0-9] ")
                length = re.search(rb"(?i)content-length: *([0-9]+)", head)
                await reader.readexactly(int(length.group(1)))
            await asyncio.sleep(BURST / EVENTS_A_SECOND)
        writer.close()
        return number

    async def misbehave(self, seconds, chance):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await BadClient(self.backend.port, chance).run()

    async def play(self, seconds, first, seed):
        chance = random.Random(seed)
        bad = [asyncio.create_task(self.misbehave(seconds, chance)) for _ in range(BAD_CLIENTS)]
        number = await self.emit(seconds, first)
        await asyncio.gather(*bad)
        return number

    async def settle(self, n_connections):
        """Waits until only the good clients are left."""
        for _ in range(600):
            stats = await asyncio.to_thread(self.backend.stats)
            if stats["total_connections"] == n_connections:
                break
            await asyncio.sleep(0.1)
        self.assertEqual(stats["total_connections"], n_connections)
        await asyncio.sleep(1)

    async def test_good_clients_miss_nothing_and_nothing_leaks(self):
        # A history that is full after the warm-up grows no more.
        self.backend = Backend("--no-presence", "--max-queue", "65536", "--threads", "2", "--history", "500")
        self.addCleanup(self.backend.stop)
        good = [GoodClient() for _ in range(GOOD_CLIENTS)]
        tasks = [asyncio.create_task(client.run(self.backend.url)) for client in good]
        await self.settle(GOOD_CLIENTS)

        first = await self.play(WARM_UP_SECONDS, 0, 1)
        await self.settle(GOOD_CLIENTS)
        resident_kib, descriptors = self.resident_kib(), self.descriptors()
        last = await self.play(SECONDS, first, 2)
        await self.settle(GOOD_CLIENTS)

        for client in good:
            self.assertEqual(client.numbers, list(range(last)))
        self.assertGreater(last, first)
        print(f"{last} events; {resident_kib} KiB before, {self.resident_kib()} after")
        self.assertEqual(self.descriptors(), descriptors)
        if os.environ.get("SANITIZE", "none") == "none":  # sanitizers keep freed memory for a while
            self.assertLess(self.resident_kib(), resident_kib * (1 + TOLERANCE))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    unittest.main()
