"""The opening handshake of the backend: what is agreed on, and what those who are refused learn."""
import socket
import tempfile
import unittest
import zlib

from backend import START_SECONDS
from client import BackendCase, receive, request, with_headers

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
        """A client that compresses each message with the context of the one before, whatever was
        agreed on; and whether anything was."""
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

    async def test_the_others_do(self):
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

    def exchange(self, backend, data):
        """Sends bytes and returns all that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS) as client:
            client.sendall(data)
            answer = b""
            while part := client.recv(65536):
                answer += part
            return answer

    def logged(self):
        """The log so far, without times. A line is written before what it tells of is answered."""
        self.log.seek(0)
        lines = self.log.read().decode().splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]{12}Z (error|warn|info|debug): ")
        return [line.split(" ", 1)[1] for line in lines]


class Log(LogCase):
    async def test_what_clients_say_forges_no_line(self):
        backend = self.start_with_log("debug")
        for path, shown in ((b"/\xc2\x9b31m", "/?31m"), (b"/a\xe2\x80\xa8b", "/a?b"),
                            (b"/\xe2\x80\xaegpj.exe", "/?gpj.exe"), (b"/\xff\xc3", "/??"),
                            ("/Jérôme".encode(), "/Jérôme")):
            self.exchange(backend, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertEqual(self.logged()[-1], f"debug: GET {shown} 404")
        self.exchange(backend, b"GET /ws HTTP/1.1\r\nHost: a\xc2\x85b\r\n\r\n")
        self.assertTrue(self.logged()[-1].endswith('(GET /ws, Host "a?b")'), self.logged()[-1])


if __name__ == "__main__":
    unittest.main()
