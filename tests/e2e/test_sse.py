#!/usr/bin/env python3
"""Server-sent events of the example backend: with curl, a client of our own, and chromium's EventSource;
directly and behind nginx and haproxy; mixed with WebSockets; over a restart with Redis."""
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import unittest

from backend import START_SECONDS
from client import BackendCase, receive, receive_type
from event_source import EventSource
from proxies import command_of, haproxy, nginx
from redis_server import RedisServer, free_port
from tokens import SECRET, token

JSON = {"Content-Type": "application/json"}


class SseCase(BackendCase):
    async def stream(self, port, path="/events", **headers):
        source = await EventSource(port, path, **headers).connect()
        self.addAsyncCleanup(source.close)
        return source

    async def welcomed(self, port, path="/events", **headers):
        source = await self.stream(port, path, **headers)
        self.assertEqual(source.status, 200)
        source.welcome = await source.message("welcome")
        return source

    async def post(self, backend, source, message, query="", **headers):
        session = source.welcome["data"]["session_id"]
        status, _, _ = await self.call(backend, "POST", f"/events?session={session}{query}", message,
                                       headers)
        return status

    async def notify(self, backend, text):
        status, _, _ = await self.call(backend, "POST", "/api/notifications",
                                       {"message": text, "severity": "info"})
        self.assertEqual(status, 202)


