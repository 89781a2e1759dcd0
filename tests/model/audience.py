"""The recipients of events: rooms, their sizes, and each room's share of the events.

Not here: the cost (formulas.py)."""
import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Rooms:
    """A number of rooms of equal size, and their share of all events."""

    count: float
    size: float
    share: float


class Audience:
    def __init__(self, classes):
        self.classes = classes

    def recipients(self):
        """The mean number of recipients of an event."""
        return sum(rooms.share * rooms.size for rooms in self.classes)

    def largest(self):
        return max(rooms.size for rooms in self.classes)

    def share_in_vain(self, processes):
        """The share of the entries that a process reads whose room has no member on that process.
        Clients choose their process at random."""
        return sum(
            rooms.share * math.exp(rooms.size * math.log1p(-1 / processes))
            for rooms in self.classes
        )

    def sends_per_s(self, events_per_s, turn_s):
        """The sends to all clients per second, if all events of a turn to a client are one send."""
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
    """Room number k has 1/k of the members and events of the first room. Each client is in one room.
    Neighbouring ranks are combined."""
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
