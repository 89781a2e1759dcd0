"""Starts the example backend with TLS, with certificates of an authority created for the test.

Not here: tests. The certificates are created by the command openssl."""
import http.client
import os
import ssl
import subprocess
import tempfile

from backend import START_SECONDS, Backend


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=START_SECONDS)


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
RSA = ("-newkey", "rsa:2048")


class Authority:
    """A certificate authority in its own folder, which close() removes."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.file = self.path("ca.pem")
        openssl("req", "-x509", *self._new_key("ca.key"), "-days", "2", "-subj", "/CN=Test CA",
                "-addext", "keyUsage=critical,keyCertSign", "-out", self.file)

    def path(self, name):
        return os.path.join(self._folder.name, name)

    def _new_key(self, name, kind=EC):
        return (*kind, "-nodes", "-keyout", self.path(name))

    def issue(self, name, common_name="localhost", kind=EC):
        """Creates NAME.pem and NAME.key for localhost; returns their paths."""
        request, extensions = self.path(f"{name}.csr"), self.path("extensions")
        certificate, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        with open(extensions, "w") as file:
            file.write("subjectAltName=DNS:localhost\n")
        openssl("req", *self._new_key(f"{name}.key", kind), "-subj", f"/CN={common_name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.path("ca.key"),
                "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def client_context(self, version=None):
        """A context that verifies chain and host name; with `version`, it speaks only this version of
        TLS."""
        context = ssl.create_default_context(cafile=self.file)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def close(self):
        self._folder.cleanup()


class TlsBackend(Backend):
    """A backend with a certificate for localhost, and clients that trust its authority."""

    def __init__(self, authority, *arguments, pair=None, **options):
        self.authority = authority
        certificate, key = pair or authority.issue("server")
        super().__init__("--tls-cert", certificate, "--tls-key", key, *arguments, **options)

    @property
    def url(self):
        return f"wss://localhost:{self.port}"

    def http_connection(self, port=None):
        return http.client.HTTPSConnection("localhost", port or self.port, timeout=START_SECONDS,
                                           context=self.authority.client_context())
