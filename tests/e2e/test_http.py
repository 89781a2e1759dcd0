"""HTTP framing by raw sockets: the cases of tests/http, each with another request after it."""
import os
import pathlib
import re
import unittest

from backend import Backend, exchange

CASES = pathlib.Path(os.environ["HTTP_CASES"])
NEXT = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CHUNKED_HEAD = "POST /api/notifications HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


def decode(text):
    """The bytes of a case, see heads.txt."""
    def character(match):
        return chr(int(match[1], 16)) if match[1] else ESCAPES[match[2]]

    if text.startswith("%"):
        text = CHUNKED_HEAD + text[1:]
    text = re.sub(r"<(\\?.)\*(\d+)>", lambda match: match[1] * int(match[2]), text.replace("{}", ""))
    return re.sub(r"\\(?:x(..)|(.))", character, text).encode("latin-1")


def cases(name):
    """Verdict, name and bytes of each case of a file."""
    for line in (CASES / name).read_text().splitlines():
        if line and not line.startswith("#"):
            verdict, name, text = line.split(" | ")[:3] if line.count(" | ") > 1 else line.split("| ", 2)
            yield verdict.strip(), name.strip(), decode(text)


def statuses(answer):
    return re.findall(rb"HTTP/1\.1 (\d+) ", answer)


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend("--threads", "1", "--allow-origin", "http://h")

    @classmethod
    def tearDownClass(cls):
        cls.backend.stop()

    def check(self, file):
        """A valid body may still be refused by the API, but that does not end the connection."""
        for verdict, name, data in cases(file):
            with self.subTest(file=file, name=name):
                answer = exchange(self.backend.port, data + NEXT)
                answered = statuses(answer)
                if verdict == "ok":
                    self.assertEqual(len(answered), 2, answer)
                    self.assertEqual(answered[1], b"200")
                elif verdict == "last":
                    self.assertEqual(len(answered), 1, answer)
                else:
                    self.assertEqual(answered, [verdict.encode()], answer)
                    self.assertIn(b"\r\nConnection: close\r\n", answer)
                if b" /healthz " in data and verdict in ("ok", "last"):
                    self.assertEqual(answered[0], b"200")

    def test_heads(self):
        self.check("heads.txt")

    def test_bodies(self):
        self.check("bodies.txt")

    def test_handshakes_with_a_body_are_refused(self):
        head = (b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
        for body in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"Transfer-Encoding: identity\r\n\r\n", b"Content-Length:\r\n\r\n"):
            answer = exchange(self.backend.port, head + body + NEXT)
            self.assertEqual(statuses(answer), [b"400"], answer)


if __name__ == "__main__":
    unittest.main()
