"""The opening handshake of the backend: the negotiation, the answers to refused clients, and the log
lines about them. Which requests are refused is tested in test_process.py."""
import socket
import tempfile
import unittest
import zlib

from backend import START_SECONDS
from client import BackendCase, receive, request, with_headers
from test_process import HANDSHAKE, exchange
from tokens import SECRET, token

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"
SAFARI_15_1 = f"{MAC} Version/15.1 Safari/605.1.15"
SAFARI_15_4 = f"{MAC} Version/15.4 Safari/605.1.15"
CHROME_ON_IOS_15_2 = (f"Mozilla/5.0 (iPhone; CPU iPhone OS 15_2 like Mac OS X) {WEBKIT} "
                      "CriOS/96.0.4664.53 Mobile/15E148 Safari/604.1")


def extensions(client):
    """What was agreed on; websockets 14 moved it."""
    return getattr(client, "protocol", client).extensions


class Compression(BackendCase):
    async def open_with_kept_context(self, backend, path, agent):
        """A client that compresses each message with the context of the previous one, whatever was
        agreed on; returns it, and whether compression was agreed on."""
        client = await self.open(backend, path, **with_headers(**{"User-Agent": agent}))
        for extension in extensions(client):
            extension.local_no_context_takeover = False
            extension.encoder = zlib.compressobj(wbits=-15)
        return client, bool(extensions(client))

    async def test_browsers_that_keep_their_context_do_not_compress(self):
        backend = self.start("--echo")
        for agent in (SAFARI_15_1, CHROME_ON_IOS_15_2):
            client, compresses = await self.open_with_kept_context(backend, "/ws", agent)
            self.assertFalse(compresses, agent)
            await receive(client)
            for ref in range(3):
                answer = await request(client, {"type": "ping", "ref": ref})
                self.assertEqual(answer["type"], "pong")
            echo, compresses = await self.open_with_kept_context(backend, "/echo", agent)
            self.assertFalse(compresses, agent)
            for _ in range(3):
                await echo.send("a message, and another one")
                self.assertEqual(await echo.recv(), "a message, and another one")

    async def test_other_browsers_compress(self):
        backend = self.start()
        client, compresses = await self.open_with_kept_context(backend, "/ws", SAFARI_15_4)
        self.assertTrue(compresses)
        await receive(client)
        await request(client, {"type": "ping", "ref": 0})
        await client.send('{"type":"ping","ref":0}')
        self.assertEqual((await self.closed(client))[0], 1007)


class LogCase(BackendCase):
    """A backend whose log is read."""

    def start_with_log(self, level, *arguments):
        self.log = tempfile.TemporaryFile()
        self.addCleanup(self.log.close)
        return self.start("--log-level", level, *arguments, stderr=self.log)

    def logged(self):
        """The log so far, without times. A line about a request is written before the request is
        answered."""
        self.log.seek(0)
        lines = self.log.read().decode().splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]{12}Z (error|warn|info|debug): ")
        return [line.split(" ", 1)[1] for line in lines]


