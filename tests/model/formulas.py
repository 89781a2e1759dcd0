"""The model: what processes, rooms, clients and events cost, as formulas.

Not here: the parameters (parameters.py), whether the formulas are right (test_model.py)."""
import dataclasses
import math

from audience import Audience
from parameters import Parameters


@dataclasses.dataclass(frozen=True)
class System:
    """Processes of one thread each, that all read one stream; clients choose theirs by chance."""

    connections: int
    processes: int
    events_per_s: float
    audience: Audience
    is_compressed: bool = False
    parameters: Parameters = Parameters()

    # --- Redis --------------------------------------------------------------------------------------

    def redis_events_load(self):
        """The share of Redis' core that events take, without the calls that they come in."""
        p = self.parameters
        return self.events_per_s * (p.store_ns + self.processes * p.read_ns) / 1e9

    def redis_round_s(self):
        """How long Redis takes to answer everybody once when it is never idle: meanwhile events gather,
        which makes calls rarer. So the calls' cost is what makes the round, and no limit."""
        p = self.parameters
        round_s = 0.0
        for _ in range(100):
            emitted = self.events_per_s * round_s / self.processes
            # Who emitted none in a round stores again when it does.
            stores = emitted / (emitted + math.exp(-emitted))
            calls_ns = p.read_call_ns + p.store_call_ns * stores
            round_s = self.processes * calls_ns / 1e9 / (1 - self.redis_events_load())
        return round_s

    def redis_cpu(self):
        """The least share of its core, if all processes emit: every page is full, and in the time that
        it takes to fill each process stores what it emitted meanwhile in one call."""
        p = self.parameters
        calls_ns = self.processes * (p.read_call_ns + p.store_call_ns) / p.page_events
        return self.redis_events_load() + self.events_per_s * calls_ns / 1e9

    def redis_bytes_out_per_s(self):
        """Without what each call adds, as below."""
        return self.processes * self.events_per_s * self.parameters.read_bytes

    def redis_bytes_in_per_s(self):
        return self.events_per_s * self.parameters.store_bytes

    def redis_bytes(self):
        """Of memory, for the stream: however many processes read it."""
        return self.parameters.stream_events * self.parameters.stream_bytes

    # --- each process -------------------------------------------------------------------------------

    def deliveries_per_s(self):
        """Of all processes."""
        return self.events_per_s * self.audience.recipients()

    def events_cpu(self):
        """The share of each process' core that events take, without the sends that they go out in."""
        p = self.parameters
        event_ns = p.compressed_event_ns if self.is_compressed else p.event_ns
        shared_ns = self.deliveries_per_s() * event_ns + self.events_per_s * p.emit_ns
        own_ns = p.entry_ns
        if self.is_compressed:
            own_ns += p.compress_ns * (1 - self.audience.share_in_vain(self.processes))
        return (shared_ns / self.processes + self.events_per_s * own_ns) / 1e9

    def process_cpu(self, turn_s=None):
        """The share of its core, if its turns are so long (None: as long as they may be)."""
        p = self.parameters
        sends_per_s = self.audience.sends_per_s(self.events_per_s, turn_s or p.turn_s)
        return self.events_cpu() + sends_per_s / self.processes * p.send_ns / 1e9

    def busy_turn_s(self):
        """A turn's length when each brings everybody something: what comes meanwhile is the next
        one's, at little cost. So sends make the turn, and no limit."""
        clients = self.connections / self.processes
        return clients * self.parameters.send_ns / 1e9 / (1 - self.events_cpu())

    def process_bytes_out_per_s(self):
        p = self.parameters
        frame_bytes = p.frame_bytes * (p.compressed_share if self.is_compressed else 1)
        return self.deliveries_per_s() / self.processes * frame_bytes

    def longest_turn_s(self):
        """One event to the largest room."""
        p = self.parameters
        return self.audience.largest() / self.processes * (p.send_ns + p.event_ns) / 1e9

    def process_bytes(self, has_tls=False):
        p = self.parameters
        clients = self.connections / self.processes
        connection_bytes = p.connection_bytes + (p.tls_bytes if has_tls else 0)
        return clients * connection_bytes + p.history_events * p.history_bytes

    # --- what limits --------------------------------------------------------------------------------

    def loads(self):
        """By resource, as shares of it."""
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
        """The same system with as many events as it bears; None if one event alone takes too long."""
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
    """A process dies, and its clients come back to the others after `away_s` in the mean."""

    system: System
    away_s: float
    has_tls: bool = False

    def clients(self):
        return self.system.connections / self.system.processes

    def replayed(self):
        """Events that are sent again, to all of them."""
        events = self.system.deliveries_per_s() / self.system.processes
        return events * self.away_s

    def work_s(self):
        """Of each of the others."""
        p = self.system.parameters
        handshake_ns = p.tls_handshake_ns if self.has_tls else p.handshake_ns
        total_ns = self.clients() * (handshake_ns + p.send_ns) + self.replayed() * p.event_ns
        return total_ns / 1e9 / (self.system.processes - 1)

    def seconds_until_current(self, turn_s=None):
        """What remains of each thread does the work."""
        return self.work_s() / (1 - self.system.process_cpu(turn_s))

    def history_s(self):
        """How far back the memory of a process reaches: of all events, whoever they were for."""
        return self.system.parameters.history_events / self.system.events_per_s

    def stream_s(self):
        """How far back Redis reaches; who comes later is told that something is missing."""
        return self.system.parameters.stream_events / self.system.events_per_s

    def fetched(self):
        """Events that each of the others reads once, for all that come back to it, if its history does
        not reach back: those before the history, whoever they were for, when the last one is back."""
        p = self.system.parameters
        return max(0, self.system.events_per_s * 2 * self.away_s - p.history_events)

    def fetch_s(self):
        """CPU time of each of the others for that: the events, and what each client looks through."""
        p = self.system.parameters
        events = self.fetched()
        # Clients that come back at times by chance: the mean of what they missed, if it is that much.
        share = events / (self.system.events_per_s * 2 * self.away_s)
        looks = self.clients() / (self.system.processes - 1) * share * events / 2 / p.fetch_events
        return (events * p.entry_ns + looks * p.look_ns) / 1e9

    def redis_s(self):
        """CPU time of Redis for that."""
        p = self.system.parameters
        ns = p.read_ns + p.read_call_ns / p.fetch_events
        return (self.system.processes - 1) * self.fetched() * ns / 1e9
