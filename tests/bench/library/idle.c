/* idle.c: the cost of many idle connections, each with a user and in two rooms of 100, and of an
 * event to all of them. Not here: clients that do not read (slow.c). */
#include <stdio.h>
#include <string.h>

#include "client_bytes.h"
#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"
#include "support/counting_allocator.h"

enum { MEMBERS = 100, IN_A_TURN = 256 };

/* One room has consecutive connections; the other has connections spread over all. */
static void join_two_rooms(struct memory_host *host, size_t client)
{
    size_t n_rooms = (host->n_clients + MEMBERS - 1) / MEMBERS;
    char text[CLIENT_TEXT_MAX];

    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"orders-%zu\"}",
             client / MEMBERS);
    memory_host_receive(host, client, text);
    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"stock-%zu\"}",
             client % n_rooms);
    memory_host_receive(host, client, text);
}

static void open_everyone(struct memory_host *host)
{
    memory_host_connect(host, 0, host->n_clients, IN_A_TURN);
    for (size_t i = 0; i < host->n_clients; i++) {
        join_two_rooms(host, i);
        if (i % IN_A_TURN == IN_A_TURN - 1)
            memory_host_turn(host);
    }
    memory_host_turn(host);
}

static void print_block_sizes(const struct counting_allocator *before,
                              const struct counting_allocator *after, double n)
{
    for (size_t i = 0; i < N_BLOCK_SIZES; i++) {
        double bytes = (double)after->bytes_by_size[i] - (double)before->bytes_by_size[i];

        if (bytes / n < 0.5)
            continue;
        if (i < N_BLOCK_SIZES - 1)
            print_figure(bytes / n, "B", "idle_connection_in_blocks_of_%zu_B", i * BLOCK_STEP);
        else
            print_figure(bytes / n, "B", "idle_connection_in_larger_blocks");
    }
}

static void measure_memory(struct memory_host *host, const struct counting_allocator *counting)
{
    struct counting_allocator counted_before = *counting;
    size_t resident_before = resident_bytes();
    double n = (double)host->n_clients;
    size_t resident;

    open_everyone(host);
    resident = resident_bytes();
    print_figure(n, "connections", "idle_connections");
    print_figure((double)(counting->bytes - counted_before.bytes) / n, "B",
                 "idle_connection_allocated");
    print_block_sizes(&counted_before, counting, n);
    print_figure(((double)resident - (double)resident_before) / n, "B",
                 "idle_connection_resident");
    print_figure((double)resident / 1e6, "MB", "idle_resident_in_all");
}

static void measure_broadcast(struct memory_host *host)
{
    uint64_t bytes_before = host->n_bytes;
    uint64_t start = now_ns();
    double duration_ns;

    memory_host_emit(host);
    memory_host_turn(host);
    duration_ns = (double)(now_ns() - start);
    require(host->n_bytes - bytes_before > host->n_clients * SAMPLE_ORDER_LENGTH,
            "everyone gets the broadcast");
    print_figure(duration_ns / 1e6, "ms", "idle_broadcast");
    print_figure(duration_ns / (double)host->n_clients, "ns", "idle_broadcast_delivery");
}

/* Checks that the frame's text is the emitted event, and counts it for each client. */
static void check_event(struct memory_host *host, struct memory_client *client,
                        const uint8_t *bytes, size_t length)
{
    static const char id[] = "{\"id\":\"";
    static const char event[] =
        "\",\"type\":\"order_created\",\"data\":" SAMPLE_ORDER ",\"timestamp\":\"";
    static const char end[] = "Z\",\"user_id\":null}";
    const char *text;
    size_t text_length;

    memory_host_count_events(host, client, bytes, length);
    require(server_text(bytes, length, &text, &text_length) == length, "one frame a piece");
    require(text_length > sizeof event + sizeof end && memcmp(text, id, sizeof id - 1) == 0,
            "an event begins with its id");
    require(memmem(text, text_length, event, sizeof event - 1) != NULL,
            "an event has its type and data");
    require(memcmp(text + text_length - (sizeof end - 1), end, sizeof end - 1) == 0,
            "an event ends as it should");
}

static void check_broadcast(struct memory_host *host)
{
    host->on_output = check_event;
    memory_host_emit(host);
    memory_host_turn(host);
    host->on_output = NULL;
    for (size_t i = 0; i < host->n_clients; i++)
        require(host->clients[i].n_events == 1, "every client gets an event exactly once");
    print_figure((double)host->n_events, "deliveries", "idle_broadcast_checked");
}

int main(int argc, char **argv)
{
    size_t n = count_argument(argc, argv, 10000);
    struct counting_allocator counting;
    struct memory_host_options options;
    struct memory_host host;

    counting_allocator_init(&counting);
    memory_host_options_init(&options);
    options.manager.allocator = &counting.allocator;
    memory_host_open(&host, &options, n);
    measure_memory(&host, &counting);
    measure_broadcast(&host);
    check_broadcast(&host);
    memory_host_close(&host);
    require(counting.bytes == 0, "everything is freed");
    return 0;
}
