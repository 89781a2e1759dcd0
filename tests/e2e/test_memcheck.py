"""The backend under valgrind's memcheck, from its start to its drain: no error, and no leak.

Other tests check the answers; here everything is done once, correctly and incorrectly."""
import asyncio
import contextlib
import json
import signal
import ssl
import subprocess
import tempfile
import unittest

import websockets

from async_case import AsyncCase
from backend import START_SECONDS, Backend
from client import receive_type, request
from tls_backend import Authority, TlsBackend
from tokens import SECRET, token

PATIENCE_SECONDS = 0.5
LEAKS = "definite,indirect,possible"
ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
REQUESTS = (
    ("POST", "/api/orders", ORDER), ("PUT", "/api/orders/1", {"items": ORDER["items"] * 2}),
    ("PUT", "/api/orders/1", {"items": [{"sku": "WIDGET-1", "quantity": 2}]}),
    ("PATCH", "/api/orders/1/status", {"status": "confirmed"}),
    ("PATCH", "/api/orders/1/status", {"status": "delivered"}), ("GET", "/api/orders", None),
    ("GET", "/api/orders/1", None), ("GET", "/api/orders/99", None),
    ("POST", "/api/orders", {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 10**6}]}),
    ("POST", "/api/clients", {"name": "Ana", "email": "ana@example.com"}),
    ("PUT", "/api/clients/1", {"name": "Bob", "email": "b@example.com"}), ("GET", "/api/clients", None),
    ("PATCH", "/api/inventory/WIDGET-1", {"quantity": 1}), ("GET", "/api/inventory", None),
    ("POST", "/api/notifications", {"message": "x" * 500, "severity": "info"}),
    ("POST", "/api/notifications", {"message": "y", "severity": "info", "user_id": "ana"}),
    ("POST", "/api/orders", "{"), ("POST", "/api/orders", '{"client_id":"\\ud800"}'),
    ("POST", "/api/orders", "[" * 10000), ("POST", "/api/orders", "x" * 2000000),
    ("DELETE", "/api/orders", None), ("GET", "/ws/stats", None), ("GET", "/metrics", None),
    ("GET", "/healthz", None), ("GET", "/", None), ("GET", "/../x", None), ("GET", "/%zz", None))
SAID = (
    {"type": "join_room", "room": "orders", "ref": 1}, {"type": "join_room", "room": "staff:a", "ref": 2},
    {"type": "join_room", "room": "user:bob", "ref": 3}, {"type": "ping", "ref": "p"},
    {"type": "message", "room": "orders", "data": {"é": [1, None, "x" * 3000]}, "ref": 4},
    {"type": "message", "room": "orders", "data": {"é": [1, None, "x" * 3000]}},
    {"type": "message", "room": "none", "data": 1, "ref": 5}, {"type": "dance", "ref": 6},
    {"type": "authenticate", "token": "abc", "ref": 7},
    {"type": "leave_room", "room": "orders", "ref": 8})
