"""The model: what processes, rooms, clients and events cost, as formulas.

Not here: the parameters (parameters.py), whether the formulas are right (test_model.py)."""
import dataclasses
import math

from audience import Audience
from parameters import Parameters


@dataclasses.dataclass(frozen=True)
class System:
    """Processes of one thread each. All read one stream. Clients choose their process at random."""

    connections: int
    processes: int
    events_per_s: float
    audience: Audience
    is_compressed: bool = False
    parameters: Parameters = Parameters()

    # --- Redis --------------------------------------------------------------------------------------

    def redis_events_load(self):
        """The share of Redis' core that events take, without the cost of each call."""
        p = self.parameters
        return self.events_per_s * (p.store_ns + self.processes * p.read_ns) / 1e9

    def redis_round_s(self):
        """How long Redis takes to answer every process once when it is never idle. Events that arrive
        meanwhile share a call, so there are fewer calls. The cost of calls therefore determines the
        length of a round and does not limit the rate."""
        p = self.parameters
        round_s = 0.0
        for _ in range(100):
            emitted = self.events_per_s * round_s / self.processes
            # A process that emitted nothing in a round stores as soon as it emits again.
            stores = emitted / (emitted + math.exp(-emitted))
            calls_ns = p.read_call_ns + p.store_call_ns * stores
            round_s = self.processes * calls_ns / 1e9 / (1 - self.redis_events_load())
        return round_s

    def redis_cpu(self):
        """The lowest share of Redis' core, if all processes emit: every page is full, and while a page
        fills, each process stores its events in one call."""
        p = self.parameters
        calls_ns = self.processes * (p.read_call_ns + p.store_call_ns) / p.page_events
        return self.redis_events_load() + self.events_per_s * calls_ns / 1e9

    def redis_bytes_out_per_s(self):
        """Bytes per second that processes read, without the overhead of each call."""
        return self.processes * self.events_per_s * self.parameters.read_bytes

    def redis_bytes_in_per_s(self):
        return self.events_per_s * self.parameters.store_bytes

    def redis_bytes(self):
        """The memory of the stream, which does not depend on the number of processes."""
        return self.parameters.stream_events * self.parameters.stream_bytes

    # --- each process -------------------------------------------------------------------------------

    def deliveries_per_s(self):
        """The deliveries of all processes together."""
        return self.events_per_s * self.audience.recipients()

    def events_cpu(self):
        """The share of each process' core that events take, without the cost of each send."""
        p = self.parameters
        event_ns = p.compressed_event_ns if self.is_compressed else p.event_ns
        shared_ns = self.deliveries_per_s() * event_ns + self.events_per_s * p.emit_ns
        own_ns = p.entry_ns
        if self.is_compressed:
            own_ns += p.compress_ns * (1 - self.audience.share_in_vain(self.processes))
        return (shared_ns / self.processes + self.events_per_s * own_ns) / 1e9

    def process_cpu(self, turn_s=None):
        """The share of a process' core if its turns have this length (None: the longest allowed)."""
        p = self.parameters
        sends_per_s = self.audience.sends_per_s(self.events_per_s, turn_s or p.turn_s)
        return self.events_cpu() + sends_per_s / self.processes * p.send_ns / 1e9

    def busy_turn_s(self):
        """A turn's length if every turn sends something to every client. Events that arrive meanwhile
        are added to the next turn's sends at little cost. The cost of sends therefore determines the
        length of a turn and does not limit the rate."""
        clients = self.connections / self.processes
        return clients * self.parameters.send_ns / 1e9 / (1 - self.events_cpu())

    def process_bytes_out_per_s(self):
        p = self.parameters
        frame_bytes = p.frame_bytes * (p.compressed_share if self.is_compressed else 1)
        return self.deliveries_per_s() / self.processes * frame_bytes

    def longest_turn_s(self):
        """How long one event to the largest room takes."""
        p = self.parameters
        return self.audience.largest() / self.processes * (p.send_ns + p.event_ns) / 1e9

    def process_bytes(self, has_tls=False):
        p = self.parameters
        clients = self.connections / self.processes
        connection_bytes = p.connection_bytes + (p.tls_bytes if has_tls else 0)
        return clients * connection_bytes + p.history_events * p.history_bytes

    # --- what limits --------------------------------------------------------------------------------

    def loads(self):
        """The load of each resource, as a share of its capacity."""
        network = self.parameters.network_bytes_per_s
        return {
            "Redis": self.redis_cpu(),
            "Redis' network": self.redis_bytes_out_per_s() / network,
            "CPU": self.process_cpu(),
            "network": self.process_bytes_out_per_s() / network,
        }

    def limit(self):
        """The most loaded resource."""
        loads = self.loads()
        return max(loads, key=loads.get)

    def at(self, events_per_s):
        return dataclasses.replace(self, events_per_s=events_per_s)

    def at_most(self):
        """This system with the highest event rate that it sustains; None if a single event takes too
        long."""
        if self.longest_turn_s() > self.parameters.turn_s:
            return None
        low, high = 0.0, 1e9
        for _ in range(60):
            middle = (low + high) / 2
            if max(self.at(middle).loads().values()) > self.parameters.utilisation:
                high = middle
            else:
                low = middle
        return self.at(low)


@dataclasses.dataclass(frozen=True)
class Storm:
    """A process dies, and its clients reconnect to the others after `away_s` on average."""

    system: System
    away_s: float
    has_tls: bool = False

    def clients(self):
        return self.system.connections / self.system.processes

    def replayed(self):
        """The events that are sent again, summed over all these clients."""
        events = self.system.deliveries_per_s() / self.system.processes
        return events * self.away_s

    def work_s(self):
        """The CPU time that each other process needs."""
        p = self.system.parameters
        handshake_ns = p.tls_handshake_ns if self.has_tls else p.handshake_ns
        total_ns = self.clients() * (handshake_ns + p.send_ns) + self.replayed() * p.event_ns
        return total_ns / 1e9 / (self.system.processes - 1)

    def seconds_until_current(self, turn_s=None):
        """The work is done with the CPU time that each thread has left."""
        return self.work_s() / (1 - self.system.process_cpu(turn_s))

    def history_s(self):
        """How far back the history of a process reaches. It holds all events, for any recipient."""
        return self.system.parameters.history_events / self.system.events_per_s

    def stream_s(self):
        """How far back Redis reaches. A client that returns later is notified of a gap."""
        return self.system.parameters.stream_events / self.system.events_per_s

    def fetched(self):
        """The events that each other process reads once for all clients that reconnect to it, if its
        history does not reach back far enough: all events before the history, for any recipient, at
        the time when the last client is back."""
        p = self.system.parameters
        return max(0, self.system.events_per_s * 2 * self.away_s - p.history_events)

    def fetch_s(self):
        """The CPU time of each other process for fetching: the events, and each client's search of
        them."""
        p = self.system.parameters
        events = self.fetched()
        # Clients reconnect at random times: the mean of what they missed before the history, if any.
        share = events / (self.system.events_per_s * 2 * self.away_s)
        looks = self.clients() / (self.system.processes - 1) * share * events / 2 / p.fetch_events
        return (events * p.entry_ns + looks * p.look_ns) / 1e9

    def redis_s(self):
        """The CPU time of Redis for fetching."""
        p = self.system.parameters
        ns = p.read_ns + p.read_call_ns / p.fetch_events
        return (self.system.processes - 1) * self.fetched() * ns / 1e9