class Log(LogCase):
    async def test_clients_cannot_forge_log_lines(self):
        backend = self.start_with_log("debug")
        for path, shown in ((b"/\xc2\x9b31m", "/?31m"), (b"/a\xe2\x80\xa8b", "/a?b"),
                            (b"/\xe2\x80\xaegpj.exe", "/?gpj.exe"), (b"/\xff\xc3", "/??"),
                            ("/Jérôme".encode(), "/Jérôme")):
            exchange(backend.port, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertEqual(self.logged()[-1], f"debug: GET {shown} 404 for 127.0.0.1")
        exchange(backend.port, b"GET /ws HTTP/1.1\r\nHost: a\xc2\x85b\r\n\r\n")
        self.assertTrue(self.logged()[-1].endswith('(GET /ws, Host "a?b")'), self.logged()[-1])


    async def test_each_refusal_is_logged_at_level_info(self):
        secret = tempfile.NamedTemporaryFile()
        self.addCleanup(secret.close)
        secret.write(SECRET)
        secret.flush()
        backend = self.start_with_log("info", "--jwt-secret-file", secret.name)
        bearer = b"\r\nAuthorization: Bearer " + token().encode()
        rest = ', Host "x")'
        for change, line in (
                ((b"GET", b"POST"), "handshake refused with 405: the method is not GET (POST /ws"),
                ((b"/ws", b"/ws?token=abc"),
                 "handshake refused with 401: the token is malformed (GET /ws"),
                ((b": 13", b": 8"),
                 "handshake refused with 426: Sec-WebSocket-Version is not 13 (GET /ws"),
                ((b"/ws", b"/websocket?token=abc"),
                 "handshake refused with 404: this path has no WebSocket endpoint (GET /websocket"),
                ((b"/ws HTTP/1.1", b"/ws?rooms=%zz HTTP/1.1" + bearer),
                 "handshake refused with 400: the query is not valid percent-encoded UTF-8 "
                 "(GET /ws")):
            exchange(backend.port, HANDSHAKE.replace(*change).replace(
                b"\r\nConnection: Upgrade", b"\r\nConnection: Upgrade, close"))
            self.assertEqual(self.logged()[-1], "info: " + line + rest)
        client = await self.open(backend, "/ws?token=" + token(), origin="http://evil.example")
        self.assertEqual((await self.closed(client))[0], 4403)
        self.assertRegex(self.logged()[-1],
                         r"^info: handshake refused with 4403: pages of this origin may not connect "
                         rf'\(GET /ws, Host "127.0.0.1:{backend.port}", Origin "http://evil.example", '
                         r'User-Agent "Python.*"\)$')
        exchange(backend.port, b"GET /ws?token=abc HTTP/1.1\r\nCookie: " + b"c" * 20000)
        self.assertRegex(self.logged()[-1],
                         r"^info: request refused with 431: .*16 KiB.* \(GET /ws\)$")
        exchange(backend.port, b"GET /ws HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n")
        self.assertRegex(self.logged()[-1], r"^info: request refused with 400: .* \(GET /ws\)$")
        exchange(backend.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        self.assertIn("request refused with 400: these bytes are TLS", self.logged()[-1])
        for line in self.logged():
            self.assertNotIn(token()[:40], line)
            self.assertNotIn("abc", line)

    async def test_other_requests_are_logged_at_level_debug(self):
        backend = self.start_with_log("info")
        for request_head in (b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                             b"GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n"):
            exchange(backend.port, request_head)
            self.assertNotIn("x", "".join(line for line in self.logged() if "refused" in line))

    async def test_an_address_with_too_many_connections(self):
        backend = self.start_with_log("info", "--max-per-address", "1")
        with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS) as first:
            first.sendall(HANDSHAKE)
            self.assertTrue(first.recv(4096).startswith(b"HTTP/1.1 101 "))
            self.assertTrue(exchange(backend.port, HANDSHAKE).startswith(b"HTTP/1.1 429 "))
        self.assertEqual(self.logged()[-1], "info: connection refused with 429: this address has too "
                         "many connections (address 127.0.0.1)")


class Answers(BackendCase):
    async def test_answers_name_the_mistake_and_the_remedy(self):
        backend = self.start("--admin-listen", "127.0.0.1:0")
        plain = b"GET /ws HTTP/1.0\r\nHost: x\r\n\r\n"
        for data, status, words in (
                (plain, 400, (b"HTTP/1.0 and lacks Upgrade: websocket, Connection: Upgrade, "
                              b"Sec-WebSocket-Version and Sec-WebSocket-Key",
                              b"proxy_http_version 1.1", b"proxy_set_header Upgrade $http_upgrade",
                              b'proxy_set_header Connection "upgrade"')),
                (plain.replace(b"1.0", b"1.1"), 426, (b"lacks Upgrade: websocket", b"nginx")),
                (HANDSHAKE.replace(b"GET", b"PUT"), 405, (b"not GET",)),
                (HANDSHAKE.replace(b": 13", b": 8"), 426, (b"is not 13", b"RFC 6455")),
                (HANDSHAKE.replace(b"dGhl", b""), 400, (b"Sec-WebSocket-Key is malformed",)),
                (HANDSHAKE.replace(b"/ws", b"/"), 404, (b"use /ws",)),
                (HANDSHAKE.replace(b"/ws", b"/api/orders"), 404, (b"use /ws",)),
                (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, (b"HTTP/2", b"HTTP/1.1")),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, (b"TLS", b"ws://"))):
            data = data.replace(b"Connection: Upgrade", b"Connection: Upgrade, close")
            head, body = exchange(backend.port, data).split(b"\r\n\r\n", 1)
            self.assertIn(b" %d " % status, head.splitlines()[0], data)
            for word in words:
                self.assertIn(word, body, data)
            if status == 426:
                self.assertIn(b"\r\nSec-WebSocket-Version: 13", head)
                self.assertIn(b"\r\nUpgrade: websocket", head)
        head, body = exchange(backend.admin_port, HANDSHAKE.replace(
            b"Connection: Upgrade", b"Connection: Upgrade, close")).split(b"\r\n\r\n", 1)
        self.assertIn(b"this listener has no WebSocket endpoint", body)

    async def test_cookies_of_12_kib_are_accepted(self):
        backend = self.start()
        client, welcome = await self.connect(backend, **with_headers(Cookie="c" * 12288))
        self.assertEqual(welcome["type"], "welcome")

    @staticmethod
    def open_websocket(port):
        """Tries again while the backend still counts connections that this test has closed."""
        while True:
            client = socket.create_connection(("127.0.0.1", port), START_SECONDS)
            client.sendall(HANDSHAKE)
            if client.recv(4096).startswith(b"HTTP/1.1 101 "):
                return client
            client.close()

    async def test_no_body_follows_a_head_request(self):
        backend = self.start("--max-per-address", "2")
        head = b"HEAD %s HTTP/1.1\r\nHost: x\r\n%sConnection: close\r\n\r\n"
        for data, status in (
                (head % (b"/", b""), 200), (head % (b"/healthz", b""), 200),
                (head % (b"/nothing", b""), 404), (head % (b"/ws", b""), 405),
                (head % (b"/", b"Upgrade: websocket\r\n"), 404),
                (head % (b"/", b"Content-Length: 9999999\r\n"), 413),
                (head % (b"/", b"Expect: wonders\r\n"), 417),
                (head % (b"/", b"Host: y\r\n"), 400),
                (head % (b"/", b"no header\r\n"), 400),
                (b"\r\nHEAD / HTTP/1.1\r\nX: " + b"x" * 20000, 431),
                (b"HEAD /ws HTTP/1.1\r\nX: " + b"x" * 20000, 431),
                (b"HEAD / HTTP/2.0\r\n\r\n", 505)):
            answer = exchange(backend.port, data)
            first, _, body = answer.partition(b"\r\n\r\n")
            self.assertIn(b" %d " % status, first.splitlines()[0], data)
            self.assertEqual(body, b"", data)
        kept = [self.open_websocket(backend.port) for _ in range(2)]
        for data in (head % (b"/ws", b""), b"HEAD ", b"HEAD /\x01"):
            answer = exchange(backend.port, data)
            self.assertTrue(answer.startswith(b"HTTP/1.1 429 "), answer)
            self.assertTrue(answer.endswith(b"\r\n\r\n"), answer)
        self.assertIn(b"too_many_connections", exchange(backend.port, b"GET /"))
        self.assertEqual(exchange(backend.port, b"HEA"), b"")
        for client in kept:
            client.close()


if __name__ == "__main__":
    unittest.main()
