/* slow.c: the cost of queueing events for clients that do not read.
 * Not here: closing a client whose queue is full, which the unit tests cover. */
#include "figures.h"
#include "memory_host.h"
#include "support/counting_allocator.h"

enum { N_EVENTS = 10000, IN_A_TURN = 100 };

static void queue_events(struct memory_host *host)
{
    for (size_t i = 0; i < N_EVENTS; i++) {
        memory_host_emit(host);
        if (i % IN_A_TURN == IN_A_TURN - 1)
            memory_host_turn(host);
    }
}

static void measure(struct memory_host *host, const struct counting_allocator *counting)
{
    double recipients = (double)host->n_clients * N_EVENTS;
    size_t bytes_before = counting->bytes;
    size_t resident_before = resident_bytes();
    uint64_t n_read = host->n_bytes;
    uint64_t start = now_ns();
    double duration_ns, bytes;

    queue_events(host);
    duration_ns = (double)(now_ns() - start);
    bytes = (double)(counting->bytes - bytes_before);
    require(host->n_bytes == n_read &&
                ws_manager_connection_count(host->manager) == host->n_clients,
            "every client is still there and has read nothing");
    print_figure((double)host->n_clients, "connections", "slow_connections");
    print_figure(N_EVENTS, "events", "slow_events");
    print_figure(bytes / 1e6, "MB", "slow_allocated");
    print_figure(((double)resident_bytes() - (double)resident_before) / 1e6, "MB",
                 "slow_resident");
    print_figure(bytes / recipients, "B", "slow_event_and_recipient");
    print_figure(duration_ns / recipients, "ns", "slow_queueing_of_event_for_recipient");
}

static void read_all(struct memory_host *host)
{
    double recipients = (double)host->n_clients * N_EVENTS;
    uint64_t start;

    for (size_t i = 0; i < host->n_clients; i++)
        host->clients[i].slow = false;
    host->on_output = memory_host_count_events;
    start = now_ns();
    for (size_t i = 0; i < host->n_clients; i++)
        memory_host_writable(host, i);
    memory_host_turn(host);
    require(host->n_events == (uint64_t)host->n_clients * N_EVENTS,
            "in the end every client gets every event");
    print_figure((double)(now_ns() - start) / recipients, "ns",
                 "slow_reading_of_event_by_recipient");
}

int main(int argc, char **argv)
{
    size_t n = count_argument(argc, argv, 1000);
    struct counting_allocator counting;
    struct memory_host_options options;
    struct memory_host host;

    counting_allocator_init(&counting);
    memory_host_options_init(&options);
    options.manager.allocator = &counting.allocator;
    options.endpoint.max_queue_bytes = UINT32_MAX;
    memory_host_open(&host, &options, n);
    memory_host_connect(&host, 0, n, n);
    for (size_t i = 0; i < n; i++)
        host.clients[i].slow = true;
    measure(&host, &counting);
    read_all(&host);
    memory_host_close(&host);
    return 0;
}
