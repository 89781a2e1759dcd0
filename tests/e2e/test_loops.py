"""An adapter of include/ws_manager/adapters with real clients: its example serves a port, sends what it
reads from its standard input to everyone by another thread, and drains when it is terminated."""
import asyncio
import json
import os
import signal
import socket
import subprocess
import unittest

import websockets

from async_case import AsyncCase
from client import receive_type
from hosts import (check_half_closed_client_that_does_not_read, check_no_descriptor_left,
                   connect, few_descriptors, opened)

EXAMPLE = os.environ["LOOP"]
CLIENTS = 300

# ThreadSanitizer may hold a signal back for as long as the program waits.
signals = unittest.skipIf(os.environ["SANITIZE"] == "thread", "signals may be held back")


class Loops(AsyncCase):
    def start(self, **how):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        host = subprocess.Popen([EXAMPLE, str(port)], stdin=subprocess.PIPE, **how)
        self.addCleanup(host.wait)
        self.addCleanup(host.kill)
        self.addCleanup(host.stdin.close)
        listens = False
        while not listens:
            self.assertIsNone(host.poll())
            with socket.socket() as client:
                listens = client.connect_ex(("127.0.0.1", port)) == 0
        return host, port

    @staticmethod
    def emit(host, text):
        host.stdin.write(text.encode())
        host.stdin.flush()

    async def ended(self, host):
        self.assertEqual(await asyncio.to_thread(host.wait, 60), 0)

    async def test_clients_receive_what_another_thread_emits(self):
        host, port = self.start()
        clients = await asyncio.gather(*[websockets.connect(f"ws://127.0.0.1:{port}/")
                                         for _ in range(CLIENTS)])
        for text in "first", "second", "third":
            self.emit(host, text)
            events = await asyncio.gather(*[receive_type(client, "notification")
                                            for client in clients])
            self.assertEqual({event["data"]["message"] for event in events}, {text})
            self.assertEqual(len({event["id"] for event in events}), 1)
        await asyncio.gather(*[client.close() for client in clients])

    async def test_a_client_that_sends_fast_is_answered_in_order(self):
        """Also when its messages and their answers are more than the sockets hold."""
        _, port = self.start()
        async with websockets.connect(f"ws://127.0.0.1:{port}/") as client:
            ask = asyncio.gather(*[client.send(json.dumps({"type": "ping", "ref": f"{i} {'x' * 100}"}))
                                   for i in range(3000)])
            for i in range(3000):
                pong = await receive_type(client, "pong")
                self.assertEqual(pong["ref"].split()[0], str(i))
            await ask

    async def test_a_client_that_does_not_read_is_cut_and_others_receive_all(self):
        host, port = self.start()
        async with websockets.connect(f"ws://127.0.0.1:{port}/") as other:
            slow = opened(port, receive_buffer=4096)
            received, left = "", 0
            while "user_disconnected" not in received:
                self.emit(host, 2000 * "x")
                received = ""
                while '"notification"' not in received and "user_disconnected" not in received:
                    received = await asyncio.wait_for(other.recv(), 60)
                left += len(received)
                self.assertLess(left, 64 << 20)
            self.assertGreater(left, 1 << 20)
            slow.close()

            # One that reads when its queue is half full receives all.
            late = opened(port, receive_buffer=4096)
            for _ in range((left - (1 << 19)) // 2000):
                self.emit(host, 2000 * "x")
                await receive_type(other, "notification")
            self.emit(host, "the last one")
            received = b""
            while b"the last one" not in received:
                part = await asyncio.to_thread(late.recv, 1 << 20)
                self.assertTrue(part, "it was cut")
                received = received[-4096:] + part
            late.close()

    @signals
    async def test_terminated_it_sends_clients_away_and_ends(self):
        host, port = self.start()
        silent = connect(port)
        clients = await asyncio.gather(*[websockets.connect(f"ws://127.0.0.1:{port}/")
                                         for _ in range(20)])
        host.send_signal(signal.SIGTERM)
        for client in clients:
            with self.assertRaises(websockets.ConnectionClosed):
                while True:
                    await asyncio.wait_for(client.recv(), 60)
            self.assertEqual(client.close_code, 1012)
            self.assertRegex(client.close_reason, r"^retry in \d+ ms$")
        await self.ended(host)
        silent.close()

    @signals
    async def test_terminated_without_clients_it_ends(self):
        host, _ = self.start()
        host.send_signal(signal.SIGTERM)
        await self.ended(host)

    def test_no_free_descriptor(self):
        host, port = self.start(preexec_fn=few_descriptors)
        check_no_descriptor_left(self, host.pid, port)

    def test_a_half_closed_client_does_not_read(self):
        host, port = self.start()
        check_half_closed_client_that_does_not_read(self, host.pid, port)


if __name__ == "__main__":
    unittest.main()
