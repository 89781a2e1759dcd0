"""Requests by plain HTTP wait for their turn, by cost, and what waits has a bound; statistics."""
import contextlib
import json
import os
import re
import resource
import signal
import socket
import tempfile
import threading
import time
import unittest

import crowd
from backend import START_SECONDS
from http_case import COSTLY_LIST, HttpCase, MIB, UNREAD_LIST, UNREAD_LISTS, post, resident
from test_process import HANDSHAKE
from tokens import SECRET, token


class Turns(HttpCase):
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
            client.sendall(rest + (COSTLY_LIST * 2000)[:64 << 10])
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
        backend = self.start_without_time()
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        for _ in range(40):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        head = b"HEAD /events HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000 + b"\r\n\r\n"
        answers = UNREAD_LISTS + 1
        clients = [self.connect_deaf(backend, UNREAD_LIST * UNREAD_LISTS) for _ in range(620)]
        for client in clients:
            client.sendall(head)
        self.settle(backend)
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

    MOST_REFUSED = 32  # by one piece of work

    def refused(self, backend, clients):
        """How many were answered with 503, after the backend has done all it can."""
        self.settle(backend)
        count = 0
        for client in clients:
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                count += client.recv(4096).startswith(b"HTTP/1.1 503 ")
        return count

    def test_few_heads_give_way_at_once(self):
        """One request that must wait halves what unfinished heads may hold."""
        backend = self.start_without_time()
        begun = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"c" * 15000
        clients = [self.connect(backend, begun) for _ in range(800)]
        self.assertEqual(self.refused(backend, clients), 0)
        for number in (1, 2):
            self.assertEqual(backend.request("GET", "/api/orders?limit=500")[0], 200)
            self.assertEqual(self.refused(backend, clients), self.MOST_REFUSED, number)

    def test_few_bodies_give_way_at_once(self):
        """One byte doubles a body's memory, for which hundreds of small ones would have to give way."""
        crowd.raise_descriptor_limit()
        backend = self.start_without_time()
        head = post("/api/orders", f"Content-Length: {MIB}")
        clients = [self.connect(backend, head + b" ") for _ in range(900)]
        large = [self.connect(backend, head + b" " * (MIB - 1)) for _ in range(15)]
        large.append(self.connect(backend, head + b" " * (MIB // 2)))
        self.assertEqual(self.refused(backend, clients + large), 0)
        large[-1].sendall(b" ")
        self.assertEqual(self.refused(backend, clients), self.MOST_REFUSED)
        self.assertEqual(self.refused(backend, large), 0)

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
        left = self.unread(backend, {client.getsockname()[1] for client in flooders})
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
            client.sendall(poll.format(session).encode() + COSTLY_LIST * 300)
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
        backend, now = self.start_with_clock("1000")
        self.place_orders(backend)
        clients = [self.connect(backend) for _ in range(20)]
        backend.stats()
        self.stop(backend)
        for client in clients:
            client.sendall(COSTLY_LIST)
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
                client.sendall(COSTLY_LIST * self.LISTS)
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
            self.connect(backend, COSTLY_LIST * self.UNREAD)
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


if __name__ == "__main__":
    unittest.main()
