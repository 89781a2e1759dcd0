/* calls.c: which functions a test has called. */
#include "support/calls.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 256 };

static const char *called[MOST];
static size_t n_called;

static bool was_called(const char *name)
{
    for (size_t i = 0; i < n_called; i++)
        if (strcmp(called[i], name) == 0)
            return true;
    return false;
}

void calls_note(const char *name)
{
    if (was_called(name))
        return;
    ck_assert_uint_lt(n_called, MOST);
    called[n_called++] = name;
}

void calls_expect_all(const char *version_script)
{
    FILE *file = fopen(version_script, "r");
    size_t n_named = 0;
    char line[256];
    char name[128];

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " %127[a-z_0-9];", name) != 1 || strchr(line, ';') == NULL)
            continue;
        n_named++;
        ck_assert_msg(was_called(name), "%s() was not called", name);
    }
    fclose(file);
    ck_assert_uint_eq(n_named, n_called);
}
