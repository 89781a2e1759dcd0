"""A real redis-server for measurements, its CPU time, and connections that send commands to it.

Not here: what is measured (measure)."""
import pathlib
import socket
import subprocess
import tempfile
import time

END = b"+PONG\r\n"


def encode(*words):
    """Encodes a command in the Redis protocol."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)

    def ask(self, commands):
        """Sends commands at once and returns the bytes of their answers. A PING after the commands marks
        the end of these, so that nothing needs to be parsed."""
        self.socket.sendall(commands + encode("PING"))
        answers = bytearray()
        while not answers.endswith(END):
            answers += self.socket.recv(1 << 20)
        del answers[-len(END) :]
        if answers.startswith(b"-"):
            raise RuntimeError(answers.decode())
        return bytes(answers)


class RedisServer:
    """A redis-server on a socket in its own directory, without persistence. Leaving the context ends
    it."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = self.directory.name + "/redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
             "--appendonly", "no", "--dir", self.directory.name],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(200):
            if pathlib.Path(self.path).exists():
                return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError("redis-server does not start")

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()

    def connect(self):
        return Connection(self.path)

    def cpu_ns(self):
        """The CPU time of the thread that executes commands."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])
