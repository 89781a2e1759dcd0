/* reply_limit.h: a bound for the bytes of one reply, whatever it says of its length: hiredis keeps
 * what has come of a reply until all of it has, and makes room for as many elements as an array
 * announces. Not here: a bound in time (link.c). */
#ifndef WS_REDIS_REPLY_LIMIT_H
#define WS_REDIS_REPLY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

struct reply_limit {
    redisReplyObjectFunctions functions; /* hiredis' own, but for two */
    const redisReplyObjectFunctions *original;
    size_t max_bytes;
    size_t held; /* by the reply that has come in part */
    bool is_exceeded;
};

/* For a new connection's reader, which must not outlive it. */
void reply_limit_begin(struct reply_limit *limit, redisReader *reader);

/* A reply is complete: what is held from now on is the next one's. */
void reply_limit_next(struct reply_limit *limit);

/* Whether the reply that has come in part holds no more, the bytes not yet understood included. When
 * it does already before, hiredis ends the connection for want of memory. */
bool reply_limit_holds(struct reply_limit *limit, const redisReader *reader);

#endif
