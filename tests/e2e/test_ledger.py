"""A ledger of descriptors: the sockets of the backend's process are those in its statistics, whatever
its clients do, and none is left when its client has gone or is idle."""
import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import unittest

from backend import START_SECONDS, Backend
from test_process import HANDSHAKE, exchange
from tls_backend import Authority, TlsBackend

LONGEST_DEADLINE = 45  # seconds, generous: the longest of the backend's is 20, and a ping before it
ORDERS, ANSWERS = 80, 200
SMALLEST_BUFFER = 4096


class Ledger(unittest.TestCase):
    def open_books(self, backend):
        self.addCleanup(backend.stop)
        self.backend = backend
        self.control = backend.http_connection()
        self.addCleanup(self.control.close)
        self.stats()
        self.others = self.descriptors() - 1  # listeners, which are not clients

    def descriptors(self):
        folder = f"/proc/{self.backend.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        return count

    def stats(self):
        self.control.request("GET", "/ws/stats")
        return json.loads(self.control.getresponse().read())

    def wait_for(self, sockets):
        """Waits until there are so many clients, by the statistics and by the kernel."""
        for _ in range(LONGEST_DEADLINE * 10):
            figures = self.stats()
            seen = figures["sockets"] - 1, self.descriptors() - self.others - 1
            if seen == (sockets, sockets):
                return figures
            threading.Event().wait(0.1)
        self.fail(f"{seen} sockets instead of {sockets}")

    def client(self, *sent, receive_bytes=None):
        client = socket.socket()
        self.addCleanup(client.close)
        if receive_bytes:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.connect(("127.0.0.1", self.backend.port))
        client.settimeout(START_SECONDS)
        for part in sent:
            client.sendall(part)
        return client


class Plain(Ledger):
    LIST = b"GET /api/orders?limit=%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % ORDERS
    POST = b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"

    def setUp(self):
        self.open_books(Backend("--threads", "1", "--ping-interval", "1"))
        for _ in range(ORDERS):
            order = json.dumps({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
            self.control.request("POST", "/api/orders", order)
            self.assertEqual(self.control.getresponse().read()[:1], b"{")

    def deaf(self, *sent):
        """A client that reads nothing."""
        return self.client(*sent, receive_bytes=SMALLEST_BUFFER)

    def answers_that_fill_the_socket(self):
        """The number of lists that fill the socket's buffers."""
        length = len(exchange(self.backend.port, self.LIST[:-2] + b"Connection: close\r\n\r\n"))
        probe = self.deaf(self.LIST * ANSWERS)
        sizes = [0, 1]
        while sizes[-1] != sizes[-2]:  # until two readings agree
            self.stats()
            threading.Event().wait(0.2)
            sizes.append(self.kernel_holds(probe))
        probe.close()
        self.wait_for(0)
        return sizes[-1] // length

    def kernel_holds(self, client):
        """Bytes that were sent to a client, and not read."""
        ports = {client.getsockname()[1], self.backend.port}
        total = 0
        with open("/proc/net/tcp") as table:
            for line in list(table)[1:]:
                fields = line.split()
                if {int(fields[i].split(":")[1], 16) for i in (1, 2)} == ports:
                    unsent, unread = (int(part, 16) for part in fields[4].split(":"))
                    total += unsent if int(fields[1].split(":")[1], 16) == self.backend.port else unread
        return total

    def test_idle_clients_are_disconnected(self):
        full = self.answers_that_fill_the_socket()
        self.assertLess(full, ANSWERS - 10)
        half_closed = self.deaf(self.LIST * ANSWERS)
        half_closed.shutdown(socket.SHUT_WR)
        clients = [
            self.client(),
            self.client(b"\r\n"),
            self.client(b"GET / HTT"),
            self.client(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "),
            self.deaf(self.LIST * ANSWERS),
            self.deaf(self.LIST * ANSWERS, self.POST),
            half_closed,
            self.deaf(HANDSHAKE),  # no pong is sent
            self.deaf(self.LIST * 3 + HANDSHAKE),
            self.deaf(HANDSHAKE.replace(b"websocket", b"nothing")),
            # The WebSocket is requested while some answers have yet to be written.
            *(self.deaf(self.LIST * count + HANDSHAKE) for count in range(full - 2, full + 10)),
        ]
        self.wait_for(0)
        self.assertTrue(clients)

    def test_clients_that_disconnect_leave_no_socket(self):
        def open_all():
            return [
                self.client(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                self.client(self.POST),
                self.deaf(self.LIST * ANSWERS + HANDSHAKE),
                self.deaf(self.LIST * ANSWERS),
                self.client(HANDSHAKE),
                self.client(HANDSHAKE, b"\x81\xfe"),
                self.client(HANDSHAKE, b"\x88\x80\0\0\0\0"),
                self.client(b"\x16\x03\x01 no HTTP\r\n\r\n"),
            ]

        closed = open_all()
        reset = open_all()
        half = open_all()
        for client in closed:
            client.close()
        for client in reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        for client in half:
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(1 << 20):
                    pass
        self.wait_for(0)
        self.assertEqual(self.stats()["total_connections"], 0)


class Tls(Ledger):
    def test_unfinished_tls_handshakes_are_ended(self):
        authority = Authority()
        self.addCleanup(authority.close)
        self.open_books(TlsBackend(authority, "--threads", "1"))
        context = authority.client_context()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        half = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            half.do_handshake()
        hello = outgoing.read()
        clients = [
            self.client(),
            self.client(hello[:50]),
            self.client(hello),
            self.client(os.urandom(1000)),
            self.client(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            context.wrap_socket(self.client(), server_hostname="localhost"),
        ]
        self.wait_for(0)
        for client in clients:
            client.close()

    def test_event_streams_that_are_not_read_end(self):
        authority = Authority()
        self.addCleanup(authority.close)
        self.open_books(TlsBackend(authority, "--threads", "1", "--ping-interval", "1",
                                   "--max-queue", "65536"))
        context = authority.client_context()
        clients = []
        for _ in range(4):
            client = context.wrap_socket(self.client(receive_bytes=SMALLEST_BUFFER),
                                         server_hostname="localhost")
            client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            clients.append(client)
        while self.stats()["total_connections"] < len(clients):
            pass
        notification = json.dumps({"message": "x" * 2000, "severity": "info"})
        while self.stats()["total_connections"] > 0:  # until each is too slow
            self.control.request("POST", "/api/notifications", notification)
            self.control.getresponse().read()
        self.wait_for(0)
        for client in clients:
            client.close()


if __name__ == "__main__":
    unittest.main()
