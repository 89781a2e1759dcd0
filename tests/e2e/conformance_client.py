"""The tables of tests/conformance, and a WebSocket client on plain sockets that can violate every rule.

Not here: tests (test_conformance.py)."""
import os
import re
import socket
import struct
import zlib

TABLES = os.path.join(os.path.dirname(__file__), "..", "conformance")
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
TIMEOUT_SECONDS = 60
FIN, RSV1, CLOSE, PONG = 0x80, 0x40, 0x8, 0xA


def frame(first, payload, mask=b"\x01\x20\x40\x83"):
    """A masked frame with the shortest length encoding."""
    length = len(payload)
    if length < 126:
        size = struct.pack(">B", 0x80 | length)
    elif length < 65536:
        size = struct.pack(">BH", 0x80 | 126, length)
    else:
        size = struct.pack(">BQ", 0x80 | 127, length)
    key = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return bytes([first]) + size + mask + masked.to_bytes(length, "big")


def fragments(first, n, payload):
    """A message in n frames of about the same length."""
    cuts = [len(payload) * i // n for i in range(n + 1)]
    return b"".join(
        frame((first if i == 0 else 0) | (FIN if i == n - 1 else 0), payload[cuts[i]:cuts[i + 1]])
        for i in range(n))


def deflate(payload, window_bits):
    compressor = zlib.compressobj(wbits=-window_bits)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


# --- the tables ------------------------------------------------------------------------------------

def parse_bytes(text):
    content = b""
    for quoted, digits, times in re.findall(r'(?:"([^"]*)"|([0-9a-f]+))(?:\*(\d+))? *', text):
        content += (quoted.encode() or bytes.fromhex(digits)) * int(times or 1)
    return content


class Case:
    """`steps` are bytes to send, and (opcode, payload) pairs to expect."""

    def __init__(self, name):
        self.name = name
        self.headers = ""
        self.extensions = []  # header lines of the answer
        self.window_bits = 15
        self.steps = []

    @property
    def sent(self):
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    @property
    def expected(self):
        return [step for step in self.steps if not isinstance(step, bytes)]

    def add(self, kind, rest):
        if kind == "offer":
            self.headers = f"Sec-WebSocket-Extensions: {rest}\r\n"
            return
        if kind == "answer":
            self.extensions = [f"Sec-WebSocket-Extensions: {rest}"]
            return
        if kind == "window":
            self.window_bits = int(rest)
            return
        content = parse_bytes(rest)
        if kind == ">":
            self.steps.append(frame(content[0], content[1:]))
        elif kind == "!":
            self.steps.append(content)
        elif kind == "<":
            self.steps.append((content[0] & 0xF, content[1:]))
        else:
            payload = content[3:] if kind == "f" else deflate(content[3:], self.window_bits)
            self.steps.append(fragments(content[0], content[1] << 8 | content[2], payload))


def read_cases():
    cases = []
    for table in sorted(os.listdir(TABLES)):
        if not table.endswith(".txt"):
            continue
        with open(os.path.join(TABLES, table), encoding="ascii") as lines:
            for line in lines:
                kind, _, rest = line.strip().partition(" ")
                if kind == "case":
                    cases.append(Case(rest))
                elif kind not in ("", "#"):
                    cases[-1].add(kind, rest)
    return cases


# --- the client ------------------------------------------------------------------------------------

def request(path, headers=""):
    return (f"GET {path} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n").encode()


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.socket.close()

    def send(self, content):
        """Bytes that cannot be sent any more, because the server has closed, do not matter."""
        try:
            self.socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_in_bytes(self, content):
        for i in range(len(content)):
            self.send(content[i:i + 1])

    def read(self, length):
        pieces, missing = [self.unread[:length]], length - len(self.unread)
        self.unread = self.unread[length:]
        while missing > 0:
            piece = self.socket.recv(missing)
            if not piece:
                raise EOFError
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def read_head(self):
        """The status and the lines of the answer."""
        while b"\r\n\r\n" not in self.unread:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError
            self.unread += piece
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return int(lines[0].split()[1]), lines[1:]

    def read_frame(self):
        """The opcode and the payload, inflated."""
        first, second = self.read(2)
        assert first & FIN and not first & 0x30 and not second & 0x80, f"{first:x} {second:x}"
        length = second
        if length == 126:
            length, = struct.unpack(">H", self.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.read(8))
        payload = self.read(length)
        if first & RSV1:
            payload = zlib.decompressobj(wbits=-15).decompress(payload + b"\0\0\xff\xff")
        return first & 0xF, payload

    def at_end(self):
        """Waits for bytes; returns True if the connection has ended."""
        try:
            return not self.unread and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