BAD_HEADS = (b"\x00\xff\r\n\r\n", b"GET /", b"GET / HTTP/9.9\r\n\r\n", b"G" * 100000,
             b"POST /api/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
UPGRADE = (b"GET /%s?token=%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
MASK = b"\0\0\0\0"
BAD_FRAMES = (
    b"\x81\x01a", b"\xb1\x80" + MASK, b"\x83\x80" + MASK, b"\x80\x80" + MASK, b"\x81\x82" + MASK + b"\xc3",
    b"\x81\x82" + MASK + b"\xc3\x28", b"\x81\xff" + b"\xff" * 8 + MASK, b"\xc1\x83" + MASK + b"\xff\xff\xff",
    b"\x88\x81" + MASK + b"x", b"\x88\x82" + MASK + b"\x03\xe8", b"\x89\xfe\0\x80" + MASK,
    (b"\x01\x81" + MASK + b"a\x80\x80" + MASK) * 10001,
    (b"\x01\x80" + MASK) + (b"\x00\x80" + MASK) * 1100, (b"\x89\x80" + MASK) * 10001)


class Memcheck(AsyncCase):
    def under(self, log):
        return ("valgrind", "--quiet", "--leak-check=full", f"--show-leak-kinds={LEAKS}",
                f"--errors-for-leak-kinds={LEAKS}", "--fair-sched=try", f"--log-file={log}")

    async def say_bytes(self, backend, context, data):
        """Sends bytes, reads until the server closes or a timeout, and resets the connection."""
        reader, writer = await asyncio.open_connection(
            "localhost", backend.port, ssl=context, limit=1 << 20)
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.TimeoutError):
            writer.write(data)
            await writer.drain()
            await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        writer.transport.abort()

    async def call_everything(self, backend):
        bearer = {"Authorization": "Bearer " + token(role="staff")}
        for method, path, body in REQUESTS:
            for headers in (bearer, {"Authorization": "Bearer " + token(seconds=-1)}):
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    await asyncio.to_thread(backend.request, method, path, body, headers)

    async def talk(self, backend, connect):
        for options in ({}, {"compression": None}):
            client = await connect(f"/ws?token={token(role='staff')}", **options)
            for message in SAID:
                await client.send(json.dumps(message))
            await client.send("{")
            await client.send(b"\0")
            await request(client, {"type": "authenticate", "token": token(), "ref": "renewed"})
            left = await receive_type(client, "room_left")
            await client.close()
            await self.call_everything(backend)
            path = f"/ws?token={token()}&after={left['data']['id']}&rooms=orders,staff:a"
            client = await connect(path, **options)
            await receive_type(client, "recovered")
            await client.close()
            echo = await connect(f"/echo?token={token()}", **options)
            for message in ("", "x" * 60000, ["frag", "men", "ted"], bytes(range(256)) * 100):
                await echo.send(message)
                await asyncio.wait_for(echo.recv(), START_SECONDS)
            with contextlib.suppress(websockets.ConnectionClosed):
                await echo.send(bytes(70000))
                await asyncio.wait_for(echo.recv(), START_SECONDS)
            await echo.close()
        with contextlib.suppress(websockets.InvalidHandshake):
            await connect("/ws?token=abc")

    async def listen(self, client):
        with contextlib.suppress(websockets.ConnectionClosed):
            async for _ in client:
                pass
        return client.close_code

    async def drive(self, backend, context):
        async def connect(path, **options):
            client = await websockets.connect(backend.url + path, ssl=context, open_timeout=START_SECONDS,
                                              **options)
            self.addAsyncCleanup(client.close)
            return client

        listeners = [asyncio.create_task(self.listen(await connect(f"/ws?token={token()}", **options)))
                     for options in ({}, {"compression": None})]
        await self.call_everything(backend)
        await self.talk(backend, connect)
        bad = [*BAD_HEADS, *(UPGRADE % (path, token().encode()) + frames
                             for path in (b"ws", b"echo") for frames in BAD_FRAMES)]
        await asyncio.gather(*(self.say_bytes(backend, context, data) for data in bad))
        await self.say_bytes(backend, None, b"\x16\x03\x01 and then no TLS")
        if context is not None:
            backend.process.send_signal(signal.SIGHUP)
        await self.call_everything(backend)
        return listeners

    maxDiff = None

    async def check(self, tls):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            log, secret = folder + "/log", folder + "/secret"
            with open(secret, "wb") as file:
                file.write(SECRET)
            arguments = ("--jwt-secret-file", secret, "--echo", "--relay", "--threads", "2",
                         "--topic-rooms", "--db", folder + "/orders.db", "--max-per-address", "50")
            context = None
            if tls:
                authority = Authority()
                stack.callback(authority.close)
                context = authority.client_context()
                backend = TlsBackend(authority, *arguments, under=self.under(log))
            else:
                backend = Backend(*arguments, under=self.under(log))
            stack.callback(backend.stop)
            listeners = await self.drive(backend, context)
            status, _ = await asyncio.to_thread(backend.stop)
            self.assertEqual(await asyncio.gather(*listeners), [1012, 1012])
            with open(log, encoding="utf-8", errors="replace") as file:
                self.assertEqual(file.read(), "")
            self.assertEqual(status, 0)

    async def test_plain(self):
        await self.check(tls=False)

    async def test_tls(self):
        await self.check(tls=True)


if __name__ == "__main__":
    unittest.main()
