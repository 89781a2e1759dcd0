/* presence.c: many clients connect and disconnect with presence events on. Each turn has 256 of the
 * disconnects, as in a host that serves a few hundred sockets per turn. Not here: the cost of a
 * connection without presence events (handshakes.c). */
#include "figures.h"
#include "memory_host.h"

enum { IN_A_TURN = 256 };

static void measure_coming(struct memory_host *host)
{
    uint64_t start = now_ns();

    memory_host_connect(host, 0, host->n_clients, IN_A_TURN);
    print_figure((double)(now_ns() - start) / 1e9, "s", "presence_all_come");
}

static void measure_going(struct memory_host *host)
{
    uint64_t start = now_ns();

    host->on_output = memory_host_count_events;
    for (size_t i = 0; i < host->n_clients; i++) {
        memory_host_eof(host, i);
        if (i % IN_A_TURN == IN_A_TURN - 1)
            memory_host_turn(host);
    }
    memory_host_turn(host);
    print_figure((double)(now_ns() - start) / 1e9, "s", "presence_all_go");
    print_figure((double)host->n_events, "deliveries", "presence_all_go_told");
    require(ws_manager_connection_count(host->manager) == 0, "everyone has gone");
}

int main(int argc, char **argv)
{
    struct memory_host_options options;
    struct memory_host host;

    memory_host_options_init(&options);
    options.manager.presence_events = WS_PRESENCE_EVERYONE;
    memory_host_open(&host, &options, count_argument(argc, argv, 2000));
    print_figure((double)host.n_clients, "connections", "presence_connections");
    measure_coming(&host);
    measure_going(&host);
    memory_host_close(&host);
    return 0;
}
