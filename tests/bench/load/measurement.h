/* measurement.h: a period of time with the CPU time that the server and this process used in it,
 * and the lines NAME VALUE UNIT that figures are printed in. */
#ifndef LOAD_MEASUREMENT_H
#define LOAD_MEASUREMENT_H

#include <stdint.h>

#include "server_process.h"

struct measurement {
    int server_pid;
    uint64_t start_ns;
    uint64_t duration_ns;
    uint64_t own_cpu_ns;
    struct cpu_time server;
};

void measurement_begin(struct measurement *measurement, int server_pid);

/* Ends the period: the struct then has what was used since its beginning. */
void measurement_end(struct measurement *measurement);

/* Prints the server's CPU time for each of `count` things, and how busy both processes were. */
void measurement_print_cpu(const struct measurement *measurement, uint64_t count);

void print_figure(const char *name, double value, const char *unit);

#endif
