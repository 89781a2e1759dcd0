"""The bounds of what clients can cost the backend by plain HTTP: bodies, costly requests, connections."""
import contextlib
import glob
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import tempfile
import threading
import time
import unittest

import crowd
from backend import START_SECONDS, Backend
from hosts import DESCRIPTORS, few_descriptors
from test_process import HANDSHAKE, exchange
from tokens import SECRET, token

MIB = 1 << 20
MOST_HTTP = 4096  # connections of a thread that are not WebSockets


def post(path, *fields):
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode()


def resident(backend):
    with open(f"/proc/{backend.process.pid}/statm") as sizes:
        return int(sizes.read().split()[1]) * resource.getpagesize()


class HttpCase(unittest.TestCase):
    def start(self, *arguments, **options):
        backend = Backend("--threads", "1", *arguments, **options)
        self.addCleanup(backend.stop)
        return backend

    def connect(self, backend, *sent):
        client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS)
        self.addCleanup(client.close)
        for part in sent:
            client.sendall(part)
        return client

    def connect_deaf(self, backend, *sent):
        """A client that reads nothing, and whose socket has small buffers."""
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", backend.port))
        for part in sent:
            client.sendall(part)
        return client

    def settle(self, backend):
        """Waits until the backend has done all that it can do for now: its threads sleep, and go on sleeping."""
        before = None
        while True:
            tasks = []
            for task in glob.glob(f"/proc/{backend.process.pid}/task/*/stat"):
                with open(task, "rb") as stat:
                    tasks.append(stat.read().rpartition(b")")[2].split()[:13])
            if tasks == before and all(fields[0] == b"S" for fields in tasks):
                return
            self.assertIsNone(backend.process.poll())
            before = tasks
            threading.Event().wait(0.2)

    @staticmethod
    def stop(backend):
        backend.process.send_signal(signal.SIGSTOP)
        state = b""
        while state != b"T":
            with open(f"/proc/{backend.process.pid}/stat", "rb") as stat:
                state = stat.read().rpartition(b")")[2].split()[0]


class Bodies(HttpCase):
    LIST = b"GET /api/orders?limit=40 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    # Of these answers, 93 kB: the kernel holds 30 to 87 kB, depending on how they are written, and the
    # backend continues to read with less than 64 KiB of its own.
    UNREAD = 9

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

    @staticmethod
    def unread(backend, ports):
        """Bytes from clients at these ports that the backend has not read from its sockets."""
        total = 0
        with open("/proc/net/tcp") as table:
            for line in list(table)[1:]:
                fields = line.split()
                here, there = (int(fields[i].split(":")[1], 16) for i in (1, 2))
                if here == backend.port and there in ports:
                    total += int(fields[4].split(":")[1], 16)
                elif there == backend.port and here in ports:
                    total += int(fields[4].split(":")[0], 16)
        return total

    def test_bodies_of_clients_that_read_no_answers_give_way(self):
        """Also bodies that are complete, whose requests wait behind the answers."""
        for begun in (post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1),
                      post("/events?session=x", f"Content-Length: {MIB - 1}") + b" " * (MIB - 1)):
            with self.subTest(begun=begun[:16]):
                self.expect_to_give_way(begun)

    def expect_to_give_way(self, begun):
        backend = self.start()
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        for _ in range(40):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        deaf = [self.connect_deaf(backend, self.LIST * self.UNREAD, begun) for _ in range(16)]
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