class Streams(SseCase):
    async def test_curl(self):
        backend = self.start("--threads", "1")
        for options in ([], ["--compressed"], ["--http1.0"]):
            curl = await asyncio.create_subprocess_exec(
                "curl", "-sN", *options, f"http://127.0.0.1:{backend.port}/events", stdout=subprocess.PIPE)
            lines = []
            while not any('"welcome"' in line for line in lines):
                lines.append((await asyncio.wait_for(curl.stdout.readline(), 60)).decode())
            await self.notify(backend, "for curl")
            while not any("for curl" in line for line in lines):
                lines.append((await asyncio.wait_for(curl.stdout.readline(), 60)).decode())
            self.assertEqual(lines[0], "retry: 3000\n")
            curl.kill()
            await curl.wait()

    async def test_an_order_of_both_kinds_of_client(self):
        """Each client, of whatever kind and on whatever loop, receives the same events in the same order."""
        backend = self.start("--threads", "2", "--no-presence")
        sources = [await self.welcomed(backend.port, **({"Accept-Encoding": "gzip"} if i % 2 else {}))
                   for i in range(6)]
        sockets = [await self.open(backend, "/ws") for _ in range(4)]
        for client in sockets:
            await receive_type(client, "welcome")
        await asyncio.gather(*(self.notify(backend, f"event {i}") for i in range(40)))
        ledgers = []
        for source in sources:
            ledgers.append([(await source.message())["id"] for _ in range(40)])
        for client in sockets:
            ledgers.append([(await receive(client))["id"] for _ in range(40)])
        for ledger in ledgers[1:]:
            self.assertEqual(ledger, ledgers[0])

    async def test_rooms_and_messages_by_post(self):
        """On both loops: a request arrives where the stream is, or elsewhere."""
        backend = self.start("--threads", "2", "--relay", "--no-presence")
        for i in range(8):
            source = await self.welcomed(backend.port)
            self.assertEqual(await self.post(backend, source, {"type": "join_room", "room": "r", "ref": i}), 204)
            self.assertEqual((await source.message("room_joined"))["ref"], i)
            self.assertEqual(
                await self.post(backend, source, {"type": "message", "room": "r", "data": {"n": i}}), 204)
            self.assertEqual((await source.message("message"))["data"], {"n": i})
            await source.close()
        while (await asyncio.to_thread(backend.stats))["total_connections"] > 0:
            await asyncio.sleep(0.02)
        self.assertEqual(await self.post(backend, source, {"type": "ping"}), 404)

    async def test_a_connection_serves_several_requests(self):
        backend = self.start("--threads", "2")
        source = await self.welcomed(backend.port)
        path = "/events?session=" + source.welcome["data"]["session_id"]
        connection = backend.http_connection()
        self.addCleanup(connection.close)

        def requests():
            for method, target, status in (("POST", path, 204), ("GET", "/healthz", 200), ("POST", path, 204),
                                           ("HEAD", "/events", 200), ("PUT", "/events", 405),
                                           ("OPTIONS", "/events", 204), ("POST", path, 204)):
                connection.request(method, target, '{"type":"ping"}' if method in ("POST", "PUT") else None, JSON)
                response = connection.getresponse()
                response.read()
                self.assertEqual(response.status, status, (method, target))
        await asyncio.to_thread(requests)
        for _ in range(3):
            await source.message("pong")

    async def test_pipelined_requests(self):
        backend = self.start("--threads", "1")
        source = await self.welcomed(backend.port)
        path = "/events?session=" + source.welcome["data"]["session_id"]
        body = '{"type":"ping"}'
        request = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}")
        reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
        writer.write((request * 5 + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").encode())
        answers = await asyncio.wait_for(reader.read(-1), 60)
        writer.close()
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answers), [b"204"] * 5 + [b"200"])

    async def test_a_slow_client_is_ended_and_recovers(self):
        backend = self.start("--threads", "1", "--max-queue", "65536", "--no-presence", "--relay")
        slow = EventSource(backend.port, "/events?rooms=r")
        await slow.connect()
        slow.welcome = await slow.message("welcome")
        fast = await self.open(backend, "/ws?rooms=r")
        await receive_type(fast, "welcome")
        slow.writer.transport.pause_reading()
        sent = 0
        while (await asyncio.to_thread(backend.stats))["drops"]["slow_client"] == 0:
            await fast.send(json.dumps({"type": "message", "room": "r", "data": {"n": sent, "x": "x" * 60000}}))
            await receive_type(fast, "message")
            sent += 1
        slow.writer.transport.resume_reading()
        seen = []
        while True:
            event = await slow.event()
            if event is None or event[0] == "close":
                break
            seen.append(event[1]["data"]["n"])
        self.assertEqual(event[1]["code"], 1013)
        await slow.close()
        again = EventSource(backend.port, "/events?rooms=r")
        again.last_id = slow.last_id
        await again.connect()
        while (message := await again.message("message", "recovered"))["type"] == "message":
            seen.append(message["data"]["n"])
        self.assertTrue(message["data"]["complete"])
        self.assertEqual(seen, list(range(sent)))
        await again.close()

    async def test_a_shutdown_says_when_to_come_back(self):
        backend = self.start("--threads", "2")
        sources = [await self.welcomed(backend.port) for _ in range(4)]
        stopped = asyncio.create_task(asyncio.to_thread(backend.stop))
        for source in sources:
            while (event := await source.event())[0] != "close":
                pass
            self.assertEqual(event[1]["code"], 1012)
            self.assertIn(f"retry in {source.retry} ms", event[1]["reason"])
            self.assertIsNone(await source.event())
            await source.close()
        self.assertEqual((await stopped)[0], 0)

    async def test_heartbeats(self):
        backend = self.start("--ping-interval", "1", "--no-presence")
        source = await self.welcomed(backend.port, "/events?rooms=r")
        first = source.last_id
        await self.notify(backend, "to everyone")
        await source.message("notification")
        self.assertNotEqual(source.last_id, first)
        while source.comments == 0:
            await source._more()
            source.comments += sum(block.startswith(b":") for block in source.blocks)


