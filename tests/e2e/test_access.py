"""Pages of other origins, the admin listener, and the number of connections from one address."""
import asyncio
import socket
import subprocess
import tempfile
import unittest

from backend import BACKEND, START_SECONDS, Backend
from client import BackendCase, receive
from test_process import HANDSHAKE, exchange
from tls_backend import Authority, TlsBackend
from tokens import SECRET, token

CLOSE_4403 = b"\x11\x33"


def handshake(backend, path, host, origin):
    """The whole answer to a page of that origin: the WebSocket is closed at once."""
    request = HANDSHAKE.replace(b"/ws", path.encode()).replace(b"Host: x", b"Host: " + host.encode())
    origin = f"\r\nOrigin: {origin}\r\n\r\n".encode()
    return exchange(backend.port, request.replace(b"\r\n\r\n", origin) + b"\x88\x80\0\0\0\0")


NOTIFICATION = {"message": "hello", "severity": "info"}


class Origins(BackendCase):
    def pages(self, backend):
        """Origins, and whether they are the server's own."""
        own = f"http://127.0.0.1:{backend.port}"
        return ((own, True), (own.replace("http", "https"), True), (own + "0", False),
                ("http://127.0.0.1", False), ("http://evil.example", False), ("null", False),
                (f"http://evil.example/{own}", False))

    async def test_a_page_of_another_origin_is_closed_with_4403(self):
        backend = self.start("--echo")
        for origin, is_own in self.pages(backend):
            client = await self.open(backend, "/ws", origin=origin)
            if is_own:
                self.assertEqual((await receive(client))["type"], "welcome", origin)
            else:
                self.assertEqual((await self.closed(client))[0], 4403, origin)
        echo = await self.open(backend, "/echo", origin="http://evil.example")
        self.assertEqual((await self.closed(echo))[0], 4403)

    async def test_a_page_of_another_origin_cannot_change_anything(self):
        backend = self.start()
        for origin, is_own in self.pages(backend):
            status, answer, _ = await self.call(backend, "POST", "/api/notifications", NOTIFICATION,
                                                {"Origin": origin})
            self.assertEqual(status, 202 if is_own else 403, origin)
            if not is_own:
                self.assertEqual(answer["error"]["code"], "forbidden")
            status, _, headers = await self.call(backend, "GET", "/api/orders", None,
                                                 {"Origin": origin})
            self.assertEqual(status, 200)
            self.assertIsNone(headers["Access-Control-Allow-Origin"])
        for method, path in (("PUT", "/api/orders/1"), ("PATCH", "/api/inventory/WIDGET-1"),
                             ("DELETE", "/api/orders/1")):
            status, _, _ = await self.call(backend, method, path, {}, {"Origin": "http://x"})
            self.assertEqual(status, 403, method)

    async def test_origins_may_be_allowed(self):
        backend = self.start("--allow-origin", "https://a.example", "--allow-origin",
                             "http://b.example:81")
        for origin, status in (("https://a.example", 202), ("http://b.example:81", 202),
                               ("http://a.example", 403), ("http://b.example", 403)):
            client = await self.open(backend, "/ws", origin=origin)
            if status == 202:
                self.assertEqual((await receive(client))["type"], "welcome", origin)
            else:
                self.assertEqual((await self.closed(client))[0], 4403, origin)
            answer = await self.call(backend, "POST", "/api/notifications", NOTIFICATION,
                                     {"Origin": origin})
            self.assertEqual(answer[0], status, origin)

    async def test_the_port_and_case_of_an_origin_are_compared_as_in_browsers(self):
        backend = self.start("--allow-origin", "https://Shop.example:443")
        for origin, host, status in (("https://shop.example", "127.0.0.1", 202),
                                     ("https://shop.example", "shop.example:443", 202),
                                     ("https://shop.example:8443", "shop.example:8443", 202),
                                     ("http://shop.example", "shop.example:443", 403),
                                     ("ftp://127.0.0.1", "127.0.0.1", 403)):
            self.assertEqual(await self.post(backend, origin, host), status, origin)

    async def post(self, backend, origin, host, token=None):
        headers = {"Origin": origin, "Host": host}
        if token:
            headers["Authorization"] = "Bearer " + token
        return (await self.call(backend, "POST", "/api/notifications", NOTIFICATION, headers))[0]

    async def test_with_tls_a_page_without_tls_has_another_origin(self):
        authority = Authority()
        self.addCleanup(authority.close)
        backend = TlsBackend(authority)
        self.addCleanup(backend.stop)
        own = f"localhost:{backend.port}"
        for origin, status in (("https://" + own, 202), ("http://" + own, 403)):
            self.assertEqual(await self.post(backend, origin, own), status, origin)

    async def test_a_foreign_name_that_resolves_to_the_server_is_refused(self):
        backend = self.start("--echo", "--allow-origin", "http://shop.example",
                             "--admin-listen", "127.0.0.1:0")
        for host, is_ours in (("evil.example", False), (f"evil.example:{backend.port}", False),
                              ("localhost.evil.example", False), ("shop.example:81", True),
                              ("LOCALHOST", True), (f"[::1]:{backend.port}", True),
                              ("10.0.0.1", True)):
            headers = {"Host": host}
            for path in ("/api/orders", "/api/clients"):
                status, answer, _ = await self.call(backend, "GET", path, None, headers)
                self.assertEqual(status, 200 if is_ours else 403, host)
                self.assertTrue(is_ours or answer["error"]["code"] == "forbidden")
            # A browser sends no Origin with an EventSource's request to the page's own server.
            status = (await self.call(backend, "HEAD", "/events", None, headers))[0]
            self.assertEqual(status, 200 if is_ours else 403, host)
            for path in ("/ws/stats", "/metrics"):
                status = (await self.call(backend, "GET", path, None, headers,
                                          port=backend.admin_port))[0]
                self.assertEqual(status, 200 if is_ours else 403, host)
            for path in ("/", "/nothing"):  # no page that is worth protecting
                status = (await self.call(backend, "GET", path, None, headers))[0]
                self.assertEqual(status, 404 if path == "/nothing" else 200)
            status = (await self.call(backend, "GET", "/healthz", None, headers,
                                      port=backend.admin_port))[0]
            self.assertEqual(status, 200)
            self.assertEqual(await self.post(backend, "http://" + host, host),
                             202 if is_ours else 403, host)
            for path in ("/ws", "/echo"):
                answer = await asyncio.to_thread(handshake, backend, path, host, "http://" + host)
                self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
                self.assertEqual(CLOSE_4403 not in answer, is_ours, host)
        self.assertEqual(await self.post(backend, "http://shop.example", "evil.example"), 202)

    async def test_with_tokens_any_name_is_accepted(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write(SECRET)
            secret.flush()
            backend = self.start("--jwt-secret-file", secret.name)
        self.assertEqual(await self.post(backend, "http://a.example", "a.example", token()), 202)
        self.assertEqual(await self.post(backend, "https://a.example", "a.example:443", token()), 202)
        self.assertEqual(await self.post(backend, "http://a.example", "b.example", token()), 403)
        self.assertEqual(await self.post(backend, "http://a.example", "a.example"), 401)

    def test_invalid_origins_are_refused_at_startup(self):
        for value in ("https://a.example/", "a.example", "https://a.example:0", "wss://a.example",
                      "https://*.example", "https://[::1", "https://\u00e4.example"):
            ended = subprocess.run([BACKEND, "--allow-origin", value], capture_output=True, text=True,
                                   timeout=START_SECONDS)
            self.assertEqual(ended.returncode, 2, value)
            self.assertRegex(ended.stderr, r"\Aorders-backend: --allow-origin: '.*' is no.*\n\Z")

    async def test_all_origins_may_be_allowed(self):
        backend = self.start("--allow-origin", "*")
        client = await self.open(backend, "/ws", origin="null")
        self.assertEqual((await receive(client))["type"], "welcome")


class Admin(BackendCase):
    async def get(self, backend, path, port=None):
        return (await self.call(backend, "GET", path, port=port))[0]

    async def test_the_status_pages_move_to_the_admin_listener(self):
        backend = self.start("--admin-listen", "127.0.0.1:0")
        for path in ("/ws/stats", "/metrics", "/healthz"):
            self.assertEqual(await self.get(backend, path), 404, path)
            self.assertEqual(await self.get(backend, path, backend.admin_port), 200, path)
        for path in ("/", "/api/orders", "/ws", "/echo", "/api/nothing"):
            self.assertEqual(await self.get(backend, path, backend.admin_port), 404, path)
        answer = await asyncio.to_thread(exchange, backend.admin_port, HANDSHAKE.replace(
            b"Connection: Upgrade", b"Connection: Upgrade, close"))
        self.assertTrue(answer.startswith(b"HTTP/1.1 404 "), answer)
        status, _, headers = await self.call(backend, "POST", "/metrics", port=backend.admin_port)
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    async def test_the_status_pages_need_no_token_there(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write(SECRET)
            secret.flush()
            backend = self.start("--admin-listen", "127.0.0.1:0", "--jwt-secret-file", secret.name)
        client, _ = await self.connect(backend, "/ws?token=" + token())
        status, stats, _ = await self.call(backend, "GET", "/ws/stats", port=backend.admin_port)
        self.assertEqual((status, stats["total_connections"]), (200, 1))
        self.assertEqual(await self.get(backend, "/ws/stats"), 404)
        self.assertEqual(await self.get(backend, "/api/orders"), 401)
        await client.close()

    async def test_the_admin_listener_ends_in_time(self):
        backend = self.start("--admin-listen", "127.0.0.1:0")
        with socket.create_connection(("127.0.0.1", backend.admin_port)):
            status, _ = await asyncio.to_thread(backend.stop)
        self.assertEqual(status, 0)


class Addresses(unittest.TestCase):
    LIMIT = 5

    def open(self, backend, address="127.0.0.1", port=None):
        return socket.create_connection(("127.0.0.1", port or backend.port), START_SECONDS,
                                        (address, 0))

    def is_let_in(self, client):
        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.recv(4096)
        self.assertRegex(answer, b"^HTTP/1.1 (404|429) ")
        return answer.startswith(b"HTTP/1.1 404 ")

    def start(self, *arguments):
        backend = Backend(*arguments)
        self.addCleanup(backend.stop)
        return backend

    def open_until(self, backend, count):
        """Opens connections until so many are accepted, because the server learns of ends late."""
        clients = []
        while len(clients) < count:
            client = self.open(backend)
            if self.is_let_in(client):
                clients.append(client)
            else:
                client.close()
        return clients

    def test_a_connection_above_the_limit_gets_429(self):
        backend = self.start("--max-per-address", str(self.LIMIT), "--threads", "2",
                             "--admin-listen", "127.0.0.1:0")
        clients = [self.open(backend) for _ in range(self.LIMIT)]
        for client in clients:
            self.assertTrue(self.is_let_in(client))
        requests = b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2, HANDSHAKE
        for request in requests:
            with self.open(backend) as extra:
                extra.sendall(request)
                answer = b""
                while part := extra.recv(4096):
                    answer += part
            self.assertTrue(answer.startswith(b"HTTP/1.1 429 "), answer)
            self.assertEqual(answer.count(b"HTTP/1.1"), 1)
            self.assertIn(b"too_many_connections", answer)
            self.assertIn(b"Connection: close", answer)
        stats = backend.request("GET", "/ws/stats", port=backend.admin_port)[1]
        self.assertEqual(stats["addresses_refused"], len(requests))
        for address, port in (("127.0.0.2", None), ("127.0.0.1", backend.admin_port)):
            with self.open(backend, address, port) as other:
                self.assertEqual(self.is_let_in(other), True, address)
        for client in clients:
            self.assertTrue(self.is_let_in(client))
            client.close()

    def test_sessions_that_poll_count_without_a_connection(self):
        backend = self.start("--max-per-address", str(self.LIMIT), "--threads", "2")
        with self.open(backend) as client:
            for number in range(self.LIMIT + 1):
                client.sendall(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = client.recv(4096)
                self.assertEqual(answer.startswith(b"HTTP/1.1 200 "), number < self.LIMIT, answer)
            self.assertTrue(answer.startswith(b"HTTP/1.1 429 "), answer)
            self.assertIn(b'{"code":4,"message":"the client has too many sessions"}', answer)
        with self.open(backend, "127.0.0.2") as other:
            other.sendall(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(other.recv(4096).startswith(b"HTTP/1.1 200 "))

    def test_closed_connections_are_no_longer_counted(self):
        backend = self.start("--max-per-address", str(self.LIMIT), "--threads", "2")
        for round_number in range(40):
            clients = self.open_until(backend, self.LIMIT)
            with self.open(backend) as extra:
                self.assertFalse(self.is_let_in(extra), round_number)
            for number, client in enumerate(clients):
                if number % 2 == 1:  # half of them end as WebSockets
                    client.sendall(HANDSHAKE)
                    self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 101 "))
                client.close()

    def test_a_limit_of_0_is_no_limit(self):
        backend = self.start("--max-per-address", "0")
        clients = [self.open(backend) for _ in range(100)]
        self.assertTrue(all(self.is_let_in(client) for client in clients))
        for client in clients:
            client.close()


if __name__ == "__main__":
    unittest.main()
