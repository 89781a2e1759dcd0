#!/usr/bin/env python3
"""A user's connections are ended by the REST API, in one process and on all processes with a real Redis:
also on one that is killed or cut off meanwhile.

Not here: the order of such calls and events (unit/core/orders_test.c, orders_cluster_test.c)."""
import asyncio
import os
import tempfile
import unittest

from client import BackendCase, receive_type
from cluster_case import ClusterCase
from redis_server import Proxy
from tokens import SECRET, token


class OrdersCase(BackendCase):
    async def client(self, backend, query):
        return (await self.connect(backend, "/ws" + query))[0]

    async def end_user(self, backend, user, headers=None, **body):
        status, answer, _ = await self.call(backend, "POST", f"/api/users/{user}/disconnect", body, headers)
        return status, answer

    async def still_there(self, client):
        await client.send('{"type":"ping"}')
        await receive_type(client, "pong")


class OneProcess(OrdersCase):
    async def test_all_connections_of_a_user_end(self):
        backend = self.start("--threads", "4")
        anas = [await self.client(backend, "?user_id=J%C3%A9r%C3%B4me") for _ in range(8)]
        bob = await self.client(backend, "?user_id=bob")
        status, answer = await self.end_user(backend, "J%C3%A9r%C3%B4me", code=4001, reason="go")
        self.assertEqual((status, answer), (202, {"status": "accepted"}))
        for ana in anas:
            self.assertEqual(await self.closed(ana), (4001, "go"))
        await self.still_there(bob)
        self.assertEqual((await self.end_user(backend, "nobody"))[0], 202)

    async def test_what_cannot_be_sent_is_refused(self):
        backend = self.start()
        for body in ({"code": 999}, {"code": 1006}, {"code": 5000}, {"code": "4001"}, {"reason": 1},
                     {"reason": "x" * 124}, {"reason": "é" * 62}):
            self.assertEqual((await self.end_user(backend, "ana", **body))[0], 400, body)
        for user in ("%0A", "x" * 129):
            self.assertEqual((await self.end_user(backend, user))[0], 404, user)
        ana = await self.client(backend, "?user_id=ana")
        self.assertEqual((await self.end_user(backend, "ana"))[0], 202)
        self.assertEqual(await self.closed(ana), (1008, ""))

    async def test_with_tokens_only_the_staff_may(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write(SECRET)
            secret.flush()
            os.chmod(secret.name, 0o600)
            backend = self.start("--jwt-secret-file", secret.name)
            ana = await self.client(backend, "?token=" + token("ana"))
            self.assertEqual((await self.end_user(backend, "ana"))[0], 401)
            for user in ("ana", "bob"):
                headers = {"Authorization": "Bearer " + token(user)}
                self.assertEqual((await self.end_user(backend, "ana", headers))[0], 403)
            await self.still_there(ana)
            headers = {"Authorization": "Bearer " + token("bob", role="staff")}
            self.assertEqual((await self.end_user(backend, "ana", headers, code=4003))[0], 202)
            self.assertEqual((await self.closed(ana))[0], 4003)


class Processes(ClusterCase, OrdersCase):
    async def test_a_user_is_ended_on_all_processes(self):
        nodes = [self.node(name) for name in "ab"]
        anas = [await self.client(node, "?user_id=ana") for node in nodes for _ in range(2)]
        bobs = [await self.client(node, "?user_id=bob") for node in nodes]
        await self.end_user(nodes[1], "ana", code=4001, reason="go")
        for ana in anas:
            self.assertEqual(await self.closed(ana), (4001, "go"))
        for bob in bobs:
            await self.still_there(bob)

    async def test_a_process_that_was_cut_off_carries_it_out(self):
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        away = self.node("a", uri=proxy.uri + "?timeout_ms=500")
        there = self.node("b")
        ana = await self.client(away, "?user_id=ana")
        other = await self.client(there, "?user_id=ana")
        bob = await self.client(away, "?user_id=bob")
        proxy.cut()
        await self.end_user(there, "ana", code=4001)
        self.assertEqual((await self.closed(other))[0], 4001)
        await self.still_there(ana)
        proxy.mend()
        self.assertEqual((await self.closed(ana))[0], 4001)
        await self.still_there(bob)

    async def test_an_order_waits_while_redis_is_away(self):
        nodes = [self.node(name) for name in "ab"]
        anas = [await self.client(node, "?user_id=ana") for node in nodes]
        await asyncio.to_thread(self.redis.kill)
        self.assertEqual((await self.end_user(nodes[0], "ana", code=4001))[0], 202)
        for ana in anas:
            await self.still_there(ana)
        await asyncio.to_thread(self.redis.start)
        for ana in anas:
            self.assertEqual((await self.closed(ana))[0], 4001)

    async def test_a_process_that_is_back_has_no_such_order_to_repeat(self):
        nodes = [self.node(name) for name in "ab"]
        other = await self.client(nodes[0], "?user_id=ana")
        nodes[1].process.kill()
        nodes[1].process.wait()
        await self.end_user(nodes[0], "ana", code=4001)
        self.assertEqual((await self.closed(other))[0], 4001)
        nodes[1] = self.node("b")
        clients = [await self.client(node, "?user_id=ana") for node in nodes]
        self.assertTrue(await self.notify(nodes[0], "after"))
        for client in clients:
            await receive_type(client, "notification")
            await self.still_there(client)


if __name__ == "__main__":
    unittest.main()
