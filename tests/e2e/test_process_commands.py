#!/usr/bin/env python3
"""Commands for a user, and messages between processes, on two processes with a real Redis, which is killed; one
process is cut off from it, the other is killed: each is carried out once, in its place among the events.

Not here: commands to disconnect a user (test_user_commands.py)."""
import asyncio
import os
import unittest

import websockets

from client import receive
from cluster_case import ClusterCase
from process_host import ProcessHost
from redis_server import Proxy

ROUNDS = 40
CUT, MEND, KILL_REDIS, START_REDIS, KILL, START = 8, 14, 18, 22, 28, 32


class ProcessCommandsCase(ClusterCase):
    async def process(self, uri=None):
        process = await ProcessHost.start(self, uri or self.redis.uri, self.folder)
        await process.until(lambda process: process.n_gaps == 1)  # it has reached Redis
        return process

    def cut_off(self):
        """The line between a process and Redis, and its URI."""
        proxy = Proxy(self.redis.port)
        self.addCleanup(proxy.stop)
        return proxy, proxy.uri + "?timeout_ms=500"

    def revoke(self, room):
        with open(os.path.join(self.folder, room), "w"):
            pass

    async def do(self, process, *words):
        self.assertEqual(await process.do(*words), 0, words)


def what(message):
    """What a client hears of rooms."""
    if message["type"] == "message":
        return message["room"], message["data"]
    if message["type"] == "room_left":
        return message["data"]["room"], None
    return None


class EachCommand(ProcessCommandsCase):
    HEARD = [("r", 1), ("r", None), ("r", 3), ("r", None), ("s", 5)]

    async def command(self, process):
        for words in (("join", "ana", "r"), ("emit", "r", 1), ("leave", "ana", "r"), ("emit", "r", 2),
                      ("join", "ana", "r"), ("emit", "r", 3)):
            await self.do(process, *words)
        self.revoke("r")
        for words in (("reauthorize", "ana"), ("emit", "r", 4), ("join", "ana", "s"), ("emit", "s", 5), ("tell", 6)):
            await self.do(process, *words)

    async def hears(self, client, heard=HEARD):
        for expected in heard:
            while (found := what(await receive(client))) is None:
                pass
            self.assertEqual(found, expected)

    async def hears_nothing(self, client):
        await client.send('{"type":"ping"}')
        while (message := await receive(client))["type"] != "pong":
            self.assertIsNone(what(message))

    async def ana(self, process):
        return (await self.connect(process, "/ws?user_id=ana"))[0]

    async def test_a_process_that_was_cut_off_carries_them_out(self):
        proxy, uri = self.cut_off()
        away, there = await self.process(uri), await self.process()
        late, ana = await self.ana(away), await self.ana(there)
        proxy.cut()
        await self.command(there)
        await self.hears(ana)
        await self.hears_nothing(late)
        proxy.mend()
        await self.hears(late)
        await away.until(lambda away: away.heard == ["6"])
        self.assertEqual((away.n_gaps, there.heard), (1, []))

    async def test_they_wait_while_redis_is_away(self):
        processes = [await self.process() for _ in range(2)]
        anas = [await self.ana(process) for process in processes]
        await asyncio.to_thread(self.redis.kill)
        await self.command(processes[0])
        for ana in anas:
            await self.hears_nothing(ana)
        await asyncio.to_thread(self.redis.start)
        for ana in anas:
            await self.hears(ana)
        await processes[1].until(lambda process: process.heard == ["6"])

    async def test_a_process_that_was_killed_has_none_to_repeat(self):
        lost, there = await self.process(), await self.process()
        ana = await self.ana(there)
        await lost.kill()
        await self.command(there)
        await self.hears(ana)
        back = await self.process()
        late = await self.ana(back)
        for room in ("r", "s"):
            await self.do(there, "emit", room, 7)
        await self.do(there, "join", "ana", "t")
        await self.do(there, "emit", "t", 8)
        await self.do(there, "tell", 9)
        await self.hears(late, [("t", 8)])
        await back.until(lambda back: back.heard == ["9"])


