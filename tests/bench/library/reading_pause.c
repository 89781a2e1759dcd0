/* reading_pause.c: how long a broadcast keeps a host's loop from reading, which is the time of
 * ws_loop_run() and of taking its output. Not here: the cost of a delivery (idle.c). */
#include "figures.h"
#include "memory_host.h"

enum { BROADCASTS = 100, IN_A_TURN = 256 };

int main(int argc, char **argv)
{
    double durations_us[BROADCASTS];
    struct memory_host host;

    memory_host_open(&host, NULL, count_argument(argc, argv, 10000));
    memory_host_connect(&host, 0, host.n_clients, IN_A_TURN);
    for (size_t i = 0; i < BROADCASTS; i++) {
        uint64_t start;

        memory_host_emit(&host);
        start = now_ns();
        memory_host_turn(&host);
        durations_us[i] = (double)(now_ns() - start) / 1e3;
    }
    print_figure((double)host.n_clients, "connections", "reading_pause_connections");
    print_figure(median(durations_us, BROADCASTS), "us", "reading_pause_median");
    print_figure(durations_us[BROADCASTS - 1], "us", "reading_pause_longest");
    memory_host_close(&host);
    return 0;
}
