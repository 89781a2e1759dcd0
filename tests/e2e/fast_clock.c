/* fast_clock.c: preloaded, a monotonic clock that runs ahead by $FAST_CLOCK_MS more each time it is
 * read, while the file $FAST_CLOCK is there: so a queue that takes long can be had in a moment. */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic long long ahead_ms;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *step = getenv("FAST_CLOCK_MS");
    const char *file = getenv("FAST_CLOCK");
    long result = syscall(SYS_clock_gettime, clock, now);
    long long ms;

    if (result != 0 || clock != CLOCK_MONOTONIC || step == NULL || file == NULL)
        return (int)result;
    if (access(file, F_OK) == 0)
        atomic_fetch_add(&ahead_ms, atoi(step));
    ms = atomic_load(&ahead_ms) + now->tv_nsec / 1000000;
    now->tv_sec += (time_t)(ms / 1000);
    now->tv_nsec = ms % 1000 * 1000000 + now->tv_nsec % 1000000;
    return 0;
}
