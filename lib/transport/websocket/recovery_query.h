/* recovery_query.h: what a client that comes back says in its request: ?after=ID&rooms=A,B and
 * &connection_id=FORMER. */
#ifndef WS_TRANSPORT_WEBSOCKET_RECOVERY_QUERY_H
#define WS_TRANSPORT_WEBSOCKET_RECOVERY_QUERY_H

#include <ws_manager/connection.h>

#include "base/memory.h"

struct recovery_query {
    const ws_allocator *memory;
    char *text;         /* what the options point to */
    const char **rooms; /* the same */
};

/* Sets these options. WS_ERR_INVALID for a parameter that is wrongly encoded; WS_ERR_NO_MEMORY.
 * recovery_query_free() is to be called in any case, when the options were used. */
int recovery_query_read(struct recovery_query *said, const ws_allocator *memory,
                        const char *query, ws_connect_options *options);

void recovery_query_free(struct recovery_query *said);

#endif
