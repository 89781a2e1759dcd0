"""The backend as a process: its command line, its limits of descriptors, HTTP as bytes, shutdown."""
import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from backend import BACKEND, START_SECONDS, Backend, exchange
from hosts import (DESCRIPTORS, HANDSHAKE, check_half_closed_client_that_does_not_read,
                   check_no_descriptor_left, connect, few_descriptors, opened, ping)

IDLE_SECONDS = 60  # after them the backend closes an idle connection


class CommandLine(unittest.TestCase):
    def refused(self, *arguments):
        ended = subprocess.run([BACKEND, *arguments], capture_output=True, timeout=START_SECONDS)
        self.assertEqual(ended.returncode, 2, arguments)
        self.assertEqual(ended.stdout, b"", arguments)
        lines = ended.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, (arguments, lines))
        return lines[0]

    def test_invalid_arguments_are_refused_with_one_line(self):
        for arguments in (("--nonsense",), ("stray",), ("--listen",), ("--listen", "nowhere"),
                          ("--listen", "127.0.0.1:99999"), ("--threads", "0x"), ("--threads", "-1"),
                          ("--history", "-1"), ("--history", "1073741825"), ("--history",),
                          ("--threads", ""), ("--max-message", "12k"), ("--ping-interval", "soon"),
                          ("--log-level", "loud"), ("--static", "/nonexistent"),
                          ("--db", "/nonexistent/orders.db"), ("--max-queue", "99999999999999999999"),
                          ("--redis", "rediss://127.0.0.1?ca=/nonexistent.pem"), ("--redis", "127.0.0.1"),
                          ("--redis", "redis://127.0.0.1", "--node", "a\nb"), ("--relay=yes",)):
            line = self.refused("--db", ":memory:", *arguments)
            self.assertIn("orders-backend", line)

    def test_an_address_in_use_is_refused(self):
        with Backend() as backend:
            self.refused("--db", ":memory:", "--listen", f"127.0.0.1:{backend.port}")

    def test_a_file_that_is_not_a_database_is_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"this is no database, but it is long enough to be looked at" * 100)
            file.flush()
            self.refused("--db", file.name)


