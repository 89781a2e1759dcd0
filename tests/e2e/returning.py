"""Clients that reconnect whenever their connection is lost, to any of several backends, as the front
end does, and record what they received. They send requests meanwhile, each of which is answered once.

Not here: tests; other transports than WebSocket (returning_kinds.py); what a client keeps from one
connection to the next (sessions.py)."""
import asyncio
import random
import time

import websockets

from client import PATIENT
from sessions import JsonSession

RETRY_SECONDS = 0.05
EVENTS_PER_REQUEST = 4


class ReturningClient:
    """Of the library's own protocol. `backends` is read again for each connection."""

    def __init__(self, backends, **options):
        self.backends = backends
        self.session = self.new_session(**options)
        self.events = []  # messages with an id, in the order of their arrival
        self.gaps = []  # for each gap: when, and how many events it had
        self.n_connections = 0
        self.n_messages = 0
        self.is_live = asyncio.Event()
        self.changed = asyncio.Condition()
        self.transport = None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: asyncio.create_task(self._ended()))

    new_session = JsonSession
    stays_connected = True  # when it is notified of a gap: it receives what follows

    async def all_answered(self):
        """Waits for the answers; a second answer to a request ends the client with an error."""
        await self.wait_for(lambda client: not client.session.asked.open)
        return self.session.asked.n_answered

    @property
    def n_incomplete(self):
        """How often it was notified that something is missing."""
        return self.session.n_incomplete

    async def _run(self):
        while True:
            try:
                self._note(self.session.begin)
                await self.converse(random.choice(self.backends))
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError, asyncio.IncompleteReadError):
                pass
            self.is_live.clear()
            await asyncio.sleep(RETRY_SECONDS * (0.5 + random.random()))

    async def _ended(self):
        async with self.changed:
            self.changed.notify_all()

    async def converse(self, backend):
        """Has one connection, until it ends."""
        async with websockets.connect(backend.url + self.path(), **PATIENT) as socket:
            self.begun(socket.transport)
            await self.listen(socket)

    async def listen(self, socket):
        async for text in socket:
            await self.take(text)
            for packet in self.replies():
                await socket.send(packet)

    def path(self):
        return self.session.path()

    def begun(self, transport):
        self.transport = transport
        self.n_connections += 1

    def _note(self, function, *arguments):
        """Calls a function of the session, and notes whether it has told of a gap."""
        n_incomplete = self.session.n_incomplete
        result = function(*arguments)
        if self.session.n_incomplete > n_incomplete:
            self.gaps.append((time.monotonic(), len(self.events)))
        return result

    async def take(self, message):
        async with self.changed:
            self.n_messages += 1
            event = self._note(self.session.take, message)
            if event is not None:
                self.events.append(event)
                if len(self.events) % EVENTS_PER_REQUEST == 0:
                    self.session.ask()
            if self.session.is_live:
                self.is_live.set()
            self.changed.notify_all()

    def replies(self):
        """What the session has to send."""
        replies, self.session.replies = self.session.replies, []
        return replies

    async def cut(self):
        """Resets the connection, in the middle of whatever arrives."""
        if self.transport is not None:
            self.transport.abort()

    async def wait_for(self, is_enough, seconds=60):
        """Waits until the condition holds, but fails if nothing arrives for so long, or what arrives is
        wrong. Evaluating it may cost as much as there are events: it takes a tenth of the time at most, so
        that the client keeps up."""
        begin = time.monotonic()
        while not is_enough(self):
            n_messages = self.n_messages
            await asyncio.sleep(9 * (time.monotonic() - begin))
            async with self.changed:
                await asyncio.wait_for(self.changed.wait_for(
                    lambda n=n_messages: self.n_messages > n or self._task.done()), seconds)
            if self._task.done():
                self._task.result()
            begin = time.monotonic()

    async def close(self):
        # An error of the connection that ends at this moment may take the place of the cancellation.
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)
        await asyncio.gather(self._task, return_exceptions=True)
