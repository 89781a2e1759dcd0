"""The example in C++ with real clients: its callbacks are lambdas, and what they refuse or throw is an
answer."""
import os
import subprocess
import unittest

import websockets

from async_case import AsyncCase
from client import HEADERS_OPTION, receive_type


class Board(AsyncCase):
    def setUp(self):
        self.board = subprocess.Popen([os.environ["BOARD"], "127.0.0.1:0"], stdout=subprocess.PIPE,
                                      text=True)
        self.addCleanup(self.board.stdout.close)
        self.addCleanup(self.board.wait)
        self.addCleanup(self.board.kill)
        self.url = self.board.stdout.readline().strip().replace("http:", "ws:") + "/ws"

    async def connect(self, **headers):
        return await websockets.connect(self.url, **{HEADERS_OPTION: headers})

    @staticmethod
    async def ask(client, message, answer):
        await client.send(message)
        return (await receive_type(client, answer))["data"]

    async def test_lambdas_decide(self):
        ana = await self.connect(**{"x-user": "ana"})
        guest = await self.connect()
        self.assertEqual((await receive_type(ana, "welcome"))["data"]["user_id"], "ana")
        await self.ask(ana, '{"type":"join_room","room":"staff"}', "room_joined")
        for room in "staff", "nowhere":  # refused by a result, and by an exception
            refused = await self.ask(guest, f'{{"type":"join_room","room":"{room}"}}', "error")
            self.assertEqual(refused["code"], "forbidden")
        refused = await self.ask(guest, '{"type":"message","room":"staff","data":1}', "error")
        self.assertEqual(refused["code"], "not_member")
        for client in ana, guest:
            await self.ask(client, '{"type":"join_room","room":"lobby"}', "room_joined")
        await guest.send('{"type":"message","room":"lobby","data":{"text":"hello"}}')
        for client in ana, guest:
            event = await receive_type(client, "message")
            self.assertEqual((event["room"], event["data"]), ("lobby", {"text": "hello"}))

    async def test_it_ends_when_it_is_terminated(self):
        client = await self.connect()
        self.board.terminate()
        with self.assertRaises(websockets.ConnectionClosed):
            while True:
                await client.recv()
        self.assertEqual(client.close_code, 1012)
        self.assertEqual(self.board.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