class Descriptors(unittest.TestCase):
    def test_the_soft_limit_is_raised_to_the_hard_one(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, 256))

        with Backend("--threads", "1", preexec_fn=limit) as backend:
            clients = [socket.create_connection(("127.0.0.1", backend.port)) for _ in range(100)]
            for client in clients:
                client.sendall(HANDSHAKE)
                self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 101 "))
            self.assertEqual(backend.stats()["total_connections"], 100)
            for client in clients:
                client.close()

    def test_websockets_leave_descriptors_for_others(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

        with tempfile.TemporaryFile() as log, \
                Backend("--threads", "1", "--admin-listen", "127.0.0.1:0", "--log-level", "warn",
                        "--max-connections", "1000",
                        stderr=log, preexec_fn=limit) as backend:
            answers = []
            for _ in range(128):
                client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS)
                self.addCleanup(client.close)
                client.sendall(HANDSHAKE)
                answers.append(int(client.recv(4096).split()[1]))
                if answers[-1] != 101:
                    client.close()
            self.assertEqual(answers, [101] * 96 + [503] * 32)
            self.assertEqual(backend.request("GET", "/")[0], 200)
            self.assertEqual(backend.request("GET", "/metrics", port=backend.admin_port)[0], 200)
            self.assertIn(b"--max-connections is 96, ", os.pread(log.fileno(), 4096, 0))

    def test_clients_leave_descriptors_for_the_process(self):
        """For the database, Redis and the log. Answers that are not read have a file each."""
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

        with tempfile.TemporaryDirectory() as folder, \
                Backend("--threads", "1", "--static", folder, preexec_fn=limit) as backend:
            with open(os.path.join(folder, "large.bin"), "wb") as file:
                file.truncate(2**26)
            first = opened(backend.port)
            for _ in range(200):
                client = connect(backend.port, receive_buffer=4096)
                self.addCleanup(client.close)
                client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
                try:
                    self.assertIn(b" 200 OK", client.recv(64))
                except ConnectionResetError:
                    pass
                self.assertLessEqual(len(os.listdir(f"/proc/{backend.process.pid}/fd")), 128 - 4)
            ping(first)
            first.close()

    def test_without_a_free_descriptor_clients_are_served(self):
        with Backend("--threads", "1", preexec_fn=few_descriptors) as backend:
            check_no_descriptor_left(self, backend.process.pid, backend.port)
            status, content, _ = backend.request("GET", "/healthz")
            self.assertEqual((status, content), (200, {"status": "ok"}))

    def test_without_a_free_descriptor_idle_clients_give_way(self):
        with Backend("--threads", "1", preexec_fn=few_descriptors) as backend:
            clients = [opened(backend.port)]
            for _ in range(DESCRIPTORS + 20):
                clients.append(connect(backend.port))
                clients[-1].settimeout(IDLE_SECONDS / 2)
                clients[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertIn(b"200 OK", clients[-1].recv(4096))
            ping(clients[0])
            for client in clients:
                client.close()

    def test_a_half_closed_client_that_does_not_read(self):
        with Backend("--threads", "1") as backend:
            check_half_closed_client_that_does_not_read(self, backend.process.pid, backend.port)


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend("--threads", "1")

    @classmethod
    def tearDownClass(cls):
        cls.backend.stop()

    def test_keep_alive_and_pipelining(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = exchange(self.backend.port, one * 50 + last)
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK\r\n"), 51)
        self.assertTrue(answer.endswith(b'{"status":"ok"}') or answer.endswith(b'{"status":"ok"}\n'))

    def test_bodies_chunked_or_too_large(self):
        head = b"POST /api/notifications HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        chunked = b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"message":"abcd\r\n2\r\n"}\r\n0\r\n\r\n'
        self.assertIn(b" 202 ", exchange(self.backend.port, head + chunked).splitlines()[0])
        large = b"Content-Length: 99999999\r\n\r\n"
        self.assertIn(b" 413 ", exchange(self.backend.port, head + large).splitlines()[0])
        endless = b"Transfer-Encoding: chunked\r\n\r\n200000\r\n" + b" " * (2**20 + 1)
        self.assertIn(b" 413 ", exchange(self.backend.port, head + endless).splitlines()[0])

    def test_garbage_and_long_heads(self):
        self.assertIn(b" 400 ", exchange(self.backend.port, b"\x16\x03\x01 garbage\r\n\r\n").splitlines()[0])
        head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000
        self.assertIn(b" 431 ", exchange(self.backend.port, head).splitlines()[0])

    def test_requests_that_are_no_handshake(self):
        for change, status in (((b"GET", b"POST"), b" 405 "), ((b"HTTP/1.1", b"HTTP/1.0"), b" 400 "),
                               ((b"Host: x\r\n", b""), b" 400 "), ((b"websocket", b"h2c"), b" 426 "),
                               ((b": 13", b": 8"), b" 426 "), ((b"dGhl", b"xx"), b" 400 "),
                               ((b"Host: x", b"Host: x\r\nContent-Length: 5"), b" 400 ")):
            answer = exchange(self.backend.port, HANDSHAKE.replace(*change))
            self.assertIn(status, answer.splitlines()[0], change)
            if change[0] == b": 13":
                self.assertIn(b"Sec-WebSocket-Version: 13\r\n", answer)

    def test_frames_directly_after_the_handshake(self):
        ping = b"\x89\x82\0\0\0\0hi"
        close = b"\x88\x82\0\0\0\0\x03\xe8"
        answer = exchange(self.backend.port, HANDSHAKE + ping + close)
        head, _, frames = answer.partition(b"\r\n\r\n")
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)
        self.assertIn(b"\x8a\x02hi", frames)
        self.assertTrue(frames.endswith(b"\x88\x02\x03\xe8"))

    def test_requests_before_a_half_close_are_answered(self):
        ping = b'\x81\x8f\0\0\0\0{"type":"ping"}'
        close = b"\x88\x82\0\0\0\0\x03\xe8"
        unmasked = b"\x81\x00"
        for end, code in ((close, b"\x03\xe8"), (unmasked, b"\x03\xea"), (b"", None)):
            with socket.create_connection(("127.0.0.1", self.backend.port), START_SECONDS) as client:
                client.sendall(HANDSHAKE + ping + end)
                client.shutdown(socket.SHUT_WR)
                answer = b""
                while part := client.recv(65536):
                    answer += part
            welcome, pong = answer.find(b'"welcome"'), answer.find(b'"pong"')
            self.assertTrue(0 < welcome < pong, (end, answer))
            if code:
                self.assertGreater(answer.find(code, pong), pong, (end, answer))


def drip_until_closed(client):
    """Sends a byte of a header now and then; returns whether the server closes before START_SECONDS are
    over."""
    client.settimeout(0.2)
    for _ in range(5 * START_SECONDS):
        try:
            client.sendall(b"a")
            if not client.recv(1):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


class SlowHeads(unittest.TestCase):
    def test_clients_that_send_nothing_or_too_slowly_are_closed(self):
        with tempfile.TemporaryFile() as log, \
                Backend("--threads", "1", "--log-level", "info", stderr=log) as backend:
            with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS) as silent, \
                    socket.create_connection(("127.0.0.1", backend.port)) as dripping:
                dripping.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
                self.assertTrue(drip_until_closed(dripping))
                self.assertEqual(silent.recv(1), b"")
            log.seek(0)
            self.assertIn(b"info: request refused: its head did not arrive in time (GET /healthz)\n", log.read())


