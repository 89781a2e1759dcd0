#!/usr/bin/env python3
"""What one stream guarantees, what streams by room do not, and what a client then has to store.

Not here: costs (test_model.py)."""
import random
import unittest

from sharding import ShardedClient, ShardedService, needed_streams, stream_of

N_ROOMS, N_EVENTS, N_PROCESSES = 40, 2_000, 4


def service_with_clients(n_streams, seed=1):
    """Each process has one client, and all of these are in the same ten rooms."""
    service = ShardedService(n_streams, N_PROCESSES, N_ROOMS, seed)
    clients = [ShardedClient(set(range(10))) for _ in service.processes]
    for process, client in zip(service.processes, clients):
        process.clients.append(client)
    return service, clients


def come_back(n_streams, positions_of, seed=1):
    """A client disconnects and reconnects to another process with the positions from positions_of(). It
    receives there what it missed. Returns what it has and what it should have."""
    service, clients = service_with_clients(n_streams, seed)
    service.run(N_EVENTS)
    client = clients[0]
    service.processes[0].clients.remove(client)
    service.run(N_EVENTS)
    service.read_all()
    service.processes[1].recover(client, positions_of(client))
    return client.received, service.expected(client)


class OneStream(unittest.TestCase):
    def test_all_see_the_same_order(self):
        service, clients = service_with_clients(1)
        service.run(N_EVENTS)
        service.read_all()
        for client in clients:
            self.assertEqual(client.received, service.expected(client))

    def test_one_position_recovers_anywhere(self):
        received, expected = come_back(1, lambda client: [client.last_position()])
        self.assertEqual(received, expected)


class StreamsByRoom(unittest.TestCase):
    N_STREAMS = 4

    def test_order_holds_within_a_stream(self):
        service, clients = service_with_clients(self.N_STREAMS)
        service.run(N_EVENTS)
        service.read_all()
        for client in clients:
            for stream in range(self.N_STREAMS):
                own = [event for event in client.received if event[0] == stream]
                self.assertEqual(own, [e for e in service.expected(client) if e[0] == stream])

    def test_order_between_streams_is_lost(self):
        service, clients = service_with_clients(self.N_STREAMS)
        service.run(N_EVENTS)
        service.read_all()
        orders = {tuple(client.received) for client in clients}
        self.assertEqual(len(orders), N_PROCESSES, "each process has an order of its own")
        self.assertEqual(len({frozenset(order) for order in orders}), 1, "of the same events")

    def test_a_client_s_positions_fall(self):
        service, clients = service_with_clients(self.N_STREAMS)
        service.run(N_EVENTS)
        positions = [position for _, position in clients[0].received]
        self.assertNotEqual(positions, sorted(positions))

    def test_one_position_loses_and_repeats(self):
        lost = repeated = 0
        for seed in range(10):
            received, expected = come_back(
                self.N_STREAMS, lambda client: [client.last_position()] * self.N_STREAMS, seed
            )
            lost += len(set(expected) - set(received))
            repeated += len(received) - len(set(received))
        self.assertGreater(lost, 0)
        self.assertGreater(repeated, 0)

    def test_a_position_of_each_stream_recovers(self):
        received, expected = come_back(
            self.N_STREAMS, lambda client: client.positions(self.N_STREAMS)
        )
        self.assertEqual(sorted(received), expected)

    def test_a_client_needs_only_the_positions_of_its_rooms_streams(self):
        service, clients = service_with_clients(20)
        service.run(N_EVENTS)
        service.read_all()
        streams = {stream for stream, _ in clients[0].received}
        self.assertEqual(streams, {stream_of(room, 20) for room in clients[0].rooms})


class StreamsThatAProcessNeeds(unittest.TestCase):
    def test_nearly_all_if_clients_choose_their_process(self):
        draw = random.Random(1)
        for n_streams, n_rooms in (64, 20), (64, 100), (1024, 1000), (64, 1000):
            counts = [
                len({stream_of(draw.randrange(10**6), n_streams) for _ in range(n_rooms)})
                for _ in range(100)
            ]
            mean = sum(counts) / len(counts)
            self.assertAlmostEqual(mean / needed_streams(n_streams, n_rooms), 1, delta=0.03)
        self.assertGreater(needed_streams(64, 1000) / 64, 0.99)


if __name__ == "__main__":
    unittest.main()
