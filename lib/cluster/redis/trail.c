/* trail.c: which events a process has read last. */
#include "cluster/redis/trail.h"

#include <stdlib.h>

void trail_begin(struct trail *trail, uint64_t position)
{
    trail->first = trail->end = position + 1;
}

void trail_add(struct trail *trail, const char *nonce)
{
    trail->nonces[trail->end % TRAIL_MAX] = strtoull(nonce, NULL, 10);
    trail->end++;
    if (trail->end - trail->first > TRAIL_MAX)
        trail->first++;
}

void trail_cut(struct trail *trail, uint64_t position)
{
    if (position + 1 < trail->end)
        trail->end = position + 1;
}

enum trail_found trail_find(const struct trail *trail, uint64_t position, const char *nonce)
{
    if (position >= trail->end)
        return TRAIL_BEHIND;
    if (position < trail->first)
        return TRAIL_BEFORE;
    return trail->nonces[position % TRAIL_MAX] == strtoull(nonce, NULL, 10) ? TRAIL_SAME
                                                                            : TRAIL_OTHER;
}
