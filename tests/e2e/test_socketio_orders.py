"""Socket.IO on the example backend: Python's clients (Debian's python3-socketio), and what no stock client
sends: packets on a WebSocket of python3-websockets.

Not here: npm's client, with which most is tested (socketio_backend.test.mjs)."""
import asyncio
import contextlib
import functools
import json
import queue
import tempfile
import unittest

import socketio
import websockets

try:
    import aiohttp
except ImportError:
    aiohttp = None

from backend import START_SECONDS, Backend
from client import BackendCase, with_headers
from hosts import DESCRIPTORS, few_descriptors
from test_tokens import SHORT_SECONDS, TokenCase
from tokens import SECRET, token

PATH = "/socket.io/?EIO=4&transport=websocket"
TRANSPORTS = ["websocket"], ["polling"], None  # None: as they come, by polling and then an upgrade
POLL = b"GET /socket.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
EVENTS = ("order_created", "inventory_updated", "notification", "connect_error")
ORDER = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}


class Python(unittest.TestCase):
    def start(self, *arguments):
        backend = Backend(*arguments)
        self.addCleanup(backend.stop)
        return backend

    @staticmethod
    def keep(events, content, _id=None):
        """Takes an event of the manager, whose last argument is its id, or an error."""
        events.put(content)

    def connect(self, backend, path="", transports=None, **options):
        """Connects a client; returns it and the queues of its events, by name."""
        client, events = socketio.Client(reconnection=False), {}
        for name in EVENTS:
            events[name] = queue.Queue()
            client.on(name, functools.partial(self.keep, events[name]))
        client.connect(f"http://127.0.0.1:{backend.port}{path}", transports=transports,
                       wait_timeout=START_SECONDS, **options)
        self.addCleanup(client.disconnect)
        return client, events

    def test_events_rooms_and_personal_messages(self):
        backend = self.start("--topic-rooms", "--threads", "4")
        for transports in TRANSPORTS:
            with self.subTest(transports=transports):
                self.use(backend, transports)

    def use(self, backend, transports):
        client, events = self.connect(backend, transports=transports, auth={"user_id": "ana"})
        self.assertEqual(client.transport(), (transports or ["websocket"])[0])
        answer = client.call("join_room", "orders", timeout=START_SECONDS)
        self.assertEqual((answer["type"], answer["data"]["room"]), ("room_joined", "orders"))
        answer = client.call("join_room", "user:bob", timeout=START_SECONDS)
        self.assertEqual((answer["type"], answer["data"]["code"]), ("error", "forbidden"))
        status, order, _ = backend.request("POST", "/api/orders", ORDER)
        self.assertEqual(status, 201)
        self.assertEqual(events["order_created"].get(timeout=START_SECONDS)["data"]["id"], order["id"])
        backend.request("POST", "/api/notifications",
                        {"message": "hello", "severity": "info", "user_id": "ana"})
        self.assertEqual(events["notification"].get(timeout=START_SECONDS)["data"]["message"], "hello")
        self.assertTrue(events["inventory_updated"].empty())
        client.disconnect()

    def test_messages_and_requests(self):
        backend = self.start("--relay", "--threads", "4")
        for transports in TRANSPORTS:
            with self.subTest(transports=transports):
                client, _ = self.connect(backend, transports=transports, auth={"user_id": "ana"})
                messages = queue.Queue()
                client.on("message", functools.partial(self.keep, messages))
                client.call("join_room", "chat", timeout=START_SECONDS)
                answer = client.call("message", {"room": "chat", "data": {"text": "hé"}}, timeout=START_SECONDS)
                self.assertEqual(answer, {"type": "ack", "data": None})
                message = messages.get(timeout=START_SECONDS)
                self.assertEqual((message["room"], message["user_id"], message["data"]),
                                 ("chat", "ana", {"text": "hé"}))
                for event, arguments in (("request", ("echo", [7])), ("echo", ([7],))):
                    answer = client.call(event, arguments, timeout=START_SECONDS)
                    self.assertEqual(answer, {"type": "response", "data": [7]})
                answer = client.call("request", ("nothing", 1), timeout=START_SECONDS)
                self.assertEqual(answer["data"]["code"], "unknown_method")
                client.disconnect()

    def test_reconnects(self):
        """The backend is killed, and started again at the same address."""
        first = self.start("--threads", "4")
        clients = []
        for transports in TRANSPORTS:
            client, connected = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.05), queue.Queue()
            orders = queue.Queue()
            client.on("connect", lambda connected=connected: connected.put(True))
            client.on("order_created", functools.partial(self.keep, orders))
            client.connect(f"http://127.0.0.1:{first.port}", transports=transports, wait_timeout=START_SECONDS)
            connected.get(timeout=START_SECONDS)
            clients.append((client, connected, orders))
        first.process.kill()
        first.process.wait(START_SECONDS)
        second = self.start("--threads", "4", "--listen", f"127.0.0.1:{first.port}")
        for client, connected, _ in clients:
            connected.get(timeout=START_SECONDS)
            # Before the backend stops: a client that tries to reconnect keeps the test's process for ever.
            self.addCleanup(client.disconnect)
        _, order, _ = second.request("POST", "/api/orders", ORDER)
        for _, _, orders in clients:
            self.assertEqual(orders.get(timeout=START_SECONDS)["data"]["id"], order["id"])

    def test_tokens(self):
        with tempfile.NamedTemporaryFile() as secret:
            secret.write(SECRET)
            secret.flush()
            backend = self.start("--jwt-secret-file", secret.name)
            for path, options in (("", {"auth": {"token": token()}}),
                                  ("/?token=" + token(), {}),
                                  ("", {"headers": {"Authorization": "Bearer " + token()}})):
                client, _ = self.connect(backend, path, **options)
                answer = client.call("join_room", "user:ana", timeout=START_SECONDS)
                self.assertEqual(answer["type"], "room_joined", path)
            for path, options in (("", {}), ("", {"auth": {"token": token(seconds=-60)}}),
                                  ("/?token=abc", {})):
                _, events = self.connect(backend, path, wait=False, **options)
                error = events["connect_error"].get(timeout=START_SECONDS)
                self.assertEqual(error["data"], {"status": 401}, path)


