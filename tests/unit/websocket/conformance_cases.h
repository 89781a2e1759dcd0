/* conformance_cases.h: reads the tables of tests/conformance, whose README.md defines their
 * grammar. Not here: running a case (conformance_test.c). */
#ifndef TEST_WEBSOCKET_CONFORMANCE_CASES_H
#define TEST_WEBSOCKET_CONFORMANCE_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "websocket/client.h"

enum { CASE_MAX_STEPS = 48, CASE_NAME_SIZE = 96, CASE_HEADER_SIZE = 512 };

struct step {
    bool is_sent;       /* else it is expected */
    unsigned opcode;    /* of an expected frame */
    struct bytes bytes; /* what is sent, or an expected frame's payload */
};

struct conformance_name {
    const char *table; /* its file */
    char name[CASE_NAME_SIZE];
};

struct conformance_case {
    char headers[CASE_HEADER_SIZE]; /* further headers of its request, "" or a whole line */
    char answer[CASE_HEADER_SIZE];  /* the extensions that are agreed on, "" or a whole line */
    int window_bits;                /* with which the client compresses */
    struct step steps[CASE_MAX_STEPS];
    size_t n_steps;
};

/* Appends the names of a table's cases to `names`, which already has `n`; returns the new number of
 * names. The other functions may only be called in a running test. */
size_t conformance_list(const char *table, struct conformance_name *names, size_t n,
                        size_t room);

void conformance_read(const struct conformance_name *name, struct conformance_case *to);
void conformance_free(struct conformance_case *of);

#endif
