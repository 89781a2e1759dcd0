#!/usr/bin/env python3
"""A ledger of requests, on two processes with a real Redis: one process is killed, the line of the other is cut, and
clients lose their connections and go from one to the other. Each request of a client ends exactly once, with its
answer or an error, and is carried out once; each request to a client ends exactly once.

Not here: messages of the backend's clients (test_once.py)."""
import asyncio
import collections
import contextlib
import json
import os
import random
import time
import unittest

import websockets

from client import receive_type
from test_process_commands import ProcessCommandsCase

N_CLIENTS = 8
BETWEEN_FAULTS_S = 2
# With ThreadSanitizer a client can be elsewhere before its process has told Redis where it came from.
IS_STRICT = os.environ.get("SANITIZE") != "thread"
FAILURES = (OSError, websockets.WebSocketException, asyncio.TimeoutError)


def is_busy(answer):
    """Whether the process has not carried it out, and asks to send it again."""
    return answer["type"] == "error" and answer["data"]["code"] == "failed"


class Requester:
    """Sends numbered requests one after the other, each again until it has ended, until it is to stop. Answers the
    requests that it receives, or not."""

    def __init__(self, case, number):
        self.case, self.user = case, f"u{number}"
        self.random = random.Random(number)
        self.former = None
        self.pending = None  # the request that has not ended
        self.ends = {}  # how each request ended: its answer, when, and on which process
        self.sent = collections.defaultdict(list)  # when, and to which process
        self.n_answers = collections.Counter()  # by connection and ref
        self.abandoned = set()  # requests that a process may not have read when the client was already elsewhere
        self.news = asyncio.Event()

    async def run(self, stop):
        while self.pending or not stop.is_set():
            with contextlib.suppress(*FAILURES):
                await self.connected(self.random.choice(self.case.processes), stop)
            await asyncio.sleep(self.random.random() / 5)

    async def connected(self, process, stop):
        path = f"/ws?user_id={self.user}"
        if self.former:
            path += f"&connection_id={self.former}"
        client, welcome = await self.case.connect(process, path)
        self.former, self.answers = welcome["data"]["connection_id"], {}
        reading = asyncio.create_task(self.read(client))
        reading.add_done_callback(lambda _: self.news.set())
        try:
            while self.pending or not stop.is_set():
                await self.request(client, reading, process)
                await asyncio.sleep(self.random.random() / 5)
        finally:
            client.transport.abort()  # whatever has come is lost
            await asyncio.gather(reading, return_exceptions=True)

    async def request(self, client, reading, process):
        self.pending = ref = self.pending or f"{self.user}.{len(self.ends)}"
        self.sent[ref].append((time.monotonic(), process))
        await client.send(json.dumps({"type": "request", "method": "later", "data": ref, "ref": ref}))
        if self.random.random() < 0.3:
            await asyncio.sleep(self.random.random() / 10)
            if self.random.random() < 0.3:
                self.abandoned.add(ref)
            else:
                await client.close()  # so the process has read the request
            raise ConnectionError("the client goes away")
        while ref not in self.answers:
            if reading.done():
                raise ConnectionError("the connection was lost")
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        answer = self.answers.pop(ref)
        if not is_busy(answer):
            self.ends[ref] = answer, time.monotonic(), process
            self.pending = None

    async def read(self, client):
        async for text in client:
            message = json.loads(text)
            if message["type"] == "request":
                await self.respond(client, message)
            elif "ref" in message:
                self.n_answers[self.former, message["ref"]] += not is_busy(message)
                self.answers[message["ref"]] = message
                self.news.set()

    async def respond(self, client, request):
        answer = self.random.choice(({"data": 1}, {"error": {"code": "no", "message": ""}}, None))
        if answer is not None:
            await client.send(json.dumps({"type": "response", "ref": request["ref"], **answer}))


class RequestsCase(ProcessCommandsCase):
    async def carried_out(self):
        """How often each request is in the stream."""
        entries = await asyncio.to_thread(self.redis.ask, "XRANGE", "{wsmanager}:events", "-", "+")
        fields = [dict(zip(entry[1][::2], entry[1][1::2])) for entry in entries]
        return collections.Counter(json.loads(entry[b"event"])["data"] for entry in fields if b"event" in entry)


