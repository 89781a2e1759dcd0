"""Static files: the pages that the backend serves and their permissions, and the permissions of the
backend's own files."""
import gzip
import os
import shutil
import socket
import stat
import tempfile
import unittest

from backend import START_SECONDS, Backend
from backend_log import Log
from client import BackendCase
from tls_backend import Authority
from tokens import SECRET

SCRIPT = b"console.log('hello');\n" * 100


class Served(BackendCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="static-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.mkdir(os.path.join(self.folder, "assets"))
        self.write("index.html", b"<!doctype html>\n")
        self.write("assets/a.js", SCRIPT)
        self.write("assets/a.js.br", b"as brotli")
        self.write("assets/a.js.gz", gzip.compress(SCRIPT, mtime=0))
        self.backend = self.start("--static", self.folder)

    def write(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def get(self, path, accepted="identity", method="GET", **headers):
        headers["Accept-Encoding"] = accepted
        return self.backend.request(method, path, None, headers)

    def test_the_coding_that_a_client_accepts(self):
        forms = {"br": b"as brotli", "gzip": gzip.compress(SCRIPT, mtime=0), None: SCRIPT}
        for accepted, coding in (("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.1", "gzip"),
                                 ("br;q=0, gzip;q=0", None), ("identity", None), ("zstd", None), ("*", "br"),
                                 ("*;q=0", None)):
            for method in ("GET", "HEAD"):
                status, content, headers = self.get("/assets/a.js", accepted, method)
                self.assertEqual((status, headers["Content-Encoding"]), (200, coding), accepted)
                self.assertEqual(content, forms[coding] if method == "GET" else b"")
                self.assertEqual(headers["Content-Type"], "text/javascript; charset=utf-8")
                self.assertEqual(int(headers["Content-Length"]), len(forms[coding]))
                self.assertEqual(headers["Vary"], "Accept-Encoding")
                self.assertIn("immutable", headers["Cache-Control"])

    def test_each_coding_is_cached_separately(self):
        etags = [self.get("/assets/a.js", accepted)[2]["ETag"] for accepted in ("br", "gzip", "identity")]
        self.assertEqual(len(set(etags)), 3)
        for accepted, own in zip(("br", "gzip", "identity"), etags):
            for etag in etags:
                status, content, headers = self.get("/assets/a.js", accepted, **{"If-None-Match": etag})
                self.assertEqual(status, 304 if etag == own else 200)
                if status == 304:
                    self.assertEqual((content, headers["ETag"], headers["Vary"]), (b"", own, "Accept-Encoding"))
                    self.assertIsNone(headers["Content-Encoding"])

    def test_a_coded_file_older_than_its_file_is_ignored(self):
        os.utime(os.path.join(self.folder, "assets/a.js.br"), (1, 1))
        self.assertEqual(self.get("/assets/a.js", "br, gzip")[2]["Content-Encoding"], "gzip")
        os.unlink(os.path.join(self.folder, "assets/a.js.gz"))
        os.symlink("a.js", os.path.join(self.folder, "assets/a.js.gz"))  # no link leads out of the folder
        self.assertIsNone(self.get("/assets/a.js", "br, gzip")[2]["Content-Encoding"])
        self.assertEqual(self.get("/assets/a.js", "br, gzip")[1], SCRIPT)

    def test_a_coded_file_alone_is_not_served(self):
        self.write("b.js.br", b"x")
        self.assertEqual(self.get("/b.js", "br")[0], 404)

    def test_an_empty_file_is_answered_at_once(self):
        """Before a request that arrives after it: by the same thread, which writes in this order."""
        self.write("empty.txt", b"")
        backend = self.start("--static", self.folder, "--threads", "1")
        with socket.create_connection(("127.0.0.1", backend.port), START_SECONDS) as client:
            client.setblocking(False)
            for _ in range(20):
                client.sendall(b"GET /empty.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(backend.request("GET", "/healthz")[0], 200)
                answer = client.recv(4096)
                self.assertIn(b" 200 ", answer.splitlines()[0])
                self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_the_content_security_policy(self):
        for path in ("/", "/assets/a.js"):
            headers = self.get(path)[2]
            policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
            self.assertEqual(policy["default-src"], "'none'")
            at = f"127.0.0.1:{self.backend.port}"
            self.assertEqual(policy["connect-src"], f"'self' ws://{at} wss://{at}")
            self.assertEqual(policy["script-src"], "'self'")
            self.assertEqual(policy["style-src"], "'self'")
            self.assertEqual(policy["frame-ancestors"], "'none'")
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "same-origin")


    def test_the_policy_contains_no_invalid_host(self):
        longest = ".".join(["a" * 50] * 5)
        for host, sources in (("localhost", " ws://localhost wss://localhost"), ("[::1]:80", ""),
                              (f"{longest}:65535", f" ws://{longest}:65535 wss://{longest}:65535"),
                              ("a(b)=c", "")):
            headers = self.get("/assets/a.js", Host=host)[2]
            self.assertIn(f"connect-src 'self'{sources};", headers["Content-Security-Policy"], host)


class Own(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="files-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def path(self, name, mode=None, content=b""):
        path = os.path.join(self.folder, name)
        if mode is not None:
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)
        return path

    def mode(self, name):
        return stat.S_IMODE(os.stat(os.path.join(self.folder, name)).st_mode)

    def run_with(self, *arguments):
        """Starts and ends a backend; returns its warnings."""
        log = Log()
        try:
            backend = Backend(*arguments, "--log-level", "warn", stderr=log.pipe,
                              preexec_fn=lambda: os.umask(0o022))
            try:
                backend.request("POST", "/api/orders", {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})
                self.modes = {name: self.mode(name) for name in os.listdir(self.folder)}
            finally:
                backend.stop()
        finally:
            lines = log.lines()
        return [line.split("warn: ", 1)[1] for line in lines]

    def test_a_new_database_is_readable_by_its_user_only(self):
        self.assertEqual(self.run_with("--db", self.path("orders.db")), [])
        self.assertEqual(self.modes, {"orders.db": 0o600, "orders.db-wal": 0o600, "orders.db-shm": 0o600})

    def test_a_database_that_others_may_read(self):
        warnings = self.run_with("--db", self.path("orders.db", 0o644))
        self.assertEqual(self.modes["orders.db"], 0o644)
        self.assertEqual(warnings, [f"--db: {self.path('orders.db')} may be read or written by every user (mode 0644)\n"])
        os.chmod(self.path("orders.db"), 0o640)
        self.assertEqual(self.run_with("--db", self.path("orders.db")), [])

    def test_secrets_that_others_may_read(self):
        for mode in (0o600, 0o640, 0o604):
            secret = self.path("secret", mode, SECRET)
            warnings = self.run_with("--jwt-secret-file", secret)
            self.assertEqual(len(warnings), 1 if mode & 0o007 else 0, warnings)
            self.assertTrue(all(line.startswith(f"--jwt-secret-file: {secret} may be read") for line in warnings))

    def test_a_key_that_others_may_read(self):
        authority = Authority()
        self.addCleanup(authority.close)
        certificate, key = authority.issue("server")
        for mode in (0o600, 0o644):
            os.chmod(key, mode)
            log = Log()
            try:
                Backend("--tls-cert", certificate, "--tls-key", key, "--log-level", "warn", stderr=log.pipe).stop()
            finally:
                lines = log.lines()
            self.assertEqual(len(lines), 1 if mode == 0o644 else 0, lines)
            self.assertTrue(all("--tls-key: " in line for line in lines))


if __name__ == "__main__":
    unittest.main()
