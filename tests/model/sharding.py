"""Streams by room: several streams, each with its own order. Every process reads each stream at its own
pace. Only order and positions are simulated. Not here: time, costs (simulation.py)."""
import random


def stream_of(room, n_streams):
    return room % n_streams


class ShardedClient:
    """A client in several rooms. It stores only the (stream, position) of each event it received."""

    def __init__(self, rooms):
        self.rooms = rooms
        self.received = []

    def last_position(self):
        """What a client that keeps a single position knows."""
        return self.received[-1][1] if self.received else 0

    def positions(self, n_streams):
        """What a client that keeps a position for each stream knows."""
        positions = [0] * n_streams
        for stream, position in self.received:
            positions[stream] = max(positions[stream], position)
        return positions


class ShardedProcess:
    def __init__(self, streams):
        self.streams = streams
        self.read_to = [0] * len(streams)
        self.clients = []

    def read_one(self, stream):
        """Reads the next entry of a stream, if there is one."""
        position = self.read_to[stream]
        if position == len(self.streams[stream]):
            return
        self.read_to[stream] += 1
        room = self.streams[stream][position]
        for client in self.clients:
            if room in client.rooms:
                client.received.append((stream, position + 1))

    def recover(self, client, positions):
        """Sends the client its events after these positions, stream by stream, as far as this process
        has read."""
        for stream, entries in enumerate(self.streams):
            for position in range(positions[stream] + 1, self.read_to[stream] + 1):
                if entries[position - 1] in client.rooms:
                    client.received.append((stream, position))
        self.clients.append(client)


class ShardedService:
    def __init__(self, n_streams, n_processes, n_rooms, seed=1):
        self.random = random.Random(seed)
        self.n_rooms = n_rooms
        self.streams = [[] for _ in range(n_streams)]
        self.processes = [ShardedProcess(self.streams) for _ in range(n_processes)]

    def emit(self):
        room = self.random.randrange(self.n_rooms)
        self.streams[stream_of(room, len(self.streams))].append(room)

    def read_somewhere(self):
        process = self.random.choice(self.processes)
        process.read_one(self.random.randrange(len(self.streams)))

    def run(self, n_events):
        """Emits events while every process reads about as fast as they are emitted."""
        for _ in range(n_events):
            self.emit()
            for _ in self.processes:
                self.read_somewhere()

    def read_all(self):
        for process in self.processes:
            for stream, entries in enumerate(self.streams):
                for _ in range(len(entries)):
                    process.read_one(stream)

    def expected(self, client):
        return sorted(
            (stream, position)
            for stream, entries in enumerate(self.streams)
            for position, room in enumerate(entries, 1)
            if room in client.rooms
        )


def needed_streams(n_streams, rooms_of_process):
    """How many of the streams a process has to read, if its rooms are chosen at random."""
    return n_streams * (1 - (1 - 1 / n_streams) ** rooms_of_process)
