/* check_abort.c: Check's assertions, which the unit tests' hosts and peers use, for a program that
 * is not a test: they abort. Replaces Check's library, which supports only test cases. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

void _mark_point(const char *file, int line)
{
    (void)file;
    (void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expression, const char *message,
                       ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: %s", file, line, expression);
    if (message != NULL) {
        fputs(": ", stderr);
        va_start(arguments, message);
        vfprintf(stderr, message, arguments);
        va_end(arguments);
    }
    fputs("\n", stderr);
    abort();
}
