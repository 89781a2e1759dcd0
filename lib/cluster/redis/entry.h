/* entry.h: an entry of the stream, as Redis gives it, read as an event. */
#ifndef WS_REDIS_ENTRY_H
#define WS_REDIS_ENTRY_H

#include <stddef.h>

#include <hiredis/hiredis.h>
#include <ws_manager/cluster.h>

/* The texts are those of the entry. One that makes no sense has text NULL, and position 0 if even
 * its id makes none. *nonce is the second half of its id. */
void entry_read(const redisReply *entry, ws_cluster_event *event, const char **nonce);

/* Bytes of an entry's texts. */
size_t entry_bytes(const redisReply *entry);

/* The element of an array, or NULL; and it is not the array's any more. */
redisReply *entry_take(redisReply *array, size_t at);

#endif
