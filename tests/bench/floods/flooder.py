"""Clients that send as fast as the server reads, for a number of seconds. Runs as a separate process.

usage: flooder.py PORT KIND CLIENTS SECONDS [TOKEN]
Prints one JSON object: the bytes that the server accepted, and how often it closed a client.
Not here: the effect on other clients (floods)."""
import errno
import json
import os
import random
import select
import socket
import sys
import time
import zlib

CHUNK = 65536
RECONNECT_SECONDS = 0.1  # the wait of a client that was closed


def masked(first, payload):
    """A frame whose masking key is zero, so that its payload is unchanged."""
    length = len(payload)
    head = bytes([first])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + length.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def text(message):
    return masked(0x81, json.dumps(message, separators=(",", ":")).encode())


def deflated(payload):
    """A compressed text frame (RFC 7692 §7.2.1)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    return masked(0xC1, packed[:-4])


def rooms():
    """Joins and leaves of rooms that have few other members."""
    name = random.randrange(1 << 30)
    return b"".join(
        text({"type": kind, "room": f"room-{name}-{i}"})
        for i in range(200)
        for kind in ("join_room", "leave_room")
    )


def proof_of(token):
    return b"Authorization: Bearer " + token.encode() + b"\r\n" if token else b""


def payload_of(kind, token):
    """The bytes that one client sends repeatedly."""
    once = {
        "tiny": lambda: masked(0x81, b"x"),
        "compressed": lambda: deflated(b"x" * 65500),
        "rooms": rooms,
        "pings": lambda: text({"type": "ping"}) * 9 + masked(0x89, b""),
        "authenticate": lambda: text({"type": "authenticate", "token": token}),
        "http": lambda: b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + proof_of(token) + b"\r\n",
        "posts": lambda: b"POST /events?session=x HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + b"Content-Type: text/plain\r\nContent-Length: 15\r\n" + proof_of(token)
        + b'\r\n{"type":"ping"}',
    }[kind.removesuffix("-unread")]()  # fmt: skip
    return once * max(1, CHUNK // len(once))


class Flooder:
    """Runs one client."""

    def __init__(self, port, kind, token):
        self.address = ("127.0.0.1", port)
        self.payload = payload_of(kind, token)
        self.is_http = kind in ("http", "posts")
        self.reads = not kind.endswith("-unread")
        self.token = token
        self.again = 0
        self.connect()

    def connect(self):
        self.at = 0
        self.socket = socket.create_connection(self.address, 60)
        if not self.is_http:
            extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
            proof = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
            self.socket.sendall(
                f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {'A' * 22}==\r\n"
                f"Sec-WebSocket-Version: 13\r\n{extension}{proof}\r\n".encode()
            )
            answer = self.socket.recv(12)
            if answer != b"HTTP/1.1 101":
                raise SystemExit(f"the flooder was refused: {answer!r}")
        self.socket.setblocking(False)

    def write(self):
        taken = self.socket.send(memoryview(self.payload)[self.at :])
        self.at = (self.at + taken) % len(self.payload)
        return taken

    def read(self):
        if not self.socket.recv(1 << 20):
            raise ConnectionResetError

    def lose(self, poll):
        poll.unregister(self.socket)
        self.socket.close()
        self.again = time.monotonic() + RECONNECT_SECONDS


def main():
    port, kind, n, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    token = sys.argv[5] if len(sys.argv) > 5 else None
    os.nice(5)
    flooders = [Flooder(port, kind, token) for _ in range(n)]
    poll = select.poll()
    by_fd = {}

    def watch(flooder):
        by_fd[flooder.socket.fileno()] = flooder
        poll.register(flooder.socket, select.POLLOUT | (select.POLLIN if flooder.reads else 0))

    for flooder in flooders:
        watch(flooder)
    sent = cut = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for fd, came in poll.poll(50):
            flooder = by_fd[fd]
            try:
                if came & select.POLLIN:
                    flooder.read()
                if came & select.POLLOUT:
                    sent += flooder.write()
                if came & (select.POLLHUP | select.POLLERR):
                    raise ConnectionResetError
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    continue
                cut += 1
                flooder.lose(poll)
        now = time.monotonic()
        for flooder in flooders:
            if flooder.again and flooder.again <= now:
                flooder.again = 0
                flooder.connect()
                watch(flooder)
    print(json.dumps({"bytes": sent, "cut": cut}))


if __name__ == "__main__":
    main()
