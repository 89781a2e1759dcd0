/* each_failure.h: a run in which the n-th allocation of the whole process fails, for each n. Not
 * here: what each test does in its run. */
#ifndef FAULTS_EACH_FAILURE_H
#define FAULTS_EACH_FAILURE_H

#include <stdbool.h>

/* Aborts the process unless the condition holds. */
void expect(bool is_so, const char *what);

/* Runs `live` in a process of its own for each allocation that fails, alone and with all that
 * follow: nothing crashes or leaks, and the next life is as `expect_whole_life` has it. Before
 * that, a life without a failure: OpenSSL's own setup, at its first use in a process, crashes in
 * want of memory, and what libraries keep from then on is no leak. */
void fail_each_allocation(void (*live)(void), void (*expect_whole_life)(void));

#endif
