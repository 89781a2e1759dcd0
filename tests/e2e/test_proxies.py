"""Behind a proxy: the client's address, by headers and by the PROXY protocol; headers from other peers
are ignored."""
import asyncio
import contextlib
import http.client
import re
import socket
import ssl
import subprocess
import tempfile
import unittest

import websockets

from backend import BACKEND, START_SECONDS
from backend_log import Log
from client import BackendCase, receive, http_status, with_headers
from http_case import HttpCase
from proxies import command_of, haproxy, nginx
from test_process import HANDSHAKE
from tls_backend import Authority, TlsBackend

LIMIT = 2
V2 = b"\r\n\r\n\0\r\nQUIT\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def v2(address, command=0x21, more=b""):
    """A header of version 2; `more` are type-length-values."""
    body = socket.inet_aton(address) + b"\x7f\0\0\1\x30\x39\x1f\x90" + more
    return V2 + bytes([command, 0x11]) + len(body).to_bytes(2, "big") + body


class ProxyCase(BackendCase):
    def begin(self, *arguments):
        self.log = Log()
        self.addCleanup(self.log.lines)
        return self.start("--max-per-address", str(LIMIT), "--threads", "1", "--trusted-proxy", "127.0.0.1",
                          "--trusted-proxy", "10.1.0.0/16", "--log-level", "debug", *arguments,
                          stderr=self.log.pipe)

    def before(self, kind, backend, **options):
        """Starts that proxy in front of the backend."""
        if command_of(kind.__name__) is None:
            self.skipTest(f"there is no {kind.__name__}")
        proxy = kind(backend.port, **options)
        self.addCleanup(proxy.stop)
        return proxy

    async def come(self, proxy, address, **headers):
        """Opens a WebSocket from an address; returns it after its welcome."""
        client = await websockets.connect(proxy.url + "/ws", local_addr=(address, 0), **with_headers(**headers))
        self.addAsyncCleanup(client.close)
        self.assertEqual((await receive(client))["type"], "welcome")
        return client

    async def is_refused(self, proxy, address, **headers):
        with self.assertRaises(websockets.InvalidHandshake) as refusal:
            await websockets.connect(proxy.url + "/ws", local_addr=(address, 0), **with_headers(**headers))
        return http_status(refusal.exception)

    async def counts_clients(self, proxy, **lies):
        """Each client of the proxy may have as many connections as any other, whatever headers it sends."""
        clients = [await self.come(proxy, "127.0.0.2", **lies) for _ in range(LIMIT)]
        await self.come(proxy, "127.0.0.3")
        self.assertEqual(await self.is_refused(proxy, "127.0.0.2", **lies), 429)
        await clients[0].close()
        while True:  # the proxy may report the end late
            try:
                return await self.come(proxy, "127.0.0.2")
            except websockets.InvalidHandshake:
                await asyncio.sleep(0.02)

    async def logged(self, backend, pattern):
        """Ends the backend; returns whether a line of its log matches."""
        await asyncio.to_thread(backend.stop)
        return any(re.search(pattern, line) for line in self.log.lines())


