/* trail.h: which events a process has read last: the position and the nonce of each. After a
 * failover this shows how far the new master's stream is the same. Not here: what is done then
 * (load.c). */
#ifndef WS_REDIS_TRAIL_H
#define WS_REDIS_TRAIL_H

#include <stdint.h>

enum { TRAIL_MAX = 4096 };

struct trail {
    uint64_t first; /* the trail has the positions from `first` up to `end` - 1 */
    uint64_t end;
    uint64_t nonces[TRAIL_MAX]; /* a ring: that of a position is at its remainder */
};

enum trail_found {
    TRAIL_BEFORE, /* before the trail: not known */
    TRAIL_SAME,   /* the event was read */
    TRAIL_OTHER,  /* another event was read at its position */
    TRAIL_BEHIND  /* behind the trail: no event was read at its position */
};

/* Empties the trail; the next event follows `position`. */
void trail_begin(struct trail *trail, uint64_t position);

/* Adds the next event. */
void trail_add(struct trail *trail, const char *nonce);

/* Removes the events behind `position`, which must not be before the trail. */
void trail_cut(struct trail *trail, uint64_t position);

enum trail_found trail_find(const struct trail *trail, uint64_t position, const char *nonce);

#endif
