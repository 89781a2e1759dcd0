/* suite.h: running a file's test cases, in this process, so that the sanitizers see all of it.
 * Not here: fixtures (host.h). */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <check.h>

/* Runs the tests that `tests` lists, up to the NULL; what main() returns. */
int suite_run(const char *name, const TTest *const *tests);

#endif
