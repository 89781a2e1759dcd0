/* event.h: ws_event, and the check that the data of every event passes once. */
#ifndef WS_CORE_SENDING_EVENT_H
#define WS_CORE_SENDING_EVENT_H

#include <ws_manager/emit.h>
#include <ws_manager/event.h>

#include "core/manager.h"

struct ws_event {
    ws_manager *manager; /* one reference */
    char *user_id;
    char *key;      /* NULL: none */
    char *producer; /* NULL: no sequence number */
    uint64_t sequence;
    ws_stored_callback *stored;
    void *stored_data;
    int64_t timestamp_ms;
    bool sent;
    char id[EVENT_ID_SIZE];
    size_t data_length;
    char *data; /* in the same block as the struct, as is the type */
    char type[];
};

/* Checks an event's data. Returns WS_OK, WS_ERR_INVALID (NULL), WS_ERR_TOO_BIG or
 * WS_ERR_BAD_JSON. */
int event_data_check(const ws_manager *manager, const char *data, size_t length);

#endif
