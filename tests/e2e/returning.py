"""A client that reconnects whenever its connection is lost, to any of several backends, as the front end
does, and records what it received.

Not here: tests."""
import asyncio
import json
import random
import time
import urllib.parse

import websockets

RETRY_SECONDS = 0.05


class ReturningClient:
    """`backends` is read again for each connection."""

    def __init__(self, backends, rooms=(), user_id=None):
        self.backends = backends
        self.rooms = rooms
        self.user_id = user_id
        self.events = []  # messages with an id, in the order of their arrival
        self.n_incomplete = 0  # how often it was notified that something is missing
        self.gaps = []  # for each gap: when, and how many events it had
        self.n_connections = 0
        self.n_messages = 0
        self.is_live = asyncio.Event()
        self.changed = asyncio.Condition()
        self._position = None
        self._connection_id = None
        self._socket = None
        self._task = asyncio.create_task(self._run())

    def _path(self):
        query = {}
        if self.user_id:
            query["user_id"] = self.user_id
        if self.rooms:
            query["rooms"] = ",".join(self.rooms)
        if self._position:
            query.update(after=self._position, connection_id=self._connection_id)
        return "/ws?" + urllib.parse.urlencode(query)

    async def _run(self):
        while True:
            try:
                url = random.choice(self.backends).url + self._path()
                async with websockets.connect(url, open_timeout=20) as self._socket:
                    self.n_connections += 1
                    async for text in self._socket:
                        await self._take(json.loads(text))
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                pass
            self.is_live.clear()
            await asyncio.sleep(RETRY_SECONDS * (0.5 + random.random()))

    async def _take(self, message):
        kind = message["type"]
        async with self.changed:
            self.n_messages += 1
            if "id" in message:
                self.events.append(message)
                self._position = message["id"]
            elif kind == "welcome":
                if self._position is None:
                    self._connection_id = message["data"]["connection_id"]
                    self.is_live.set()
                self._new_connection_id = message["data"]["connection_id"]
                self._position = message["data"]["id"]
            elif kind == "recovered":
                if not message["data"]["complete"]:
                    self.n_incomplete += 1
                    self.gaps.append((time.monotonic(), len(self.events)))
                self._position = message["data"]["id"]
                self._connection_id = self._new_connection_id
                self.is_live.set()
            self.changed.notify_all()

    async def cut(self):
        """Resets the connection, in the middle of whatever arrives."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def wait_for(self, is_enough, seconds=60):
        """Waits until the condition holds, but fails if nothing arrives for so long. Evaluating it may
        cost as much as there are events: it takes a tenth of the time at most, so that the client keeps
        up."""
        begin = time.monotonic()
        while not is_enough(self):
            n_messages = self.n_messages
            await asyncio.sleep(9 * (time.monotonic() - begin))
            async with self.changed:
                await asyncio.wait_for(self.changed.wait_for(lambda n=n_messages: self.n_messages > n), seconds)
            begin = time.monotonic()

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
