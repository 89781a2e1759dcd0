"""WebSockets over TLS: the same messages in the same order as without TLS.

TLS itself is in test_tls.py."""
import asyncio
import unittest

import websockets

from async_case import AsyncCase
from client import PATIENT, check_slow_client, receive, receive_type
from tls_backend import Authority, TlsBackend

CLIENTS = 200
EVENTS = 50


class TlsEvents(AsyncCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()

    @classmethod
    def tearDownClass(cls):
        cls.authority.close()

    def start(self, *arguments):
        backend = TlsBackend(self.authority, *arguments)
        self.addCleanup(backend.stop)
        return backend

    async def connect(self, backend, path="/ws", **options):
        client = await websockets.connect(backend.url + path, ssl=self.authority.client_context(),
                                          **{**PATIENT, **options})
        self.addAsyncCleanup(client.close)
        return client

    async def test_echo_of_small_and_large_messages(self):
        backend = self.start("--echo", "--max-message", "1048576")
        client = await self.connect(backend, "/echo", max_size=None)
        for message in ("", "häßlich ✓", "x" * 70000, b"", b"\x00\xff", bytes(range(256)) * 4096):
            await client.send(message)
            self.assertEqual(await asyncio.wait_for(client.recv(), 60), message)
        for number in range(1000):
            await client.send(str(number))
        for number in range(1000):
            self.assertEqual(await asyncio.wait_for(client.recv(), 60), str(number))

    async def test_a_client_that_does_not_trust_the_authority(self):
        backend = self.start()
        other = Authority()
        self.addCleanup(other.close)
        for context, url in ((other.client_context(), backend.url),
                             (self.authority.client_context(), backend.url.replace("localhost", "127.0.0.1"))):
            with self.assertRaisesRegex(Exception, "certificate verify failed"):
                await websockets.connect(url + "/ws", ssl=context)

    async def test_every_event_once_and_in_order_to_many(self):
        backend = self.start("--threads", "2", "--no-presence")
        clients = []
        for _ in range(CLIENTS):
            clients.append(await self.connect(backend))
        for number in range(EVENTS):
            note = {"message": str(number), "severity": "info"}
            status, _, _ = await asyncio.to_thread(backend.request, "POST", "/api/notifications", note)
            self.assertEqual(status, 202)
        for client in clients:
            seen = [(await receive_type(client, "notification"))["data"]["message"] for _ in range(EVENTS)]
            self.assertEqual(seen, [str(number) for number in range(EVENTS)])
            await client.send('{"type":"ping","ref":"last"}')
            self.assertEqual((await receive(client))["ref"], "last")  # so nothing arrived twice

    async def test_a_client_that_does_not_read_is_closed_and_delays_no_other(self):
        backend = self.start("--relay", "--no-presence", "--max-queue", "65536")
        slow = await self.connect(backend, max_queue=1, compression=None)
        fast = await self.connect(backend)
        for client in (slow, fast):
            await client.send('{"type":"join_room","room":"r"}')
            await receive_type(client, "room_joined")
        await check_slow_client(self, backend, slow, fast)

    async def test_sigterm_asks_every_client_to_reconnect(self):
        backend = self.start()
        clients = [await self.connect(backend) for _ in range(20)]
        status, _ = await asyncio.to_thread(backend.stop)
        self.assertEqual(status, 0)
        for client in clients:
            with self.assertRaises(websockets.ConnectionClosed) as closed:
                while True:
                    await asyncio.wait_for(client.recv(), 60)
            self.assertEqual(closed.exception.rcvd.code, 1012)


if __name__ == "__main__":
    unittest.main()