@unittest.skipIf(aiohttp is None, "there is no python3-aiohttp")
class AsyncPython(BackendCase):
    async def use(self, backend, transports):
        client, orders = socketio.AsyncClient(reconnection=False), asyncio.Queue()
        client.on("order_created", lambda event, _: orders.put_nowait(event))
        await client.connect(f"http://127.0.0.1:{backend.port}", transports=transports,
                             wait_timeout=START_SECONDS)
        self.addAsyncCleanup(client.disconnect)
        self.assertEqual(client.transport(), (transports or ["websocket"])[0])
        answer = await client.call("join_room", "r", timeout=START_SECONDS)
        self.assertEqual(answer["type"], "room_joined")
        _, order, _ = await self.call(backend, "POST", "/api/orders", ORDER)
        event = await asyncio.wait_for(orders.get(), START_SECONDS)
        self.assertEqual(event["data"]["id"], order["id"])
        await client.disconnect()

    async def test_events_and_rooms(self):
        backend = self.start("--threads", "4")
        for transports in TRANSPORTS:
            with self.subTest(transports=transports):
                await self.use(backend, transports)


class PacketCase(BackendCase):
    async def session(self, backend, path=PATH, **options):
        """Opens a session, which has no socket yet; returns the client and the server's first packet."""
        client = await self.open(backend, path, **options)
        packet = await self.packet(client)
        self.assertEqual(packet[0], "0")
        return client, json.loads(packet[1:])

    async def packet(self, client):
        return await asyncio.wait_for(client.recv(), START_SECONDS)

    async def attach(self, client, auth=None):
        """Connects the session's socket; returns the answer: "40" or "44", and its JSON."""
        await client.send("40" + ("" if auth is None else json.dumps(auth)))
        while not (packet := await self.packet(client)).startswith(("40", "44")):
            pass
        return packet[:2], json.loads(packet[2:])

    async def connect(self, backend, auth=None, path=PATH, **options):
        client, _ = await self.session(backend, path, **options)
        self.assertEqual((await self.attach(client, auth))[0], "40")
        return client

    async def request(self, client, *event):
        """Emits an event and returns its acknowledgement."""
        await client.send("421" + json.dumps(event))
        while not (packet := await self.packet(client)).startswith("431"):
            pass
        return json.loads(packet[3:])[0]

    async def closed(self, client):
        """Waits for the end of a connection; returns its code."""
        with self.assertRaises(websockets.ConnectionClosed):
            while True:
                await self.packet(client)
        return client.close_code


