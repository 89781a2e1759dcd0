/* streams.c: the cost of delivering an event to event streams, compared with WebSockets in the same
 * run: from the emit to the last byte taken, for everyone, one event or a burst at a time. Not
 * here: sockets, whose cost is the same for both. */
#include <stdio.h>
#include <stdlib.h>

#include "figures.h"
#include "memory_host.h"

enum { TURNS = 400, PIECES = 64, BURST = 16 };

static const ws_header plain_headers[] = {{"Host", "localhost"}};
static const ws_header gzip_headers[] = {{"Host", "localhost"}, {"Accept-Encoding", "gzip"}};

static uint64_t take_output(struct memory_host *host)
{
    uint64_t bytes = 0;
    ws_http *http;

    while ((http = ws_loop_next_http(host->loop)) != NULL) {
        struct iovec pieces[PIECES];
        int count = ws_http_output(http, pieces, PIECES);
        size_t length = 0;

        for (int i = 0; i < count; i++)
            length += pieces[i].iov_len;
        ws_http_sent(http, length);
        bytes += length;
    }
    return bytes;
}

static void turn(struct memory_host *host, bool has_streams)
{
    memory_host_turn(host);
    if (has_streams)
        host->n_bytes += take_output(host);
}

static void open_streams(struct memory_host *host, ws_http **streams, size_t count,
                         bool compressed)
{
    ws_http_request request;
    char target[64];

    ws_http_request_init(&request);
    request.method = "GET";
    request.target = target;
    request.headers = compressed ? gzip_headers : plain_headers;
    request.n_headers = compressed ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        snprintf(target, sizeof target, "/events?user_id=%zu", i);
        require_ok(ws_http_new(host->loop, host->endpoint, host, &request, &streams[i]),
                   "a stream");
        if (i % 256 == 255)
            turn(host, true);
    }
    turn(host, true);
    require(ws_http_id(streams[count - 1]) != 0, "the streams are open");
}

/* Nanoseconds of a turn with so many events, for hosts that take turns. */
static void measure(struct memory_host *hosts, size_t n_hosts, int events, double results_ns[])
{
    static double durations_ns[3][TURNS];

    for (size_t i = 0; i < TURNS; i++) {
        for (size_t j = 0; j < n_hosts; j++) {
            uint64_t start = now_ns();

            for (int k = 0; k < events; k++)
                memory_host_emit(&hosts[j]);
            turn(&hosts[j], j > 0);
            durations_ns[j][i] = (double)(now_ns() - start);
        }
    }
    for (size_t j = 0; j < n_hosts; j++)
        results_ns[j] = median(durations_ns[j], TURNS);
}

static void print(const double results_ns[], size_t count, int events)
{
    static const char *const names[] = {"websockets", "streams", "gzip_streams"};

    for (size_t j = 0; j < 3; j++)
        print_figure(results_ns[j] / (double)count / events, "ns",
                     "delivery_to_%s_%zu_burst_%d", names[j], count, events);
    print_figure(results_ns[1] / results_ns[0], "", "streams_to_websockets_%zu_burst_%d", count,
                 events);
}

int main(int argc, char **argv)
{
    size_t count = count_argument(argc, argv, 10000);
    ws_http **streams = allocate(2 * count, sizeof *streams);
    struct memory_host hosts[3];
    double results_ns[3];
    uint64_t before;

    for (size_t j = 0; j < 3; j++)
        memory_host_open(&hosts[j], NULL, j == 0 ? count : 1);
    memory_host_connect(&hosts[0], 0, count, 256);
    open_streams(&hosts[1], streams, count, false);
    open_streams(&hosts[2], streams + count, count, true);
    before = hosts[1].n_bytes;
    measure(hosts, 3, 1, results_ns);
    require(hosts[1].n_bytes > before + count * TURNS * 100, "every stream gets every event");
    print(results_ns, count, 1);
    measure(hosts, 3, BURST, results_ns);
    print(results_ns, count, BURST);
    for (size_t i = 0; i < 2 * count; i++)
        ws_http_free(streams[i]);
    free(streams);
    for (size_t j = 0; j < 3; j++)
        memory_host_close(&hosts[j]);
    return 0;
}
