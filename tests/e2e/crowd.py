"""Many WebSocket clients on one selector, for tests with hundreds of listening clients: a raw handshake,
and whole unfragmented frames. Conformance is tested with clients that others wrote."""
import os
import resource
import selectors
import socket
import struct

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CLOSE = 1, 8
READ_BYTES = 1 << 18


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Client:
    def __init__(self, port, path="/ws", receive_bytes=None):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(HANDSHAKE.format(path=path, host=f"127.0.0.1:{port}").encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            self._read()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.decode())
        self.close_code = None
        self.ended = False
        self.socket.setblocking(False)

    def _read(self):
        piece = self.socket.recv(READ_BYTES)
        if not piece:
            raise ConnectionError("the server closed")
        self.pending += piece

    def send(self, text):
        payload = text.encode()
        key = os.urandom(4)
        masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
        if len(payload) < 126:
            head = struct.pack("!BB", 0x80 | TEXT, 0x80 | len(payload))
        else:
            head = struct.pack("!BBH", 0x80 | TEXT, 0x80 | 126, len(payload))
        self.socket.setblocking(True)
        self.socket.sendall(head + key + masked)
        self.socket.setblocking(False)

    def receive(self):
        """The texts that have arrived; `ended` and `close_code` describe the end."""
        try:
            self._read()
        except BlockingIOError:
            pass
        except ConnectionError:
            self.ended = True
        texts = []
        at = 0
        while len(self.pending) - at >= 2:
            opcode = self.pending[at] & 0x0F
            length = self.pending[at + 1]
            start = at + 2
            if length == 126:
                length = int.from_bytes(self.pending[at + 2:at + 4], "big")
                start = at + 4
            elif length == 127:
                length = int.from_bytes(self.pending[at + 2:at + 10], "big")
                start = at + 10
            if len(self.pending) < start + length:
                break
            payload = self.pending[start:start + length]
            at = start + length
            if opcode == TEXT:
                texts.append(payload.decode())
            elif opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
        self.pending = self.pending[at:]
        return texts

    def close(self):
        self.socket.close()


def listen(clients, on_text, is_done, seconds):
    """Passes every text of every client to `on_text` until `is_done()`; returns False when the time is
    over."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            # What arrived directly after the handshake has been read already, and possibly nothing
            # follows it.
            for text in client.receive():
                on_text(client, text)
            if not client.ended:
                selector.register(client.socket, selectors.EVENT_READ, client)
        for _ in range(int(seconds * 10)):
            if is_done():
                return True
            for key, _ in selector.select(0.1):
                for text in key.data.receive():
                    on_text(key.data, text)
                if key.data.ended:
                    selector.unregister(key.fileobj)
                elif key.data.socket is not key.fileobj:
                    selector.unregister(key.fileobj)
                    selector.register(key.data.socket, selectors.EVENT_READ, key.data)
    return is_done()
