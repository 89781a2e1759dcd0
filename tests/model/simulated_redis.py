"""Redis as the simulation plays it: one thread that takes calls in the order in which they come, and one
stream. Not here: who calls (simulation.py)."""


class SimulatedRedis:
    def __init__(self, clock, parameters):
        self.clock = clock
        self.parameters = parameters
        self.stream = []  # (room, when it was emitted); the entry at index i has position i + 1
        self.blocked = []  # readers that wait for the next entry: (after, on_entries)
        self.free_at_s = 0.0
        self.busy_s = 0.0
        self.entries_read = self.pages_read = self.store_calls = 0
        self.bytes_in = self.bytes_out = 0

    def _work(self, cost_ns, then):
        start = max(self.clock.now_s, self.free_at_s)
        self.free_at_s = start + cost_ns / 1e9
        self.busy_s += cost_ns / 1e9
        self.clock.at(self.free_at_s, then)

    def store(self, events, on_stored):
        p = self.parameters
        self.store_calls += 1
        self.bytes_in += p.store_call_bytes + len(events) * p.store_bytes

        def stored():
            self.stream += events
            blocked, self.blocked = self.blocked, []
            for after, on_entries in blocked:
                self._answer(after, on_entries)
            on_stored()

        self._work(p.store_call_ns + len(events) * p.store_ns, stored)

    def read(self, after, on_entries):
        """Entries behind a position, as soon as there are some, at most a page."""
        # A call costs nothing until it is answered; then it costs what was measured for all of it.
        self._work(0, lambda: self._look(after, on_entries))

    def _look(self, after, on_entries):
        if len(self.stream) == after:
            self.blocked.append((after, on_entries))
        else:
            self._answer(after, on_entries)

    def _answer(self, after, on_entries):
        p = self.parameters
        entries = self.stream[after : after + p.page_events]
        self.entries_read += len(entries)
        self.pages_read += 1
        self.bytes_out += p.read_call_bytes + len(entries) * p.read_bytes
        self._work(p.read_call_ns + len(entries) * p.read_ns, lambda: on_entries(entries))
