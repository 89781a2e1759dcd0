#!/usr/bin/env python3
"""While clients flood a server's only thread, another client is answered and receives every event, and
the process's memory stays within its bounds.

Not here: how fast that is (tests/bench/floods), and each bound by itself (tests/unit)."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import tokens
from client import BackendCase, receive_type, request, with_headers

FLOODER = pathlib.Path(__file__).resolve().parents[1] / "bench/floods/flooder.py"
MOST_SECONDS = "100"  # the flood is ended earlier
PINGS, ORDERS = 100, 10
MOST_MB = {1: 8, 40: 64}
ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


def resident_mb(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Floods(BackendCase):
    def flood(self, backend, kind, n, token=None):
        command = [sys.executable, FLOODER, str(backend.port), kind, str(n), MOST_SECONDS]
        flooder = subprocess.Popen([*command, *([token] if token else [])],
                                   stdout=subprocess.DEVNULL)

        def end():
            flooder.kill()
            flooder.wait()

        self.addCleanup(end)
        return flooder

    async def expect_served(self, backend, client, headers):
        """Checks that pings are answered, and that each order's event arrives, in order."""
        for number in range(PINGS):
            await request(client, {"type": "ping", "ref": number})
            if number % (PINGS // ORDERS) == 0:
                status, order, _ = await self.call(backend, "POST", "/api/orders", ORDER, headers)
                self.assertEqual(status, 201)
                event = await receive_type(client, "order_created")
                self.assertEqual(event["data"]["id"], order["id"])

    async def check(self, kind, n, arguments=(), token=None):
        backend = self.start("--threads", "1", *arguments)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client, _ = await self.connect(backend, ping_interval=None, **with_headers(**headers))
        await self.expect_served(backend, client, headers)
        before = resident_mb(backend.process)
        flooder = self.flood(backend, kind, n, token)
        await self.expect_served(backend, client, headers)
        self.assertIsNone(flooder.poll(), "the flood has ended")
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident_mb(backend.process) - before, MOST_MB[n])
        flooder.kill()
        await client.close()
        backend.stop()

    async def test_a_flood_of_messages(self):
        for kind in ("tiny", "compressed", "rooms", "pings", "pings-unread"):
            for n in MOST_MB:
                with self.subTest(kind=kind, clients=n):
                    await self.check(kind, n)

    async def test_a_flood_of_requests(self):
        for kind in ("http", "posts"):
            for n in MOST_MB:
                with self.subTest(kind=kind, clients=n):
                    await self.check(kind, n)

    async def test_a_flood_of_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            private, public = tokens.make_pair(folder, "ES256")
            token = tokens.signed_token(private, "ES256")
            await self.check("authenticate", 40, ("--jwt-public-key", public), token)

    async def test_the_message_rate_is_checked_before_memory(self):
        await self.check("tiny", 40, ("--message-rate", "20"))


if __name__ == "__main__":
    unittest.main()
