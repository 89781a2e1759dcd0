"""The scenarios: the load, which of its figures is the result, and what a row is compared with.

Not here: the servers (servers.py), starting and repeating (measure.py)."""
import dataclasses

PLAIN = '"%M %P"'
ORDER = (
    '{"id":%N,"client_id":%N,"client_name":"Client %N","status":"pending","total_cents":%N,"items":['
    '{"sku":"WIDGET-%N","quantity":3,"price_cents":%N},'
    '{"sku":"GADGET-%N","quantity":1,"price_cents":%N}],'
    '"created_at":"2026-11-24T22:00:00.%NZ","note":"%M"}'
)
LISTED_ORDER = ORDER.replace(',"note":"%M"', "")


def length(template):
    """The length of a message in bytes, with the marker and the numbers filled in."""
    return len(template.replace("%M", "x" * 23).replace("%N", "x" * 5))


def order_list(size):
    """A list of orders of about this many bytes."""
    count = round(size / (length(LISTED_ORDER) + 1))
    return '{"marker":"%M","orders":[' + ",".join([LISTED_ORDER] * count) + "]}"


@dataclasses.dataclass(frozen=True)
class Figure:
    """The figure of the load that is a row's result."""

    name: str
    unit: str
    more_is_better: bool = True


DELIVERIES = Figure("deliveries", "deliveries/s")


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    kind: str  # selects the server's command
    load: tuple
    figure: Figure = DELIVERIES
    body: str = PLAIN
    servers: tuple = ()  # empty: all
    is_steady: bool = False  # the result varies little, so one round is enough
    pinned: bool = True  # the server on one processor, the load on another
    paced_by: str = ""  # the scenario that finds the highest rate
    compared_with: str = ""  # the scenario whose floors the ratios refer to; empty: this one

    @property
    def reference(self):
        return self.compared_with or self.name


def fanout(connections, size, outstanding):
    return Scenario(
        f"fan-out {connections}x{size}x{outstanding}",
        "fanout",
        ("--connections", connections, "--bytes", size, "--outstanding", outstanding),
    )


def stream(name, load, figure=DELIVERIES):
    """Few clients, so that events make most of the cost. Runs with Redis and without."""
    return Scenario(f"stream {name}", "stream", ("--connections", 10, *load), figure, pinned=False)


def compression(name, body, outstanding):
    """Two scenarios with these messages: uncompressed and compressed."""
    load = ("--connections", 1000, "--outstanding", outstanding)
    return [
        Scenario(
            name, "fanout", load, body=body,
            servers=("floor-send", "floor-batch", "libwsmanager", "wslay", "ws"),
        ),
        Scenario(
            f"{name} deflate", "deflate", (*load, "--deflate"), body=body,
            servers=("libwsmanager", "ws"), compared_with=name,
        ),
    ]  # fmt: skip


def protocol(kind, reference, **how):
    """The scenario `reference` with clients that speak another protocol."""
    return dataclasses.replace(
        reference, name=f"{kind} {reference.name}", kind=kind, servers=("libwsmanager",),
        compared_with=reference.name, **how,
    )  # fmt: skip


PACED = ("--mode", "paced", "--rate", 1000)
ONE = fanout(1000, 128, 1)
HIGHEST = fanout(1000, 128, 64)
IDLE = Scenario(
    "idle 10000", "connections", ("--mode", "idle", "--connections", 10000),
    Figure("rss", "B/connection", more_is_better=False), is_steady=True,
)  # fmt: skip

SCENARIOS = [
    ONE,
    HIGHEST,
    fanout(100, 1024, 16),
    fanout(10000, 128, 1),
    Scenario(
        "two loops 1000x128x64", "two loops", HIGHEST.load,
        servers=("libwsmanager",), pinned=False, compared_with=HIGHEST.name,
    ),
    Scenario(
        "paced at 80 %", "fanout", ("--mode", "paced", "--connections", 1000),
        Figure("latency_p99", "us p99", more_is_better=False), paced_by=HIGHEST.name,
    ),
    Scenario("echo 100x128", "echo", ("--mode", "echo", "--connections", 100)),
    IDLE,
    Scenario(
        "handshakes", "connections", ("--mode", "handshakes"), Figure("handshakes", "handshakes/s"),
    ),
    Scenario(
        "disconnects 10000", "presence", ("--mode", "disconnects", "--connections", 10000),
        Figure("digested", "ms", more_is_better=False), servers=("libwsmanager",), is_steady=True,
    ),
    *(protocol("socketio", reference) for reference in (ONE, HIGHEST, IDLE)),
    *(protocol("sse", reference) for reference in (ONE, HIGHEST, IDLE)),
    Scenario(
        "polling 100x128x1", "polling", ("--connections", 100), servers=("libwsmanager", "socket.io")
    ),
    stream("one by one", ("--outstanding", 1)),
    stream("512 outstanding", ("--outstanding", 512)),
    stream("p50 at 1000/s", PACED, Figure("latency_p50", "us p50", more_is_better=False)),
    stream("p99 at 1000/s", PACED, Figure("latency_p99", "us p99", more_is_better=False)),
    *compression(f"orders of {length(ORDER)} B", ORDER, 64),
    *compression(f"lists of {length(order_list(4096))} B", order_list(4096), 16),
]  # fmt: skip
