#!/usr/bin/env python3
"""Compares the formulas with the simulation, and the simulation with the library's promises.

Not here: streams by room (test_sharding.py), the table in README.md (test_table.py)."""
import unittest

from audience import equal_rooms, everyone, zipf_rooms
from formulas import Storm, System
from parameters import Parameters
from simulation import Service


def zipf_sizes(connections, mean_size):
    n_rooms = connections // mean_size
    total = sum(1 / rank for rank in range(1, n_rooms + 1))
    return {
        rank: max(1, round(connections / total / rank)) for rank in range(1, n_rooms + 1)
    }


class ModelTest(unittest.TestCase):
    def assertClose(self, counted, expected, tolerance):
        self.assertLess(abs(counted / expected - 1), tolerance, f"{counted}, not {expected}")

    def play(self, service, system, seconds):
        """Emits events for that time, runs until all are delivered, and checks the invariants. Returns
        the system with the event rate that the random times produced."""
        service.emit(system.events_per_s, seconds)
        service.clock.run(seconds)
        service.clock.run(1000)
        alive = [process for process in service.processes if not process.is_dead]
        for process in alive:
            self.assertEqual(process.position, service.emitted)
        for client in service.clients:
            self.assertEqual(client.received, service.expected(client), "each event once")
        return system.at(service.emitted / seconds)

    def check_entries(self, service, system, seconds):
        redis = service.redis
        received = sum(client.received for client in service.clients)
        in_vain = sum(process.in_vain for process in service.processes)
        self.assertEqual(redis.entries_read, system.processes * service.emitted)
        self.assertClose(received, system.deliveries_per_s() * seconds, 0.03)
        self.assertAlmostEqual(
            in_vain / redis.entries_read,
            system.audience.share_in_vain(system.processes),
            delta=0.02,
        )

    def cpu(self, service, seconds):
        return sum(process.busy_s for process in service.processes) / (
            len(service.processes) * seconds
        )


class Steady(ModelTest):
    def test_rooms_by_zipf(self):
        sizes = zipf_sizes(20_000, 10)
        service = Service(8, sizes, sizes)
        system = self.play(service, System(20_000, 8, 800, zipf_rooms(20_000, 10)), 2)
        self.check_entries(service, system, 2)
        turn_s = sum(p.busy_s for p in service.processes) / sum(p.turns for p in service.processes)
        self.assertClose(self.cpu(service, 2), system.process_cpu(turn_s), 0.05)

    def test_rooms_of_ten_among_many_clients(self):
        rooms = dict.fromkeys(range(10_000), 10)
        service = Service(16, rooms, rooms)
        system = self.play(service, System(100_000, 16, 3_000, equal_rooms(100_000, 10)), 1)
        self.check_entries(service, system, 1)
        self.assertClose(self.cpu(service, 1), system.process_cpu(0.001), 0.05)


