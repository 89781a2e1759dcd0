#!/usr/bin/env python3
"""Two processes of the example backend behind nginx and haproxy, with the configurations of the backend's
README: the polls and the upgrade of Socket.IO's clients, and what the clients of event streams post,
reach the process that has their session.

Not here: one process behind a proxy (test_proxy_clients.py, test_sse.py, test_proxies.py)."""
import asyncio
import shutil
import unittest

import socketio

from backend import START_SECONDS
from client import BackendCase
from event_source import EventSource
from proxies import by_address, command_of, documented, haproxy, nginx
from redis_server import RedisServer

try:
    import aiohttp
except ImportError:
    aiohttp = None

N_CLIENTS = 8


@unittest.skipIf(aiohttp is None or shutil.which("redis-server") is None,
                 "there is no python3-aiohttp or no redis-server")
class Sticky(BackendCase):
    def begin(self, kind, configured, *arguments):
        """Starts the backends, and the proxy with its documented configuration."""
        if command_of(kind.__name__) is None:
            self.skipTest(f"there is no {kind.__name__}")
        redis = RedisServer()
        self.addCleanup(redis.stop)
        self.backends = [self.start("--redis", f"redis://127.0.0.1:{redis.port}", "--node", name, "--threads", "2",
                                    "--trusted-proxy", "127.0.0.1", "--no-presence") for name in ("one", "two")]
        proxy = configured(kind, *arguments, [backend.port for backend in self.backends])
        self.addCleanup(proxy.stop)
        return proxy

    async def connect(self, proxy, address, transports):
        """A client at an address of its own, with a cookie jar; returns it and its events."""
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0)),
                                        cookie_jar=aiohttp.CookieJar(unsafe=True))  # also of addresses
        self.addAsyncCleanup(session.close)
        client, events = socketio.AsyncClient(reconnection=False, http_session=session), asyncio.Queue()
        client.on("notification", lambda event, _: events.put_nowait(event))
        await client.connect(f"http://127.0.0.1:{proxy.port}", transports=transports, wait_timeout=START_SECONDS)
        self.addAsyncCleanup(client.disconnect)
        self.assertEqual(client.transport(), (transports or ["websocket"])[0])
        return client, events

    async def both_are_used(self):
        statistics = [await asyncio.to_thread(backend.stats) for backend in self.backends]
        return all(one["total_connections"] > 0 for one in statistics)

    async def check(self, proxy, addresses):
        """Clients of both kinds are on both processes, and what each sends reaches its own."""
        clients = []
        for number, address in enumerate(addresses):
            if number >= N_CLIENTS and await self.both_are_used():
                break
            client, events = await self.connect(proxy, address, ["polling"] if number % 2 else None)
            clients.append(events)
            for room in ("a", "b", "c"):
                answer = await client.call("join_room", room, timeout=START_SECONDS)
                self.assertEqual(answer["type"], "room_joined")
        self.assertTrue(await self.both_are_used())
        await self.call(self.backends[0], "POST", "/api/notifications", {"message": "to all", "severity": "info"})
        for events in clients:
            event = await asyncio.wait_for(events.get(), START_SECONDS)
            self.assertEqual(event["data"]["message"], "to all")

    async def check_streams(self, proxy, addresses):
        for address in addresses:
            source = EventSource(proxy.port)
            await source.connect(local_address=(address, 0))
            self.addAsyncCleanup(source.close)
            session = (await source.message("welcome"))["data"]["session_id"]
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, local_addr=(address, 0))
            writer.write(f"POST /events?session={session} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                         "Content-Type: text/plain\r\nContent-Length: 15\r\n\r\n".encode() + b'{"type":"ping"}')
            answer = await asyncio.wait_for(reader.read(-1), START_SECONDS)
            writer.close()
            self.assertTrue(answer.startswith(b"HTTP/1.1 204 "), answer)
            await source.message("pong")

    # The hash decides, so there are more than are needed.
    ADDRESSES = [f"127.{37 * number % 250 + 1}.{91 * number % 250}.{59 * number % 250 + 1}"
                 for number in range(60)]

    async def test_nginx_by_address(self):
        proxy = self.begin(nginx, by_address)
        await self.check(proxy, self.ADDRESSES)
        await self.check_streams(proxy, self.ADDRESSES[:N_CLIENTS])

    async def test_haproxy_by_address(self):
        proxy = self.begin(haproxy, by_address)
        await self.check(proxy, self.ADDRESSES)
        await self.check_streams(proxy, self.ADDRESSES[:N_CLIENTS])

    async def test_haproxy_by_cookie(self):
        proxy = self.begin(haproxy, documented, "cookie PROCESS")
        await self.check(proxy, ["127.0.0.1"] * 2 * N_CLIENTS)


if __name__ == "__main__":
    unittest.main()
