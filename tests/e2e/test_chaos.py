"""Clients that connect, disconnect, break, stall and send garbage, while others receive every event in
order, once, and have each request answered once; afterwards the backend holds no more memory or
descriptors than before.

Not here: how each kind of client is answered (the unit tests and test_events.py)."""
import asyncio
import collections
import json
import os
import random
import re
import time
import unittest

from async_case import AsyncCase
from backend import Backend
from bad_clients import BAD_KINDS, BadPolling, BadSocketio
from returning import EVENTS_PER_REQUEST
from returning_kinds import KINDS

SECONDS = float(os.environ.get("CHAOS_SECONDS") or 20)
WARM_UP_SECONDS = SECONDS / 2
GOOD_CLIENTS = 30
BAD_CLIENTS = 40  # at any time
EVENTS_A_SECOND = 400  # at most
BURST = 8
TOLERANCE = 0.05  # of the resident memory
SESSION_KIB = 1  # a session of Socket.IO can be recovered for two minutes


class Chaos(AsyncCase):
    def resident_kib(self):
        with open(f"/proc/{self.backend.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def socketio_sessions(self):
        return sum(count for (kind, _), count in self.lived.items() if kind in (BadSocketio, BadPolling))

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
            await chance.choice(BAD_KINDS)(self.backend.port, chance).run(self.lived)

    async def play(self, seconds, first, seed):
        chance = random.Random(seed)
        bad = [asyncio.create_task(self.misbehave(seconds, chance)) for _ in range(BAD_CLIENTS)]
        number = await self.emit(seconds, first)
        await asyncio.gather(*bad)
        await BadPolling.end_sessions(self.backend.port)
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
        self.backend = Backend("--no-presence", "--max-queue", "65536", "--threads", "2", "--history", "100")
        self.addCleanup(self.backend.stop)
        self.lived = collections.Counter()
        good = [KINDS[i % len(KINDS)]([self.backend]) for i in range(GOOD_CLIENTS)]
        for client in good:
            self.addAsyncCleanup(client.close)
        await self.settle(GOOD_CLIENTS)

        first = await self.play(WARM_UP_SECONDS, 0, 1)
        await self.settle(GOOD_CLIENTS)
        resident_kib, descriptors = self.resident_kib(), self.descriptors()
        n_sessions = self.socketio_sessions()
        last = await self.play(SECONDS, first, 2)
        await self.settle(GOOD_CLIENTS)

        for client in good:
            numbers = [int(event["data"]["message"]) for event in client.events]
            self.assertEqual((numbers, client.n_connections), (list(range(last)), 1), type(client).__name__)
            self.assertEqual(await client.all_answered(), last // EVENTS_PER_REQUEST)
        self.assertGreater(last, first)
        self.assertEqual(set(self.lived), {(kind, habit) for kind in BAD_KINDS for habit in kind.HABITS})
        print(f"{last} events; {resident_kib} KiB before, {self.resident_kib()} after")
        self.assertEqual(self.descriptors(), descriptors)
        if os.environ.get("SANITIZE", "none") == "none":  # sanitizers keep freed memory for a while
            kept_kib = SESSION_KIB * (self.socketio_sessions() - n_sessions)
            self.assertLess(self.resident_kib(), resident_kib * (1 + TOLERANCE) + kept_kib)
        for client in good:
            await client.close()
        self.assertEqual((await asyncio.to_thread(self.backend.stop))[0], 0)


if __name__ == "__main__":
    unittest.main()