class AllAtOnce(ProcessCommandsCase):
    """In each round ana enters a room, receives an event there, loses the room, and does not receive the next."""

    async def listen(self, i, stop):
        """Ana is connected to a process, and to the one that takes its place."""
        while not stop.is_set():
            process = self.processes[i]
            try:
                client, _ = await self.connect(process, "/ws?user_id=ana")
                heard = []
                self.lives.append((process, heard))
                while True:
                    found = what(await receive(client))
                    if found is not None:
                        heard.append(found)
                        self.news.set()
            except (OSError, websockets.WebSocketException):
                await asyncio.sleep(0.05)

    async def visit(self, i, stop):
        """Ana comes and goes."""
        while not stop.is_set():
            try:
                client, _ = await self.connect(self.processes[i], "/ws?user_id=ana")
                heard = []
                self.lives.append((None, heard))
                for _ in range(3):
                    heard.append(what(await receive(client)))
                await client.close()
            except (OSError, websockets.WebSocketException):
                await asyncio.sleep(0.05)

    async def until_all_heard(self, expected):
        """Waits until those who are connected now, to processes that live, have heard it."""
        while any(process in self.processes and expected not in heard for process, heard in self.lives):
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)

    async def round(self, i, process):
        room = str(i)
        for words in (("join", "ana", room), ("emit", room, '"public"')):
            await self.do(process, *words)
        if i % 4 < 2:
            await self.do(process, "leave", "ana", room)
        else:
            self.revoke(room)
            await self.do(process, "reauthorize", "ana")
        await self.do(process, "emit", room, '"secret"')
        await self.do(process, "tell", i)

    async def start_again(self):
        self.processes[1] = await self.process()

    async def test_what_follows_a_command_reaches_nobody_too_many(self):
        proxy, uri = self.cut_off()
        self.processes = [await self.process(uri), await self.process()]
        first, killed = self.processes
        self.lives, self.news, stop = [], asyncio.Event(), asyncio.Event()
        tasks = [asyncio.create_task(task(i, stop))
                 for i in range(2) for task in (self.listen, self.listen, self.visit)]
        faults = {CUT: proxy.cut, MEND: proxy.mend, KILL_REDIS: self.redis.kill, START_REDIS: self.redis.start}
        sent = {process: [] for process in (first, killed)}
        while len(self.lives) < 4:
            await asyncio.sleep(0.01)
        for i in range(ROUNDS):
            if i in faults:
                await asyncio.to_thread(faults[i])
            elif i == KILL:
                await killed.kill()
            elif i == START:
                await self.start_again()
            process = self.processes[0 if KILL <= i < START else i % 2]
            await self.round(i, process)
            sent.setdefault(process, []).append(i)
            await asyncio.sleep(0.05)
        for process in self.processes:
            end = f"end-{process.port}"
            await self.do(process, "join", "ana", end)
            await self.do(process, "emit", end, '"public"')
            await self.do(process, "tell", -1)
            await self.until_all_heard((end, "public"))
            await self.processes[process is first].until(lambda process: "-1" in process.heard)
        stop.set()
        while tasks:  # wait_for() may ignore that it is cancelled when it has a result
            for task in tasks:
                task.cancel()
            _, tasks = await asyncio.wait(tasks, timeout=1)
        self.check(first, killed, sent)

    def check(self, first, killed, sent):
        second = self.processes[1]
        # What a process had accepted, and Redis had not stored, ends with the process.
        lost = {i for i in sent[killed] if i >= KILL_REDIS}
        for process, heard in self.lives:
            self.assertNotIn("secret", [data for _, data in filter(None, heard)])
            rooms = [room for room, data in filter(None, heard) if data == "public"]
            self.assertEqual(len(rooms), len(set(rooms)), "an event came twice")
            if process is first:
                missing = {i for i in range(ROUNDS) if i % 4 < 2 and str(i) not in rooms}
                self.assertLessEqual(missing, lost)
                # A room is left once, also if its event has not reached the client.
                left = [room for room, data in heard if data is None]
                self.assertEqual(len(left), len(set(left)))
                self.assertLessEqual({i for i in range(ROUNDS) if str(i) not in left}, lost)
        told = {process: [int(each) for each in process.heard if each != "-1"] for process in (first, killed, second)}
        self.assertEqual([i for i in told[first] if i not in lost],
                         [i for i in sorted(sent[killed] + sent[second]) if i not in lost])
        self.assertLessEqual(set(told[first]) - set(sent[second]), set(sent[killed]))
        self.assertEqual(told[killed], sent[first][:len(told[killed])])
        self.assertEqual(told[second], sent[first][len(sent[first]) - len(told[second]):])
        self.assertGreaterEqual(told[second][-1], ROUNDS - 2)
        self.assertEqual((first.n_gaps, killed.n_gaps, second.n_gaps), (1, 1, 1))


if __name__ == "__main__":
    unittest.main()
