/* figures.h: measuring and printing, for every program here: clock, resident memory, one figure per
 * line. Not here: what is measured. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The monotonic clock. */
uint64_t now_ns(void);

/* The resident memory of the process. */
size_t resident_bytes(void);

/* Prints "NAME VALUE UNIT" and flushes it, so that a later crash loses no figure. */
void print_figure(double value, const char *unit, const char *name_format, ...)
    __attribute__((format(printf, 3, 4)));

/* The median of at least one value. Sorts the values. */
double median(double *values, size_t count);

/* The program's only argument, a number of at least 1, or its default. Exits on any other
 * argument. */
size_t count_argument(int argc, char **argv, size_t default_count);

/* Exits with a message if the condition is false: the figure of a failed run would be wrong. */
void require(bool holds, const char *what);

/* Exits with a message if a result of the library is not WS_OK. */
void require_ok(int result, const char *what);

/* Allocates zeroed memory that is already resident. Exits when memory runs out. */
void *allocate(size_t count, size_t size);

#endif
