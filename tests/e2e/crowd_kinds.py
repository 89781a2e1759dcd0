"""Clients of the other kinds for the selector of crowd.py: event streams, and Socket.IO over WebSocket and
over long-polling.

Not here: what they keep from one connection to the next (sessions.py)."""
import json
import re
import socket
import struct

from crowd import READ_BYTES, Client, listen
from sessions import JsonSession, SocketioSession

SOCKETIO = "/socket.io/?EIO=4&transport="


class StreamClient:
    """An event stream over HTTP/1.1, in chunks."""

    def __init__(self, port, path="/events", last_id=None):
        self.last_id = last_id
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n"
        if last_id:
            head += f"Last-Event-ID: {last_id}\r\n"
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall((head + "\r\n").encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            self._read()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200 ") or b"Transfer-Encoding: chunked" not in head:
            raise ConnectionError(head.decode())
        self.text = b""
        self.close_code = None
        self.ended = False
        self.socket.setblocking(False)

    def _read(self):
        piece = self.socket.recv(READ_BYTES)
        if not piece:
            raise ConnectionError("the server closed")
        self.pending += piece

    def receive(self):
        """The data of the events that have arrived; `ended` and `close_code` describe the end."""
        try:
            self._read()
        except BlockingIOError:
            pass
        except ConnectionError:
            self.ended = True
        at = 0
        while (end := self.pending.find(b"\r\n", at)) >= 0:
            size = int(self.pending[at:end], 16)
            if len(self.pending) < end + 2 + size + 2:
                break
            self.text += self.pending[end + 2:end + 2 + size]
            at = end + 2 + size + 2
        self.pending = self.pending[at:]
        *blocks, self.text = self.text.split(b"\n\n")
        return [data for block in blocks if (data := self._data(block.decode()))]

    def _data(self, block):
        """Reads a block of the stream; returns its data. That of the event `close` has the close code."""
        data = []
        is_close = False
        for line in block.split("\n"):
            if line.startswith("data: "):
                data.append(line[6:])
            elif line.startswith("id: "):
                self.last_id = line[4:]
            is_close = is_close or line == "event: close"
        if not is_close:
            return "\n".join(data)
        self.close_code = json.loads("\n".join(data))["code"]
        return None

    def close(self):
        self.socket.close()


class PollingClient:
    """A session of long-polling. Its requests follow each other, a few on each connection: what it has to
    send is posted before its next poll."""

    REQUESTS = 4  # on each connection, which any thread of the server may accept

    def __init__(self, port):
        self.head = f"Host: 127.0.0.1:{port}\r\n"
        self.path = SOCKETIO + "polling"
        self.port = port
        self.n_requests = 0
        self.socket = None
        self.pending = b""
        self.packets = []  # to be posted
        self.close_code = None
        self.ended = False
        self._request()

    def _request(self):
        if self.n_requests % self.REQUESTS == 0:
            if self.socket is not None:
                self.socket.close()
            self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.n_requests += 1
        self.is_post = bool(self.packets)
        request, body = f"GET {self.path} HTTP/1.1\r\n{self.head}\r\n", ""
        if self.is_post:
            body = "\x1e".join(self.packets)
            request = (f"POST {self.path} HTTP/1.1\r\n{self.head}Content-Type: text/plain;charset=UTF-8\r\n"
                       f"Content-Length: {len(body.encode())}\r\n\r\n")
            self.packets = []
        self.socket.setblocking(True)
        self.socket.sendall((request + body).encode())
        self.socket.setblocking(False)

    def _response(self):
        """The body of the response when it is complete, else None."""
        head, _, rest = self.pending.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        if length is None or len(rest) < int(length[1]):
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(self.pending.decode())
        self.pending = rest[int(length[1]):]
        return rest[:int(length[1])].decode()

    def send(self, packet):
        self.packets.append(packet)

    def receive(self):
        """The packets that have arrived. Then the next request is sent, with what was given to send()
        meanwhile."""
        try:
            piece = self.socket.recv(READ_BYTES)
            self.ended = not piece
            self.pending += piece
        except BlockingIOError:
            return
        except ConnectionError:
            self.ended = True
        if (body := self._response()) is None:
            return
        packets = [] if self.is_post else body.split("\x1e")
        for packet in packets:
            if packet.startswith("0"):
                self.path += "&sid=" + json.loads(packet[1:])["sid"]
            if packet == "1":
                self.ended = True
            else:
                yield packet
        if not self.ended:
            self._request()

    def close(self):
        self.socket.close()


def connect(kind, port, session):
    """A client of a kind, for a session that has begun a connection."""
    if kind == "stream":
        return StreamClient(port, session.path("/events", with_position=False), session.position)
    if kind == "polling":
        return PollingClient(port)
    return Client(port, SOCKETIO + "websocket" if kind == "socketio" else session.path())


class Member:
    """A client of a kind, which keeps the numbers of its events over all its connections. The pattern of an
    event finds its id and its number: a crowd receives too many for a parser of JSON."""

    def __init__(self, port, kind, pattern, rooms=()):
        self.port = port
        self.kind = kind
        self.pattern = pattern
        self.session = (SocketioSession if kind in ("socketio", "polling") else JsonSession)(rooms)
        self.numbers = []
        self.connect()

    def connect(self):
        self.session.begin()
        self.client = connect(self.kind, self.port, self.session)
        self.client.member = self

    def cut(self):
        self.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.close()
        if self.kind == "stream":
            self.session.position = self.client.last_id
        self.connect()

    def hear(self, text):
        if event := self.pattern.search(text):
            self.session.saw(event[1])
            self.numbers.append(int(event[2]))
            return
        self.session.take(text)
        for packet in self.session.replies:
            self.client.send(packet)
        self.session.replies.clear()

    def receive(self):
        for text in self.client.receive():
            self.hear(text)
        if self.client.ended:
            raise ConnectionError(f"the server has ended a client: {self.kind}")


def listen_to(members, is_done, seconds):
    """As crowd.listen(): until `is_done` holds for every member."""
    return listen([member.client for member in members], lambda client, text: client.member.hear(text),
                  lambda: all(map(is_done, members)), seconds)
