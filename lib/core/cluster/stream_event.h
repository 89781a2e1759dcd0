/* stream_event.h: converts events of the stream between processes into messages. Their content
 * is untrusted: it comes from outside the process. Not here: their arrival and delivery
 * (cluster/deliver.c). */
#ifndef WS_CORE_CLUSTER_STREAM_EVENT_H
#define WS_CORE_CLUSTER_STREAM_EVENT_H

#include "core/manager.h"

/* Determines the kind of target; false if the target is not valid. */
bool cluster_event_kind(const ws_cluster_event *event, enum group_kind *kind);

/* Determines the kind of target; false if the target or the event's text is not valid. */
bool cluster_event_valid(const ws_cluster_event *event, enum group_kind *kind);

/* Makes the message of a valid event, which still lacks its id (see encode_finish()); NULL if
 * memory ran out. */
ws_message *cluster_event_message(const ws_manager *manager, const ws_cluster_event *event);

#endif
