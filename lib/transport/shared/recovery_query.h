/* recovery_query.h: the parameters in the request of a client that recovers:
 * ?after=ID&rooms=A,B and &connection_id=FORMER; and what it wants of these rooms first: &state=1
 * and &last=N. */
#ifndef WS_TRANSPORT_SHARED_RECOVERY_QUERY_H
#define WS_TRANSPORT_SHARED_RECOVERY_QUERY_H

#include <ws_manager/connection.h>

#include "base/memory.h"

struct recovery_query {
    const ws_allocator *memory;
    char *text;   /* the strings of the options */
    char **rooms; /* the rooms of the options */
};

/* Sets these options from the query; a room that is named twice is entered once. WS_ERR_INVALID
 * for a parameter with wrong percent-encoding, WS_ERR_TOO_MANY_ROOMS for more than `max_rooms`
 * names, WS_ERR_NO_MEMORY. In any case the caller calls recovery_query_free() when it has used
 * the options. */
int recovery_query_read(struct recovery_query *said, const ws_allocator *memory,
                        const char *query, size_t max_rooms, ws_connect_options *options);

void recovery_query_free(struct recovery_query *said);

#endif
