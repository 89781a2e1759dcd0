#!/usr/bin/env python3
"""A database that another process locks, or that has no room: everything else continues, no client is
delayed, and what could not be written is written later, once."""
import asyncio
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

from backend_log import Log
from client import BackendCase, receive_type, request
from redis_server import RedisServer
from test_process import exchange

N_EVENTS = 20
N_TURNS = 300
N_LEFT = 4000
ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


@contextlib.contextmanager
def foreign_lock(path, backend):
    """As a backup tool holds it: reading is possible, writing is not."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@contextlib.contextmanager
def full_disk(path, backend):
    """No file of the backend may grow any more."""
    limits = resource.prlimit(backend.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(backend.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    yield
    resource.prlimit(backend.process.pid, resource.RLIMIT_FSIZE, limits)


class Database(BackendCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="database-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.path = os.path.join(self.folder, "orders.db")
        self.log = Log()
        self.addCleanup(self.log.lines)

    def begin(self, *arguments):
        return self.start("--db", self.path, "--relay", "--threads", "1", *arguments,
                          stderr=self.log.pipe)

    async def failures(self, backend):
        return (await self.call(backend, "GET", "/ws/stats"))[1]["database_failures"]

    def rows_of_outbox(self):
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            return database.execute("SELECT count(*) FROM outbox").fetchone()[0]

    async def until_settled(self):
        while await asyncio.to_thread(self.rows_of_outbox) > 0:
            await asyncio.sleep(0.02)

    async def write(self, backend):
        return await self.call(backend, "POST", "/api/orders", ORDER)

    async def all_but_writing_goes_on(self, backend, code):
        """Requests that write are answered with 503; everything else works."""
        one, _ = await self.connect(backend)
        other, _ = await self.connect(backend)
        for client in (one, other):
            await request(client, {"type": "join_room", "room": "r", "ref": 1})
        for number in range(N_TURNS // 10):
            status, answer, headers = await self.write(backend)
            self.assertEqual((status, answer["error"]["code"]), (503, code))
            self.assertGreater(int(headers["Retry-After"]), 0)
            await (await one.ping())
            await one.send('{"type":"message","room":"r","data":%d}' % number)
            self.assertEqual((await receive_type(other, "message"))["data"], number)
        status, answer, _ = await self.call(backend, "GET", "/api/orders")
        self.assertEqual(status, 200)
        status, _, _ = await self.call(backend, "POST", "/api/notifications", {"message": "m"})
        self.assertEqual(status, 503)
        return len(answer["orders"])

    async def meets(self, trouble, code):
        """This holds without Redis: writing resumes, and each event arrives once."""
        backend = self.begin()
        client, _ = await self.connect(backend)
        self.assertEqual((await self.write(backend))[0], 201)
        started = time.monotonic()
        with trouble(self.path, backend):
            self.assertEqual(await self.all_but_writing_goes_on(backend, code), 1)
        self.assertEqual((await self.write(backend))[0], 201)
        seconds = time.monotonic() - started
        created = [(await receive_type(client, "order_created"))["data"]["id"] for _ in range(2)]
        self.assertEqual(created, [1, 2])
        await self.until_settled()
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)
        lines = [line for line in self.log.lines() if "database: " in line]
        self.assertGreater(len(lines), 0)
        self.assertLessEqual(len(lines), seconds + 1)  # one a second

    async def test_a_foreign_lock(self):
        await self.meets(foreign_lock, "busy")

    async def test_a_full_disk(self):
        await self.meets(full_disk, "full")

    async def catches_up(self, trouble):
        """Events are stored in Redis and delivered, but this cannot be recorded in the database."""
        if shutil.which("redis-server") is None:
            self.skipTest("there is no redis-server")
        redis = RedisServer()
        self.addCleanup(redis.stop)
        backend = self.begin("--redis", redis.uri, "--node", "a", "--no-presence")
        client, _ = await self.connect(backend)
        self.assertEqual((await self.write(backend))[0], 201)
        await receive_type(client, "order_created")
        redis.pause()
        for _ in range(N_EVENTS):
            self.assertEqual((await self.write(backend))[0], 201)
        self.assertGreaterEqual(self.rows_of_outbox(), N_EVENTS)
        with trouble(self.path, backend):
            failed_before = await self.failures(backend)
            started = time.monotonic()
            redis.resume()
            created = [(await receive_type(client, "order_created"))["data"]["id"]
                       for _ in range(N_EVENTS)]
            self.assertEqual(created, [2 + number for number in range(N_EVENTS)])
            while await self.failures(backend) == failed_before:
                await asyncio.sleep(0.02)
            for _ in range(N_TURNS):
                await (await client.ping())
            tries = await self.failures(backend) - failed_before
            seconds = time.monotonic() - started
            # From 20 ms on each pause is twice the last, up to a second.
            self.assertLessEqual(tries, 7 + seconds)
            self.assertGreaterEqual(self.rows_of_outbox(), N_EVENTS)
        await self.until_settled()
        self.assertEqual((await self.write(backend))[0], 201)
        event = await receive_type(client, "order_created")
        self.assertEqual(event["data"]["id"], 2 + N_EVENTS)  # so none arrived twice
        await self.until_settled()

    async def test_a_stop_waits_for_redis(self):
        """It must store what was answered; else the events wait for the next process of that name."""
        if shutil.which("redis-server") is None:
            self.skipTest("there is no redis-server")
        redis = RedisServer()
        self.addCleanup(redis.stop)
        backend = self.begin("--redis", redis.uri, "--node", "a", "--no-presence")
        redis.pause()
        self.assertEqual((await self.write(backend))[0], 201)
        backend.process.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            await asyncio.to_thread(backend.process.wait, 1)
        redis.resume()
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)
        self.assertEqual(self.rows_of_outbox(), 0)

    async def disconnect_later(self, redis, backend):
        """An order that was accepted while Redis did not answer."""
        redis.pause()
        status, answer, _ = await self.call(backend, "POST", "/api/users/ann/disconnect", {})
        self.assertEqual((status, answer["status"]), (202, "accepted"))
        backend.process.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            await asyncio.to_thread(backend.process.wait, 1)

    async def test_a_stop_waits_for_orders(self):
        """They are not in the outbox."""
        if shutil.which("redis-server") is None:
            self.skipTest("there is no redis-server")
        redis = RedisServer()
        self.addCleanup(redis.stop)
        backend = self.begin("--redis", redis.uri, "--node", "a", "--no-presence")
        await self.disconnect_later(redis, backend)
        redis.resume()
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)
        self.assertEqual(redis.ask("XLEN", "{wsmanager}:events"), 1)
        backend = self.begin("--redis", redis.uri, "--node", "a", "--no-presence", "--log-level",
                             "warn")
        await self.disconnect_later(redis, backend)
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)
        redis.resume()
        lost = [line for line in self.log.lines() if "did not reach Redis" in line]
        self.assertEqual(len(lost), 1)
        self.assertIn("stopping: 1 events and commands", lost[0])

    async def test_a_hangup_without_a_certificate_is_survived(self):
        backend = self.begin("--log-level", "info")
        backend.process.send_signal(signal.SIGHUP)
        self.assertEqual((await self.write(backend))[0], 201)
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)
        self.assertTrue(any("no certificate" in line for line in self.log.lines()))

    async def test_very_many_events_are_not_emitted_in_one_turn(self):
        backend = self.begin()
        client, _ = await self.connect(backend)
        row = ("", "x", "notification", '{"message":"x","severity":"info"}')
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            database.executemany(
                "INSERT INTO outbox (node, producer, type, data) VALUES (?, ?, ?, ?)", [row] * N_LEFT
            )
            database.commit()
        order = json.dumps(ORDER)
        head = "HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\nContent-Length: %d\r\n\r\n"
        both = ("POST /api/orders " + head % ("keep-alive", len(order)) + order +
                "GET /ws/stats " + head % ("close", 0))
        # Both are answered in the same turn.
        answers = await asyncio.to_thread(exchange, backend.port, both.encode())
        self.assertIn(b" 201 ", answers.splitlines()[0])
        emitted = json.loads(answers.rpartition(b"\r\n\r\n")[2])["events"]
        self.assertLess(emitted, N_LEFT / 2)
        for _ in range(N_LEFT):
            await receive_type(client, "notification")
        await receive_type(client, "order_created")
        await self.until_settled()

    async def test_events_of_other_nodes_are_logged_in_one_line(self):
        backend = self.begin("--log-level", "info")
        await asyncio.to_thread(backend.stop)
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            database.executemany("INSERT INTO outbox (node, producer, type, data) VALUES (?, 'x', 'y', '{}')",
                                 [("a",), ("a",), ("b",)])
            database.commit()
        backend = self.begin("--log-level", "info")
        await asyncio.to_thread(backend.stop)
        self.assertEqual([line.partition(": ")[2].strip() for line in self.log.lines() if "outbox" in line],
                         ['3 events in the outbox wait for processes with another --node, such as "a"'])

    async def test_the_outbox_catches_up_after_a_foreign_lock(self):
        await self.catches_up(foreign_lock)

    async def test_the_outbox_catches_up_after_a_full_disk(self):
        await self.catches_up(full_disk)


if __name__ == "__main__":
    unittest.main()
