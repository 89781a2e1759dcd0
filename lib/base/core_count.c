/* core_count.c: how many threads can run at once. */
#include "base/core_count.h"

#include <sched.h>

uint32_t core_count(uint32_t most)
{
    cpu_set_t cores;
    int count = 1;

    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        count = CPU_COUNT(&cores);
    if (count < 1)
        count = 1;
    return (uint32_t)count < most ? (uint32_t)count : most;
}
