"""What tests of several backends on Redis share: the backends, a steady load of notifications, and the
ledger: every client received each notification that was answered, once and in order, or was notified of
a gap.

Not here: what happens to the servers meanwhile."""
import asyncio
import contextlib
import os
import random
import shutil
import tempfile
import time
import warnings

from client import BackendCase
from redis_server import RedisServer
from returning_kinds import KINDS

N_CLIENTS = 12
LOAD_SECONDS = float(os.environ.get("CLUSTER_SECONDS", "2"))


class Load:
    """Numbered notifications to random backends, one after the other from several tasks: some are always on
    their way, but the clients, which are slower than the backends, leave them the processor."""

    def __init__(self, case, backends):
        self.case = case
        self.backends = backends
        self.answered = set()
        self.sent = 0
        self.sent_at = {}  # by number: when, and to which backend
        self.stopping = False
        self.tasks = [asyncio.create_task(self._run()) for _ in range(4)]

    async def _run(self):
        while not self.stopping:
            self.sent += 1
            number = self.sent
            backend = random.choice(self.backends)
            self.sent_at[number] = (time.monotonic(), backend)
            if await self.case.notify(backend, f"event {number}"):
                self.answered.add(number)
            await asyncio.sleep(0.02)

    async def stop(self):
        self.stopping = True
        await asyncio.gather(*self.tasks)


def numbers(client):
    return [int(event["data"]["message"].split()[1]) for event in client.events
            if event["type"] == "notification"]


class ClusterCase(BackendCase):
    PROGRAM = "redis-server"

    def make_redis(self):
        return RedisServer()

    def setUp(self):
        if shutil.which(self.PROGRAM) is None:
            self.skipTest(f"there is no {self.PROGRAM}")
        warnings.simplefilter("ignore", ResourceWarning)
        self.n_followers = 0
        self.redis = self.make_redis()
        self.addCleanup(self.redis.stop)
        self.folder = tempfile.mkdtemp(prefix="cluster-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def node(self, name, *arguments, uri=None):
        """A process with its own database, which it finds again after a restart."""
        return self.start("--redis", uri or self.redis.uri, "--node", name, "--no-presence", "--threads", "4",
                          "--db", os.path.join(self.folder, name + ".db"), *arguments)

    async def follow(self, backends, count=N_CLIENTS, **options):
        """Starts clients, of each kind in turn."""
        clients = [KINDS[(self.n_followers + i) % len(KINDS)](backends, **options) for i in range(count)]
        self.n_followers += count
        for client in clients:
            self.addAsyncCleanup(client.close)
        for client in clients:
            await asyncio.wait_for(client.is_live.wait(), 60)
        return clients

    async def notify(self, backend, text, user_id=None):
        body = {"message": text}
        if user_id:
            body["user_id"] = user_id
        try:
            status, _, _ = await self.call(backend, "POST", "/api/notifications", body)
        except OSError:
            return False
        return status == 202

    async def check_ledger(self, clients, load, complete=True):
        """Checks that every answered event reached every client, once, and all in the same order."""
        for client in clients:
            await client.wait_for(lambda client: load.answered <= set(numbers(client)))
            self.assertGreater(await client.all_answered(), 0)
        orders = []
        for client in clients:
            seen = numbers(client)
            self.assertEqual(len(seen), len(set(seen)), "an event came twice")
            if complete:
                self.assertEqual(client.n_incomplete, 0)
            orders.append(seen)
        self.assertGreater(len(load.answered), 50)
        longest = max(orders, key=len)
        for seen in orders:
            # At this moment one client may have received an event more than another.
            self.assertEqual(seen, longest[:len(seen)])

    def missing(self, client, load):
        """Answered events that the client has not received, without a gap reported since they were sent."""
        told = max((when for when, _ in client.gaps), default=0)
        return {number for number in load.answered - set(numbers(client)) if load.sent_at[number][0] > told}

    async def check_ledger_with_gaps(self, clients, load):
        """Checks that every answered event reached every client, or that the client was notified of a
        gap afterwards; between two gaps each arrived once, in one order."""
        for client in clients:
            with contextlib.suppress(asyncio.TimeoutError):
                await client.wait_for(lambda client: not self.missing(client, load))
            self.assertEqual(self.missing(client, load), set(), "lost, and the client was not notified")
            ends = [n_events for _, n_events in client.gaps] + [len(client.events)]
            for first, end in zip([0] + ends, ends):
                ids = [event["id"].split(".") for event in client.events[first:end]]
                positions = [int(position) for _, position in ids]
                self.assertLessEqual(len({epoch for epoch, _ in ids}), 1)
                self.assertEqual(positions, sorted(set(positions)))
                seen = [event["data"]["message"] for event in client.events[first:end]]
                self.assertEqual(len(seen), len(set(seen)), "an event came twice")
