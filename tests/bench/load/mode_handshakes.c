/* mode_handshakes.c: opens connections, waits for the answer, and closes them, as fast as possible.
 * They end with a reset, because a clean end keeps the port in TIME_WAIT for a minute. */
#include "clients.h"
#include "clock.h"
#include "measurement.h"
#include "modes.h"

enum { AT_A_TIME = 64 };

#define WARM_UP_NS (300 * NS_PER_MS)

static void begin_next(struct clients *clients, struct client *client)
{
    uint64_t *done = clients->mode;

    ++*done;
    client_reset(clients, client);
    client_connect(clients, client);
}

static void run_until(struct clients *clients, uint64_t end_ns)
{
    while (now_ns() < end_ns && clients->n_lost == 0)
        clients_turn(clients, 100 * NS_PER_MS);
}

int mode_handshakes(const struct options *options)
{
    struct measurement measurement;
    struct clients clients;
    uint64_t done = 0;
    int status = 1;

    if (!clients_init(&clients, options, AT_A_TIME))
        goto end;
    clients.on_open = begin_next;
    clients.mode = &done;
    for (size_t i = 0; i < AT_A_TIME; i++)
        client_connect(&clients, &clients.all[i]);
    run_until(&clients, now_ns() + WARM_UP_NS);
    done = 0;
    measurement_begin(&measurement, options->server_pid);
    run_until(&clients, now_ns() + (uint64_t)(options->seconds * (double)NS_PER_S));
    measurement_end(&measurement);
    print_figure("handshakes",
                 (double)done * (double)NS_PER_S / (double)measurement.duration_ns, "1/s");
    measurement_print_cpu(&measurement, done);
    status = clients.n_lost > 0 || done == 0;
end:
    clients_free(&clients);
    return status;
}
