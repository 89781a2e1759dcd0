/* main.c: runs each case with inputs of three sizes, and has callgrind write the number of
 * instructions of each run. Without valgrind it only runs them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include "costs.h"

static const char *name_of_case;

void cost_fail(const char *problem)
{
    fprintf(stderr, "%s: %s\n", name_of_case, problem);
    exit(1);
}

static char *add(char *to, struct bytes bytes)
{
    memcpy(to, bytes.data, bytes.length);
    return to + bytes.length;
}

static char *make_input(const struct cost_case *of, size_t units, size_t *length)
{
    char *input;
    char *end;

    *length = of->head.length + units * of->unit.length + of->tail.length;
    input = malloc(*length + 1);
    if (input == NULL)
        cost_fail("out of memory");
    end = add(input, of->head);
    for (size_t i = 0; i < units; i++)
        end = add(end, of->unit);
    *add(end, of->tail) = '\0';
    return input;
}

/* 0: none. */
static unsigned limit_of(const char *name)
{
    const struct cost_limit *limit = cost_limits;

    while (limit->name != NULL && strcmp(limit->name, name) != 0)
        limit++;
    return limit->most;
}

static void measure(const struct cost_case *of, size_t units)
{
    size_t length;
    char *input = make_input(of, units, &length);
    char label[128];

    CALLGRIND_ZERO_STATS;
    of->parse(input, length);
    snprintf(label, sizeof label, "%zu %u %s", length, limit_of(of->name), of->name);
    CALLGRIND_DUMP_STATS_AT(label);
    free(input);
}

int main(void)
{
    for (const struct cost_case *of = cost_cases; of->name != NULL; of++) {
        size_t units = of->units > 0 ? of->units : COST_BYTES / of->unit.length;

        name_of_case = of->name;
        measure(of, 16 * units); /* one-time work, such as the allocator's, must not count */
        measure(of, units);
        measure(of, 4 * units);
        measure(of, 16 * units);
    }
    return 0;
}