class Headers(ProxyCase):
    LIES = {"X-Forwarded-For": "192.0.2.1, 10.1.0.1"}

    async def test_nginx(self):
        backend = self.begin()
        proxy = self.before(nginx, backend)
        await self.counts_clients(proxy, **self.LIES)
        self.assertTrue(await self.logged(backend, r"GET /ws to the WebSocket endpoint for 127\.0\.0\.3\n"))

    async def test_haproxy(self):
        backend = self.begin()
        proxy = self.before(haproxy, backend, mode="http", rules="option forwardfor")
        await self.counts_clients(proxy, **self.LIES)

    async def test_forwarded(self):
        backend = self.begin()
        proxy = self.before(haproxy, backend, mode="http",
                            rules="http-request add-header Forwarded for=%[src];proto=https")
        await self.counts_clients(proxy, Forwarded='for=192.0.2.1;x=",", for=10.1.0.1')
        # A client that sends the header that this proxy does not overwrite.
        self.assertEqual(await self.is_refused(proxy, "127.0.0.4", **self.LIES), 400)

    async def test_requests_of_many_clients_share_a_proxys_connections(self):
        backend = self.begin()
        proxy = self.before(nginx, backend)
        for number in range(40):
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, START_SECONDS,
                                                    (f"127.0.0.{2 + number % 3}", 0))
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
        self.assertTrue(await self.logged(backend, r"GET /healthz 200 for 127\.0\.0\.4\n"))

    async def test_the_scheme_in_the_proxys_header(self):
        backend = self.begin("--allow-origin", "http://a.example:1")
        for told, origin, status in (("http", "http://a.example", 202), ("http", "https://a.example", 403),
                                     ("https", "https://a.example", 202), ("https", "http://a.example", 403),
                                     ("ftp", "https://a.example", 202)):
            answer = await self.call(backend, "POST", "/api/notifications", {"message": "m"},
                                     {"Host": "a.example", "Origin": origin, "X-Forwarded-Proto": told,
                                      "X-Forwarded-For": "127.0.0.5"})
            self.assertEqual(answer[0], status, (told, origin))

    async def test_headers_of_other_peers_are_ignored(self):
        backend = self.begin()
        for header in ("X-Forwarded-For: 192.0.2.%d", "Forwarded: for=192.0.2.%d"):
            clients = []
            for number in range(LIMIT + 1):
                client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS, ("127.0.0.9", 0))
                self.addCleanup(client.close)
                line = (header % number).encode()
                client.sendall(HANDSHAKE.replace(b"Host: x", b"Host: x\r\n" + line))
                clients.append(client)
            self.assertTrue(clients[-1].recv(4096).startswith(b"HTTP/1.1 429 "))
            for client in clients:
                client.close()
            while backend.stats()["total_connections"] > 0:
                await asyncio.sleep(0.02)


