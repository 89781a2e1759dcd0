"""The bounds of what clients can cost the backend by plain HTTP: bodies, lists, connections."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import tempfile
import threading
import unittest

import crowd
from backend import Backend
from hosts import DESCRIPTORS, few_descriptors
from http_case import COSTLY_LIST, HttpCase, MIB, MOST_HTTP, UNREAD_LIST, UNREAD_LISTS, post, resident
from test_process import HANDSHAKE
from tokens import SECRET, token


class Bodies(HttpCase):
    def status(self, backend, head):
        """The status of the answer to a head whose body never arrives."""
        answer = self.connect(backend, head).recv(4096).decode()
        return int(re.match(r"HTTP/1\.1 (\d+) ", answer)[1])

    def test_a_body_is_only_received_if_it_is_wanted(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(SECRET)
            file.flush()
            backend = self.start("--jwt-secret-file", file.name)
        known = "Authorization: Bearer " + token()
        for size in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            for expect in ((), ("Expect: 100-continue",)):
                self.assertEqual(self.status(backend, post("/api/orders", size, *expect)), 401)
                self.assertEqual(self.status(backend, post("/events?session=x", size, *expect)), 401)
                self.assertEqual(self.status(backend, post("/healthz", size, *expect)), 405)
                self.assertEqual(self.status(backend, post("/nothing", size, *expect)), 404)
                self.assertEqual(self.status(backend, post("/api/nothing", size, known, *expect)), 404)
            self.assertEqual(
                self.status(backend, post("/api/orders", size, known, "Expect: 100-continue")), 100
            )
        self.assertEqual(
            self.status(backend, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"), 400
        )

    def test_a_page_can_read_why_its_event_is_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(SECRET)
            file.flush()
            backend = self.start("--jwt-secret-file", file.name, "--allow-origin", "https://a.example")
        for origin, allowed in (("https://a.example", "https://a.example"), ("https://b.example", None)):
            connection = backend.http_connection()
            connection.request("POST", "/events?session=x", b"{}", {"Origin": origin})
            response = connection.getresponse()
            self.assertEqual(response.status, 401 if allowed else 403)
            self.assertEqual(response.headers["Vary"], "Origin")
            self.assertEqual(response.headers["Access-Control-Allow-Origin"], allowed)
            self.assertEqual(response.headers["Access-Control-Allow-Credentials"], allowed and "true")
            connection.close()

    def test_all_incoming_bodies_together_have_a_bound(self):
        backend = self.start()
        large = post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1)
        before = resident(backend)
        clients = [self.connect(backend, large) for _ in range(300)]
        # In the order in which they arrived, except the last ones: these fit.
        for client in clients[:-50]:
            self.assertIn(b" 503 ", client.recv(4096).splitlines()[0])
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend) - before, 64 * MIB)
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        clients[-1].sendall(b"}")
        self.assertIn(b" 400 ", clients[-1].recv(4096).splitlines()[0])

    def test_bodies_of_clients_that_read_no_answers_give_way(self):
        """Also bodies that are complete, whose requests wait behind the answers."""
        for begun in (post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1),
                      post("/events?session=x", f"Content-Length: {MIB - 1}") + b" " * (MIB - 1)):
            with self.subTest(begun=begun[:16]):
                self.expect_to_give_way(begun)

    def expect_to_give_way(self, begun):
        backend = self.start_without_time()
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        for _ in range(40):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        deaf = [self.connect_deaf(backend, UNREAD_LIST * UNREAD_LISTS, begun) for _ in range(16)]
        ports = {client.getsockname()[1] for client in deaf}
        while self.unread(backend, ports) > 0:
            self.assertIsNone(backend.process.poll())
            threading.Event().wait(0.05)
        body = json.dumps(order).encode()
        other = self.connect(backend, post("/api/orders", f"Content-Length: {len(body)}"), body[:1])
        backend.stats()
        other.sendall(body[1:])
        self.assertIn(b" 201 ", other.recv(4096).splitlines()[0])

    def test_bodies_of_half_a_million_values_are_refused_unparsed(self):
        backend = self.start()
        for values, message in ((9_000, "1 to 100 elements"), (11_000, "more than 10,000 values"),
                                (500_000, "more than 10,000 values")):
            body = json.dumps({"client_id": 1, "items": [1] * values}, separators=(",", ":"))
            before = resident(backend)
            status, answer, _ = backend.request("POST", "/api/orders", body)
            self.assertEqual(status, 400)
            self.assertIn(message, answer["error"]["message"])
            if os.environ["SANITIZE"] == "none":
                self.assertLess(resident(backend) - before, 8 * MIB)


class Lists(HttpCase):
    ORDERS, LINES, MOST_ROWS = 25, 100, 2000

    def start_with_large_orders(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "orders.db")
        Backend("--db", path).stop()
        skus = [f"SKU-{number}" for number in range(self.LINES)]
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executemany("INSERT INTO inventory VALUES (?, 'x', 1000, 0, 1, '')",
                                 [(sku,) for sku in skus])
            database.commit()
        backend = self.start("--db", path)
        order = {"client_id": 1, "items": [{"sku": sku, "quantity": 1} for sku in skus]}
        for _ in range(self.ORDERS):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        return backend

    def test_an_answer_has_a_bounded_number_of_lines(self):
        backend = self.start_with_large_orders()
        ids, answer = [], {"next_before": 1 << 60}
        while "next_before" in answer:
            path = f"/api/orders?limit=500&before={answer['next_before']}"
            answer = backend.request("GET", path)[1]
            orders = answer["orders"]
            self.assertTrue(all(len(order["items"]) == self.LINES for order in orders))
            self.assertLessEqual(len(orders) * (1 + self.LINES), self.MOST_ROWS + self.LINES)
            ids += [order["id"] for order in orders]
        self.assertEqual(ids, list(range(self.ORDERS, 0, -1)))


class Connections(HttpCase):
    def test_the_least_useful_connections_give_way(self):
        crowd.raise_descriptor_limit()
        backend = self.start()
        websocket = crowd.Client(backend.port)
        self.addCleanup(websocket.close)
        idle = [self.connect(backend) for _ in range(MOST_HTTP + 100)]
        figures = backend.stats()
        self.assertLessEqual(figures["sockets"], MOST_HTTP + 2)
        self.assertEqual(figures["total_connections"], 1)
        for client in idle[:90]:
            self.assertEqual(client.recv(1), b"")
        idle[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200 OK", idle[-1].recv(4096))

    def test_refusals_do_not_flood_the_log(self):
        foreign = HANDSHAKE[:-2] + b"Origin: http://evil.example\r\n\r\n"
        for sent, answer, logged in (
                (b"secret words\r\n\r\n", b" 400 ", [b"request refused with 400", b"(12 bytes)"]),
                (HANDSHAKE.replace(b": 13", b": 8"), b" 426 ", [b"handshake refused with 426"]),
                (foreign, b" 101 ", [b"handshake refused with 4403", b"refused a WebSocket from 127.0.0.1"])):
            log = tempfile.TemporaryFile()
            self.addCleanup(log.close)
            backend = self.start("--log-level", "info", stderr=log)
            lines = b""
            refused = 0
            while b" were refused in the meantime" not in lines:
                for _ in range(50):
                    with self.connect(backend, sent) as client:
                        self.assertIn(answer, client.recv(4096))
                refused += 50
                lines = os.pread(log.fileno(), 64 * MIB, 0)
                self.assertLess(lines.count(b"\n"), max(refused, 100))
            for words in logged:
                self.assertIn(words, lines)
                self.assertLess(lines.count(words), refused)
            self.assertNotIn(b"secret", lines)

    def test_requests_that_wait_for_their_turn_give_way_last(self):
        """Others have sent nothing, and more connect while the costly requests are served one by one."""
        crowd.raise_descriptor_limit()
        backend = self.start("--no-presence")
        silent = [self.connect(backend) for _ in range(MOST_HTTP - 310)]
        clients = [self.connect(backend) for _ in range(300)]
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        for client in clients:
            client.sendall(COSTLY_LIST)
        silent += [self.connect(backend) for _ in range(500)]
        backend.process.send_signal(signal.SIGCONT)
        for client in clients:
            self.assertIn(b" 200 ", client.recv(4096).splitlines()[0])
        self.assertEqual(silent[0].recv(1), b"")

    def test_unread_answers_of_the_library_give_way(self):
        """They are to requests of no client. Without a free descriptor, others would give way."""
        begun = post("/api/notifications", "Content-Length: 2", "Expect: 100-continue")
        for path in ("/socket.io/?EIO=4&transport=polling&sid=x", "/events?session=x"):
            with self.subTest(path=path), tempfile.TemporaryFile() as log:
                backend = self.start("--log-level", "debug", stderr=log, preexec_fn=few_descriptors)
                for _ in range(DESCRIPTORS // 2):
                    client = self.connect_deaf(backend)
                    client.setblocking(False)
                    client.send(post(path, "Content-Length: 0") * 2000)
                used = [0]
                while used[-1] == 0 or len(set(used[-10:])) > 1:  # until the number stops rising
                    self.assertEqual(backend.request("GET", "/healthz")[0], 200)
                    threading.Event().wait(0.05)
                    used.append(os.pread(log.fileno(), 64 * MIB, 0).count(b" to the library"))
                senders = []
                for _ in range(DESCRIPTORS * 5 // 8):
                    senders.append(self.connect(backend, begun))
                    self.assertIn(b" 100 Continue", senders[-1].recv(4096))
                for sender in senders:
                    sender.sendall(b"{}")
                    self.assertIn(b" 400 ", sender.recv(4096).splitlines()[0])

    SLOW = 4000  # with 64 KiB each at first, then with 16 KiB
    LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def start_with_large_file(self, *arguments, **options):
        crowd.raise_descriptor_limit()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "large"), "wb") as file:
            file.truncate(64 * MIB)
        return self.start("--static", folder.name, *arguments, **options)

    @staticmethod
    def is_open(backend, client):
        """Whether the backend has not closed its side of a connection."""
        sides = f":{backend.port:04X} .*:{client.getsockname()[1]:04X} 01 "
        with open("/proc/net/tcp") as table:
            return re.search(sides, table.read()) is not None

    def test_slow_readers_and_senders_give_way(self):
        """In the order in which the readers have read last."""
        backend = self.start_with_large_file(preexec_fn=few_descriptors)
        readers = []
        for _ in range(3):  # one by one: the kernel's buffers of each are full before the next
            readers.append(self.connect(backend, self.LARGE))
            self.assertEqual(readers[-1].recv(1), b"H")
            self.settle(backend)
        left = 32 * MIB  # more than the kernel holds
        while left > 0:
            left -= len(readers[0].recv(min(left, MIB)))
        begun = post("/api/notifications", "Content-Length: 10", "Expect: 100-continue")
        senders = []
        closed = []
        while len(closed) < len(readers) or self.is_open(backend, senders[0]):
            senders.append(self.connect(backend, begun))
            self.assertIn(b" 100 Continue", senders[-1].recv(4096))
            closed += [reader for reader in readers
                       if reader not in closed and not self.is_open(backend, reader)]
            self.assertTrue(len(closed) == len(readers) or self.is_open(backend, senders[0]))
        self.assertEqual(closed, [readers[1], readers[2], readers[0]])

    def test_all_input_behind_unread_answers_has_a_bound(self):
        log = tempfile.TemporaryFile()
        self.addCleanup(log.close)
        backend = self.start_with_large_file("--log-level", "info", stderr=log)
        clients = [self.connect_deaf(backend) for _ in range(self.SLOW)]
        backend.stats()  # all were accepted before
        self.stop(backend)  # so that it finds all that was sent
        for client in clients:
            client.sendall((self.LARGE * 2000)[:64 << 10])
        backend.process.send_signal(signal.SIGCONT)
        while b"clients leave too many answers unread" not in os.pread(log.fileno(), MIB, 0):
            self.assertIsNone(backend.process.poll())
            threading.Event().wait(0.05)
        self.assertEqual(clients[-1].recv(1), b"H")
        while self.is_open(backend, clients[0]):
            self.assertIsNone(backend.process.poll())
            threading.Event().wait(0.05)


if __name__ == "__main__":
    unittest.main()
