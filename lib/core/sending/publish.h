/* publish.h: an event's way to its place in the order: at once, or by the stream that a cluster's
 * carrier keeps. Not here: what the carrier brings back (cluster/receive.c). */
#ifndef WS_CORE_SENDING_PUBLISH_H
#define WS_CORE_SENDING_PUBLISH_H

#include "core/sending/send.h"

struct publication {
    struct target target;
    ws_message *message; /* encoded, but for its id */
    int64_t time_ms;
    const char *producer; /* NULL: it has no number */
    uint64_t sequence;
    void (*stored)(int result, const char *id, void *user_data); /* NULL: nobody asks */
    void *stored_data;
};

/* Who is to be told that an event was stored. */
struct receipt {
    void (*stored)(int result, const char *id, void *user_data);
    void *stored_data;
};

/* The caller keeps its reference of the message, which has a position afterwards if it is known. On
 * an error nobody gets it. */
int publish(ws_manager *manager, const struct publication *publication);

#endif
