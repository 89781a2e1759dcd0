"""What no host may do, whichever loop it runs on: spin while it waits. Functions for test cases.

Not here: starting a host."""
import resource
import socket
import time

HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
DESCRIPTORS = 40
SECONDS = 60  # generous: the build may be a slow, sanitized one on a busy machine


def few_descriptors():
    """For preexec_fn: limits the process's descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def spin(cpu_seconds):
    """Uses so much processor time, as fast as the machine's other work allows."""
    until = time.process_time() + cpu_seconds
    while time.process_time() < until:
        pass


def connect(port, receive_buffer=0):
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(SECONDS)
    client.connect(("127.0.0.1", port))
    return client


def opened(port, receive_buffer=0, target="/ws"):
    """A client after its handshake."""
    client = connect(port, receive_buffer)
    client.sendall(HANDSHAKE.replace(b"/ws", target.encode()))
    answer = client.recv(4096)
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise AssertionError(answer)
    return client


def ping(client):
    """Sends a masked ping, and waits for its pong after whatever else arrives."""
    client.sendall(b"\x89\x80\0\0\0\0")
    received = b""
    while b"\x8a\x00" not in received:
        part = client.recv(4096)
        if not part:
            raise AssertionError("the connection ended")
        received = received[-1:] + part


def assert_does_not_spin(case, pid, client):
    """Checks that the host does not spin, while the test itself uses half a second of processor time,
    and that this client, if there is one, is answered."""
    before = cpu_ticks(pid)
    for _ in range(20):
        if client:
            ping(client)
        spin(0.025)
    used = cpu_ticks(pid) - before
    case.assertLess(used, 15, "ticks of 10 ms, while one that spins had 50")


def check_no_descriptor_left(case, pid, port, target="/ws", has_pings=False):
    """The host was started with few_descriptors(). With `has_pings` it soon ends a client that does not
    answer its pings, as this one doesn't: only a new client is served then."""
    first = None if has_pings else opened(port, target=target)
    waiting = [connect(port) for _ in range(DESCRIPTORS + 20)]
    assert_does_not_spin(case, pid, first)
    for client in waiting:
        client.close()
    second = opened(port, target=target)
    if first:
        ping(second)
        first.close()
    second.close()


def fill(client):
    """Requests more than its socket can hold, until the host reads no more or has received enough
    requests."""
    ask = b'{"type":"ping","ref":"' + b"x" * 200 + b'"}'
    frame = b"\x81\xfe" + len(ask).to_bytes(2, "big") + b"\0\0\0\0" + ask
    client.settimeout(1)
    try:
        for _ in range(400):
            client.sendall(100 * frame)
    except TimeoutError:
        pass


def check_half_closed_client_that_does_not_read(case, pid, port):
    """The host can neither read from the client nor write to it until its close times out."""
    other = opened(port)
    client = opened(port, receive_buffer=4096)
    fill(client)
    client.shutdown(socket.SHUT_WR)
    assert_does_not_spin(case, pid, other)
    client.close()
    ping(other)
    other.close()
