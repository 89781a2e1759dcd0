/* recovery.c: many clients that come back at once, each of which missed the same events: how long until
 * all are current, and what that takes of the processor and of memory. Their handshakes are in it, so
 * the first figure is of clients that missed nothing. Not here: what keeping events costs an emit
 * (emit.c). */
#include <stdio.h>
#include <time.h>

#include "client_bytes.h"
#include "core/ids.h"
#include "core/manager.h"
#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"

enum { MOST_PIECES = 64, TURNS_BETWEEN_LOOKS = 16 };

struct result {
    double seconds;
    double cpu_seconds;
    double resident_mb; /* at most, beyond what was there before */
};

static void come_back(struct memory_host *host, size_t i)
{
    struct memory_client *client = &host->clients[i];
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET /ws?user_id=user-%zu&after=%s.0 HTTP/1.1\r\n"
                          "Host: server.example.com\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          i, host->manager->epoch);

    require_ok(ws_websocket_new(host->loop, host->endpoint, client, &client->websocket),
               "ws_websocket_new");
    require_ok(ws_websocket_receive(client->websocket, request, (size_t)length), "a handshake");
}

static void write_all(struct memory_host *host)
{
    struct iovec pieces[MOST_PIECES];
    ws_websocket *websocket;

    while ((websocket = ws_loop_next_output(host->loop)) != NULL) {
        size_t bytes = 0;

        for (int i = 0, n = ws_websocket_output(websocket, pieces, MOST_PIECES); i < n; i++)
            bytes += pieces[i].iov_len;
        ws_websocket_sent(websocket, bytes);
        host->n_bytes += bytes;
    }
}

/* As a host does it: a turn, then what is to be written. */
static struct result run_until_current(struct memory_host *host)
{
    size_t before = resident_bytes();
    size_t most = before;
    uint64_t start = now_ns();
    clock_t cpu_start = clock();
    bool more = true;

    for (size_t i = 0; i < host->n_clients; i++)
        come_back(host, i);
    for (size_t turn = 0; more; turn++) {
        more = ws_loop_run(host->loop, 0) == 0;
        if (turn % TURNS_BETWEEN_LOOKS == 0 && resident_bytes() > most)
            most = resident_bytes();
        write_all(host);
    }
    return (struct result){
        .seconds = (double)(now_ns() - start) / 1e9,
        .cpu_seconds = (double)(clock() - cpu_start) / CLOCKS_PER_SEC,
        .resident_mb = (double)(most - before) / 1e6,
    };
}

static void measure(size_t n_clients, size_t n_missed)
{
    struct memory_host_options options;
    struct memory_host host;
    struct result result;

    memory_host_options_init(&options);
    memory_host_open(&host, &options, n_clients);
    for (size_t i = 0; i < n_missed; i++)
        memory_host_emit(&host);
    result = run_until_current(&host);
    require(ws_manager_connection_count(host.manager) == n_clients &&
                host.n_bytes > n_clients * n_missed * SAMPLE_ORDER_LENGTH,
            "everyone gets what it missed");
    print_figure(result.seconds * 1e3, "ms", "recovery_of_%zu_clients_from_%zu_events",
                 n_clients, n_missed);
    print_figure(result.cpu_seconds * 1e3, "ms", "recovery_of_%zu_clients_from_%zu_events_cpu",
                 n_clients, n_missed);
    print_figure(result.resident_mb, "MB", "recovery_of_%zu_clients_from_%zu_events_memory",
                 n_clients, n_missed);
    memory_host_close(&host);
}

int main(int argc, char **argv)
{
    size_t n_clients = count_argument(argc, argv, 10000);

    measure(n_clients, 0);
    for (size_t n_missed = 100; n_missed <= 10000; n_missed *= 10)
        measure(n_clients, n_missed);
    return 0;
}