class Turns(HttpCase):
    LIST = b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ORDERS, FLOODERS, LISTS, UNREAD = 300, 4, 25, 600

    def test_all_waiting_requests_together_have_a_bound(self):
        """Their clients read, so that none of them is closed for its memory."""
        self.wait_in_a_crowd(b"", b"")

    def test_requests_behind_a_body_have_the_same_bound(self):
        self.wait_in_a_crowd(post("/api/orders", "Content-Length: 1"), b"0")

    def wait_in_a_crowd(self, begun, rest):
        crowd.raise_descriptor_limit()
        backend = self.start()
        self.place_orders(backend)
        clients = [self.connect(backend, begun) for _ in range(4000)]
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        for client in clients:
            client.sendall(rest + (self.LIST * 2000)[:64 << 10])
        backend.process.send_signal(signal.SIGCONT)
        for _ in range(5):  # in five turns the backend has read from all of them
            self.assertEqual(backend.request("GET", "/healthz")[0], 200)
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend), 128 * MIB)

    def test_heads_of_waiting_requests_have_a_bound(self):
        """Each head takes 16 KiB or more: a part of the requests may wait for their turn."""
        backend = self.start()
        clients = [self.connect(backend) for _ in range(1500)]
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        head = b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000 + b"\r\n\r\n"
        for client in clients:
            client.sendall(head)
        backend.process.send_signal(signal.SIGCONT)
        statuses = [int(client.recv(65536).split()[1]) for client in clients]
        self.assertEqual(set(statuses), {200, 503})
        self.assertEqual(backend.request("GET", "/api/orders?limit=500")[0], 200)

    def test_heads_of_event_requests_behind_unread_answers_have_a_bound(self):
        crowd.raise_descriptor_limit()
        backend = self.start()
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        for _ in range(40):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        head = b"HEAD /events HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000 + b"\r\n\r\n"
        answers = Bodies.UNREAD + 1
        clients = [self.connect_deaf(backend, Bodies.LIST * Bodies.UNREAD) for _ in range(620)]
        for client in clients:
            client.sendall(head)
        self.settle(backend)
        # Fast and in turns, because the backend ends a connection that takes little of an answer.
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
        received = dict.fromkeys(clients, b"")
        statuses = set()
        while received:
            for client in list(received):
                part = client.recv(1 << 16)
                self.assertNotEqual(part, b"")
                received[client] += part
                if received[client].count(b"HTTP/1.1 ") == answers:
                    statuses.add(received.pop(client).split(b"HTTP/1.1 ")[-1][:3])
        self.assertEqual(statuses, {b"200", b"503"})

    def test_unfinished_heads_have_a_bound(self):
        backend = self.start()
        begun = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000
        clients = [self.connect(backend, begun) for _ in range(1500)]
        self.assertIn(b" 503 ", clients[0].recv(4096).splitlines()[0])
        clients[-1].sendall(b"\r\n\r\n")
        self.assertIn(b" 200 ", clients[-1].recv(4096).splitlines()[0])

    def test_unfinished_heads_do_not_keep_complete_requests_from_waiting(self):
        backend = self.start()
        begun = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000
        clients = [self.connect(backend, begun) for _ in range(800)]
        self.assertEqual(backend.request("GET", "/api/orders?limit=500")[0], 200)
        self.assertIn(b" 503 ", clients[0].recv(4096).splitlines()[0])
        clients[-1].sendall(b"\r\n\r\n")
        self.assertIn(b" 200 ", clients[-1].recv(4096).splitlines()[0])

    def test_event_requests_are_answered_while_websockets_have_output(self):
        """While a flood of messages is read, each of 400 WebSockets has output in every turn."""
        backend = self.start("--no-presence", "--relay")
        members = [self.connect(backend, HANDSHAKE.replace(b"/ws", b"/ws?rooms=r")) for _ in range(400)]
        for client in members:
            self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 101 "))
        text = json.dumps({"type": "message", "room": "r", "data": 1}).encode()
        flood = (bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text) * 2000
        flooders = members[:8]
        other = self.connect(backend)
        backend.stats()  # so all connections were accepted before
        self.stop(backend)  # so that all messages are there when it continues
        for client in flooders:
            client.sendall(flood)
        other.sendall(b"HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        backend.process.send_signal(signal.SIGCONT)
        self.assertTrue(other.recv(4096).startswith(b"HTTP/1.1 200 "))
        self.stop(backend)
        left = Bodies.unread(backend, {client.getsockname()[1] for client in flooders})
        backend.process.send_signal(signal.SIGCONT)
        self.assertGreater(left, 0)

    def test_polls_that_wait_keep_nothing_of_heads_and_answers(self):
        backend = self.start("--no-presence")
        self.place_orders(backend)

        def poll(client, session, body=None):
            method, length = ("GET", 0) if body is None else ("POST", len(body))
            head = (f"{method} /socket.io/?EIO=4&transport=polling{session} HTTP/1.1", "Host: localhost",
                    "Cookie: " + "c" * 15000, f"Content-Length: {length}", "", body or "")
            client.sendall("\r\n".join(head).encode())

        def answer(client):
            received = b""
            while not (length := re.search(rb"\r\nContent-Length: (\d+)\r\n(?:.*\r\n)*?\r\n", received)) \
                    or len(received) - length.end() < int(length[1]):
                received += client.recv(4096)
            self.assertIn(b" 200 ", received.splitlines()[0])
            return received[length.end():]

        before = resident(backend)
        for _ in range(600):
            client = self.connect(backend)
            poll(client, "")
            session = "&sid=" + json.loads(answer(client)[1:])["sid"]
            poll(client, session, "40")
            self.assertEqual(answer(client), b"ok")
            poll(client, session)
            self.assertTrue(answer(client).startswith(b"40"))
            client.sendall(b"GET /api/orders?limit=12 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertGreater(len(answer(client)), 2000)
            poll(client, session)
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend) - before, 600 * 4096)
        self.assertEqual(backend.request("GET", "/api/orders?limit=500")[0], 200)

    def test_input_behind_polls_has_the_bound_of_input_behind_answers(self):
        crowd.raise_descriptor_limit()
        backend = self.start("--no-presence")
        poll = "GET /socket.io/?EIO=4&transport=polling{} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        clients = []
        for _ in range(3800):
            client = self.connect(backend, poll.format("").encode())
            opened = client.recv(4096).decode()
            session = "&sid=" + json.loads(opened.partition("\r\n\r\n0")[2])["sid"]
            client.sendall(poll.format(session).encode() + self.LIST * 300)
            clients.append(client)
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(clients[0].recv(4096), b"")

    def test_clients_that_end_together_do_not_end_in_one_turn(self):
        """Each is in hundreds of rooms of its own. The request that came before is answered in between."""
        backend = self.start("--no-presence")
        members = []
        for number in range(200):
            rooms = ",".join(f"{number}-{room}" for room in range(999))
            request = f"GET /events?rooms={rooms} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            members.append(self.connect(backend, request.encode()))
        self.wait_for_metric(backend, "ws_rooms", 999 * len(members))
        other = self.connect(backend)
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        other.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        for client in members:
            client.close()
        backend.process.send_signal(signal.SIGCONT)
        with other.makefile("rb") as answer:
            left = self.metric(answer.read().decode(), "ws_connections")
        self.assertGreater(left, 0)
        self.assertLess(left, len(members))
        self.wait_for_metric(backend, "ws_connections", 0)

    RENEWED_SECONDS = 5  # so long a slow machine needs to renew all tokens

    def test_tokens_that_expire_together_do_not_end_all_clients_in_one_turn(self):
        """Each client is in hundreds of rooms of its own. Requests are answered in between."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(SECRET)
            file.flush()
            backend = self.start("--jwt-secret-file", file.name, "--no-presence")
        members = []
        for number in range(200):
            rooms = ",".join(f"{number}-{room}" for room in range(999))
            members.append(crowd.Client(backend.port, f"/ws?rooms={rooms}&token={token()}"))
            self.addCleanup(members[-1].close)
        expires_at = int(time.time()) + self.RENEWED_SECONDS
        renewal = json.dumps({"type": "authenticate", "token": token(exp=expires_at)})
        renewed = set()
        for client in members:
            client.send(renewal)
        self.assertTrue(crowd.listen(
            members, lambda client, text: '"authenticated"' in text and renewed.add(client),
            lambda: len(renewed) == len(members), START_SECONDS))
        self.stop(backend)
        other = self.connect(backend, (
            f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token()}\r\n\r\n" * 40
            + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").encode())
        while time.time() <= expires_at:
            threading.Event().wait(0.1)
        backend.process.send_signal(signal.SIGCONT)
        with other.makefile("rb") as answers:
            left = re.findall(r"^ws_connections (\d+)$", answers.read().decode(), re.MULTILINE)
        self.assertEqual(len(left), 40)
        self.assertTrue([number for number in left if 0 < int(number) < len(members)], left)
        self.assertTrue(crowd.listen(members, lambda *_: None, lambda: all(c.ended for c in members), START_SECONDS))
        self.assertEqual({client.close_code for client in members}, {4401})

    @staticmethod
    def metric(text, name):
        return int(re.search(rf"^{name} (\d+)$", text, re.MULTILINE)[1])

    def wait_for_metric(self, backend, name, value):
        while self.metric(backend.request("GET", "/metrics")[1].decode(), name) != value:
            self.assertIsNone(backend.process.poll())
            threading.Event().wait(0.05)

    def test_idle_connections_hold_nothing_of_their_requests(self):
        """What the last request left would count as bodies for as long as the connection stays."""
        crowd.raise_descriptor_limit()
        backend = self.start()
        request = post("/api/orders", "Content-Length: 3000") + b" " * 3000
        idle = [self.connect(backend, request) for _ in range(4090)]
        for client in idle:
            self.assertIn(b" 400 ", client.recv(4096).splitlines()[0])
        large = self.connect(backend, post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1))
        self.assertEqual(backend.request("GET", "/healthz")[0], 200)
        large.sendall(b"}")
        self.assertIn(b" 400 ", large.recv(4096).splitlines()[0])

    def test_clients_whose_requests_wait_are_not_cut(self):
        """Each look at the clock takes a second, so the last ones wait for longer than a client may
        take to send its first request."""
        folder = tempfile.mkdtemp(prefix="clock-")
        self.addCleanup(shutil.rmtree, folder, True)
        # LD_PRELOAD is split at spaces, and the build's path may contain some.
        preloaded = shutil.copy(os.environ["FAST_CLOCK_LIBRARY"], folder)
        now = os.path.join(folder, "now")

        def preload():
            sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
            os.environ.update(LD_PRELOAD=preloaded, FAST_CLOCK=now, FAST_CLOCK_MS="1000", ASAN_OPTIONS=sanitizer)

        backend = self.start(preexec_fn=preload)
        self.place_orders(backend)
        clients = [self.connect(backend) for _ in range(20)]
        backend.stats()
        self.stop(backend)
        for client in clients:
            client.sendall(self.LIST)
        with open(now, "w", encoding="ascii"):
            pass
        backend.process.send_signal(signal.SIGCONT)
        for client in clients:
            self.assertIn(b" 200 ", client.recv(4096).splitlines()[0])

    def test_costly_requests_take_turns_with_others(self):
        with tempfile.TemporaryFile() as log:
            backend = self.start("--log-level", "debug", stderr=log)
            self.place_orders(backend)
            flooders = [self.connect(backend) for _ in range(self.FLOODERS)]
            other = self.connect(backend)
            backend.stats()  # so all connections were accepted before
            start = os.fstat(log.fileno()).st_size
            self.stop(backend)  # so that all requests are there when it continues
            for client in flooders:
                client.sendall(self.LIST * self.LISTS)
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            backend.process.send_signal(signal.SIGCONT)
            for client in flooders:
                self.read_lists(client)
            self.assertIn(b"200 OK", other.recv(4096))
            paths = re.findall(rb"GET (\S+) 200", os.pread(log.fileno(), MIB, start))
        self.assertEqual(paths.count(b"/api/orders"), self.FLOODERS * self.LISTS)
        self.assertEqual(paths.count(b"/healthz"), 2)
        self.assertEqual(paths[:2], [b"/healthz"] * 2)

    def test_costly_changes_take_turns_with_others(self):
        """What is parsed, or written, takes some milliseconds; what it changes does not exist here."""
        items = [{"sku": f"SKU-{number}", "quantity": 1} for number in range(100)]
        order = {"client_id": 1, "items": items}
        values = {"x": ["a"] * 9900}
        for method, path, body in (("POST", "/api/orders", order), ("POST", "/api/clients", values),
                                   ("PUT", "/api/clients/1", values), ("PATCH", "/api/inventory/x", values),
                                   ("POST", "/api/notifications", values),
                                   ("POST", "/api/users/x/disconnect", values),
                                   ("PUT", "/api/orders/1", {"items": items[:1]}),
                                   ("PATCH", "/api/orders/1/status", {"status": "cancelled"})):
            with self.subTest(method=method, path=path):
                self.expect_turns(method, path, json.dumps(body).encode())

    def expect_turns(self, method, path, body):
        """Requests of /healthz that arrive with others are answered before them."""
        flood = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with tempfile.TemporaryFile() as log:
            backend = self.start("--log-level", "debug", stderr=log)
            flooders = [self.connect(backend) for _ in range(self.FLOODERS)]
            other = self.connect(backend)
            backend.stats()  # so all connections were accepted before
            start = os.fstat(log.fileno()).st_size
            self.stop(backend)  # so that all requests are there when it continues
            for client in flooders:
                client.sendall((flood.encode() + body) * 2)
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
            backend.process.send_signal(signal.SIGCONT)
            for client in flooders:
                answers = b""
                while answers.count(b"HTTP/1.1 ") < 2:
                    answers += client.recv(MIB)
            self.assertIn(b"200 OK", other.recv(4096))
            paths = re.findall(rb"[A-Z]+ (\S+) \d+ for", os.pread(log.fileno(), MIB, start))
        self.assertEqual(paths, [b"/healthz"] * 2 + [path.encode()] * 2 * self.FLOODERS)

    def test_bodies_that_wait_for_their_turn_have_a_bound(self):
        backend = self.start()
        clients = [self.connect(backend) for _ in range(600)]
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        order = post("/api/orders", "Content-Length: 60000") + b" " * 60000
        for client in clients:
            client.sendall(order)
        backend.process.send_signal(signal.SIGCONT)
        statuses = [int(client.recv(65536).split()[1]) for client in clients]
        self.assertEqual(set(statuses), {400, 503})

    def place_orders(self, backend):
        connection = backend.http_connection()
        body = json.dumps({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
        for _ in range(self.ORDERS):
            connection.request("POST", "/api/orders", body)
            connection.getresponse().read()
        connection.close()

    def read_lists(self, client):
        """A response in the wrong order would be an invalid response."""
        answers = b""
        while answers.count(b"HTTP/1.1 200 OK") < self.LISTS or not answers.endswith(b"}"):
            part = client.recv(MIB)
            self.assertTrue(part)
            answers += part
        for answer in answers.split(b"HTTP/1.1 200 OK")[1:]:
            orders = json.loads(answer.partition(b"\r\n\r\n")[2])["orders"]
            self.assertEqual(len(orders), self.ORDERS)

    def test_unread_answers_pause_reading(self):
        """No more requests are answered than fit into the kernel's buffers."""
        with tempfile.TemporaryFile() as log:
            backend = self.start("--log-level", "debug", stderr=log)
            self.place_orders(backend)
            self.connect(backend, self.LIST * self.UNREAD)
            answered = [0]
            while answered[-1] == 0 or len(set(answered[-10:])) > 1:  # until the number stops rising
                self.assertEqual(backend.request("GET", "/healthz")[0], 200)
                threading.Event().wait(0.05)
                lines = os.pread(log.fileno(), MIB, 0)
                answered.append(lines.count(b"GET /api/orders 200"))
            self.assertLess(answered[-1], self.UNREAD / 2)


