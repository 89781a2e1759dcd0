/* each_failure.c: a process for each allocation that fails, and the expectations for all of them.
 * Not here: the allocator that fails (fault_memory.c). */
#include "faults/each_failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "faults/fault_memory.h"

enum outcome { NOTHING_FAILED = 0, SURVIVED = 1 };

void expect(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* Without the memory that OpenSSL keeps for this thread, such as its errors. */
static long blocks_that_live(void)
{
    OPENSSL_thread_stop();
    return fault_memory_blocks();
}

static enum outcome live_with_failure(void (*live)(void), void (*expect_whole_life)(void),
                                      long n, bool after)
{
    long blocks = blocks_that_live();
    bool failed;

    fault_memory_fail(n, after);
    live();
    failed = fault_memory_failed();
    fault_memory_fail(NEVER_FAIL, false);
    expect(blocks_that_live() == blocks, "memory has leaked");
    live();
    expect_whole_life();
    return failed ? SURVIVED : NOTHING_FAILED;
}

static enum outcome in_own_process(void (*live)(void), void (*expect_whole_life)(void), long n,
                                   bool after)
{
    int status;
    pid_t child = fork();

    expect(child >= 0, "fork() failed");
    if (child == 0)
        _exit(live_with_failure(live, expect_whole_life, n, after));
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) {
        fprintf(stderr, "allocation %ld, %s: died\n", n, after ? "and all after" : "once");
        exit(1);
    }
    return (enum outcome)WEXITSTATUS(status);
}

void fail_each_allocation(void (*live)(void), void (*expect_whole_life)(void))
{
    long n = 0;

    live();
    expect_whole_life();
    for (; in_own_process(live, expect_whole_life, n, false) == SURVIVED; n++)
        in_own_process(live, expect_whole_life, n, true);
    printf("each of %ld allocations failed, and all after it\n", n);
    expect(n > 20, "hardly anything was allocated");
}
