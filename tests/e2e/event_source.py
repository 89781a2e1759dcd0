"""A client of event streams on plain sockets: it reads heads and chunks, inflates, and parses events
as WHATWG HTML says.

Not here: tests; curl and the browser's EventSource (test_sse.py)."""
import asyncio
import collections
import json
import zlib

SECONDS = 60


class EventSource:
    """A stream, after connect()."""

    def __init__(self, port, path="/events", **headers):
        self.port, self.path, self.headers = port, path, headers
        self.last_id, self.retry, self.comments = "", None, 0
        self.inflater = None

    async def connect(self, local_address=None):
        self.pending = self.text = b""
        self.blocks = collections.deque()
        self.is_over = False
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, limit=1 << 24, local_addr=local_address)
        headers = {"Host": f"127.0.0.1:{self.port}", "Accept": "text/event-stream", **self.headers}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), SECONDS)).decode()
        status, *fields = head.strip().split("\r\n")
        self.status = int(status.split()[1])
        self.fields = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        if self.fields.get("content-encoding") == "gzip":
            self.inflater = zlib.decompressobj(31)
        return self

    async def _more(self):
        """Adds what has arrived; False at the end."""
        data = b"" if self.is_over else await asyncio.wait_for(self.reader.read(1 << 16), SECONDS)
        if not data:
            return False
        if self.fields.get("transfer-encoding") == "chunked":
            data = self._chunks(data)
        self.text += self.inflater.decompress(data) if self.inflater else data
        *blocks, self.text = self.text.split(b"\n\n")
        self.blocks.extend(blocks)
        return True

    def _chunks(self, data):
        """The content of the chunks that are complete."""
        self.pending += data
        content, at = [], 0
        while (end := self.pending.find(b"\r\n", at)) >= 0:
            size = int(self.pending[at:end], 16)
            self.is_over = size == 0
            if len(self.pending) < end + 2 + size + 2:
                break
            content.append(self.pending[end + 2:end + 2 + size])
            at = end + 2 + size + 2
        self.pending = self.pending[at:]
        return b"".join(content)

    async def event(self):
        """The next event: its type and its data; None at the end of the stream."""
        while True:
            while not self.blocks:
                if not await self._more():
                    return None
            kind, data = "message", []
            for line in self.blocks.popleft().decode().split("\n"):
                name, _, value = line.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if line.startswith(":"):
                    self.comments += 1
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "retry":
                    self.retry = int(value)
                else:
                    raise ValueError(f"an unknown field: {line!r}")
            if data:
                return kind, json.loads("\n".join(data))

    async def message(self, *types):
        """The next message, of one of these types."""
        while True:
            kind, message = await self.event()
            if kind != "message":
                raise ValueError(f"the stream ended: {message}")
            if not types or message["type"] in types:
                return message

    async def close(self):
        self.writer.close()
