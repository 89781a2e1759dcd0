"""Who is in a room of several processes with a real Redis, while a process is killed, and Redis too: what
each client believes to be there is what is.

Not here: one process (test_presence.py)."""
import unittest

from client import request
from cluster_case import ClusterCase
from test_presence import JOIN, Belief, PresenceCase, member


class Processes(ClusterCase, PresenceCase):
    async def test_users_of_all_processes(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        bob, bobs = await self.watch(second, "bob")
        for client, belief in ((ana, anas), (bob, bobs)):
            await self.until(client, belief, member("ana"), member("bob"))
        tab, tabs = await self.watch(second, "ana")
        await self.until(bob, bobs, member("ana", 2), member("bob"))
        await request(tab, {"type": "set_state", "room": "r", "data": "away", "ref": 2})
        await self.until(ana, anas, member("ana", 2, "away"), member("bob"))
        await tab.close()
        await self.until(bob, bobs, member("ana", 1, "away"), member("bob"))
        # A process begins late, and learns of the others.
        third = self.node("c")
        eve, eves = await self.watch(third, "eve")
        await self.until(eve, eves, member("ana", 1, "away"), member("bob"), member("eve"))

    async def test_a_killed_process(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        await self.watch(second, "bob")
        await self.until(ana, anas, member("ana"), member("bob"))
        second.process.kill()
        await self.until(ana, anas, member("ana"))

    async def test_a_killed_redis(self):
        first, second = self.node("a"), self.node("b")
        ana, anas = await self.watch(first, "ana")
        bob, _ = await self.watch(second, "bob")
        await self.until(ana, anas, member("ana"), member("bob"))
        self.redis.kill()
        await bob.close()
        eve, _ = await self.connect(first, "/ws?user_id=eve")
        await request(eve, {**JOIN, "presence": False})
        await self.until(ana, anas, member("ana"), member("bob"), member("eve"))
        self.redis.start()
        await self.until(ana, anas, member("ana"), member("eve"))
        late, lates = await self.watch(second, "late")
        await self.until(late, lates, member("ana"), member("eve"), member("late"))


if __name__ == "__main__":
    unittest.main()
