/* mode_idle.c: the server's memory for each idle connection.
 * Not here: the kernel's memory for the sockets. */
#include "clients.h"
#include "clock.h"
#include "measurement.h"
#include "modes.h"

int mode_idle(const struct options *options)
{
    struct server_memory before = server_memory(options->server_pid);
    double count = (double)options->connections;
    struct server_memory after;
    struct clients clients;
    uint64_t end_ns;
    int status = 1;

    if (!clients_init(&clients, options, options->connections))
        goto end;
    if (!clients_open_all(&clients))
        goto end;
    end_ns = now_ns() + (uint64_t)(options->seconds * (double)NS_PER_S);
    while (now_ns() < end_ns)
        clients_turn(&clients, 100 * NS_PER_MS);
    after = server_memory(options->server_pid);
    print_figure("rss", ((double)after.rss_bytes - (double)before.rss_bytes) / count, "B");
    print_figure("pss", ((double)after.pss_bytes - (double)before.pss_bytes) / count, "B");
    status = clients.n_lost > 0;
end:
    clients_free(&clients);
    return status;
}
