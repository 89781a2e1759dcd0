#!/usr/bin/env python3
"""A backend whose Redis is given by a host name, and a name server that does not answer: clients are
served meanwhile, and receive all events once it answers."""
import os
import shutil
import tempfile
import unittest

from client import BackendCase, receive_type, request
from redis_server import RedisServer

PRELOADED = os.environ["SLOW_NAMES_LIBRARY"]


class SlowNames(BackendCase):
    def setUp(self):
        if shutil.which("redis-server") is None:
            self.skipTest("there is no redis-server")
        self.redis = RedisServer()
        self.addCleanup(self.redis.stop)
        folder = tempfile.mkdtemp(prefix="names-")
        self.addCleanup(shutil.rmtree, folder, True)
        # LD_PRELOAD is split at spaces, and the build's path may contain some.
        self.preloaded = shutil.copy(PRELOADED, folder)
        self.hangs = os.path.join(folder, "hangs")
        self.hang()

    def hang(self):
        with open(self.hangs, "w", encoding="ascii"):
            pass

    def start_by_name(self):
        def preload():
            sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
            os.environ.update(LD_PRELOAD=self.preloaded, SLOW_NAMES=self.hangs, ASAN_OPTIONS=sanitizer)

        return self.start("--redis", f"redis://redis.test:{self.redis.port}?timeout_ms=1000", "--threads", "1",
                          preexec_fn=preload)

    async def test_clients_are_served_meanwhile(self):
        backend = self.start_by_name()
        client, welcome = await self.connect(backend)
        self.assertEqual(welcome["type"], "welcome")
        self.assertEqual((await request(client, {"type": "ping", "ref": 1}))["type"], "pong")
        self.assertEqual((await self.call(backend, "GET", "/healthz"))[0], 200)
        status, _, _ = await self.call(backend, "POST", "/api/notifications", {"message": "first"})
        self.assertEqual(status, 202)
        self.assertEqual((await self.call(backend, "GET", "/ws/stats"))[1]["redis"]["connected"], 0)
        os.remove(self.hangs)
        self.assertEqual((await receive_type(client, "notification"))["data"]["message"], "first")
        self.assertEqual((await self.call(backend, "GET", "/ws/stats"))[1]["redis"]["connected"], 1)

        # When the name is looked up again, the last address is known, but it may be out of date.
        self.hang()
        self.redis.kill()
        while (await self.call(backend, "GET", "/ws/stats"))[1]["redis"]["connected"]:
            pass
        self.assertEqual((await request(client, {"type": "ping", "ref": 2}))["type"], "pong")
        self.redis.start()
        await self.call(backend, "POST", "/api/notifications", {"message": "second"})
        self.assertEqual((await receive_type(client, "notification"))["data"]["message"], "second")

    async def test_shutdown_during_a_lookup(self):
        backend = self.start_by_name()
        await self.connect(backend)
        status, _ = backend.stop()
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
