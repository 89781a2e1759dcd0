/* mode_disconnects.c: all connections end at once, and the mode measures how long the server works
 * on it: until all descriptors are closed and the server uses no more CPU time. */
#include "clients.h"
#include "clock.h"
#include "measurement.h"
#include "modes.h"

#define POLL_NS (10 * NS_PER_MS)
#define QUIET_NS (300 * NS_PER_MS)
#define WORK_NS (1 * NS_PER_MS) /* CPU time between two polls; less is only a timer */
#define LIMIT_NS (60 * NS_PER_S)

/* Returns the time at which the server last worked, or 0 if it does not finish in time. */
static uint64_t wait_for_end(int server_pid, size_t files_before)
{
    uint64_t start_ns = now_ns();
    uint64_t worked_ns = start_ns;
    uint64_t cpu_ns = server_cpu_time(server_pid).total_ns;

    while (now_ns() - start_ns < LIMIT_NS) {
        struct timespec pause = {.tv_nsec = POLL_NS};
        uint64_t cpu_now_ns;

        nanosleep(&pause, NULL);
        cpu_now_ns = server_cpu_time(server_pid).total_ns;
        if (cpu_now_ns - cpu_ns >= WORK_NS)
            worked_ns = now_ns();
        else if (now_ns() - worked_ns >= QUIET_NS &&
                 server_open_files(server_pid) <= files_before)
            return worked_ns;
        cpu_ns = cpu_now_ns;
    }
    return 0;
}

int mode_disconnects(const struct options *options)
{
    size_t files_before = server_open_files(options->server_pid);
    struct measurement measurement;
    struct clients clients;
    uint64_t end_ns;
    int status = 1;

    if (!clients_init(&clients, options, options->connections))
        goto end;
    if (!clients_open_all(&clients))
        goto end;
    measurement_begin(&measurement, options->server_pid);
    for (size_t i = 0; i < clients.count; i++)
        client_close(&clients, &clients.all[i]);
    end_ns = wait_for_end(options->server_pid, files_before);
    measurement_end(&measurement);
    if (end_ns == 0)
        goto end;
    print_figure("digested", (double)(end_ns - measurement.start_ns) / NS_PER_MS, "ms");
    measurement_print_cpu(&measurement, clients.count);
    status = 0;
end:
    clients_free(&clients);
    return status;
}
