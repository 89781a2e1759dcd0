"""The base class of test cases with coroutines.

Not here: the backend and its clients (client.py)."""
import asyncio
import unittest


class AsyncCase(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # unittest turns asyncio's debug mode on, which takes a stack trace for each task and each
        # callback: that costs the clients more time than all else they do.
        asyncio.get_running_loop().set_debug(False)