class ProxyProtocol(ProxyCase):
    def talk(self, backend, data, source="127.0.0.1"):
        """Sends bytes; returns the connection."""
        client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS, (source, 0))
        self.addCleanup(client.close)
        client.sendall(data)
        return client

    def status(self, client):
        """The status of the next answer; None at the end, which is a reset if something was not read."""
        try:
            answer = client.recv(4096)
        except ConnectionResetError:
            answer = b""
        return int(answer[9:12]) if answer else None

    async def test_haproxy_with_each_version(self):
        for option in ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn check inter 100ms"):
            backend = self.begin()
            proxy = self.before(haproxy, backend, server=option)
            await self.counts_clients(proxy, **Headers.LIES)
            self.assertTrue(await self.logged(backend, r"endpoint for 127\.0\.0\.2\n"))

    async def test_a_header_before_tls(self):
        authority = Authority()
        self.addCleanup(authority.close)
        backend = TlsBackend(authority, "--max-per-address", str(LIMIT), "--trusted-proxy", "127.0.0.1")
        self.addCleanup(backend.stop)
        proxy = self.before(haproxy, backend, server="send-proxy-v2")
        clients = []
        for address, is_let_in in (("127.0.0.2", True), ("127.0.0.2", True), ("127.0.0.2", False),
                                   ("127.0.0.3", True)):
            plain = socket.create_connection(("127.0.0.1", proxy.port), START_SECONDS, (address, 0))
            self.addCleanup(plain.close)
            try:
                client = await asyncio.to_thread(authority.client_context().wrap_socket, plain,
                                                 server_hostname="localhost")
                clients.append(client)
                client.sendall(GET)
                self.assertEqual(self.status(client), 200)
                self.assertTrue(is_let_in)
            except (ssl.SSLError, ConnectionError):
                self.assertFalse(is_let_in)
        for client in clients:
            client.close()
        with self.talk(backend, b"PROXY TCP4 127.0.0.7 127.0.0.1 1 2\r\n") as plain:
            with authority.client_context().wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(GET)
                self.assertEqual(self.status(client), 200)

    async def test_a_header_in_pieces(self):
        backend = self.begin()
        for header in (b"PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n", v2("127.0.0.3", more=b"\x04\0\x08" + bytes(8))):
            client = self.talk(backend, b"")
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in header + GET:
                client.sendall(bytes([byte]))
            self.assertEqual(self.status(client), 200)
            client.close()
        for address in ("127.0.0.2", "127.0.0.3"):
            self.assertTrue(await self.logged(backend, rf"GET /healthz 200 for {re.escape(address)}\n"))

    def test_bytes_that_are_no_header(self):
        backend = self.begin()
        for start in (b"GET", b"PROPFIND", b"PRO", b"P"):  # the start of a header, then something else
            client = self.talk(backend, start[:3])
            client.sendall(start[3:] + GET if start == b"PROPFIND" else GET[3:] if start == b"GET" else b"X" + GET)
            self.assertIn(self.status(client), (200, 400, 501), start)
        self.assertEqual(self.status(self.talk(backend, GET)), 200)

    def test_invalid_and_truncated_headers(self):
        backend = self.begin()
        for data in (b"PROXY TCP4 127.0.0.2 127.0.0.1 1\r\n" + GET, v2("127.0.0.2", 0x31) + GET,
                     b"PROXY " + b"a" * 200, V2 + b"\x21\x11\xff\xff" + GET):
            self.assertIsNone(self.status(self.talk(backend, data)), data)
        for data in (b"", b"PROX", V2, v2("127.0.0.2")[:-1]):
            client = self.talk(backend, data)
            client.shutdown(socket.SHUT_WR)
            self.assertIsNone(self.status(client), data)

    def test_headers_without_an_address(self):
        """With an unknown client the proxy's address counts and its headers are not believed; with LOCAL
        the proxy speaks for itself, and its headers are believed."""
        backend = self.begin()
        request = GET.replace(b"Host", b"X-Forwarded-For: 127.0.0.%d\r\nHost")
        for header, is_believed in ((b"PROXY UNKNOWN\r\n", False), (V2 + b"\x21\0\0\0", False),
                                    (V2 + b"\x20\0\0\0", True), (v2("10.1.2.3"), True), (b"", True),
                                    (v2("127.0.0.8"), False)):
            clients = [self.talk(backend, header + request % (20 + i)) for i in range(LIMIT + 1)]
            statuses = [self.status(client) for client in clients]
            self.assertEqual(statuses, [200] * LIMIT + [200 if is_believed else 429], header)
            for client in clients:
                client.close()
            while True:  # until the ends are known
                clients = [self.talk(backend, b"PROXY UNKNOWN\r\n" + GET) for _ in range(LIMIT)]
                statuses = [self.status(client) for client in clients]
                for client in clients:
                    client.close()
                if statuses == [200] * LIMIT:
                    break

    def test_other_peers_may_not_send_a_header(self):
        backend = self.begin()
        for data in (b"PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n" + GET, v2("127.0.0.2") + GET):
            self.assertEqual(self.status(self.talk(backend, data, "127.0.0.9")), 400)

    def test_invalid_ranges_are_refused_at_startup(self):
        for value in ("10.0.0.1/8", "localhost", "::/129", "10.0.0.0/"):
            ended = subprocess.run([BACKEND, "--trusted-proxy", value], capture_output=True, text=True,
                                   timeout=START_SECONDS)
            self.assertEqual(ended.returncode, 2, value)
            self.assertRegex(ended.stderr, r"\Aorders-backend: --trusted-proxy: '.*' (is not an?|needs a) .*\n\Z")


class UnixSocket(HttpCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = folder.name + "/socket"
        self.backend = self.start("--listen", "unix:" + self.path, "--trusted-proxy", "127.0.0.1")

    def talk(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(START_SECONDS)
        client.connect(self.path)
        return client

    def test_a_part_of_a_header_keeps_no_thread_busy(self):
        client = self.talk()
        for part in (b"PRO", b"XY TCP4 127.0.0.2 127.0.0.1"):
            client.sendall(part)
            self.settle(self.backend)
        client.sendall(b" 1 2\r\n" + GET)
        self.assertIn(b" 200 ", client.recv(4096).splitlines()[0])

    def test_headers_and_parts(self):
        for pieces, answer in (((b"PROXY UNKNOWN\r\n" + GET,), b"HTTP/1.1 200"), ((V2[:5], V2[5:]), b""),
                               ((v2("127.0.0.2"), GET), b"HTTP/1.1 200"), ((GET,), b"HTTP/1.1 200"),
                               ([bytes([byte]) for byte in v2("127.0.0.2") + GET], b"HTTP/1.1 200"), ((b"P",), b"")):
            with self.subTest(pieces=pieces):
                client = self.talk()
                for piece in pieces:
                    client.sendall(piece)
                client.shutdown(socket.SHUT_WR)
                received = b""
                with contextlib.suppress(ConnectionResetError):  # the end of one whose bytes are not read
                    received = client.recv(4096)
                self.assertEqual(received[:12], answer)


if __name__ == "__main__":
    unittest.main()
