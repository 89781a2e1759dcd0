"""RFC 6455 and RFC 7692 end to end: the cases of tests/conformance against the backend's echo.

The same cases run on the library alone, in more chunkings, in tests/unit/websocket/conformance_test.c."""
import unittest

from backend import Backend
from conformance_client import ACCEPT, CLOSE, FIN, PONG, Client, fragments, frame, read_cases, request

BYTEWISE_MAX = 400
PROBE = b"is the echo still there?"


class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend("--echo", "--max-message", "1048576", "--max-queue", "4194304")
        cls.addClassCleanup(cls.backend.stop)
        cls.cases = read_cases()

    def expect_head(self, client, case):
        status, lines = client.read_head()
        self.assertEqual(status, 101)
        self.assertEqual([l for l in lines if l.startswith("Sec-WebSocket-Extensions")], case.extensions)

    def expect(self, client, expected):
        """Checks that these frames arrive next; pongs need not wait for messages, and of a close only
        the code is compared."""
        left = list(expected)
        while left:
            opcode, payload = client.read_frame()
            wanted = next((e for e in left if (e[0] == PONG) == (opcode == PONG)), None)
            if opcode == CLOSE:
                self.assertEqual(len(left), 1)
                payload = payload[:2]
            self.assertEqual((opcode, payload), wanted)
            left.remove(wanted)

    def expect_after(self, client, case):
        """The connection has ended, or continues as if nothing had happened."""
        if case.expected and case.expected[-1][0] == CLOSE:
            self.assertTrue(client.at_end())
        else:
            client.send(frame(FIN | 1, PROBE))
            self.expect(client, [(1, PROBE)])

    def open(self):
        return Client(self.backend.port)

    def test_step_by_step(self):
        for case in self.cases:
            with self.subTest(case.name), self.open() as client:
                client.send(request("/echo", case.headers))
                self.expect_head(client, case)
                for step in case.steps:
                    if isinstance(step, bytes):
                        client.send(step)
                    else:
                        self.expect(client, [step])
                self.expect_after(client, case)

    def test_directly_after_the_request(self):
        for case in self.cases:
            with self.subTest(case.name), self.open() as client:
                client.send(request("/echo", case.headers) + case.sent)
                self.expect_head(client, case)
                self.expect(client, case.expected)
                self.expect_after(client, case)

    def test_byte_by_byte_after_the_request(self):
        for case in self.cases:
            if len(case.sent) > BYTEWISE_MAX:
                continue
            with self.subTest(case.name), self.open() as client:
                client.send_in_bytes(request("/echo", case.headers) + case.sent)
                self.expect_head(client, case)
                self.expect(client, case.expected)
                self.expect_after(client, case)

    def test_rfc6455_4_requests(self):
        good = request("/echo").decode()
        changes = [
            ("HTTP/1.1", "HTTP/1.1", 101, f"Sec-WebSocket-Accept: {ACCEPT}"),
            ("Upgrade: websocket", "uPGRADE: WebSocket", 101, "Upgrade: websocket"),
            ("Version: 13", "Version: 8", 426, "Sec-WebSocket-Version: 13"),
            ("Version: 13", "Version: 8, 13", 426, "Sec-WebSocket-Version: 13"),
            ("Key: dGhl", "Key: ", 400, "Connection: close"),
            ("Sec-WebSocket-Key", "X-Key", 400, "Connection: close"),
            ("Host: h\r\n", "", 400, "Connection: close"),
        ]
        for old, new, status, line in changes:
            for send in (Client.send, Client.send_in_bytes):
                with self.subTest(f"{old} becomes {new}"), self.open() as client:
                    send(client, good.replace(old, new, 1).encode())
                    answered, lines = client.read_head()
                    self.assertEqual(answered, status)
                    self.assertIn(line, lines)


class LargeMessages(unittest.TestCase):
    def test_rfc6455_5_messages_up_to_16_mebibytes(self):
        backend = Backend("--echo", "--max-message", "16777216", "--max-queue", "33554432")
        self.addCleanup(backend.stop)
        for mebibytes in (1, 4, 16):
            payload = b"0123456789abcdef" * (mebibytes << 16)
            for opcode, n_frames in ((1, 1), (2, 1), (1, 256), (2, 1024)):
                with self.subTest(f"{mebibytes} MiB, {n_frames} frames"), Client(backend.port) as client:
                    client.send(request("/echo"))
                    self.assertEqual(client.read_head()[0], 101)
                    client.send(fragments(opcode, n_frames, payload))
                    self.assertEqual(client.read_frame(), (opcode, payload))


if __name__ == "__main__":
    unittest.main()
