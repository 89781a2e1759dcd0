"""A real redis-server for a test, on its own port, which can be killed, paused and restarted, and a
proxy between it and a backend, which can be cut.

Not here: tests."""
import contextlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

START_SECONDS = 30


def free_port():
    """Below the ports that the system gives to clients: while a server is down, no client takes its
    port."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def read_answer(answer):
    kind, rest = answer.read(1), answer.readline().rstrip(b"\r\n")
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    if kind == b"$" and int(rest) >= 0:
        return answer.read(int(rest) + 2)[:-2]
    if kind == b"*" and int(rest) >= 0:
        return [read_answer(answer) for _ in range(int(rest))]
    return None


def ask(port, *words, read=read_answer):
    """What `read` makes of the answer to a command; None if there is none."""
    request = b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(word), word) for word in (str(word).encode() for word in words))
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(request)
            return read(connection.makefile("rb"))
    except OSError:
        return None


class RedisServer:
    """Every write is on disk before it is answered, so that a kill loses nothing; or a replica of
    another server. `options` are further arguments of its command line."""

    def __init__(self, master=None, program="redis-server", options=()):
        self.program = program
        self.options = ["--replicaof", f"127.0.0.1 {master.port}"] if master else []
        self.options += options
        self.folder = tempfile.mkdtemp(prefix="redis-")
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def uri(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, *self.options,
             "--repl-diskless-sync-delay", "0", "--appendonly", "yes", "--appendfsync", "always", "--save", "",
             "--loglevel", "warning"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_SECONDS
        while self.command("PING") != b"+PONG":
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.program} did not start")
            time.sleep(0.02)

    def command(self, *words):
        """The first line of the answer; None if there is none."""
        return ask(self.port, *words, read=lambda answer: answer.readline().rstrip(b"\r\n"))

    def ask(self, *words):
        """The whole answer: bytes, a number, a list of these, or None, also for an error."""
        return ask(self.port, *words, read=read_answer)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Proxy:
    """Passes bytes on to a port, until it is cut: then connections stay open and nothing gets through,
    as in a network that drops packets. When it is mended, these connections end, and new ones work."""

    def __init__(self, port):
        self.to_port = port
        self.is_cut = False
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def uri(self):
        return f"redis://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                self.sockets.append(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.to_port))
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source, target):
        try:
            while data := source.recv(1 << 16):
                if self.is_cut:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        self.is_cut = True

    def move(self, port):
        """Ends all connections; new ones go to another port."""
        self.to_port = port
        self.mend()

    def mend(self):
        self.is_cut = False
        for each in self.sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        self.sockets.clear()

    def stop(self):
        self.listener.close()
        self.mend()
