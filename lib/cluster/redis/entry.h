/* entry.h: reads an entry of the Redis stream as an event.
 * Not here: asking Redis for entries (reader.c, load.c, fetches.c). */
#ifndef WS_REDIS_ENTRY_H
#define WS_REDIS_ENTRY_H

#include <stddef.h>

#include <hiredis/hiredis.h>
#include <ws_manager/cluster.h>

/* Fills in *event, whose texts point into the entry. If the entry is not valid, its text is
 * NULL, and its position is 0 if not even its id could be read. *nonce is the second half of
 * the id, behind the '-'. */
void entry_read(const redisReply *entry, ws_cluster_event *event, const char **nonce);

/* The total length of an entry's texts in bytes. */
size_t entry_bytes(const redisReply *entry);

/* Takes an element out of an array; the caller owns it then. NULL if there is none. */
redisReply *entry_take(redisReply *array, size_t at);

#endif
