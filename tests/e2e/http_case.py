"""What tests of the backend's plain HTTP share: clients that are sockets, and what the backend holds of them."""
import glob
import os
import resource
import shutil
import signal
import socket
import tempfile
import threading
import unittest

from backend import START_SECONDS, Backend

MIB = 1 << 20
MOST_HTTP = 4096  # connections of a thread that are not WebSockets
COSTLY_LIST = b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNREAD_LIST = b"GET /api/orders?limit=40 HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Of these answers, 93 kB: the kernel holds 30 to 87 kB, depending on how they are written, and the
# backend continues to read with less than 64 KiB of its own.
UNREAD_LISTS = 9


def post(path, *fields):
    return "\r\n".join((f"POST {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode()


def resident(backend):
    with open(f"/proc/{backend.process.pid}/statm") as sizes:
        return int(sizes.read().split()[1]) * resource.getpagesize()


class HttpCase(unittest.TestCase):
    def start(self, *arguments, **options):
        backend = Backend("--threads", "1", *arguments, **options)
        self.addCleanup(backend.stop)
        return backend

    def start_with_clock(self, how, *arguments, **options):
        """With a clock that goes as clock.c says, while the file is there whose path is returned too."""
        folder = tempfile.mkdtemp(prefix="clock-")
        self.addCleanup(shutil.rmtree, folder, True)
        # LD_PRELOAD is split at spaces, and the build's path may contain some.
        preloaded = shutil.copy(os.environ["TEST_CLOCK_LIBRARY"], folder)
        file = os.path.join(folder, "now")

        def preload():
            sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
            os.environ.update(LD_PRELOAD=preloaded, TEST_CLOCK=how, TEST_CLOCK_FILE=file, ASAN_OPTIONS=sanitizer)

        return self.start(*arguments, preexec_fn=preload, **options), file

    def start_without_time(self, *arguments, **options):
        """No deadline passes: clients that are served slowly do not count as slow ones."""
        backend, file = self.start_with_clock("still", *arguments, **options)
        with open(file, "w", encoding="ascii"):
            pass
        return backend

    def connect(self, backend, *sent):
        client = socket.create_connection(("127.0.0.1", backend.port), START_SECONDS)
        self.addCleanup(client.close)
        for part in sent:
            client.sendall(part)
        return client

    def connect_deaf(self, backend, *sent):
        """A client that reads nothing, and whose socket has small buffers."""
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", backend.port))
        for part in sent:
            client.sendall(part)
        return client

    def settle(self, backend):
        """Waits until the backend has done all that it can do for now: its threads sleep, and go on sleeping."""
        before = None
        while True:
            tasks = []
            for task in glob.glob(f"/proc/{backend.process.pid}/task/*/stat"):
                with open(task, "rb") as stat:
                    tasks.append(stat.read().rpartition(b")")[2].split()[:13])
            if tasks == before and all(fields[0] == b"S" for fields in tasks):
                return
            self.assertIsNone(backend.process.poll())
            before = tasks
            threading.Event().wait(0.2)

    @staticmethod
    def stop(backend):
        backend.process.send_signal(signal.SIGSTOP)
        state = b""
        while state != b"T":
            with open(f"/proc/{backend.process.pid}/stat", "rb") as stat:
                state = stat.read().rpartition(b")")[2].split()[0]

    @staticmethod
    def unread(backend, ports):
        """Bytes from clients at these ports that the backend has not read from its sockets."""
        total = 0
        with open("/proc/net/tcp") as table:
            for line in list(table)[1:]:
                fields = line.split()
                here, there = (int(fields[i].split(":")[1], 16) for i in (1, 2))
                if here == backend.port and there in ports:
                    total += int(fields[4].split(":")[1], 16)
                elif there == backend.port and here in ports:
                    total += int(fields[4].split(":")[0], 16)
        return total
