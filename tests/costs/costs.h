/* costs.h: parsers that an unauthenticated peer reaches, and inputs designed to make each of them
 * slow; and deliveries. count-instructions runs them and compares the costs. */
#ifndef COSTS_H
#define COSTS_H

#include <stddef.h>

struct bytes {
    const char *data;
    size_t length;
};

/* Version 14 of clang-format takes the braces for a block. */
/* clang-format off */
#define BYTES(literal) {literal, sizeof(literal) - 1}
/* clang-format on */

/* An input is `head`, many units, and `tail`; a NUL follows it. Texts that are not parsed to their
 * end cost nothing, so the parser must read a case as a whole. */
struct cost_case {
    const char *name;
    void (*parse)(const char *input, size_t length);
    struct bytes head;
    struct bytes unit;
    struct bytes tail;
    size_t units; /* in the smallest input; 0: COST_BYTES of them */
};

enum { COST_BYTES = 1024 };

/* The program's cases; the last one has no name. */
extern const struct cost_case cost_cases[];

/* The most instructions for a byte that a case may take, for what a peer can send millions of
 * per second. */
struct cost_limit {
    const char *name; /* of the case */
    unsigned most;
};

/* The program's limits; the last one has no name. */
extern const struct cost_limit cost_limits[];

/* Ends the program: the input was not parsed as the case requires. */
_Noreturn void cost_fail(const char *problem);

#endif
