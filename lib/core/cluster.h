/* cluster.h: events that a cluster's carrier is asked for, for one client.
 * Not here: what is sent to it (publish.h), and what it delivers (cluster.c). */
#ifndef WS_CORE_CLUSTER_H
#define WS_CORE_CLUSTER_H

#include "core/connection.h"

/* An event that was fetched, whoever it is for; without a message if it could not be understood. */
struct fetched_event {
    ws_message *message;
    enum group_kind kind;
    char name[WS_NAME_MAX + 1];
};

/* What a carrier answered: in order, without a gap behind `after`, or nothing. */
struct fetched {
    uint64_t after;
    size_t count;
    struct fetched_event events[];
};

void fetched_free(const ws_manager *manager, struct fetched *fetched);

/* Asks for events behind a position, which COMMAND_FETCHED brings. False if they can't be had. */
bool cluster_fetch(const struct connection *connection, uint64_t after);

#endif
