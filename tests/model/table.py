"""The model's results as README.md shows them: the table, and the figures below it.

Not here: the formulas (formulas.py)."""
import dataclasses

from audience import equal_rooms, everyone, zipf_rooms
from formulas import Storm, System

PROCESSES = (4, 16, 64, 256)
AUDIENCES = (
    ("everyone", everyone),
    ("rooms by Zipf", lambda connections: zipf_rooms(connections, 10)),
    ("rooms of 10", lambda connections: equal_rooms(connections, 10)),
    ("one user", lambda connections: equal_rooms(connections, 1)),
)
CONNECTIONS = ((100_000, "100 k"), (1_000_000, "1 M"), (10_000_000, "10 M"))


def rate(events_per_s):
    """A rate with two significant digits."""
    if events_per_s < 1000:
        return f"{float(f'{events_per_s:.2g}'):,.0f}"
    return f"{float(f'{events_per_s:.2g}') / 1000:,.3g} k"


def cell(system):
    most = system.at_most()
    if most is None:
        return f"({system.longest_turn_s():.2g} s)"
    return f"{rate(most.events_per_s)} {most.limit()}"


def rows():
    head = ["connections", "events to", *(f"{n} processes" for n in PROCESSES)]
    yield head
    yield ["---"] * len(head)
    for connections, name in CONNECTIONS:
        for audience_name, audience in AUDIENCES:
            reached = audience(connections)
            yield [name, audience_name] + [
                cell(System(connections, n, 0, reached)) for n in PROCESSES
            ]


def table():
    return "".join(f"| {' | '.join(row)} |\n" for row in rows())


def figures():
    """The phrases with figures in the text below the table."""
    rooms = System(1_000_000, 64, 0, equal_rooms(1_000_000, 10))
    p = rooms.parameters
    most = rooms.at_most()
    everywhere = System(10_000_000, 16, 0, equal_rooms(10_000_000, 10))
    storm = Storm(System(1_000_000, 16, 10_000, equal_rooms(1_000_000, 10)), away_s=5)
    tls_storm = dataclasses.replace(storm, has_tls=True)
    compressed = System(1_000_000, 16, 0, everyone(1_000_000), is_compressed=True).at_most()
    plain = dataclasses.replace(compressed, is_compressed=False).at_most()
    return [
        f"{p.store_ns / 1000:.1f} µs of Redis' core to store and {p.read_ns / 1000:.2f} µs each time",
        f"{p.store_ns / p.read_ns:.0f} processes that read cost as much as storing",
        f"from {rooms.redis_round_s() * 1000:.1f} ms to {most.redis_round_s() * 1000:.1f} ms",
        f"for {rooms.audience.share_in_vain(64) * 100:.0f} %",
        f"{p.entry_ns / 1000:.1f} µs for each",
        f"{most.events_per_s * p.entry_ns / 1e7:.0f} % of its core",
        f"{compressed.events_per_s / plain.events_per_s:.1f} times as many",
        f"{p.utilisation / p.entry_ns * 1e6:.0f} k events a second",
        f"{16 * everywhere.process_bytes() / 1e9:.1f} GB",
        f"{16 * everywhere.process_bytes(has_tls=True) / 1e9:.0f} GB with TLS",
        f"{everywhere.redis_bytes() / 1e6:.0f} MB in Redis",
        f"{storm.clients():,.0f} clients",
        f"{storm.seconds_until_current():.2f} s ({tls_storm.seconds_until_current():.1f} s with TLS)",
        f"{storm.history_s():.0f} s at 10 k events/s",
        f"{storm.redis_s():.1f} s of Redis' core in all and {storm.fetch_s():.1f} s of each process",
        f"reaches back {storm.stream_s():.0f} s",
    ]