class AClient(RequestsCase):
    async def come(self, process, former):
        """Connects; returns the client, and the name of its connection."""
        path = "/ws?user_id=ana" + (f"&connection_id={former}" if former else "")
        client, welcome = await self.connect(process, path)
        return client, welcome["data"]["connection_id"]

    async def noted(self, name):
        """Waits until Redis has the note of a connection."""
        end = time.monotonic() + 60
        while self.redis.ask("EXISTS", f"{{wsmanager}}:session:a{name.encode().hex()}") != 1:
            self.assertLess(time.monotonic(), end)
            await asyncio.sleep(0.01)

    async def test_receives_a_later_answer_after_two_moves(self):
        processes = [await self.process() for _ in range(3)]
        for moves in ((1, 2), (1, 0), (1, 1)):
            ref = str(moves)
            later = json.dumps({"type": "request", "method": "later", "data": ref, "ref": ref})
            client, first = await self.come(processes[0], None)
            await client.send(later)
            await self.noted(first)
            _, second = await self.come(processes[moves[0]], first)
            await self.noted(second)
            client, _ = await self.come(processes[moves[1]], second)
            await client.send(later)
            await self.do(processes[0], "answer")
            answer = await receive_type(client, "response", "error")
            self.assertEqual((answer["type"], answer["ref"]), ("response", ref))
            self.assertEqual((await self.carried_out())[ref], 1)


class ALedger(RequestsCase):
    async def ask_and_answer(self, running):
        """Lets the processes answer what waits, and ask clients."""
        number = 0
        while not running.done():
            for process in self.processes:
                number += 1
                with contextlib.suppress(ConnectionError):
                    await process.do("answer")
                    await process.do("ask", f"u{number % N_CLIENTS}", number)
            await asyncio.sleep(0.05)

    async def test_each_request_ends_once(self):
        proxy, uri = self.cut_off()
        self.processes = [await self.process(uri), await self.process()]
        self.ended, self.faults = [], []
        requesters = [Requester(self, i) for i in range(N_CLIENTS)]
        stop = asyncio.Event()
        running = asyncio.gather(*(requester.run(stop) for requester in requesters))
        answering = asyncio.create_task(self.ask_and_answer(running))
        for _ in range(2):
            await asyncio.sleep(BETWEEN_FAULTS_S)
            await self.kill_and_start()
            await asyncio.sleep(BETWEEN_FAULTS_S)
            await self.cut_and_mend(proxy)
        stop.set()
        await asyncio.wait_for(running, 200)
        await answering
        await self.check_clients(requesters)
        await self.check_processes()

    async def kill_and_start(self):
        killed = self.processes[1]
        begin = time.monotonic()
        await killed.kill()
        self.ended.append(killed)
        self.processes[1] = await self.process()
        # What it had not told Redis is lost.
        self.faults.append((killed, begin - 1, time.monotonic()))

    async def cut_and_mend(self, proxy):
        begin = time.monotonic()
        proxy.cut()
        await asyncio.sleep(BETWEEN_FAULTS_S)
        proxy.mend()
        # It may take a while until it is connected again.
        self.faults.append((self.processes[0], begin - 1, time.monotonic() + 5))

    def is_excused(self, times):
        """Whether a process had a fault when a request was sent to it, or when it answered."""
        return any(process is faulty and begin < when < end
                   for when, process in times for faulty, begin, end in self.faults)

    async def check_clients(self, requesters):
        sent = {ref: times for requester in requesters for ref, times in requester.sent.items()}
        ends = {ref: end for requester in requesters for ref, end in requester.ends.items()}
        self.assertEqual(set(ends), set(sent))
        for requester in requesters:
            self.assertEqual(set(requester.n_answers.values()), {1})
        counts = await self.carried_out()
        abandoned = set().union(*(requester.abandoned for requester in requesters))
        for ref, (answer, when, process) in ends.items():
            times = sent[ref] + [(when, process)]
            if answer["type"] == "error":
                self.assertEqual(answer["data"]["code"], "timeout", answer)
            if IS_STRICT and ref not in abandoned and not self.is_excused(times):
                self.assertEqual((ref, answer["type"], counts[ref]), (ref, "response", 1))
        kinds = collections.Counter(answer["type"] for answer, _, _ in ends.values())
        again = sum(len(times) > 1 for times in sent.values())
        twice = sum(count > 1 for count in counts.values())
        print(f"{dict(kinds)}; {again} were sent again, {twice} were carried out twice")
        self.assertGreater(again, N_CLIENTS)
        self.assertGreater(kinds["response"], len(ends) / 2)

    async def check_processes(self):
        for process in self.processes:
            await process.until(lambda process: all(len(process.ended[number]) == count
                                                    for number, count in process.asked.items()))
        results = collections.Counter()
        for process in self.processes + self.ended:
            self.assertLessEqual(set(process.ended), set(process.asked))
            for number, ended in process.ended.items():
                self.assertLessEqual(len(ended), process.asked[number])
                results.update(ended)
        print(f"requests to clients, by result: {dict(results)}")
        self.assertGreater(results[0], N_CLIENTS)
        self.assertGreater(len(results), 1)


if __name__ == "__main__":
    unittest.main()
