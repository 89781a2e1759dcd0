"""TLS itself: versions, certificates and their renewal, misbehaving clients, HTTP over TLS.

WebSockets over TLS are in test_tls_events.py."""
import contextlib
import hashlib
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import warnings

import crowd
import tls_hello
from backend import BACKEND, START_SECONDS
from http_case import resident
from tls_backend import RSA, Authority, TlsBackend
from tls_hello import P_256, P_256_KEY, P_384, UNKNOWN, X25519, X25519_MLKEM768

LARGE_BYTES = 5_000_000
UNFINISHED, MOST_UNFINISHED = 4000, 1024  # handshakes: those of the test, and of a thread


SERVER_HELLO, ALERT = b"\x16\x02", b"\x15\x02"  # of a record: its type, and the first byte of its content
ILLEGAL_PARAMETER = 0x2f
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()  # such a server's hello has it as its random number
MOST_CIPHERS, MOST_GROUPS, MOST_ALGORITHMS, KEY_SHARE_BYTES = 256, 64, 128, 8192
MOST_AUTHORITIES, MOST_RESPONDERS = 127, 41
HELLO_BYTES = 16384


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.static = tempfile.TemporaryDirectory()
        cls.large = os.urandom(LARGE_BYTES)
        with open(os.path.join(cls.static.name, "large.bin"), "wb") as file:
            file.write(cls.large)
        cls.backend = TlsBackend(cls.authority, "--threads", "1", "--static", cls.static.name)

    @classmethod
    def tearDownClass(cls):
        status, _ = cls.backend.stop()
        cls.static.cleanup()
        cls.authority.close()
        assert status == 0

    def raw(self):
        client = socket.create_connection(("127.0.0.1", self.backend.port), START_SECONDS)
        self.addCleanup(client.close)
        return client

    def connect(self, context=None):
        context = context or self.authority.client_context()
        client = context.wrap_socket(self.raw(), server_hostname="localhost")
        self.addCleanup(client.close)
        return client

    def assert_served(self):
        self.assertEqual(self.backend.request("GET", "/healthz")[:2], (200, {"status": "ok"}))

    def assert_cut_off(self, client):
        """No byte of HTTP is answered, and finally the connection is closed; other clients are served."""
        answer = b""
        try:
            while part := client.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        self.assertNotIn(b"HTTP", answer)
        self.assert_served()

    def test_versions_and_ciphers(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            client = self.connect(self.authority.client_context(version))
            self.assertEqual(client.version(), name)
            self.assertIsNone(client.compression())
            self.assertRegex(client.cipher()[0], "GCM|CHACHA20")

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # these versions are deprecated
            old = self.authority.client_context()
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)alert protocol version"):
            self.connect(old)

        weak = self.authority.client_context(ssl.TLSVersion.TLSv1_2)
        weak.set_ciphers("AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256")
        with self.assertRaisesRegex(ssl.SSLError, "(?i)handshake failure"):
            self.connect(weak)

    def s_client(self, *options, sent=b""):
        return subprocess.run(["openssl", "s_client", "-CAfile", self.authority.file,
                               "-connect", f"127.0.0.1:{self.backend.port}", *options],
                              input=sent, capture_output=True, timeout=START_SECONDS)

    def test_costly_groups_are_refused(self):
        for version in ("-tls1_2", "-tls1_3"):
            for group in ("P-521", "X448", "P-384", *["ffdhe8192"] * (version == "-tls1_3")):
                with self.subTest(version=version, group=group):
                    client = self.s_client(version, "-groups", group)
                    self.assertIn(b"handshake failure", client.stderr)
            for group in ("X25519", "P-256"):
                with self.subTest(version=version, group=group):
                    client = self.s_client(version, "-groups", group)
                    self.assertIn(b"Verification: OK", client.stdout)
        self.assert_served()

    def test_renegotiation_is_refused(self):
        client = self.s_client("-tls1_2", sent=b"R\n")
        self.assertIn(b"RENEGOTIATING", client.stderr)
        self.assertIn(b"no renegotiation", client.stderr)
        self.assert_served()

    def test_a_connection_above_the_limit_gets_no_handshake(self):
        with TlsBackend(self.authority, "--max-per-address", "1") as backend:
            first = backend.http_connection()
            first.request("GET", "/healthz")
            self.assertEqual(first.getresponse().read(), b'{"status":"ok"}')
            extra = backend.http_connection()
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                extra.connect()
            first.request("GET", "/healthz")
            self.assertEqual(first.getresponse().status, 200)
            extra.close()
            first.close()

    def test_alpn(self):
        context = self.authority.client_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual(self.connect(context).selected_alpn_protocol(), "http/1.1")
        self.assertIsNone(self.connect().selected_alpn_protocol())
        context.set_alpn_protocols(["h2"])
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no application protocol"):
            self.connect(context)

    def test_tickets_resume_sessions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.authority.client_context(version)
            first = self.connect(context)
            first.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", first.recv(4096))  # with TLS 1.3, the tickets arrived before this
            again = context.wrap_socket(self.raw(), server_hostname="localhost", session=first.session)
            self.addCleanup(again.close)
            self.assertTrue(again.session_reused, version)

    def test_rest_and_a_large_file(self):
        order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
        self.assertEqual(self.backend.request("POST", "/api/orders", order)[0], 201)
        status, content, headers = self.backend.request("GET", "/large.bin")
        self.assertEqual((status, headers["Content-Length"]), (200, str(LARGE_BYTES)))
        self.assertEqual(content, self.large)

    def test_a_slow_reader_of_a_large_file(self):
        client = self.raw()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client = self.authority.client_context().wrap_socket(client, server_hostname="localhost")
        self.addCleanup(client.close)
        client.sendall(b"GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assert_served()  # while that client reads nothing
        answer = bytearray()
        while part := client.recv(65536):
            answer += part
        self.assertTrue(answer.endswith(b"\r\n\r\n" + self.large))

    def test_small_fragments_reach_a_slow_reader(self):
        request = b"GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for version in ("-tls1_2", "-tls1_3"):
            for length in (512, 4096):
                with self.subTest(version=version, length=length):
                    reader, output = os.pipe()
                    client = subprocess.Popen(
                        ["openssl", "s_client", "-quiet", "-CAfile", self.authority.file, version,
                         "-maxfraglen", str(length), "-connect", f"127.0.0.1:{self.backend.port}"],
                        stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL)
                    os.close(output)
                    client.stdin.write(request)
                    client.stdin.flush()
                    with open(reader, "rb") as answer:
                        select.select([answer], [], [], START_SECONDS)
                        self.assert_served()  # while that client waits for its output to be read
                        self.assertEqual(answer.read().partition(b"\r\n\r\n")[2], self.large)
                    client.stdin.close()
                    client.wait(START_SECONDS)

    def test_pipelined_requests_in_small_records(self):
        client = self.connect()
        for _ in range(50):
            client.send(b"GET /healthz HTTP/1.1\r\n")
            client.send(b"Host: x\r\n\r\n")
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := client.recv(65536):
            answer += part
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK\r\n"), 51)

    def test_close_notify_on_both_sides(self):
        client = self.connect()
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while client.recv(65536):
            pass  # an end without close_notify would be an SSLEOFError
        client.unwrap().close()

        client = self.connect()
        client.unwrap().close()  # our close_notify is sent first and is answered

    def test_a_half_closed_client_gets_its_answers(self):
        for says_close_notify in (True, False):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = self.authority.client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            client = self.raw()
            self.pump(client, incoming, outgoing, tls.do_handshake)
            for _ in range(3):
                tls.write(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            if says_close_notify:
                with self.assertRaises(ssl.SSLWantReadError):
                    tls.unwrap()
            client.sendall(outgoing.read())
            client.shutdown(socket.SHUT_WR)
            answer = bytearray()
            while part := self.pump(client, incoming, outgoing, lambda: tls.read(65536)):
                answer += part
            self.assertEqual(answer.count(b"HTTP/1.1 200 OK\r\n"), 3, says_close_notify)
            self.assertTrue(answer.endswith(self.large), says_close_notify)

    def pump(self, client, incoming, outgoing, step):
        """Performs a step of TLS in memory, with all bytes from and to the socket that it needs."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                if outgoing.pending:
                    client.sendall(outgoing.read())
                if part := client.recv(65536):
                    incoming.write(part)
                else:
                    incoming.write_eof()
            except ssl.SSLZeroReturnError:
                return b""

    def test_plain_http_and_garbage(self):
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(5000), b"\x16\x03\x01\xff\xff",
                     b"\x16\x03\x01\x00\x10" + bytes(16), b"\x80" * 100, b"\0", b""):
            client = self.raw()
            client.sendall(data)
            with contextlib.suppress(OSError):  # it may already be closed
                client.shutdown(socket.SHUT_WR)
            self.assert_cut_off(client)

    def test_many_records_without_data_end_a_connection(self):
        def answered(rounds, updates):
            arguments = [os.environ["TLS_UPDATES"], str(self.backend.port), str(rounds), str(updates)]
            return int(subprocess.run(arguments, check=True, stdout=subprocess.PIPE,
                                      timeout=START_SECONDS).stdout)

        self.assertEqual(answered(50, 5), 50)  # new keys for each request, repeatedly
        self.assertEqual(answered(1, 1000), 0)
        self.assertLess(answered(50, 20), 5)  # a little data does not compensate for many updates
        self.assert_served()

    def hello(self):
        """A client's first bytes."""
        incoming, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
        half = self.authority.client_context().wrap_bio(incoming, hello, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            half.do_handshake()
        return hello.read()

    @staticmethod
    def is_ended(client):
        """Whether the server has closed a connection, as far as this is known now."""
        client.setblocking(False)
        try:
            while client.recv(65536):
                pass
        except BlockingIOError:
            return False
        except ConnectionResetError:
            pass
        return True

    def test_unfinished_handshakes_together_have_a_bound(self):
        crowd.raise_descriptor_limit()
        self.assert_served()
        before = resident(self.backend)
        hello = self.hello()
        clients = []
        for _ in range(UNFINISHED):
            clients.append(self.raw())
            clients[-1].sendall(hello)
        self.assertEqual(clients[-1].recv(1), b"\x16")  # the server's hello
        if os.environ["SANITIZE"] == "none":
            self.assertLess(resident(self.backend) - before, 64 << 20)
        # Each began after all before it: then all but a few of these had given way.
        self.assertGreaterEqual(sum(map(self.is_ended, clients)), UNFINISHED - MOST_UNFINISHED)
        self.assertFalse(self.is_ended(clients[-1]))
        self.assert_served()

    def test_a_handshake_in_tiny_records_is_ended(self):
        message = self.hello()[5:]
        for size, answer in ((32, b"\x16"), (1, b"")):  # the server's hello, or nothing
            client = self.raw()
            client.sendall(tls_hello.records(message, size))
            try:
                self.assertEqual(client.recv(1), answer)
            except ConnectionResetError:
                self.assertEqual(answer, b"")
        self.assert_served()

    def records(self, client):
        """The type and the content of each record that arrives."""
        with client.makefile("rb") as stream:
            while head := stream.read(5):
                yield head[:1], stream.read(int.from_bytes(head[3:], "big"))

    def answers(self, backend, *hellos):
        """The first record that answers each hello: its type with the first byte of its content, and the content."""
        client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS)
        self.addCleanup(client.close)
        records = self.records(client)
        for hello in hellos:
            client.sendall(hello)
            kind, content = next(record for record in records if record[0] != b"\x14")
            yield kind + content[:1], content

    def assert_illegal(self, backend, *hellos):
        """The last hello is refused."""
        answers = list(self.answers(backend, *hellos))
        self.assertEqual((answers[-1][0], answers[-1][1][1]), (ALERT, ILLEGAL_PARAMETER))

    def test_hellos_with_long_lists_are_refused(self):
        """OpenSSL compares the members of one list with those of another. No list is so long that it
        would be refused for its size alone."""
        many = 3200
        keys = [tls_hello.key(P_384, b"\0")] * 1200
        with TlsBackend(self.authority, "--threads", "1", pair=self.authority.issue("rsa", kind=RSA)) as rsa:
            for backend, ciphers in ((self.backend, [0xc02b] * many), (rsa, [0xc02f] * many)):
                for lists in ({"ciphers": ciphers, "groups": [UNKNOWN] * many},
                              {"groups": [UNKNOWN] * many + [P_384], "keys": keys},
                              {"ciphers": [0x1301] * (MOST_CIPHERS + 1), "keys": []},
                              {"groups": [P_256] * (MOST_GROUPS + 1), "keys": []},
                              {"algorithms": [0x0403, 0x0804] * MOST_ALGORITHMS, "keys": []},
                              {"algorithms_cert": [0x0403, 0x0804] * MOST_ALGORITHMS, "keys": []},
                              {"more": tls_hello.authorities(MOST_AUTHORITIES + 1), "keys": []},
                              {"more": tls_hello.responders(MOST_RESPONDERS + 1), "keys": []},
                              {"keys": [tls_hello.key(UNKNOWN, bytes(KEY_SHARE_BYTES))]}):
                    with self.subTest(rsa=backend is rsa, lists=[*lists]):
                        self.assert_illegal(backend, tls_hello.hello(**lists))
            self.assertEqual(rsa.request("GET", "/healthz")[0], 200)
        self.assert_served()

    def test_hellos_with_the_longest_lists_are_accepted(self):
        x25519 = tls_hello.key(X25519, os.urandom(32))
        short = tls_hello.sized(tls_hello.key(UNKNOWN, b"") + x25519)
        longest = tls_hello.hello(
            ciphers=[0x1301] * MOST_CIPHERS, groups=[UNKNOWN] * (MOST_GROUPS - 1) + [X25519],
            algorithms=[0x0403] * MOST_ALGORITHMS, algorithms_cert=[0x0403] * MOST_ALGORITHMS,
            keys=[tls_hello.key(UNKNOWN, bytes(KEY_SHARE_BYTES - len(short))), x25519],
            more=tls_hello.authorities(MOST_AUTHORITIES) + tls_hello.responders(MOST_RESPONDERS))
        browsers = tls_hello.hello(
            groups=[UNKNOWN, X25519_MLKEM768, X25519, P_256],
            keys=[tls_hello.key(UNKNOWN, b"\0"), tls_hello.key(X25519_MLKEM768, bytes(1216)), x25519])
        for hello in (longest, browsers):
            self.assertEqual(next(self.answers(self.backend, hello))[0], SERVER_HELLO)

    def test_the_hello_after_a_retry_has_the_same_bounds(self):
        first = tls_hello.hello(groups=[P_384, P_256], keys=[tls_hello.key(P_384, bytes(97))])
        keys = [tls_hello.key(P_256, P_256_KEY)]
        (kind, retry), (again, content) = self.answers(
            self.backend, first, tls_hello.hello(groups=[P_384, P_256], keys=keys))
        self.assertEqual((kind, again), (SERVER_HELLO, SERVER_HELLO))
        self.assertIn(RETRY, retry)
        self.assertNotIn(RETRY, content)
        self.assert_illegal(self.backend, first,
                            tls_hello.hello(groups=[P_384, P_256] + [UNKNOWN] * MOST_GROUPS, keys=keys))

    def test_a_hello_that_says_it_is_large_is_refused(self):
        """Before memory for all of it is allocated."""
        large = tls_hello.header(HELLO_BYTES + 1)
        with (tempfile.TemporaryFile() as log,
              TlsBackend(self.authority, "--threads", "1", "--log-level", "debug", stderr=log) as backend):
            def refused():
                return os.pread(log.fileno(), 1 << 20, 0).count(b"TLS: the ClientHello is too large")

            first = tls_hello.hello(groups=[P_384, P_256], keys=[tls_hello.key(P_384, bytes(97))])
            for before, sent in ((b"", tls_hello.records(large)), (b"", tls_hello.records(large, 1)),
                                 (b"", tls_hello.padded(HELLO_BYTES + 1)), (first, tls_hello.records(large))):
                with self.subTest(before=len(before), sent=len(sent)):
                    known = refused()
                    client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS)
                    self.addCleanup(client.close)
                    if before:
                        client.sendall(before)
                        self.assertIn(RETRY, next(self.records(client))[1])
                    client.sendall(sent)
                    self.assert_cut_off(client)
                    self.assertEqual(refused(), known + 1)

    def test_a_hello_may_be_cut_anywhere(self):
        self.assertEqual(next(self.answers(self.backend, tls_hello.padded(HELLO_BYTES)))[0], SERVER_HELLO)
        hello = self.hello()
        message = hello[5:]
        for pieces in ([hello[at:at + 1] for at in range(len(hello))],
                       [tls_hello.records(message[:8], 1), tls_hello.records(message[8:])],
                       [tls_hello.records(message[:3]) + tls_hello.records(message[3:])]):
            client = self.raw()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.sendall(piece)
            self.assertEqual(client.recv(1), SERVER_HELLO[:1])

    def test_a_client_is_asked_for_a_key_of_another_group(self):
        """Which it offers after others, whose keys it has sent."""
        for groups in ("P-384:P-256", "P-521:P-384:X25519:X448"):
            with self.subTest(groups=groups):
                client = self.s_client("-tls1_3", "-groups", groups, "-msg")
                self.assertIn(b"Verification: OK", client.stdout)
                self.assertEqual(client.stdout.count(b", ServerHello"), 2)

    def test_a_stalled_handshake_delays_no_other_client(self):
        data = self.hello()
        clients = [self.raw() for _ in range(20)]
        for length, client in enumerate(clients, start=len(data) - len(clients)):
            client.sendall(data[:length])
        self.assert_served()
        clients[0].settimeout(START_SECONDS)
        self.assert_cut_off(clients[0])  # when the time for a new connection is over


class Certificates(unittest.TestCase):
    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)

    def common_name(self, backend):
        context = self.authority.client_context()
        with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as client:
                return dict(pair[0] for pair in client.getpeercert()["subject"])["commonName"]

    def test_files_that_cannot_be_loaded_are_refused_with_one_line(self):
        certificate, key = self.authority.issue("one")
        os.chmod(certificate, 0o600)  # the file is tried as a key, and a key that others may read causes a warning
        _, other_key = self.authority.issue("two")
        rsa_key, locked_key = self.authority.path("rsa.key"), self.authority.path("locked.key")
        subprocess.run(["openssl", "genrsa", "-out", rsa_key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", rsa_key,
                        "-out", locked_key], check=True, capture_output=True)
        for arguments in (("--tls-cert", "/alone"), ("--tls-key", key),
                          ("--tls-cert", "/nonexistent", "--tls-key", key),
                          ("--tls-cert", key, "--tls-key", key),
                          ("--tls-cert", certificate, "--tls-key", "/nonexistent"),
                          ("--tls-cert", certificate, "--tls-key", certificate),
                          ("--tls-cert", certificate, "--tls-key", other_key),
                          ("--tls-cert", certificate, "--tls-key", rsa_key),
                          ("--tls-cert", certificate, "--tls-key", locked_key)):
            ended = subprocess.run([BACKEND, "--db", ":memory:", "--listen", "127.0.0.1:0", *arguments],
                                   capture_output=True, timeout=START_SECONDS)
            self.assertEqual((ended.returncode, ended.stdout), (2, b""), arguments)
            self.assertRegex(ended.stderr.decode(), r"\Aorders-backend: [^\n]*--tls-[^\n]*\n\Z")
            if arguments[1] == certificate:
                self.assertNotIn(arguments[-1].encode(), ended.stderr)

    def test_sighup_loads_a_valid_pair_and_refuses_an_invalid_one(self):
        pair = self.authority.issue("server", "first")
        other = self.authority.issue("other", "second")
        with tempfile.TemporaryFile() as log:
            with TlsBackend(self.authority, "--log-level", "info", pair=pair, stderr=log) as backend:
                old = self.authority.client_context().wrap_socket(
                    socket.create_connection(("127.0.0.1", backend.port), START_SECONDS),
                    server_hostname="localhost")
                self.assertEqual(self.common_name(backend), "first")

                shutil.copyfile(other[0], pair[0])  # without the matching key
                self.reload(backend, log, b"the certificate is not reloaded: --tls-key")
                self.assertEqual(self.common_name(backend), "first")

                shutil.copyfile(other[1], pair[1])
                self.reload(backend, log, b"the certificate is reloaded")
                self.assertEqual(self.common_name(backend), "second")

                old.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertIn(b"200 OK", old.recv(4096))
                old.close()
            log.seek(0)
            self.assertNotIn(os.path.basename(pair[1]).encode(), log.read())

    def reload(self, backend, log, line):
        backend.process.send_signal(signal.SIGHUP)
        tries = 0
        while line not in os.pread(log.fileno(), 1 << 20, 0):
            threading.Event().wait(0.02)
            tries += 1
            self.assertLess(tries, 50 * START_SECONDS)


if __name__ == "__main__":
    unittest.main()
