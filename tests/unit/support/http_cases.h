/* http_cases.h: the cases of tests/http: requests as bytes, and their results. */
#ifndef SUPPORT_HTTP_CASES_H
#define SUPPORT_HTTP_CASES_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_CASE_BYTES = 32 * 1024, HTTP_CASE_NAME = 64 };

struct http_case {
    int status;   /* of the refusal; 0: the request is accepted */
    bool is_last; /* the connection ends after the answer */
    char name[HTTP_CASE_NAME];
    char bytes[HTTP_CASE_BYTES];
    size_t length;
    char body[HTTP_CASE_NAME];
    size_t body_length;
};

/* Reads a file of tests/http and calls `check` for each case, with `fields` inserted where the case
 * has a placeholder for them. Returns the number of cases. */
size_t http_cases_for_each(const char *file, const char *fields,
                           void (*check)(const struct http_case *of));

#endif
