#!/usr/bin/env python3
"""A user's connections are ended by the REST API, in one process and on all processes with a real Redis:
also on one that is killed or cut off meanwhile.

Not here: the order of such calls and events (unit/core/user_commands_test.c, user_commands_cluster_test.c)."""
import asyncio
import os
import tempfile
import time
import unittest

import websockets

from client import BackendCase, receive, receive_type
from cluster_case import ClusterCase
from redis_server import Proxy
from tokens import SECRET, token

ROUNDS = 40


def numbers_of(message):
    return [int(message["data"]["message"].split()[1])] if message["type"] == "notification" else []


class UserCommandsCase(BackendCase):
    async def client(self, backend, query):
        return (await self.connect(backend, "/ws" + query))[0]

    async def end_user(self, backend, user, headers=None, **body):
        status, answer, _ = await self.call(backend, "POST", f"/api/users/{user}/disconnect", body, headers)
        return status, answer

    async def still_there(self, client):
        await client.send('{"type":"ping"}')
        await receive_type(client, "pong")


class OneProcess(UserCommandsCase):
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


class Processes(ClusterCase, UserCommandsCase):
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

    async def test_a_command_waits_while_redis_is_away(self):
        nodes = [self.node(name) for name in "ab"]
        anas = [await self.client(node, "?user_id=ana") for node in nodes]
        await asyncio.to_thread(self.redis.kill)
        self.assertEqual((await self.end_user(nodes[0], "ana", code=4001))[0], 202)
        for ana in anas:
            await self.still_there(ana)
        await asyncio.to_thread(self.redis.start)
        for ana in anas:
            self.assertEqual((await self.closed(ana))[0], 4001)

    async def test_a_process_that_is_back_has_no_such_command_to_repeat(self):
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

    async def live(self, node, sessions, stop):
        """Ana is connected again and again; notes when, and the numbers of the events that she receives."""
        while not stop.is_set():
            session = {"opened": None, "numbers": []}
            sessions.append(session)
            client, _ = await self.connect(node, "/ws?user_id=ana")
            session["opened"] = time.monotonic()
            try:
                while True:
                    session["numbers"] += numbers_of(await receive(client))
            except websockets.ConnectionClosed as end:
                self.assertEqual(end.rcvd.code, 4001)

    async def test_nothing_after_a_command_reaches_the_user(self):
        """Ana is disconnected on all processes, and at once an event is sent to everyone, while a process is
        cut off from Redis and Redis is killed: no connection from before the command receives the event."""
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        nodes = [self.node("a", uri=proxy.uri + "?timeout_ms=500"), self.node("b")]
        sessions, commands, stop = [], [], asyncio.Event()
        lives = [asyncio.create_task(self.live(node, sessions, stop)) for node in nodes for _ in range(3)]
        faults = {ROUNDS // 4: proxy.cut, ROUNDS // 2: proxy.mend, ROUNDS * 2 // 3: self.redis.kill,
                  ROUNDS * 3 // 4: self.redis.start}
        for number in range(ROUNDS):
            if number in faults:
                await asyncio.to_thread(faults[number])
            node = nodes[number % 2]
            self.assertTrue(await self.notify(node, f"event {2 * number}"))
            sent = time.monotonic()
            self.assertEqual((await self.end_user(node, "ana", code=4001))[0], 202)
            commands.append((sent, 2 * number))
            self.assertTrue(await self.notify(node, f"event {2 * number + 1}"))
            await asyncio.sleep(0.05)
        stop.set()
        await self.end_user(nodes[1], "ana", code=4001)
        await asyncio.gather(*lives)
        self.assertGreater(len(sessions), ROUNDS)
        self.assertGreater(sum(len(session["numbers"]) for session in sessions), ROUNDS)
        for session in sessions:
            for node in range(2):  # what two processes send at once has no order
                mine = [command for command in commands if command[1] // 2 % 2 == node]
                last = min((number for sent, number in mine if session["opened"] < sent), default=2 * ROUNDS)
                leaked = [number for number in session["numbers"] if number // 2 % 2 == node and number > last]
                self.assertEqual(leaked, [])


if __name__ == "__main__":
    unittest.main()