class Access(SseCase):
    def secret(self):
        path = os.path.join(self.enterContext(__import__("tempfile").TemporaryDirectory()), "secret")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(SECRET)
        return path

    async def test_tokens(self):
        backend = self.start("--jwt-secret-file", self.secret(), "--threads", "2")
        self.assertEqual((await self.stream(backend.port)).status, 401)
        self.assertEqual((await self.stream(backend.port, "/events?token=x.y.z")).status, 401)
        bearer = {"Authorization": "Bearer " + token("ana")}
        source = await self.welcomed(backend.port, **bearer)
        self.assertEqual(source.welcome["data"]["user_id"], "ana")
        self.assertEqual(await self.post(backend, source, {"type": "ping"}), 401)
        self.assertEqual(await self.post(backend, source, {"type": "ping"}, "&token=" + token("eve")), 403)
        self.assertEqual(await self.post(backend, source, {"type": "ping"}, **bearer), 204)
        await source.message("pong")

    async def test_a_refused_stream_leaves_nothing(self):
        """The leak sanitizer looks at the end."""
        backend = self.start("--jwt-secret-file", self.secret())
        connection = backend.http_connection()
        self.addCleanup(connection.close)

        def requests():
            for path, status in (("/events?rooms=%ff", 400), ("/events?rooms=%ff", 400), ("/healthz", 200)):
                connection.request("GET", path, headers={"Authorization": "Bearer " + token("ana")})
                response = connection.getresponse()
                response.read()
                self.assertEqual((response.status, response.will_close), (status, False))
        await asyncio.to_thread(requests)
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)

    async def test_a_token_expires(self):
        backend = self.start("--jwt-secret-file", self.secret())
        source = await self.welcomed(backend.port, "/events?token=" + token("ana", 2))
        while (event := await source.event())[0] != "close":
            pass
        self.assertEqual(event[1], {"code": 4401, "reason": "token expired"})

    async def test_origins(self):
        backend = self.start("--allow-origin", "https://shop.example")
        source = await self.welcomed(backend.port, Origin="https://shop.example")
        self.assertEqual(source.fields["access-control-allow-origin"], "https://shop.example")
        self.assertEqual(source.fields["access-control-allow-credentials"], "true")
        refused = await self.stream(backend.port, Origin="https://evil.example")
        self.assertEqual(refused.status, 403)
        self.assertNotIn("access-control-allow-origin", refused.fields)
        for origin, allowed in (("https://shop.example", True), ("https://evil.example", False)):
            status, _, fields = await self.call(
                backend, "OPTIONS", "/events", None,
                {"Origin": origin, "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "content-type"})
            self.assertEqual(status, 204)
            self.assertEqual(fields.get("Access-Control-Allow-Origin"), origin if allowed else None)

    async def test_the_admin_listener_has_no_events(self):
        backend = self.start("--admin-listen", "127.0.0.1:0")
        status, _, _ = await self.call(backend, "GET", "/events", port=backend.admin_port)
        self.assertEqual(status, 404)

    async def test_connections_of_an_address(self):
        backend = self.start("--max-per-address", "2")
        for _ in range(2):
            await self.welcomed(backend.port)
        self.assertEqual((await self.stream(backend.port)).status, 429)


class Proxies(SseCase):
    async def check(self, kind, **options):
        if command_of(kind.__name__) is None:
            self.skipTest(f"there is no {kind.__name__}")
        backend = self.start("--trusted-proxy", "127.0.0.1", "--threads", "2", "--no-presence")
        proxy = kind(backend.port, **options)
        self.addCleanup(proxy.stop)
        for encoding in ("identity", "gzip"):
            source = await self.welcomed(proxy.port, **{"Accept-Encoding": encoding})
            self.assertEqual(source.fields.get("content-encoding"), None if encoding == "identity" else "gzip")
            for number in range(3):  # each passes the proxy before the next is sent
                await self.notify(backend, f"event {number}")
                self.assertEqual((await source.message("notification"))["data"]["message"], f"event {number}")
            session = source.welcome["data"]["session_id"]
            status, _, _ = await self.call(backend, "POST", f"/events?session={session}", {"type": "ping"},
                                           port=proxy.port)
            self.assertEqual(status, 204)
            await source.message("pong")
            await source.close()

    async def test_nginx(self):
        await self.check(nginx)

    async def test_haproxy(self):
        await self.check(haproxy, mode="http", rules="option forwardfor")


@unittest.skipUnless(shutil.which("redis-server"), "there is no redis-server")
class Restart(SseCase):
    async def test_a_killed_backend_returns(self):
        """The client misses nothing: the history is in Redis."""
        redis = RedisServer()
        self.addCleanup(redis.stop)
        port = free_port()
        arguments = ("--redis", f"redis://127.0.0.1:{redis.port}", "--listen", f"127.0.0.1:{port}",
                     "--no-presence")
        backend = self.start(*arguments)
        other = self.start(*arguments[:2], "--no-presence")
        source = await self.welcomed(port)
        await self.notify(backend, "event 0")
        await source.message("notification")
        backend.process.send_signal(signal.SIGKILL)
        backend.process.wait(START_SECONDS)
        await source.close()
        for number in range(1, 6):
            await self.notify(other, f"event {number}")
        self.start(*arguments)
        await source.connect()
        await source.message("welcome")
        for number in range(1, 6):
            self.assertEqual((await source.message("notification"))["data"]["message"], f"event {number}")
        recovered = await source.message("recovered")
        self.assertEqual(recovered["data"]["complete"], True)
        await source.close()


if __name__ == "__main__":
    unittest.main()
