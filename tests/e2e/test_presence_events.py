"""user_connected and user_disconnected on several processes with a real Redis: of a user's first connection and
the end of its last one, wherever they are, also when a process is killed.

Not here: one process (test_events.py), and single cases, in memory
(unit/core/presence_events_cluster_test.c)."""
import os
import unittest

from client import receive_type
from cluster_case import ClusterCase

KINDS = ("user_connected", "user_disconnected")


class Announcements(ClusterCase):
    def announcing(self, name):
        """A process that announces users."""
        return self.start("--redis", self.redis.uri, "--node", name, "--threads", "2",
                          "--db", os.path.join(self.folder, name + ".db"))

    async def observe(self, backend):
        client, _ = await self.connect(backend, "/ws?user_id=observer")
        return client

    async def come(self, backend, user):
        client, welcome = await self.connect(backend, f"/ws?user_id={user}")
        return client, welcome["data"]["connection_id"]

    async def until(self, observer, kind, user):
        """What an observer hears until it hears this; returns that, and what users it heard of before."""
        others = []
        while True:
            message = await receive_type(observer, *KINDS)
            if (message["type"], message["user_id"]) == (kind, user):
                return message["data"], others
            if message["user_id"] not in ("observer", "mark"):
                others.append((message["type"], message["user_id"]))

    async def hear(self, observers, kind, user, connection=None):
        """All observers hear this next."""
        for observer in observers:
            data, others = await self.until(observer, kind, user)
            self.assertEqual(others, [])
            if connection is not None:
                self.assertEqual(data, {"connection_id": connection, "user_id": user})

    async def hear_nothing(self, backend, observers):
        """A user comes after everything: nobody else is announced before."""
        self.n_marks = getattr(self, "n_marks", 0) + 1
        await self.come(backend, f"mark{self.n_marks}")
        await self.hear(observers, "user_connected", f"mark{self.n_marks}")

    async def test_first_and_last_connection(self):
        first, second = self.announcing("a"), self.announcing("b")
        observers = [await self.observe(backend) for backend in (first, second)]
        ana, name = await self.come(first, "ana")
        await self.hear(observers, "user_connected", "ana", name)
        tab, tab_name = await self.come(second, "ana")
        await self.hear_nothing(second, observers)
        await ana.close()
        # Anonymous clients are announced by their process alone, at once.
        nobody, _ = await self.connect(first)
        await self.hear(observers[:1], "user_connected", None)
        await nobody.close()
        await self.hear(observers[:1], "user_disconnected", None)
        bob, bobs_name = await self.come(first, "bob")
        await self.hear(observers, "user_connected", "bob", bobs_name)
        await bob.close()
        await self.hear(observers, "user_disconnected", "bob", bobs_name)  # after ana's grace time
        await self.hear_nothing(first, observers)
        await tab.close()
        await self.hear(observers, "user_disconnected", "ana", tab_name)

    async def test_a_killed_process(self):
        first, second = self.announcing("a"), self.announcing("b")
        observer = await self.observe(first)
        _, bobs_name = await self.come(second, "bob")
        await self.hear([observer], "user_connected", "bob", bobs_name)
        await self.come(second, "cai")
        await self.hear([observer], "user_connected", "cai")
        await self.come(first, "cai")
        await self.come(second, "dan")
        await self.hear([observer], "user_connected", "dan")
        second.process.kill()
        # The next one in its place announces nobody who is elsewhere, and who comes back has not left.
        second = self.announcing("b")
        late = await self.observe(second)
        await self.come(second, "cai")
        await self.come(second, "dan")
        await self.hear([late], "user_connected", "dan")
        await self.hear([observer], "user_disconnected", "bob", bobs_name)
        await self.hear_nothing(second, [observer, late])

    async def test_a_killed_redis(self):
        first, second = self.announcing("a"), self.announcing("b")
        observers = [await self.observe(backend) for backend in (first, second)]
        ana, _ = await self.come(first, "ana")
        await self.hear(observers, "user_connected", "ana")
        self.redis.kill()
        await ana.close()
        await self.come(second, "bob")
        self.redis.start()
        for observer in observers:
            await self.until(observer, "user_disconnected", "ana")
        await self.hear_nothing(first, observers)


if __name__ == "__main__":
    unittest.main()
