"""Clients of each kind that misbehave at random, for test_chaos.py: each has one habit of its kind."""
import asyncio
import json
import socket
import struct

SECONDS = 10  # for an answer, which such a client may well not get


def request(target, *fields, method="GET", body=b""):
    head = "".join(f"{line}\r\n" for line in (f"{method} {target} HTTP/1.1", "Host: localhost", *fields))
    return (head + (f"Content-Length: {len(body)}\r\n\r\n" if body else "\r\n")).encode() + body


def handshake(target):
    return request(target, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                   "Sec-WebSocket-Extensions: permessage-deflate")


def frame(first, payload):
    """A short frame, masked with zeros."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


class BadClient:
    """A plain WebSocket."""

    HELLO = handshake("/ws?user_id=bad")
    HABITS = "half_request", "noise", "reset", "stall", "garble", "rooms", "leave"

    def __init__(self, port, chance):
        self.port = port
        self.chance = chance
        self.writers = []

    async def run(self, lived):
        """Counts its kind and its habit when nothing has ended it before."""
        habit = self.chance.choice(self.HABITS)
        try:
            self.reader, self.writer = await self.connect()
            await getattr(self, habit)()
            lived[type(self), habit] += 1
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError):
            pass
        finally:
            for writer in self.writers:
                writer.transport.abort()

    async def connect(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 12)
        self.writers.append(writer)
        return reader, writer

    async def open(self):
        self.writer.write(self.HELLO)
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)
        if not head.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 200 ")):
            raise ConnectionError(head)

    async def wait(self):
        await asyncio.sleep(self.chance.random())

    def text(self, text):
        self.writer.write(frame(0x81, text.encode()))

    async def half_request(self):
        self.writer.write(self.HELLO[: self.chance.randrange(len(self.HELLO))])
        await self.wait()

    async def noise(self):
        self.writer.write(self.chance.randbytes(2000))
        await self.wait()

    async def reset(self):
        """Closes with a RST, in the middle of what arrives."""
        await self.open()
        await self.wait()
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def stall(self):
        """Reads nothing, so that its queue grows."""
        await self.open()
        self.writer.transport.pause_reading()
        await asyncio.sleep(3 * self.chance.random())

    async def garble(self):
        await self.open()
        for _ in range(5):
            payload = self.chance.randbytes(self.chance.randrange(126))
            self.writer.write(frame(self.chance.randrange(256), payload))
            await asyncio.sleep(0.05)

    async def rooms(self):
        await self.open()
        for number in range(20):
            kind = self.chance.choice(("join_room", "leave_room"))
            self.text(json.dumps({"type": kind, "room": f"room {self.chance.randrange(10)}", "ref": number}))
        await self.wait()

    async def leave(self):
        """Closes correctly."""
        await self.open()
        await self.wait()
        self.writer.write(frame(0x88, b"\x03\xe8"))
        await asyncio.wait_for(self.reader.read(), SECONDS)


class BadStream(BadClient):
    """An event stream."""

    HELLO = request("/events?user_id=bad&rooms=room%201", "Accept-Encoding: gzip")
    HABITS = "half_request", "reset", "stall", "half_post", "posts"

    async def session(self):
        self.HELLO = request("/events?user_id=bad")
        await self.open()
        await asyncio.wait_for(self.reader.readuntil(b'"session_id":"'), SECONDS)
        session = (await asyncio.wait_for(self.reader.readuntil(b'"'), SECONDS))[:-1].decode()
        _, writer = await self.connect()
        return writer, f"/events?session={session}&user_id=bad"

    async def half_post(self):
        writer, path = await self.session()
        post = request(path, method="POST", body=b'{"type":"join_room","room":"room 1"}')
        writer.write(post[: self.chance.randrange(len(post))])
        await self.wait()

    async def posts(self):
        """Many at once, and the stream is gone before they are done."""
        writer, path = await self.session()
        post = request(path, "Content-Type: application/json", method="POST", body=b'{"type":"ping"}')
        writer.write(post * 50)
        await asyncio.sleep(0.1 * self.chance.random())


class BadSocketio(BadClient):
    """Socket.IO over WebSocket."""

    HELLO = handshake("/socket.io/?EIO=4&transport=websocket&user_id=bad")
    HABITS = ("half_request", "reset", "stall", "garble", "no_socket", "connects", "namespaces", "packets",
              "attachments", "recovers")

    async def pid(self):
        """Connects a socket; returns its pid."""
        await self.open()
        self.text("40")
        await asyncio.wait_for(self.reader.readuntil(b'"pid":"'), SECONDS)
        return (await asyncio.wait_for(self.reader.readuntil(b'"'), SECONDS))[:-1].decode()

    async def stall(self):
        self.writer.write(self.HELLO + frame(0x81, b"40"))
        self.writer.transport.pause_reading()
        await asyncio.sleep(3 * self.chance.random())

    async def no_socket(self):
        await self.open()
        await self.wait()

    async def connects(self):
        await self.open()
        for _ in range(20):
            self.text(self.chance.choice(("40", "41")))
        await self.wait()

    async def namespaces(self):
        await self.open()
        for number in range(20):
            self.text(f"40/{number},")
        await self.wait()

    async def packets(self):
        await self.open()
        self.text("40")
        for _ in range(10):
            self.text(self.chance.choice(('420["join_room","room 1"]', '42["leave_room","room 1"]', "43[]", "3",
                                          '421["anything",{}]', "2", "6", "42", "44{}", '42["message",1')))
            await asyncio.sleep(0.02)

    async def attachments(self):
        """Fewer than it announced."""
        await self.open()
        self.text("40")
        self.text('452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        if self.chance.random() < 0.5:
            self.writer.write(frame(0x82, b"one"))
        await self.wait()

    async def recovers(self):
        """The same session from several connections, which end in the middle of it."""
        auth = json.dumps({"pid": await self.pid()})
        for _ in range(4):
            self.reader, self.writer = await self.connect()
            await self.open()
            self.text("40" + auth)
            await asyncio.sleep(0.1 * self.chance.random())
            if self.chance.random() < 0.5:
                self.writer.transport.abort()


class BadPolling(BadClient):
    """Socket.IO over long-polling. It leaves its sessions behind."""

    PATH = "/socket.io/?EIO=4&transport=polling&user_id=bad"
    HELLO = request(PATH)
    left = []  # the addresses of all sessions
    HABITS = "no_poll", "cut_poll", "two_polls", "half_post", "posts", "attachments", "probe", "half_upgrade"

    async def session(self):
        """Opens a session and connects its socket."""
        await self.open()
        body = await asyncio.wait_for(self.reader.readuntil(b"}"), SECONDS)
        self.sid = json.loads(body[1:])["sid"]
        self.path = f"{self.PATH}&sid={self.sid}"
        self.left.append(self.path)
        await self.post("40")

    def poll(self):
        self.writer.write(request(self.path))

    async def post(self, packets):
        reader, writer = await self.connect()
        writer.write(request(self.path, method="POST", body=packets.encode()))
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)

    async def no_poll(self):
        await self.session()
        await self.wait()

    async def cut_poll(self):
        await self.session()
        for _ in range(3):
            self.poll()
            await asyncio.sleep(0.1 * self.chance.random())
            self.reader, self.writer = await self.connect()
        self.writers[0].transport.abort()

    async def two_polls(self):
        await self.session()
        self.poll()
        self.reader, self.writer = await self.connect()
        self.poll()
        await self.wait()

    async def half_post(self):
        await self.session()
        post = request(self.path, method="POST", body=b'420["join_room","room 1"]')
        self.writer.write(post[: self.chance.randrange(len(post))])
        await self.wait()

    async def posts(self):
        await self.session()
        packets = ["3", "2", "6", "", "b", "42", '42["a"]', '420["join_room","room 1"]', "41", "1"]
        self.poll()
        await self.post("\x1e".join(self.chance.choices(packets, k=10)))
        await self.wait()

    async def attachments(self):
        """Fewer than it announced."""
        await self.session()
        await self.post('452-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
                        + self.chance.choice(("", "\x1ebAAAA", "\x1eb!")))
        await self.wait()

    async def probe(self):
        """A WebSocket that never takes over; sometimes it is gone before the polls are."""
        await self.session()
        self.poll()
        _, writer = await self.connect()
        writer.write(handshake(f"/socket.io/?EIO=4&transport=websocket&user_id=bad&sid={self.sid}"))
        writer.write(frame(0x81, b"2probe"))
        await self.wait()
        if self.chance.random() < 0.5:
            writer.transport.abort()
            await self.wait()

    async def half_upgrade(self):
        """The WebSocket takes over while a poll waits, and ends at once."""
        await self.session()
        self.poll()
        _, writer = await self.connect()
        writer.write(handshake(f"/socket.io/?EIO=4&transport=websocket&user_id=bad&sid={self.sid}"))
        writer.write(frame(0x81, b"2probe") + frame(0x81, b"5"))
        await asyncio.sleep(0.1 * self.chance.random())

    @classmethod
    async def end_sessions(cls, port):
        """Ends the sessions that the server has not ended yet: it waits for their pongs."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in cls.left:
            writer.write(request(path, method="POST", body=b"1"))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
            await reader.readexactly(int(length[16:]))
        writer.close()
        cls.left.clear()


BAD_KINDS = BadClient, BadStream, BadSocketio, BadPolling
