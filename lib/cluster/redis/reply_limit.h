/* reply_limit.h: limits the memory of one reply, whatever length it announces. Without it
 * hiredis would keep an endless reply in memory and allocate as many elements as an array
 * announces. Not here: the time limit for a reply (link.c). */
#ifndef WS_REDIS_REPLY_LIMIT_H
#define WS_REDIS_REPLY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

struct reply_limit {
    redisReplyObjectFunctions functions; /* hiredis' own, except createString and createArray */
    const redisReplyObjectFunctions *original;
    size_t max_bytes;
    size_t held; /* bytes of the unfinished reply */
    bool is_exceeded;
};

/* Sets up the limit for the reader of a new connection. `limit` must outlive the reader. */
void reply_limit_begin(struct reply_limit *limit, redisReader *reader);

/* A reply is complete: starts counting for the next one. */
void reply_limit_next(struct reply_limit *limit);

/* True if the unfinished reply is within the limit, including received bytes that were not
 * parsed yet. When a reply exceeds the limit during parsing, hiredis closes the connection as
 * if memory had run out. */
bool reply_limit_holds(struct reply_limit *limit, const redisReader *reader);

#endif
