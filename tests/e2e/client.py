"""WebSocket clients of the example backend, by python3-websockets, and the base class of test cases that
use them.

Not here: tests, and plain HTTP (backend.py)."""
import asyncio
import json

import websockets

from async_case import AsyncCase
from backend import Backend

# websockets 14 renamed it.
HEADERS_OPTION = ("extra_headers" if int(websockets.__version__.split(".")[0]) < 14
                  else "additional_headers")

# A delay of a busy machine is not a failure: websockets would end a connection that is slow to open,
# or whose pongs wait behind messages that the test has not read yet.
PATIENT = {"open_timeout": 60, "ping_interval": None}


async def receive(client):
    return json.loads(await asyncio.wait_for(client.recv(), 60))


async def receive_type(client, *types):
    """Returns the next message of one of these types; skips others."""
    while True:
        message = await receive(client)
        if message["type"] in types:
            return message


async def request(client, message):
    """Sends a request and returns its answer, which has the same ref."""
    await client.send(json.dumps(message))
    while True:
        answer = await receive(client)
        if answer.get("ref") == message["ref"]:
            return answer


async def check_slow_client(test, backend, slow, fast):
    """A client that does not read is closed, and delays no other. Both are in the room "r"."""
    slow.transport.pause_reading()
    text = json.dumps({"type": "message", "room": "r", "data": "x" * 60000})
    sent = 0
    while (await asyncio.to_thread(backend.stats))["drops"]["slow_client"] == 0:
        await fast.send(text)
        await receive_type(fast, "message")
        sent += 1
        test.assertLess(sent, 2000)
    await fast.send(text)
    test.assertEqual((await receive_type(fast, "message"))["room"], "r")
    slow.transport.resume_reading()
    with test.assertRaises(websockets.ConnectionClosed) as closed:
        while True:
            await asyncio.wait_for(slow.recv(), 60)
    test.assertEqual(closed.exception.rcvd.code, 1013)


def http_status(refusal):
    """The status of a refused handshake; websockets 14 moved it."""
    return refusal.response.status_code if hasattr(refusal, "response") else refusal.status_code


def with_headers(**headers):
    """The option of connect() that sends these headers."""
    return {HEADERS_OPTION: headers}


class BackendCase(AsyncCase):
    def start(self, *arguments, **options):
        backend = Backend(*arguments, **options)
        self.addCleanup(backend.stop)
        return backend

    async def call(self, backend, *arguments, **options):
        return await asyncio.to_thread(backend.request, *arguments, **options)

    async def open(self, backend, path, **options):
        client = await websockets.connect(backend.url + path, **{**PATIENT, **options})
        self.addAsyncCleanup(client.close)
        return client

    async def connect(self, backend, path="/ws", **options):
        """Opens a client; returns it and its welcome."""
        client = await self.open(backend, path, **options)
        return client, await receive(client)

    async def refused(self, backend, path="/ws", **options):
        """Tries to connect; returns the status of the refusal."""
        with self.assertRaises(websockets.InvalidHandshake) as refusal:
            await websockets.connect(backend.url + path, **{**PATIENT, **options})
        return http_status(refusal.exception)

    async def closed(self, client):
        """Waits for the end of a connection; returns its code and reason."""
        with self.assertRaises(websockets.ConnectionClosed) as end:
            while True:
                await receive(client)
        received = end.exception.rcvd
        return received.code, received.reason