class Busy(ModelTest):
    def test_everyone(self):
        service = Service(4, {0: 800}, {None: 1})
        system = self.play(service, System(800, 4, 3_000, everyone(800)), 0.5)
        self.check_entries(service, system, 0.5)
        turn_s = sum(p.busy_s for p in service.processes) / sum(p.turns for p in service.processes)
        self.assertClose(turn_s, system.busy_turn_s(), 0.1)

    def test_redis_is_never_idle_yet_keeps_up(self):
        rooms = dict.fromkeys(range(300), 10)
        service = Service(32, rooms, rooms)
        system = self.play(service, System(3_000, 32, 30_000, equal_rooms(3_000, 10)), 0.5)
        self.check_entries(service, system, 0.5)
        redis = service.redis
        page = redis.entries_read / redis.pages_read
        self.assertClose(redis.busy_s, 0.5, 0.03)
        self.assertClose(page, system.events_per_s * system.redis_round_s(), 0.1)
        mean_s = sum(service.latencies_s) / len(service.latencies_s)
        self.assertLess(mean_s, 2.5 * system.redis_round_s())

    def test_redis_does_not_keep_up_beyond_the_limit(self):
        rooms = dict.fromkeys(range(300), 10)
        system = System(3_000, 32, 1, equal_rooms(3_000, 10))
        limit = system.at(1 / system.redis_cpu())  # all of its core
        for share in 0.9, 1.2:
            service = Service(32, rooms, rooms)
            service.emit(limit.events_per_s * share, 0.3)
            service.clock.run(0.3)
            read = min(process.position for process in service.processes) / service.emitted
            (self.assertGreater if share < 1 else self.assertLess)(read, 0.9)

    def test_bytes(self):
        rooms = dict.fromkeys(range(300), 10)
        service = Service(16, rooms, rooms)
        system = self.play(service, System(3_000, 16, 50_000, equal_rooms(3_000, 10)), 0.5)
        calls = service.redis.pages_read * system.parameters.read_call_bytes
        self.assertClose(service.redis.bytes_out - calls, system.redis_bytes_out_per_s() / 2, 0.01)
        calls = service.redis.store_calls * system.parameters.store_call_bytes
        self.assertClose(service.redis.bytes_in - calls, system.redis_bytes_in_per_s() / 2, 0.02)


class Order(ModelTest):
    def test_clients_that_move_to_processes_ahead_and_behind(self):
        rooms = dict.fromkeys(range(200), 10)
        service = Service(6, rooms, rooms, slow={0: 40, 1: 5})
        draw = service.random
        for _ in range(1_000):
            client, away_s = draw.choice(service.clients), draw.uniform(0, 0.02)
            service.clock.at(draw.uniform(0, 0.5), lambda c=client, s=away_s: self.move(service, c, s))
        self.play(service, System(2_000, 6, 6_000, equal_rooms(2_000, 10)), 0.5)
        self.assertGreater(service.replayed, 0)

    def move(self, service, client, away_s):
        if client in service.home[client].members[None]:
            service.move(client, away_s)


class Storms(ModelTest):
    def test_the_clients_of_a_dead_process(self):
        rooms = dict.fromkeys(range(400), 20)
        service = Service(8, rooms, rooms)
        system = System(8_000, 8, 2_000, equal_rooms(8_000, 20))
        service.clock.at(0.5, lambda: service.kill(service.processes[0], 0.25))
        system = self.play(service, system, 1.5)
        storm = Storm(system, 0.25)
        self.assertClose(service.replayed, storm.replayed(), 0.1)

    def test_time_until_all_are_current(self):
        rooms = dict.fromkeys(range(1_500), 20)
        service = Service(4, rooms, rooms)
        system = System(30_000, 4, 5_000, equal_rooms(30_000, 20))
        service.clock.at(0.1, lambda: service.kill(service.processes[0], 0.0))
        self.play(service, system, 0.4)
        current_s = max(process.current_s for process in service.processes) - 0.1
        self.assertClose(current_s, Storm(system, 0.0).seconds_until_current(0.001), 0.2)

    def test_histories_that_do_not_reach_back(self):
        p = Parameters(history_events=1_000)
        rooms = dict.fromkeys(range(100), 20)
        service = Service(4, rooms, rooms, parameters=p)
        system = System(2_000, 4, 20_000, equal_rooms(2_000, 20), parameters=p)
        service.clock.at(0.1, lambda: service.kill(service.processes[0], 0.2))
        system = self.play(service, system, 0.7)
        storm = Storm(system, 0.2)
        self.assertClose(service.redis.fetch_busy_ns / 1e9, storm.redis_s(), 0.2)
        looks = sum(process.looks for process in service.processes[1:])
        fetch_s = storm.fetch_s() - storm.fetched() * p.entry_ns / 1e9
        self.assertClose(looks * p.look_ns / 1e9, 3 * fetch_s, 0.2)


if __name__ == "__main__":
    unittest.main()
