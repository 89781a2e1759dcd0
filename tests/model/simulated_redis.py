"""The simulation's Redis: one stream, and one thread that executes calls in the order of their arrival.
Not here: the callers (simulation.py)."""
import collections


class SimulatedRedis:
    def __init__(self, clock, parameters):
        self.clock = clock
        self.parameters = parameters
        self.stream = []  # (room, when it was emitted); the entry at index i has position i + 1
        self.calls = collections.deque()  # waiting; calling an element begins it
        self.is_busy = False
        self.blocked = []  # readers that wait for the next entry: (after, on_entries)
        self.busy_s = 0.0
        self.entries_read = self.pages_read = self.store_calls = self.fetch_busy_ns = 0
        self.bytes_in = self.bytes_out = 0

    def store(self, events, on_stored):
        self.store_calls += 1
        self._call(lambda: self._store(events, on_stored))

    def read(self, after, on_entries):
        """Reads the entries after a position, at most a page, as soon as there are any."""
        self._call(lambda: self._read(after, on_entries))

    def fetch(self, n_entries, on_fetched):
        """Reads old entries for clients that reconnected: an XRANGE."""
        self._call(lambda: self._fetch(n_entries, on_fetched))

    def _call(self, begin):
        self.calls.append(begin)
        if not self.is_busy:
            self._next()

    def _next(self):
        self.is_busy = bool(self.calls)
        if self.calls:
            self.calls.popleft()()

    def _work(self, cost_ns, on_done):
        def done():
            on_done()
            self._next()

        self.busy_s += cost_ns / 1e9
        self.clock.at(self.clock.now_s + cost_ns / 1e9, done)

    def _store(self, events, on_stored):
        p = self.parameters
        self.bytes_in += p.store_call_bytes + len(events) * p.store_bytes

        def stored():
            self.stream += events
            for reader in self.blocked:
                self.calls.appendleft(lambda reader=reader: self._read(*reader))
            self.blocked = []
            on_stored()

        self._work(p.store_call_ns + len(events) * p.store_ns, stored)

    def _read(self, after, on_entries):
        """A call that waits costs nothing. The measured cost of the whole call is due when it is
        answered."""
        p = self.parameters
        entries = self.stream[after : after + p.page_events]
        if not entries:
            self.blocked.append((after, on_entries))
            self._next()
            return
        self.entries_read += len(entries)
        self.pages_read += 1
        self.bytes_out += p.read_call_bytes + len(entries) * p.read_bytes
        self._work(p.read_call_ns + len(entries) * p.read_ns, lambda: on_entries(entries))

    def _fetch(self, n_entries, on_fetched):
        p = self.parameters
        cost_ns = p.read_call_ns + n_entries * p.read_ns
        self.fetch_busy_ns += cost_ns
        self._work(cost_ns, on_fetched)
