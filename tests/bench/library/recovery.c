/* recovery.c: all clients reconnect at once, as after a restart, and each receives what it missed
 * from the history. Not here: reading and writing their sockets. */
#include <stdio.h>
#include <time.h>

#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"
#include "support/counting_allocator.h"

enum { ID_SIZE = 64, IN_A_TURN = 100, BEFORE_AND_AFTER = 2 /* welcome and recovered */ };

static const size_t missed_events[] = {100, 1000, 10000};

static double cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* The answer to the handshake comes first, in a separate piece. */
static void count_messages(struct memory_host *host, struct memory_client *client,
                           const uint8_t *bytes, size_t length)
{
    if (bytes[0] != 'H')
        memory_host_count_events(host, client, bytes, length);
}

/* The id of the last event that the clients saw, which they send as `after`. */
static void see_one(struct memory_host *host, char query[ID_SIZE])
{
    ws_event *event;

    require_ok(
        ws_event_new(host->manager, "order_created", SAMPLE_ORDER, SAMPLE_ORDER_LENGTH, &event),
        "an event");
    require_ok(ws_manager_broadcast(host->manager, event, NULL, 0), "a broadcast");
    snprintf(query, ID_SIZE, "&after=%s", ws_event_id(event));
    ws_event_free(event);
}

/* Connects all clients, and runs turns until all have caught up. */
static void come_back(struct memory_host *host, size_t missed)
{
    const uint64_t expected = (uint64_t)host->n_clients * missed;
    const uint64_t start = now_ns();
    const double cpu_before = cpu_ns();
    uint64_t before;

    memory_host_connect(host, 0, host->n_clients, IN_A_TURN);
    do { /* what is written makes room for more */
        before = host->n_events;
        memory_host_turn(host);
    } while (host->n_events > before);
    require(host->n_events == expected + host->n_clients * BEFORE_AND_AFTER,
            "everyone gets what it missed, once");
    print_figure((double)(now_ns() - start) / 1e6, "ms", "recovery_of_all_from_%zu", missed);
    print_figure((cpu_ns() - cpu_before) / (double)expected, "ns",
                 "recovery_cpu_of_event_for_client_from_%zu", missed);
}

static void measure(size_t n, size_t missed)
{
    struct counting_allocator counting;
    struct memory_host_options options;
    struct memory_host host;
    char query[ID_SIZE];
    size_t kept;

    counting_allocator_init(&counting);
    memory_host_options_init(&options);
    options.manager.allocator = &counting.allocator;
    options.manager.history_events = (uint32_t)missed;
    options.manager.history_bytes = 0;
    memory_host_open(&host, &options, n);
    host.on_output = count_messages;
    see_one(&host, query);
    host.more_query = query;
    for (size_t i = 0; i < missed; i++)
        memory_host_emit(&host);
    memory_host_turn(&host);
    kept = counting.bytes;
    print_figure((double)kept / (double)missed, "B", "history_of_event_of_%zu", missed);
    counting.most_bytes = 0;
    come_back(&host, missed);
    print_figure(((double)counting.most_bytes - (double)kept) / (double)n, "B",
                 "recovery_most_of_client_from_%zu", missed);
    memory_host_close(&host);
}

int main(int argc, char **argv)
{
    size_t n = count_argument(argc, argv, 10000);

    for (size_t i = 0; i < sizeof missed_events / sizeof *missed_events; i++)
        measure(n, missed_events[i]);
    return 0;
}
