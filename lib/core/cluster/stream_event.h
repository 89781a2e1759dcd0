/* stream_event.h: events of the stream between processes as messages. They come from outside of
 * the process. Not here: when they come, and what for (cluster/receive.c). */
#ifndef WS_CORE_CLUSTER_STREAM_EVENT_H
#define WS_CORE_CLUSTER_STREAM_EVENT_H

#include "core/manager.h"

/* Whom it is for; false if that makes no sense. */
bool cluster_event_kind(const ws_cluster_event *event, enum group_kind *kind);

/* The same, and its text is an event's. */
bool cluster_event_valid(const ws_cluster_event *event, enum group_kind *kind);

/* The message of a valid event, complete but for its id; NULL if memory ran out. */
ws_message *cluster_event_message(const ws_manager *manager, const ws_cluster_event *event);

#endif
