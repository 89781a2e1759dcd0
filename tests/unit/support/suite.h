/* suite.h: running a file's test cases in this process, so that the sanitizers see all of it. Not
 * here: fixtures (host.h). */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <check.h>

/* Runs the tests in `tests`, up to the NULL; returns the exit status for main(). */
int suite_run(const char *name, const TTest *const *tests);

/* Runs a suite, for one that has fixtures or loops, and frees it; returns the exit status. */
int suite_run_all(Suite *suite);

#endif
