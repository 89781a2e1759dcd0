"""The bounds of what clients can cost the backend by plain HTTP: bodies, costly requests, connections."""
import json
import os
import re
import resource
import signal
import socket
import tempfile
import threading
import unittest

import crowd
from backend import START_SECONDS, Backend
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

    @staticmethod
    def stop(backend):
        backend.process.send_signal(signal.SIGSTOP)
        state = b""
        while state != b"T":
            with open(f"/proc/{backend.process.pid}/stat", "rb") as stat:
                state = stat.read().rpartition(b")")[2].split()[0]


class Bodies(HttpCase):
    LIST = b"GET /api/orders?limit=40 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    UNREAD = 6  # of these answers, less than 64 KiB: the kernel holds a part, and the backend continues to read

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
                self.assertEqual(self.status(backend, post("/healthz", size, *expect)), 405)
                self.assertEqual(self.status(backend, post("/nothing", size, *expect)), 404)
                self.assertEqual(self.status(backend, post("/api/nothing", size, known, *expect)), 404)
            self.assertEqual(
                self.status(backend, post("/api/orders", size, known, "Expect: 100-continue")), 100
            )
        self.assertEqual(
            self.status(backend, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"), 400
        )

    def test_all_incoming_bodies_together_have_a_bound(self):
        backend = self.start()
        large = post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1)
        before = resident(backend)
        clients = [self.connect(backend, large) for _ in range(300)]
        # In the order in which they arrived, except the last ones: these fit.
        for client in clients[:-50]:
            self.assertIn(b" 503 ", client.recv(4096).splitlines()[0])
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend) - before, 48 * MIB)
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
        backend = self.start()
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        for _ in range(40):
            self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)
        begun = post("/api/orders", f"Content-Length: {MIB}") + b" " * (MIB - 1)
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


class Turns(HttpCase):
    LIST = b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ORDERS, FLOODERS, LISTS, UNREAD = 300, 4, 25, 600

    def test_all_waiting_requests_together_have_a_bound(self):
        """Their clients read, so that none of them is closed for its memory."""
        crowd.raise_descriptor_limit()
        backend = self.start()
        self.place_orders(backend)
        clients = [self.connect(backend) for _ in range(4000)]
        backend.stats()  # so all connections were accepted before
        self.stop(backend)
        for client in clients:
            client.sendall((self.LIST * 2000)[:64 << 10])
        backend.process.send_signal(signal.SIGCONT)
        for _ in range(5):  # in five turns the backend has read from all of them
            self.assertEqual(backend.request("GET", "/healthz")[0], 200)
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(backend), 128 * MIB)

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
                (foreign, b" 101 ", [b"handshake refused with 4403", b"a WebSocket from 127.0.0.1 is refused"])):
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
    def is_closed(client):
        """After the bytes that were on their way."""
        try:
            while client.recv(MIB):
                pass
        except ConnectionResetError:
            pass
        return True

    def test_slow_readers_and_senders_give_way(self):
        backend = self.start_with_large_file()
        readers = [self.connect(backend, self.LARGE) for _ in range(2)]
        for reader in readers:
            self.assertEqual(reader.recv(1), b"H")
        begun = post("/api/notifications", "Content-Length: 10", "Expect: 100-continue")
        senders = [self.connect(backend, begun) for _ in range(MOST_HTTP - len(readers))]
        for sender in senders:
            self.assertIn(b" 100 Continue", sender.recv(4096))
        for slow in (*readers, senders[0]):
            newcomer = self.connect(backend, begun)
            self.assertIn(b" 100 Continue", newcomer.recv(4096))
            self.assertTrue(self.is_closed(slow))

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
        self.assertTrue(self.is_closed(clients[0]))
        self.assertEqual(clients[-1].recv(1), b"H")


if __name__ == "__main__":
    unittest.main()
