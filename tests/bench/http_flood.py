#!/usr/bin/env python3
"""What pipelined HTTP of 1 and of 40 clients does to another client of the backend's only thread: how
long its pings take, an order's event, and how much memory the process needs.

    http_flood.py BACKEND [SECONDS]     prints a line NAME VALUE UNIT for each figure

Not here: floods of WebSocket clients."""
import http.client
import json
import multiprocessing
import pathlib
import resource
import selectors
import socket
import sys
import time

import measure

FLOODERS = (0, 1, 40)
ORDERS = 500
SECONDS = 10
PING_EVERY = 0.005
ORDER_EVERY = 100  # pings
LIST = b"GET /api/orders?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n"
HANDSHAKE = (b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
PING, PONG = b"\x89\x80\0\0\0\0", b"\x8a\x00"
ORDER = json.dumps({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]})


def flood(port, count, processor):
    """Asks for lists as fast as the sockets take it, and throws the answers away, until it is ended."""
    measure.prepare(processor)()
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port))
            client.setblocking(False)
            selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while True:
            for key, events in selector.select():
                try:
                    if events & selectors.EVENT_WRITE:
                        key.fileobj.send(LIST * 100)
                    if events & selectors.EVENT_READ:
                        key.fileobj.recv(1 << 20)
                except BlockingIOError:
                    pass


def place_orders(port, count):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(count):
        connection.request("POST", "/api/orders", ORDER, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 201:
            raise measure.Failed(f"an order was answered with {answer.status}")
    connection.close()


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as sizes:
        return int(sizes.read().split()[1]) * resource.getpagesize()


def await_bytes(client, wanted):
    """Reads until these bytes have come; what came before and after is thrown away."""
    came = b""
    while wanted not in came:
        came = came[-len(wanted):] + client.recv(1 << 16)


def p99(times):
    return sorted(times)[int(len(times) * 0.99)] * 1000


def watch(client, server, seconds):
    """Pings now and then, places an order now and then; the times of both, and the most memory."""
    pings, orders, memory = [], [], 0
    orderer = http.client.HTTPConnection("127.0.0.1", server.port)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        client.sendall(PING)
        await_bytes(client, PONG)
        pings.append(time.monotonic() - start)
        memory = max(memory, resident(server.process.pid))
        if len(pings) % ORDER_EVERY == 0:
            start = time.monotonic()
            orderer.request("POST", "/api/orders", ORDER, {"Content-Type": "application/json"})
            await_bytes(client, b'"order_created"')
            orders.append(time.monotonic() - start)
            orderer.getresponse().read()
        time.sleep(PING_EVERY)
    orderer.close()
    return pings, orders, memory


def run(backend, flooders, seconds):
    server_processor, load_processor = measure.processors(True)
    command = [backend, "--listen", "127.0.0.1:{port}", "--db", ":memory:", "--threads", "1",
               "--log-level", "error"]  # fmt: skip
    with measure.ServerProcess(command, server_processor) as server:
        place_orders(server.port, ORDERS)
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(HANDSHAKE)
        await_bytes(client, b'"welcome"')
        before = resident(server.process.pid)
        load = multiprocessing.Process(
            target=flood, args=(server.port, flooders, load_processor), daemon=True
        )
        if flooders:
            load.start()
        try:
            pings, orders, memory = watch(client, server, seconds)
        finally:
            if flooders:
                load.kill()
                load.join()
        client.close()
    print(f"http_flood_{flooders}_ping_p99 {p99(pings):.1f} ms (of {len(pings)}; the longest {max(pings) * 1000:.1f})")
    print(f"http_flood_{flooders}_order_p99 {p99(orders):.1f} ms (of {len(orders)})")
    print(f"http_flood_{flooders}_memory {(memory - before) / (1 << 20):.1f} MiB more", flush=True)


def main():
    measure.end_orderly_when_terminated()
    backend = pathlib.Path(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    for flooders in FLOODERS:
        run(backend, flooders, seconds)


if __name__ == "__main__":
    main()
