"""The model's input: the measurements, the program that made each, and the assumptions.

Times are of one core of the machine in tests/bench/README.md. On another machine they all change by
about the same factor. Not here: the results (formulas.py)."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Parameters:
    # Measured by tests/bench/run, in the table of tests/bench/README.md.
    send_ns: float = 6_810  # for each client that a turn sends to, with 10,000 clients
    event_ns: float = 11  # for each further event to it in that turn: 82 - 4,550 / 64, of 295 B
    compress_ns: float = 8_600  # once in each process that has a member of the room
    compressed_event_ns: float = 62  # instead of event_ns: 133 - 4,550 / 64
    compressed_share: float = 0.67  # of the bytes
    handshake_ns: float = 25_000
    tls_handshake_ns: float = 325_000
    connection_bytes: int = 459  # idle, in the process, without the kernel's part of the socket
    tls_bytes: int = 14_400  # additional

    # Measured by tests/bench/library/emit (emit_to_empty_room_by_1_threads).
    emit_ns: float = 263

    # Measured by tests/model/measure, in several runs (storing took 2,540 to 3,040 ns, reading 246 to
    # 303): CPU time of Redis 7.0.15, over a Unix socket. The cost of a call is the part that does not
    # grow with the number of its events.
    store_call_ns: float = 12_000
    store_ns: float = 2_750
    read_call_ns: float = 7_300  # XREAD and HMGET
    read_ns: float = 270
    store_call_bytes: int = 176
    store_bytes: int = 412  # of an event of 300 bytes
    read_call_bytes: int = 67
    read_bytes: int = 393
    stream_bytes: int = 384  # of Redis' memory

    # Measured by hand, with one process of libwsmanager-redis that has no clients: from the socket to
    # the history, which is the whole cost if the room has no members.
    entry_ns: float = 1_100

    # Measured by hand, with 20,000 and 60,000 clients in one room each, all 157 pages behind the
    # history: the additional time for each client and page, compared with a history that reaches back.
    look_ns: float = 100

    # Assumed: an event in the history consists of its text, a frame head and bookkeeping. Sending an
    # event again costs as much as one more event in a turn. send_ns does not change with more than
    # 10,000 clients.
    history_bytes: int = 450
    frame_bytes: int = 304
    network_bytes_per_s: float = 1.25e9  # 10 Gbit/s for Redis, and for each process

    # Constants of the library.
    batch_events: int = 256  # in one call that stores
    page_events: int = 512  # in one answer to XREAD
    fetch_events: int = 256  # in a page, one XRANGE for all clients that reconnect
    history_events: int = 10_000
    stream_events: int = 100_000

    # The goals: no core and no network is busier than this, and every client is sent an event within
    # this time.
    utilisation: float = 0.8
    turn_s: float = 1.0
