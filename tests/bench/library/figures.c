/* figures.c: measuring and printing, for every program here.
 * Not here: what is measured. */
#include "figures.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <ws_manager/error.h>

uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    size_t pages = 0;

    require(file != NULL && fscanf(file, "%*s %zu", &pages) == 1, "reading /proc/self/statm");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void print_figure(double value, const char *unit, const char *name_format, ...)
{
    int decimals = value < 10 ? 3 : value < 1000 ? 1 : 0;
    va_list arguments;

    va_start(arguments, name_format);
    vprintf(name_format, arguments);
    va_end(arguments);
    printf(" %.*f %s\n", decimals, value, unit);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

size_t count_argument(int argc, char **argv, size_t default_count)
{
    char *end;
    unsigned long count;

    if (argc == 1)
        return default_count;
    errno = 0;
    count = strtoul(argv[1], &end, 10);
    if (argc == 2 && end != argv[1] && *end == '\0' && errno == 0 && count >= 1 &&
        count <= 1000000)
        return count;
    fprintf(stderr, "usage: %s [COUNT], from 1 to 1000000; default %zu\n", argv[0],
            default_count);
    exit(2);
}

void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

void require_ok(int result, const char *what)
{
    if (result == WS_OK)
        return;
    fprintf(stderr, "failed: %s: %s\n", what, ws_strerror(result));
    exit(1);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    require(memory != NULL, "allocating memory");
    /* calloc() alone is not enough: its pages become resident only when they are used. */
    for (size_t at = 0; at < count * size; at += 1024)
        ((volatile char *)memory)[at] = 0;
    return memory;
}
