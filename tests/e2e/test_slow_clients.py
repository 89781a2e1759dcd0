#!/usr/bin/env python3
"""A hundred clients that do not read, among a thousand that do: the former are closed with the reason,
the latter receive every event once and in order."""
import collections
import json
import os
import re
import threading
import unittest

import crowd
from backend import Backend

READERS, STALLED = 1000, 100
EVENTS = 60 if os.environ["SANITIZE"] == "thread" else 150  # where all is ten times slower
SECONDS = 120
PADDING = "x" * 60000  # of the events that fill the sockets of clients that do not read
NUMBER = re.compile(r'"n":(\d+)')


class SlowClients(unittest.TestCase):
    def test_clients_that_do_not_read_delay_no_others(self):
        crowd.raise_descriptor_limit()
        with Backend("--relay", "--no-presence", "--max-queue", "65536", "--threads", "2") as backend:
            readers = [crowd.Client(backend.port) for _ in range(READERS)]
            stalled = [crowd.Client(backend.port, receive_bytes=4096) for _ in range(STALLED)]
            publisher = crowd.Client(backend.port)
            clients = [*readers, *stalled, publisher]
            for client in clients:
                self.addCleanup(client.close)
                client.send('{"type":"join_room","room":"r"}')
            for client in (*stalled, publisher):
                client.send('{"type":"join_room","room":"large"}')
            self.wait_for_members(backend, len(clients))
            sender = threading.Thread(target=self.publish, args=(publisher,))
            sender.start()
            self.expect_all(readers)
            sender.join()
            self.assertGreaterEqual(backend.stats()["drops"]["slow_client"], STALLED)
            self.expect_sent_away(stalled)

    def wait_for_members(self, backend, count):
        for _ in range(SECONDS * 20):
            if backend.stats()["rooms"].get("r") == count:
                return
            threading.Event().wait(0.05)
        self.fail(backend.stats()["rooms"])

    @staticmethod
    def publish(publisher):
        """The publisher is a member of both rooms: it waits for each event, so that it is not slow
        itself."""
        for number in range(EVENTS):
            events = {"large": {"padding": PADDING}, "r": {"n": number}}
            for room, data in events.items():
                message = {"type": "message", "room": room, "data": data}
                publisher.send(json.dumps(message, separators=(",", ":")))
            own = f'"n":{number}}}'
            heard = []
            crowd.listen(
                [publisher],
                lambda _, text: heard.append(own in text),
                lambda: any(heard),
                SECONDS,
            )

    def expect_all(self, readers):
        heard = collections.defaultdict(list)
        count = 0

        def on_text(client, text):
            nonlocal count
            found = NUMBER.search(text)
            if found:
                heard[client].append(int(found[1]))
                count += 1

        done = crowd.listen(readers, on_text, lambda: count >= READERS * EVENTS, SECONDS)
        self.assertTrue(done, f"{count} of {READERS * EVENTS}")
        for client in readers:
            self.assertEqual(heard[client], list(range(EVENTS)))

    def expect_sent_away(self, stalled):
        done = crowd.listen(
            stalled, lambda *_: None, lambda: all(client.ended for client in stalled), SECONDS
        )
        self.assertTrue(done)
        # A client that does not read within close_timeout_ms is disconnected before it can see the
        # reason.
        self.assertLessEqual({client.close_code for client in stalled}, {1013, None})


if __name__ == "__main__":
    unittest.main()
