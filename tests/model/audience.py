"""Whom events are for: rooms, their sizes, and how often each is spoken to.

Not here: what that costs (formulas.py)."""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Rooms:
    """So many rooms of the same size, and the share of all events that goes to these."""

    count: float
    size: float
    share: float


class Audience:
    def __init__(self, classes):
        self.classes = classes

    def recipients(self):
        """The mean of an event."""
        return sum(rooms.share * rooms.size for rooms in self.classes)

    def largest(self):
        return max(rooms.size for rooms in self.classes)

    def share_in_vain(self, processes):
        """Of the entries that a process reads, those of rooms that have no member there: clients choose
        their process by chance."""
        return sum(
            rooms.share * math.exp(rooms.size * math.log1p(-1 / processes))
            for rooms in self.classes
        )

    def sends_per_s(self, events_per_s, turn_s):
        """How often a client of all gets something, if what comes within a turn is one send."""
        total = 0.0
        for rooms in self.classes:
            rate = events_per_s * rooms.share / rooms.count
            total += rooms.count * rooms.size * -math.expm1(-rate * turn_s) / turn_s
        return total


def everyone(connections):
    return Audience([Rooms(1, connections, 1.0)])


def equal_rooms(connections, size):
    return Audience([Rooms(connections / size, size, 1.0)])


def zipf_rooms(connections, mean_size):
    """Room number k has 1/k of the first one's members and events. Each client is in one room. Ranks
    that are near each other are taken together."""
    n_rooms = max(1, connections // mean_size)
    ranks, first = [], 1
    while first <= n_rooms:
        last = min(n_rooms, max(first, int(first * 1.02)))
        # The mean of 1/k over these ranks.
        mean = math.log((last + 0.5) / (first - 0.5)) / (last - first + 1)
        ranks.append((last - first + 1, 1.0 if first == 1 == last else mean))
        first = last + 1
    total = sum(count * weight for count, weight in ranks)
    return Audience(
        [
            Rooms(count, connections * weight / total, count * weight / total)
            for count, weight in ranks
        ]
    )
