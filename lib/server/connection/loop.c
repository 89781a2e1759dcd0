/* loop.c: wakes an event-loop thread.
 * Its turns are in loop_run.c. */
#include "server/connection/loop.h"

#include <unistd.h>

void loop_notify(struct loop *loop)
{
    uint64_t one = 1;

    /* write() fails only if the counter is full; then the loop wakes up anyway. */
    if (write(loop->wake, &one, sizeof one) < 0)
        return;
}
