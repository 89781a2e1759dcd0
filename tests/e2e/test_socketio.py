"""Python's client of Socket.IO (Debian's python3-socketio) against examples/socketio-echo."""
import os
import queue
import subprocess
import unittest
import urllib.error
import urllib.request

import socketio

from hosts import check_no_descriptor_left, connect, few_descriptors

TIMEOUT = 30


class Client:
    """A client whose events are kept in queues, by (namespace, name)."""

    def __init__(self, address, transports, namespaces=("/",), **options):
        self.events = {}
        self.client = socketio.Client(reconnection=False)
        for namespace in namespaces:
            for name in ("auth", "message-back", "connect_error"):
                self.events[namespace, name] = arrived = queue.Queue()
                self.client.on(name, lambda *args, arrived=arrived: arrived.put(args), namespace=namespace)
        self.client.connect(f"http://{address}", transports=transports, namespaces=list(namespaces),
                            wait_timeout=TIMEOUT, **options)

    def next(self, name, namespace="/"):
        return self.events[namespace, name].get(timeout=TIMEOUT)


def start(**how):
    """Returns the server and its address."""
    server = subprocess.Popen([os.environ["SOCKETIO_ECHO"], "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, text=True, **how)
    return server, server.stdout.readline().strip().rpartition("http://")[2]


def stop(server):
    server.terminate()
    status = server.wait(timeout=TIMEOUT)
    server.stdout.close()
    assert status == 0, status


class SocketioTest(unittest.TestCase):
    transports = ["websocket"]

    @classmethod
    def setUpClass(cls):
        cls.server, cls.address = start()

    @classmethod
    def tearDownClass(cls):
        stop(cls.server)

    def open(self, *args, **options):
        client = Client(self.address, self.transports, *args, **options)
        self.addCleanup(client.client.disconnect)
        return client

    def test_the_path_may_lack_its_last_slash(self):
        for path in ("socket.io", "engine.io"):
            for end in ("", "/"):
                target = f"http://{self.address}/{path}{end}?EIO=4&transport=polling"
                with urllib.request.urlopen(target, timeout=TIMEOUT) as response:
                    self.assertEqual(response.read(1), b"0")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://{self.address}/socket.io2?EIO=4&transport=polling", timeout=TIMEOUT)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()

    def test_a_client_connects_with_its_auth(self):
        client = self.open(auth={"token": "123"})
        self.assertEqual(client.next("auth"), ({"token": "123"},))

    def test_events_and_acknowledgements_carry_any_arguments(self):
        client = self.open()
        args = (1, "2é", {"3": [True, None]}, b"\1\2\3", {"deep": [b""]})
        client.client.emit("message", args)
        self.assertEqual(client.next("message-back"), args)
        self.assertEqual(client.client.call("message-with-ack", args, timeout=TIMEOUT), args)

    def test_two_namespaces_share_a_connection(self):
        client = self.open(("/", "/custom"))
        client.client.emit("message", "custom", namespace="/custom")
        client.client.emit("message", "main")
        self.assertEqual(client.next("message-back", "/custom"), ("custom",))
        self.assertEqual(client.next("message-back"), ("main",))

    def test_an_unknown_namespace_is_refused(self):
        client = self.open(("/unknown",), wait=False)
        self.assertEqual(client.next("connect_error", "/unknown"), ({"message": "Invalid namespace"},))


class PollingTest(SocketioTest):
    transports = ["polling"]


class HostTest(unittest.TestCase):
    def start(self, **how):
        server, address = start(**how)
        self.addCleanup(stop, server)
        return server, int(address.rpartition(":")[2])

    def test_no_free_descriptor(self):
        server, port = self.start(preexec_fn=few_descriptors)
        check_no_descriptor_left(self, server.pid, port, "/engine.io/?EIO=4&transport=websocket",
                                 has_pings=True)

    def test_a_client_that_sends_no_head_is_ended(self):
        _, port = self.start()
        clients = [connect(port) for _ in range(3)]
        for client, part in zip(clients, (b"", b"GET /socket.io/", b"GET /socket.io/ HTTP/1.1\r\nHost: ")):
            self.addCleanup(client.close)
            client.sendall(part)
        for client in clients:
            self.assertEqual(client.recv(4096), b"")


if __name__ == "__main__":
    unittest.main()