class Shutdown(unittest.TestCase):
    def test_sigterm_under_load(self):
        backend = Backend("--threads", "2", "--relay")
        stop = threading.Event()

        def load():
            while not stop.is_set():
                try:
                    backend.request("POST", "/api/notifications", {"message": "x", "severity": "info"})
                except OSError:
                    return

        def open_and_leave():
            while not stop.is_set():
                try:
                    with socket.create_connection(("127.0.0.1", backend.port), 5) as client:
                        client.sendall(HANDSHAKE)
                        client.recv(4096)
                except OSError:
                    return

        threads = [threading.Thread(target=f) for f in (load, load, open_and_leave, open_and_leave)]
        for thread in threads:
            thread.start()
        while backend.stats()["events"] < 50:
            pass
        status, seconds = backend.stop()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(status, 0)
        self.assertLess(seconds, 30)

    def test_clients_that_never_answer_the_close(self):
        backend = Backend("--threads", "1")
        clients = [socket.create_connection(("127.0.0.1", backend.port)) for _ in range(10)]
        for client in clients:
            client.sendall(HANDSHAKE)
            client.recv(4096)
        status, _ = backend.stop()
        self.assertEqual(status, 0)
        for client in clients:
            client.close()

    def test_a_body_that_never_arrives_does_not_delay_shutdown(self):
        backend = Backend("--threads", "1")
        with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS / 2) as client:
            client.sendall(b"POST /api/notifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            backend.stats()
            backend.process.send_signal(signal.SIGTERM)
            self.assertEqual(client.recv(1), b"")
        self.assertEqual(backend.stop()[0], 0)

    def test_a_client_between_two_polls_gets_the_rest(self):
        backend = Backend("--threads", "1")
        client = backend.http_connection()

        def ask(method, query="", body=None):
            client.request(method, "/socket.io/?EIO=4&transport=polling" + query, body)
            response = client.getresponse()
            return response.status, response.read().decode()

        session = "&sid=" + json.loads(ask("GET")[1][1:])["sid"]
        self.assertEqual(ask("POST", session, "40"), (200, "ok"))
        self.assertIn("40{", ask("GET", session)[1])
        backend.request("POST", "/api/notifications", {"message": "last", "severity": "info"})
        backend.process.send_signal(signal.SIGTERM)
        # Longer than an idle connection is kept: there is nothing else to wait for.
        threading.Event().wait(1)
        status, packets = ask("GET", session)
        self.assertEqual(status, 200)
        self.assertIn('"last"', packets)
        client.close()
        self.assertEqual(backend.stop()[0], 0)

    def test_sigint(self):
        backend = Backend()
        backend.process.send_signal(signal.SIGINT)
        self.assertEqual(backend.stop()[0], 0)


if __name__ == "__main__":
    unittest.main()
