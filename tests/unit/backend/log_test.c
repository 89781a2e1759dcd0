/* log_test.c: a log that nobody reads. Not here: what is logged (e2e). */
#include "log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

enum { N_LINES = 5000 }; /* more than a pipe takes */

/* Reads what is there; returns whether `text` is in it. */
static bool drain(int fd, const char *text)
{
    char bytes[65536 + 1];
    bool found = false;
    ssize_t count;

    while ((count = read(fd, bytes, sizeof bytes - 1)) > 0) {
        bytes[count] = '\0';
        found = found || strstr(bytes, text) != NULL;
    }
    return found;
}

/* Otherwise this waits for ever. */
START_TEST(a_full_pipe_is_not_waited_for)
{
    int former = dup(STDERR_FILENO);
    int ends[2];
    bool before;
    bool after;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < N_LINES; i++)
        log_line(WS_LOG_ERROR, "line %d of many", i);
    before = drain(ends[0], "were dropped");
    log_line(WS_LOG_ERROR, "the last");
    after = drain(ends[0], "lines were dropped");
    dup2(former, STDERR_FILENO);
    close(former);
    close(ends[0]);
    close(ends[1]);
    ck_assert(!before);
    ck_assert(after);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_full_pipe_is_not_waited_for, NULL};

    return suite_run("log", tests);
}
