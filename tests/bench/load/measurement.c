/* measurement.c: a period of time and the CPU time used in it.
 * Not here: what happened in that time, which the modes count. */
#include "measurement.h"

#include <stdio.h>

#include "clock.h"

static uint64_t own_cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return timespec_ns(&used);
}

void measurement_begin(struct measurement *measurement, int server_pid)
{
    *measurement = (struct measurement){
        .server_pid = server_pid,
        .start_ns = now_ns(),
        .own_cpu_ns = own_cpu_ns(),
        .server = server_cpu_time(server_pid),
    };
}

void measurement_end(struct measurement *measurement)
{
    struct cpu_time server = server_cpu_time(measurement->server_pid);

    measurement->duration_ns = now_ns() - measurement->start_ns;
    measurement->own_cpu_ns = own_cpu_ns() - measurement->own_cpu_ns;
    measurement->server.total_ns = server.total_ns - measurement->server.total_ns;
    measurement->server.user_ticks = server.user_ticks - measurement->server.user_ticks;
    measurement->server.system_ticks = server.system_ticks - measurement->server.system_ticks;
}

void measurement_print_cpu(const struct measurement *measurement, uint64_t count)
{
    double user = (double)measurement->server.user_ticks;
    double ticks = user + (double)measurement->server.system_ticks;
    double each_ns = count > 0 ? (double)measurement->server.total_ns / (double)count : 0;
    double duration_ns = (double)measurement->duration_ns;

    print_figure("load_busy", 100 * (double)measurement->own_cpu_ns / duration_ns, "%");
    if (measurement->server_pid == 0)
        return;
    print_figure("server_busy", 100 * (double)measurement->server.total_ns / duration_ns, "%");
    print_figure("cpu", each_ns, "ns");
    if (ticks > 0) {
        print_figure("cpu_user", each_ns * user / ticks, "ns");
        print_figure("cpu_system", each_ns * (1 - user / ticks), "ns");
    }
}

void print_figure(const char *name, double value, const char *unit)
{
    printf("%s %.10g %s\n", name, value, unit);
}
