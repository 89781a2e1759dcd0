#!/usr/bin/env python3
"""SIGTERM ends the backend under load: every client has received all events that were answered
before."""
import collections
import http.client
import json
import os
import re
import signal
import threading
import time
import unittest

import crowd
from backend import Backend
from crowd_kinds import Member, listen_to

# With a sanitizer, more than these cannot be sent what waits for them in the three seconds of a stop. Nor can
# they if more orders are placed than the listeners, which are one process, read.
LISTENERS = 1000 if os.environ["SANITIZE"] == "none" else 250
POSTERS, ORDERS_BEFORE = 4, 200
PAUSE_SECONDS = 0.03
SECONDS = 120
ORDER = json.dumps({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
ORDER_EVENT = re.compile(r'{"id":"([^"]+)","type":"order_created","data":{"id":(\d+)')
NOTIFICATION = re.compile(r'{"id":"([^"]+)","type":"notification","data":{"message":"(\d+) ')
NOTIFICATIONS = 200  # of which a poll brings a third
KINDS = "plain", "plain", "stream", "socketio"


class Poster(threading.Thread):
    """Places orders until the backend does not answer any more, or refuses because it shuts down."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.answered = []
        self.statuses = collections.Counter()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            while self.statuses[503] == 0:
                connection.request("POST", "/api/orders", ORDER, {"Content-Type": "application/json"})
                response = connection.getresponse()
                body = response.read()
                self.statuses[response.status] += 1
                if response.status == 201:
                    self.answered.append(json.loads(body)["id"])
                time.sleep(PAUSE_SECONDS)
        except (OSError, http.client.HTTPException):
            pass
        connection.close()


class Restart(unittest.TestCase):
    def check(self, threads):
        crowd.raise_descriptor_limit()
        with Backend("--no-presence", "--threads", threads) as backend:
            status, _, _ = backend.request("PATCH", "/api/inventory/WIDGET-1", {"quantity": 1000000})
            self.assertEqual(status, 200)
            listeners = [Member(backend.port, KINDS[i % len(KINDS)], ORDER_EVENT) for i in range(LISTENERS)]
            for listener in listeners:
                self.addCleanup(listener.client.close)
            self.assertTrue(listen_to(listeners, lambda listener: listener.session.is_live, SECONDS))
            posters = [Poster(backend.port) for _ in range(POSTERS)]
            for poster in posters:
                poster.start()
            self.listen_until_the_end(backend, listeners)
            for poster in posters:
                poster.join()
            self.check_ledger(posters, listeners)
            self.assertEqual(backend.process.wait(SECONDS), 0)

    def listen_until_the_end(self, backend, listeners):
        def has_heard_enough(listener):
            return listener is not listeners[0] or len(listener.numbers) >= ORDERS_BEFORE

        self.assertTrue(listen_to(listeners, has_heard_enough, SECONDS))
        backend.process.send_signal(signal.SIGTERM)
        self.assertTrue(listen_to(listeners, lambda listener: listener.client.ended, SECONDS))

    def check_ledger(self, posters, listeners):
        answered = {number for poster in posters for number in poster.answered}
        self.assertGreaterEqual(len(answered), ORDERS_BEFORE)
        for poster in posters:
            self.assertLessEqual(poster.statuses.keys(), {201, 503})
        for listener in listeners:
            numbers = listener.numbers
            self.assertEqual(len(numbers), len(set(numbers)))
            self.assertEqual(answered - set(numbers), set(), listener.kind)
            self.assertEqual(listener.client.close_code, 1012, listener.kind)

    def test_a_client_fetches_all_with_several_polls(self):
        with Backend("--no-presence") as backend:
            member = Member(backend.port, "polling", NOTIFICATION)
            self.addCleanup(member.client.close)
            member.client.REQUESTS = NOTIFICATIONS  # no new connection is accepted
            self.assertTrue(listen_to([member], lambda member: member.session.is_live, SECONDS))
            for number in range(NOTIFICATIONS):
                body = {"message": f"{number} {'x' * 1000}", "severity": "info"}
                self.assertEqual(backend.request("POST", "/api/notifications", body)[0], 202)
            backend.process.send_signal(signal.SIGTERM)
            self.assertTrue(listen_to([member], lambda member: member.client.ended, SECONDS))
            self.assertEqual(member.numbers, list(range(NOTIFICATIONS)))

    def test_one_thread(self):
        self.check("1")

    def test_two_threads(self):
        self.check("2")


if __name__ == "__main__":
    unittest.main()
