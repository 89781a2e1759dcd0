#!/usr/bin/env python3
"""SIGTERM ends the backend under load: every client has received all events that were answered before."""
import collections
import http.client
import json
import re
import signal
import threading
import unittest

import crowd
from backend import Backend

LISTENERS, POSTERS, ORDERS_BEFORE = 1000, 4, 200
SECONDS = 120
ORDER = json.dumps({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
ORDER_ID = re.compile(r'"type":"order_created","data":\{"id":(\d+)')


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
        except (OSError, http.client.HTTPException):
            pass
        connection.close()


class Restart(unittest.TestCase):
    def check(self, threads):
        crowd.raise_descriptor_limit()
        with Backend("--no-presence", "--threads", threads) as backend:
            status, _, _ = backend.request("PATCH", "/api/inventory/WIDGET-1", {"quantity": 1000000})
            self.assertEqual(status, 200)
            listeners = [crowd.Client(backend.port) for _ in range(LISTENERS)]
            for listener in listeners:
                self.addCleanup(listener.close)
            posters = [Poster(backend.port) for _ in range(POSTERS)]
            for poster in posters:
                poster.start()
            heard = self.listen_until_the_end(backend, listeners)
            for poster in posters:
                poster.join()
            self.check_ledger(posters, listeners, heard)
            self.assertEqual(backend.process.wait(SECONDS), 0)

    def listen_until_the_end(self, backend, listeners):
        heard = collections.defaultdict(list)
        asked = False

        def on_text(listener, text):
            nonlocal asked
            found = ORDER_ID.search(text)
            if found:
                heard[listener].append(int(found[1]))
            if not asked and len(heard[listeners[0]]) >= ORDERS_BEFORE:
                asked = True
                backend.process.send_signal(signal.SIGTERM)

        done = crowd.listen(
            listeners, on_text, lambda: all(listener.ended for listener in listeners), SECONDS
        )
        self.assertTrue(done)
        return heard

    def check_ledger(self, posters, listeners, heard):
        answered = {number for poster in posters for number in poster.answered}
        self.assertGreaterEqual(len(answered), ORDERS_BEFORE)
        for poster in posters:
            self.assertLessEqual(poster.statuses.keys(), {201, 503})
        for listener in listeners:
            numbers = heard[listener]
            self.assertEqual(len(numbers), len(set(numbers)))
            self.assertLessEqual(answered, set(numbers))
            self.assertEqual(listener.close_code, 1012)

    def test_one_thread(self):
        self.check("1")

    def test_two_threads(self):
        self.check("2")


if __name__ == "__main__":
    unittest.main()
