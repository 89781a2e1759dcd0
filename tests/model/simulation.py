"""A small service: clients in rooms, processes of one thread each, one Redis. Every action is counted.
Not here: Redis (simulated_redis.py), the expected results (test_model.py)."""
import bisect
import collections
import heapq
import itertools
import random

from parameters import Parameters
from simulated_redis import SimulatedRedis


class Clock:
    """Calls what is due, ordered by time."""

    def __init__(self):
        self.now_s = 0.0
        self.due = []
        self.ties = itertools.count()

    def at(self, time_s, call):
        heapq.heappush(self.due, (time_s, next(self.ties), call))

    def run(self, until_s):
        while self.due and self.due[0][0] <= until_s:
            self.now_s, _, call = heapq.heappop(self.due)
            call()


class Client:
    def __init__(self, room):
        self.room = room
        self.position = self.received = 0


class Process:
    def __init__(self, service, slowness):
        self.service = service
        self.slowness = slowness
        self.position = 0  # of the last entry that it has read
        self.members = collections.defaultdict(dict)  # by room; None: everyone
        self.emitted = []
        self.entries = []  # received, not yet processed
        self.returning = []  # clients that reconnected
        self.pages = {}  # of events before the history: from a page's number to its last position
        self.awaited = {}  # clients that wait for a page, by its number
        self.fetched = 0  # entries that arrived with pages since the last turn
        self.is_storing = self.is_busy = self.is_dead = False
        self.busy_s = 0.0
        self.turns = self.in_vain = self.sends = self.looks = 0
        self.current_s = 0.0  # when the last client that reconnected had caught up
        self._ask()

    def _ask(self):
        self.service.redis.read(self.position, self._on_entries)

    def _on_entries(self, entries):
        self.entries = entries
        self.wake()

    def add(self, client):
        self.members[client.room][client] = True
        self.members[None][client] = True

    def remove(self, client):
        self.members[client.room].pop(client, None)
        self.members[None].pop(client, None)

    def wake(self):
        if not self.is_busy and not self.is_dead:
            self._turn()

    def _turn(self):
        p = self.service.parameters
        emit_ns = self._store()
        returned, cost_ns = self._take_back()
        entries, self.entries = self.entries, []
        touched, delivered = self._deliver(entries)
        self.position += len(entries)
        entries_ns = (emit_ns + len(entries) * p.entry_ns) * self.slowness
        cost_ns += len(touched) * p.send_ns + delivered * p.event_ns
        cost_s = (entries_ns + cost_ns * self.slowness) / 1e9
        self.sends += len(touched)
        self.turns += 1
        self.busy_s += cost_s
        self.is_busy = True
        clock = self.service.clock
        if entries:  # the next page is requested before this one is sent to any client
            clock.at(clock.now_s + entries_ns / 1e9, self._ask)
        clock.at(clock.now_s + cost_s, lambda: self._end_turn(entries, returned))

    def _end_turn(self, entries, returned):
        now_s = self.service.clock.now_s
        self.service.latencies_s += [now_s - emitted_s for _, emitted_s in entries]
        if returned:
            self.current_s = now_s
        self.is_busy = False
        if self.entries or self.returning or (self.emitted and not self.is_storing):
            self.wake()

    def _store(self):
        """Returns the cost of passing on the events."""
        p = self.service.parameters
        if self.is_storing or not self.emitted:
            return 0
        batch = self.emitted[: p.batch_events]
        del self.emitted[: p.batch_events]
        self.is_storing = True
        self.service.redis.store(batch, self._on_stored)
        return len(batch) * p.emit_ns

    def _on_stored(self):
        self.is_storing = False
        if self.emitted:
            self.wake()

    def _deliver(self, entries):
        touched, delivered = set(), 0
        for position, (room, _) in enumerate(entries, self.position + 1):
            members = self.members.get(room)
            if not members:
                self.in_vain += 1
                continue
            for client in members:
                if position > client.position:  # the client's former process may have been ahead
                    client.position = position
                    client.received += 1
                    delivered += 1
                    touched.add(client)
        return touched, delivered

    def _take_back(self):
        """Clients that reconnected receive what they missed, as far as this process has read."""
        p = self.service.parameters
        before = self.position - p.history_events
        returned, self.returning = self.returning[:64], self.returning[64:]
        cost_ns, self.fetched = self.fetched * p.entry_ns, 0
        current = []
        for client in returned:
            cost_ns += self._look(client, before) * p.look_ns
            if client.position < before:
                self._await(client)
                continue
            n_missed = self._replay(client, self.position)
            self.add(client)
            current.append(client)
            cost_ns += p.handshake_ns + p.send_ns + n_missed * p.event_ns
        return current, cost_ns

    def _look(self, client, before):
        """Gives the client its events from the pages. Returns the number of pages searched."""
        page_events, looks = self.service.parameters.fetch_events, 0
        while client.position < before:
            until = self.pages.get(client.position // page_events, 0)
            if until <= client.position:
                break
            self._replay(client, until)
            client.position = until
            looks += 1
        self.looks += looks
        return looks

    def _await(self, client):
        """Makes the client wait for a page. The first client that waits causes the one request."""
        page_events = self.service.parameters.fetch_events
        number = client.position // page_events
        waiting = self.awaited.setdefault(number, [])
        waiting.append(client)
        if len(waiting) > 1:
            return
        after = self.pages.get(number, number * page_events)
        until = min((number + 1) * page_events, self.position)

        def fetched():
            self.pages[number] = until
            self.fetched += until - after
            self.returning += self.awaited.pop(number)
            self.wake()

        self.service.redis.fetch(until - after, fetched)

    def _replay(self, client, until):
        missed = self.service.missed(client, until)
        if missed:
            client.position = missed[-1]
            client.received += len(missed)
        self.service.replayed += len(missed)
        return len(missed)


class Service:
    """`sizes` are the rooms' sizes, `weights` their shares of the events. The room None is everyone."""

    def __init__(self, n_processes, sizes, weights, seed=1, slow=None, parameters=Parameters()):
        self.random = random.Random(seed)
        self.parameters = parameters
        self.clock = Clock()
        self.redis = SimulatedRedis(self.clock, parameters)
        self.latencies_s = []
        self.replayed = self.emitted = 0
        self.rooms, self.cumulated = list(weights), list(itertools.accumulate(weights.values()))
        slow = slow or {}
        self.processes = [Process(self, slow.get(i, 1)) for i in range(n_processes)]
        self.clients = [Client(room) for room, size in sizes.items() for _ in range(size)]
        self.home = {}
        for client in self.clients:
            self._settle(client, self.processes).add(client)
        self._indexed, self._positions = 0, collections.defaultdict(list)

    def _settle(self, client, processes):
        process = self.home[client] = self.random.choice(processes)
        return process

    def _alive(self):
        return [process for process in self.processes if not process.is_dead]

    # --- what happens -------------------------------------------------------------------------------

    def emit(self, events_per_s, until_s):
        """Emits events at random times, each to a room chosen by weight, from a random process."""
        self.clock.at(
            self.clock.now_s + self.random.expovariate(events_per_s),
            lambda: self._emit_one(events_per_s, until_s),
        )

    def _emit_one(self, events_per_s, until_s):
        if self.clock.now_s > until_s:
            return
        room = self.random.choices(self.rooms, cum_weights=self.cumulated)[0]
        process = self.random.choice(self._alive())
        process.emitted.append((room, self.clock.now_s))
        process.wake()
        self.emitted += 1
        self.emit(events_per_s, until_s)

    def move(self, client, away_s):
        """The client leaves, and reconnects to a random process."""
        self.home[client].remove(client)
        self.clock.at(self.clock.now_s + away_s, lambda: self._come_back(client))

    def _come_back(self, client):
        process = self._settle(client, self._alive())
        process.returning.append(client)
        process.wake()

    def kill(self, process, away_s):
        """The process dies. Its clients reconnect, each after a random time of at most 2 * away_s."""
        process.is_dead = True
        heir = self._alive()[0]  # stands for the process that is restarted with its outbox
        heir.emitted += process.emitted
        heir.wake()
        for client in list(process.members[None]):
            self.move(client, self.random.uniform(0, 2 * away_s))

    # --- what is true -------------------------------------------------------------------------------

    def positions(self, room):
        """The positions of a room's events in the stream, in order."""
        stream = self.redis.stream
        for position in range(self._indexed + 1, len(stream) + 1):
            self._positions[stream[position - 1][0]].append(position)
        self._indexed = len(stream)
        return self._positions[room]

    def missed(self, client, until):
        """The positions of the client's events after its own position, up to `until`."""
        missed = []
        for room in client.room, None:
            positions = self.positions(room)
            first = bisect.bisect_right(positions, client.position)
            missed += positions[first : bisect.bisect_right(positions, until)]
        return sorted(missed)

    def expected(self, client):
        """How many events the client should have received, each once, when all have been delivered."""
        return len(self.positions(client.room)) + len(self.positions(None))