class Sessions(PacketCase):
    async def test_what_does_not_open_a_websocket(self):
        backend = self.start("--admin-listen", "127.0.0.1:0")
        unknown = 400, {"code": 0, "message": "Transport unknown"}
        for path in ("/socket.io/?EIO=4&transport=polled", "/socket.io/", "/socket.io?transport=x"):
            for method, body in (("GET", None), ("POST", "40")):
                status, content, headers = await self.call(backend, method, path, body)
                self.assertEqual((status, content), unknown, (method, path))
                self.assertEqual(headers["Content-Type"], "application/json")
        status, _, _ = await self.call(backend, "GET", PATH)
        self.assertEqual(status, 426)
        for path in (PATH.replace("EIO=4", "EIO=3"), PATH.replace("websocket", "polling")):
            self.assertEqual(await self.refused(backend, path), 400, path)
        status, _, _ = await self.call(backend, "GET", PATH, port=backend.admin_port)
        self.assertEqual(status, 404)

    async def test_the_path_may_lack_the_slash(self):
        backend = self.start()
        await self.connect(backend, path=PATH.replace("/?", "?"))

    async def test_the_options_of_the_endpoint(self):
        for options, member, value in ((("--ping-interval", "7"), "pingInterval", 7000),
                                       (("--ping-interval", "0"), "pingInterval", 25000),
                                       (("--max-message", "1000"), "maxPayload", 1000)):
            backend = self.start(*options)
            _, session = await self.session(backend)
            self.assertEqual(session[member], value, options)

    async def test_safari_15_0_gets_no_compression(self):
        backend = self.start()
        agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        for path in ("/ws", PATH):
            for version, count in (("15.0", 0), ("16.1", 1)):
                headers = {"User-Agent": f"{agent}Version/{version} Safari/605.1.15"}
                client = await self.open(backend, path, **with_headers(**headers))
                self.assertEqual(len(client.extensions), count, (path, version))

    async def test_limits(self):
        backend = self.start("--max-message", "1000", "--message-rate", "10", "--max-rooms", "1")
        client = await self.connect(backend)
        await client.send("42" + json.dumps(["x", "y" * 1000]))
        self.assertEqual(await self.closed(client), 1009)
        client = await self.connect(backend)
        self.assertEqual((await self.request(client, "join_room", "a"))["type"], "room_joined")
        self.assertEqual((await self.request(client, "join_room", "b"))["data"]["code"],
                         "too_many_rooms")
        client = await self.connect(backend)
        with contextlib.suppress(websockets.ConnectionClosed):
            for _ in range(1000):
                await client.send('42["x"]')
        self.assertEqual(await self.closed(client), 1008)

    async def test_the_number_of_connections(self):
        backend = self.start("--max-connections", "2", "--threads", "1")
        first = await self.connect(backend)
        await self.connect(backend)
        client, _ = await self.session(backend)
        await client.send("40")
        self.assertEqual(await self.closed(client), 1013)
        self.assertEqual(await self.refused(backend), 503)
        self.assertEqual((await self.request(first, "join_room", "a"))["type"], "room_joined")
        self.assertEqual((await self.call(backend, "GET", "/ws/stats"))[1]["total_connections"], 2)

    async def test_the_connections_of_one_address(self):
        backend = self.start("--max-per-address", "2")
        await self.connect(backend)
        await self.session(backend)
        self.assertEqual(await self.refused(backend, PATH), 429)

    async def test_without_a_free_descriptor_sessions_without_a_client_give_way(self):
        backend = self.start("--threads", "1", preexec_fn=few_descriptors)
        client = await self.connect(backend)
        sessions = [(await self.session(backend))[0] for _ in range(DESCRIPTORS)]
        self.assertEqual(await self.closed(sessions[0]), 1006)
        self.assertEqual((await self.request(client, "join_room", "a"))["type"], "room_joined")
        await self.connect(backend)

    async def poll(self, backend):
        """Opens a session by polling, and lets a second poll wait; returns its connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
        self.addCleanup(writer.close)
        writer.write(POLL % b"")
        await asyncio.wait_for(reader.readuntil(b'"sid":"'), START_SECONDS)
        sid = (await asyncio.wait_for(reader.readuntil(b'"'), START_SECONDS))[:-1]
        await asyncio.wait_for(reader.readuntil(b"}"), START_SECONDS)
        writer.write(POLL % (b"&sid=" + sid))
        return reader

    async def test_without_a_free_descriptor_polls_without_a_client_give_way(self):
        backend = self.start("--threads", "1", preexec_fn=few_descriptors)
        client = await self.connect(backend)
        polls = [await self.poll(backend) for _ in range(DESCRIPTORS)]
        self.assertEqual(await asyncio.wait_for(polls[0].read(-1), START_SECONDS), b"")
        self.assertEqual((await self.request(client, "join_room", "a"))["type"], "room_joined")
        await self.connect(backend)

    async def test_the_end_of_a_client_that_polls_is_noticed(self):
        backend = self.start("--threads", "2", "--ping-interval", "1000")
        _, opened, _ = await self.call(backend, "GET", "/socket.io/?EIO=4&transport=polling")
        path = "/socket.io/?EIO=4&transport=polling&sid=" + json.loads(opened[1:])["sid"]
        self.assertEqual((await self.call(backend, "POST", path, "40"))[1], b"ok")
        self.assertIn(b"40{", (await self.call(backend, "GET", path))[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await self.call(backend, "POST", "/api/notifications", {"message": "m", "severity": "info"})
        await asyncio.wait_for(reader.readuntil(b'"m"'), START_SECONDS)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.assertEqual((await asyncio.to_thread(backend.stats))["total_connections"], 1)
        writer.close()
        async with asyncio.timeout(START_SECONDS):
            while (await asyncio.to_thread(backend.stats))["total_connections"] > 0:
                await asyncio.sleep(0.02)

    async def test_a_flood_of_polls_delays_no_one(self):
        """Each connection sends polls of its own session, of none, and payloads, as fast as it can."""
        backend = self.start("--threads", "2", "--no-presence")
        client = await self.connect(backend)
        is_over = False

        async def flood():
            while not is_over:
                reader, writer = await asyncio.open_connection("127.0.0.1", backend.port)
                sid = b"&sid=zzzzzzzzzz-0.00000000000000000000000000000000"
                with contextlib.suppress(ConnectionError):
                    writer.write((POLL % b"" + POLL % sid + POLL.replace(b"GET", b"POST") % sid) * 100)
                    await asyncio.wait_for(reader.read(20000), START_SECONDS)
                writer.close()
        floods = [asyncio.create_task(flood()) for _ in range(8)]
        for number in range(10):
            message = f"number {number}"
            await self.call(backend, "POST", "/api/notifications", {"message": message, "severity": "info"})
            while not (packet := await self.packet(client)).startswith("42"):
                pass
            self.assertEqual(json.loads(packet[2:])[1]["data"]["message"], message)
        is_over = True
        await asyncio.gather(*floods)

    async def test_a_session_without_a_client_does_not_delay_the_end(self):
        backend = self.start()
        client, _ = await self.session(backend)
        status, _ = await asyncio.to_thread(backend.stop)
        self.assertEqual(status, 0)
        self.assertEqual(await self.closed(client), 1006)

    async def test_a_proxy_tells_the_scheme_of_the_page(self):
        backend = self.start("--trusted-proxy", "127.0.0.1")
        for scheme, answer in (("https", "40"), ("http", "44")):
            headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}
            client, _ = await self.session(backend, origin=f"https://127.0.0.1:{backend.port}",
                                           **with_headers(**headers))
            self.assertEqual((await self.attach(client))[0], answer, scheme)


class Tokens(TokenCase, PacketCase):
    async def test_a_session_may_have_one_client_after_the_other(self):
        backend = self.start("--threads", "1")
        client, _ = await self.session(backend, origin=f"http://127.0.0.1:{backend.port}")
        kind, error = await self.attach(client)
        self.assertEqual((kind, error["data"]), ("44", {"status": 401}))
        staff = token(role="staff")
        self.assertEqual((await self.attach(client, {"token": staff}))[0], "40")
        self.assertEqual((await self.request(client, "join_room", "staff:all"))["type"], "room_joined")

        await client.send("41")  # disconnects the socket
        kind, error = await self.attach(client)
        self.assertEqual((kind, error["data"]), ("44", {"status": 401}))
        self.assertEqual((await self.attach(client, {"token": token("bob")}))[0], "40")
        for room, answer in (("user:bob", "room_joined"), ("user:ana", "error"), ("staff:all", "error")):
            self.assertEqual((await self.request(client, "join_room", room))["type"], answer, room)

        await client.send("41")
        self.assertEqual((await self.attach(client, {"token": token(seconds=SHORT_SECONDS)}))[0], "40")
        self.assertEqual(await self.closed(client), 4401)

    async def test_the_token_in_subprotocols(self):
        backend = self.start()
        client = await self.connect(backend, subprotocols=["bearer", token()])
        self.assertEqual(client.subprotocol, "bearer")
        self.assertEqual((await self.request(client, "join_room", "user:ana"))["type"], "room_joined")

    async def test_no_token_is_in_the_log(self):
        with tempfile.TemporaryFile() as log:
            backend = self.start("--log-level", "debug", stderr=log)
            good, bad = token(), token(secret=b"another secret of more than 32 bytes")
            client = await self.connect(backend, {"token": good})
            await self.request(client, "authenticate", bad)
            client, _ = await self.session(backend, PATH + "&token=" + bad)
            self.assertEqual((await self.attach(client, {"token": bad}))[0], "44")
            await asyncio.to_thread(backend.stop)
            log.seek(0)
            text = log.read().decode()
        self.assertIn("/socket.io/", text)
        for part in (*good.split("."), *bad.split(".")):
            self.assertNotIn(part, text)


if __name__ == "__main__":
    unittest.main()
