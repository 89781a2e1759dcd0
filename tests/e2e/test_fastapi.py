"""The FastAPI service (examples/fastapi) passes tests of the C backend, as its dashboard and clients expect.

Not here: the package ws_manager on its own (tests/python)."""
import asyncio
import os
import re
import subprocess
import threading
import unittest

import test_events
import test_recovery
import test_rest
from backend import START_SECONDS, Backend
from client import BackendCase, check_slow_client, receive_type, request

EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "examples")


class Service(Backend):
    """uvicorn with the service, as examples/fastapi/run starts it."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-m", "uvicorn", "--app-dir", os.path.join(EXAMPLES, "fastapi"), "--port", "0",
             "--no-access-log", "--ws-per-message-deflate", "false", "service:app"],
            env={**os.environ, "PYTHONPATH": os.path.join(EXAMPLES, "python")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
        self.port = None
        self.lines = []
        self._listens = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self._listens.wait(START_SECONDS) or self.port is None:
            self.process.kill()
            self._reader.join()
            raise RuntimeError("".join(self.lines))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"running on http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                self._listens.set()
        self._listens.set()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(START_SECONDS)
        self._reader.join()
        self.process.stdout.close()
        return status, 0


class ServiceCase(BackendCase):
    def start(self, *options):
        """The service always has what these options of the backend switch on."""
        self.assertLessEqual(set(options), {"--relay"})
        service = Service()
        self.addCleanup(self.stop, service)
        return service

    def stop(self, service):
        service.stop()
        self.assertNotIn("Traceback", "".join(service.lines))


class Events(ServiceCase):
    test_an_order = test_events.Events.test_an_order_reaches_every_client_once
    test_presence = test_events.Events.test_presence_notifies_the_other_clients
    test_errors = test_events.Events.test_errors_leave_the_connection_open

    async def test_notifications_relay_and_low_stock(self):
        service = self.start()
        ana, _ = await self.connect(service, "/ws?user_id=ana")
        bob, _ = await self.connect(service, "/ws?user_id=bob")
        for body in ({"message": "for ana", "severity": "warning", "user_id": "ana"}, {"message": "✓ for all"}):
            self.assertEqual((await self.call(service, "POST", "/api/notifications", body))[0], 202)
        told = [(await receive_type(ana, "notification"))["data"] for _ in range(2)]
        self.assertEqual(told, [{"message": "for ana", "severity": "warning"},
                                {"message": "✓ for all", "severity": "info"}])
        self.assertEqual((await receive_type(bob, "notification"))["data"], told[1])
        refused = await request(ana, {"type": "message", "room": "r", "data": 1, "ref": 1})
        self.assertEqual(refused["data"]["code"], "not_member")
        for client in (ana, bob):
            await request(client, {"type": "join_room", "room": "r", "ref": 2})
        await request(ana, {"type": "message", "room": "r", "data": {"text": "✓"}, "ref": 3})
        event = await receive_type(bob, "message")
        self.assertEqual((event["room"], event["data"], event["user_id"]), ("r", {"text": "✓"}, "ana"))
        await self.call(service, "PATCH", "/api/inventory/WIDGET-1", {"quantity": 5})
        self.assertEqual((await receive_type(bob, "stock_low"))["data"]["quantity"], 5)

    async def test_pages_of_other_origins_are_refused(self):
        service = self.start()
        for origin in ("https://example.com", f"http://attacker.example:{service.port}", "null"):
            client = await self.open(service, "/ws", origin=origin)
            self.assertEqual((await self.closed(client))[0], 4403)
        await self.connect(service, origin=f"http://127.0.0.1:{service.port}")

    async def test_200_clients_and_one_that_does_not_read(self):
        service = self.start()
        # With a queue that is full of other messages a client would not see the answer to its close.
        opened = await asyncio.gather(*(self.connect(service, max_queue=None) for _ in range(200)))
        clients = [client for client, _ in opened]
        await self.call(service, "POST", "/api/orders", test_events.ORDER)
        ids = {(await receive_type(client, "order_created"))["id"] for client in clients}
        self.assertEqual(len(ids), 1)
        self.assertEqual((await asyncio.to_thread(service.stats))["total_connections"], 200)
        slow, fast = clients[:2]
        for client in (slow, fast):
            await request(client, {"type": "join_room", "room": "r", "ref": 1})
        await check_slow_client(self, service, slow, fast)


class Recovery(ServiceCase):
    notify = test_recovery.Recovery.notify
    come_back = test_recovery.Recovery.come_back
    test_its_events_only = test_recovery.Recovery.test_only_events_of_its_rooms_and_its_user
    test_nothing_was_missed = test_recovery.Recovery.test_nothing_was_missed


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Service()
        cls.addClassCleanup(cls.backend.stop)

    call = test_rest.Rest.call
    order = test_rest.Rest.order
    quantity = test_rest.Rest.quantity
    assert_error = test_rest.Rest.assert_error
    test_stock = test_rest.Rest.test_an_order_takes_stock_and_cancelling_returns_it
    test_statuses = test_rest.Rest.test_only_allowed_changes_of_a_status
    test_too_little = test_rest.Rest.test_too_little_stock_changes_nothing
    test_errors = test_rest.Rest.test_errors_name_the_invalid_field
    test_clients = test_rest.Rest.test_clients_are_created_changed_and_unique

    def test_the_field_of_too_large_an_order(self):
        self.assert_error(self.order(("WIDGET-1", 1), ("LIMITED-1", 11)), 409, "insufficient_stock", "items[1].quantity")

    def test_a_changed_order(self):
        before = self.quantity("GADGET-1")
        _, order = self.order(("GADGET-1", 3))
        body = {"client_id": 2, "items": [{"sku": "GADGET-1", "quantity": 1}]}
        status, changed = self.call("PUT", f"/api/orders/{order['id']}", body)
        self.assertEqual((status, changed["client_name"], self.quantity("GADGET-1")), (200, "Grace Hopper", before - 1))
        self.assertEqual(self.call("GET", "/api/orders?limit=1")[1]["orders"], [changed])


if __name__ == "__main__":
    unittest.main()
