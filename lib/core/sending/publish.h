/* publish.h: gives an event its position: at once, or through the stream of a cluster's
 * carrier. Not here: events that arrive from the carrier (cluster/deliver.c). */
#ifndef WS_CORE_SENDING_PUBLISH_H
#define WS_CORE_SENDING_PUBLISH_H

#include <ws_manager/event.h>

#include "core/sending/total_order.h"

struct publication {
    struct target target;
    ws_message *message; /* encoded, but without its id */
    int64_t time_ms;
    const char *producer; /* NULL: no sequence number */
    uint64_t sequence;
    ws_stored_callback *stored; /* the carrier's to notify; NULL: no notification */
    void *stored_data;
};

/* The callback that is notified when an event is stored. */
struct receipt {
    ws_stored_callback *stored;
    void *stored_data;
};

/* Sends the event, or hands it to the carrier. The caller keeps its reference of the message,
 * whose position is set if there is no carrier: then the caller calls `stored`. On an error no
 * recipient gets the event. */
int publish(ws_manager *manager, const struct publication *publication);

/* Hands a command for all processes to the carrier, which the manager must have: the JSON text
 * of an object whose first member is "order", its name. What a command does is in
 * cluster/process_commands.c. On an error no process gets it. */
int publish_process_command(ws_manager *manager, const char *text, size_t length);

/* The name of the command that brings a message of the application's (send_to_processes.c). */
#define PROCESS_MESSAGE_COMMAND "message"

#endif