class Statistics(HttpCase):
    ROOMS, READERS = 20_000, 40
    GET = b"GET /ws/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    LAST = GET[:-2] + b"Connection: close\r\n\r\n"

    def test_the_list_of_many_rooms_is_built_once_for_all(self):
        backend = self.start("--max-rooms", "0")
        member = crowd.Client(backend.port)
        self.addCleanup(member.close)
        rooms = {f"{'room':-<110}{number}": 1 for number in range(self.ROOMS)}
        joined = 0
        for room in rooms:
            member.send(json.dumps({"type": "join_room", "room": room}))
            joined += sum('"room_joined"' in text for text in member.receive())
        while joined < self.ROOMS:
            joined += sum('"room_joined"' in text for text in member.receive())
        before = resident(backend)
        readers = [self.connect(backend, self.GET * 3 + self.LAST) for _ in range(self.READERS)]
        for _ in range(5):  # in five turns the readers have received everything that fits into the kernel's buffers
            self.assertEqual(backend.stats()["rooms"], rooms)
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend) - before, 32 * MIB)
        for reader in readers:
            answer = b""
            while part := reader.recv(MIB):
                answer += part
            self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 4)
            self.assertEqual(json.loads(answer.rpartition(b"\r\n\r\n")[2])["rooms"], rooms)
        member.close()
        while backend.stats()["rooms"]:  # the list is cached for a moment
            threading.Event().wait(0.1)


    def test_a_list_that_cannot_be_built_is_answered(self):
        backend = self.start("--max-rooms", "0")
        member = crowd.Client(backend.port)
        self.addCleanup(member.close)
        for number in range(1000):  # more than a request can list
            member.send(json.dumps({"type": "join_room", "room": f"{'room':-<110}{number}"}))
        joined = 0
        while joined < 1000:
            joined += sum('"room_joined"' in text for text in member.receive())
        reader = self.connect(backend)
        reader.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 200 OK", reader.recv(4096))
        open_ones = {int(name) for name in os.listdir(f"/proc/{backend.process.pid}/fd")}
        free = min(set(range(max(open_ones) + 2)) - open_ones)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        former = resource.prlimit(backend.process.pid, resource.RLIMIT_NOFILE, (free, hard))
        reader.sendall(self.GET)
        answer = reader.recv(4096)
        self.assertIn(b" 503 ", answer)
        self.assertIn(b"Retry-After: 1", answer)
        resource.prlimit(backend.process.pid, resource.RLIMIT_NOFILE, former)
        while backend.request("GET", "/ws/stats")[0] == 503:
            threading.Event().wait(0.1)
        reader.sendall(self.GET[:-2] + b"Content-Length: 1\r\n\r\nx")
        self.assertIn(b" 400 ", reader.recv(4096))


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
            client.sendall(Turns.LIST)
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
        while b"too many answers are not read" not in os.pread(log.fileno(), MIB, 0):
            self.assertIsNone(backend.process.poll())
            threading.Event().wait(0.05)
        self.assertFalse(self.is_open(backend, clients[0]))
        self.assertEqual(clients[-1].recv(1), b"H")


if __name__ == "__main__":
    unittest.main()
