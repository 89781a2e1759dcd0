/* recovery_query.h: what a client that comes back says in its request: ?after=ID&rooms=A,B and
 * &connection_id=FORMER. */
#ifndef WS_TRANSPORT_WEBSOCKET_RECOVERY_QUERY_H
#define WS_TRANSPORT_WEBSOCKET_RECOVERY_QUERY_H

#include <ws_manager/connection.h>

#include "base/memory.h"

struct recovery_query {
    const ws_allocator *memory;
    char *text;   /* what the options point to */
    char **rooms; /* the same */
};

/* Sets these options; a room that is named again is left out. WS_ERR_INVALID for a parameter that is
 * wrongly encoded, WS_ERR_TOO_MANY_ROOMS for a list of more than `max_rooms` names, WS_ERR_NO_MEMORY.
 * recovery_query_free() is to be called in any case, when the options were used. */
int recovery_query_read(struct recovery_query *said, const ws_allocator *memory,
                        const char *query, size_t max_rooms, ws_connect_options *options);

void recovery_query_free(struct recovery_query *said);

#endif
