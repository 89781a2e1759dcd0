/* clock.c: preloaded, a monotonic clock that goes as $TEST_CLOCK says while the file
 * $TEST_CLOCK_FILE is there. "still" stops it, so that no deadline passes, however long a loaded
 * machine takes. A number is how many milliseconds it gains each time it is read, so that a queue
 * which takes long can be had in a moment. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic long long ahead_ns;   /* of the kernel's clock */
static _Atomic long long stopped_ns; /* when it was stopped, by this clock; 0: it goes on */

static void change(const char *how, long long now_ns)
{
    long long running = 0;

    if (strcmp(how, "still") == 0) {
        atomic_compare_exchange_strong(&stopped_ns, &running, now_ns + atomic_load(&ahead_ns));
        atomic_store(&ahead_ns, atomic_load(&stopped_ns) - now_ns);
    } else {
        atomic_fetch_add(&ahead_ns, atoll(how) * 1000000);
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const char *how = getenv("TEST_CLOCK");
    const char *file = getenv("TEST_CLOCK_FILE");
    long result = syscall(SYS_clock_gettime, clock, now);
    long long now_ns;

    if (result != 0 || clock != CLOCK_MONOTONIC || how == NULL || file == NULL)
        return (int)result;
    now_ns = now->tv_sec * 1000000000LL + now->tv_nsec;
    if (access(file, F_OK) == 0)
        change(how, now_ns);
    now_ns += atomic_load(&ahead_ns);
    now->tv_sec = now_ns / 1000000000;
    now->tv_nsec = now_ns % 1000000000;
    return 0;
}
