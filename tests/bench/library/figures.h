/* figures.h: what every program here measures and prints with: clock, resident memory, one figure
 * a line. Not here: what is measured. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The monotonic clock. */
uint64_t now_ns(void);

/* What the process holds of the machine's memory. */
size_t resident_bytes(void);

/* Prints "NAME VALUE UNIT", at once, so that a later crash takes no figure with it. */
void print_figure(double value, const char *unit, const char *name_format, ...)
    __attribute__((format(printf, 3, 4)));

/* Of at least one value; sorts them. */
double median(double *values, size_t count);

/* The program's only argument, a number from 1, or its default. Ends the program on anything
 * else. */
size_t count_argument(int argc, char **argv, size_t default_count);

/* Ends the program, with what went wrong: a figure of something that failed is worth nothing. */
void require(bool holds, const char *what);

/* The same for a result of the library's. */
void require_ok(int result, const char *what);

/* Memory that is there; zeros, and resident already. */
void *allocate(size_t count, size_t size);

#endif
