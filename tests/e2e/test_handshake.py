"""The opening handshake of the backend: what is agreed on, and what those who are refused learn."""
import unittest
import zlib

from client import BackendCase, receive, request, with_headers

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT}"
SAFARI_15_1 = f"{MAC} Version/15.1 Safari/605.1.15"
SAFARI_15_4 = f"{MAC} Version/15.4 Safari/605.1.15"
CHROME_ON_IOS_15_2 = (f"Mozilla/5.0 (iPhone; CPU iPhone OS 15_2 like Mac OS X) {WEBKIT} "
                      "CriOS/96.0.4664.53 Mobile/15E148 Safari/604.1")


def extensions(client):
    """What was agreed on; websockets 14 moved it."""
    return getattr(client, "protocol", client).extensions


class Compression(BackendCase):
    async def open_with_kept_context(self, backend, path, agent):
        """A client that compresses each message with the context of the one before, whatever was
        agreed on; and whether anything was."""
        client = await self.open(backend, path, **with_headers(**{"User-Agent": agent}))
        for extension in extensions(client):
            extension.local_no_context_takeover = False
            extension.encoder = zlib.compressobj(wbits=-15)
        return client, bool(extensions(client))

    async def test_browsers_that_keep_their_context_do_not_compress(self):
        backend = self.start("--echo")
        for agent in (SAFARI_15_1, CHROME_ON_IOS_15_2):
            client, compresses = await self.open_with_kept_context(backend, "/ws", agent)
            self.assertFalse(compresses, agent)
            await receive(client)
            for ref in range(3):
                answer = await request(client, {"type": "ping", "ref": ref})
                self.assertEqual(answer["type"], "pong")
            echo, compresses = await self.open_with_kept_context(backend, "/echo", agent)
            self.assertFalse(compresses, agent)
            for _ in range(3):
                await echo.send("a message, and another one")
                self.assertEqual(await echo.recv(), "a message, and another one")

    async def test_the_others_do(self):
        backend = self.start()
        client, compresses = await self.open_with_kept_context(backend, "/ws", SAFARI_15_4)
        self.assertTrue(compresses)
        await receive(client)
        await request(client, {"type": "ping", "ref": 0})
        await client.send('{"type":"ping","ref":0}')
        self.assertEqual((await self.closed(client))[0], 1007)


if __name__ == "__main__":
    unittest.main()
