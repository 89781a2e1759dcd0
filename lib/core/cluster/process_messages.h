/* process_messages.h: receives the messages of the application's other processes from the cluster's
 * stream. Not here: sending them (sending/send_to_processes.c). */
#ifndef WS_CORE_CLUSTER_PROCESS_MESSAGES_H
#define WS_CORE_CLUSTER_PROCESS_MESSAGES_H

#include "core/manager.h"

/* Hands a message of the stream to the application, unless this process sent it. The text is a
 * valid JSON object. The lock is not held. WS_ERR_INVALID: it lacks a member. WS_ERR_NO_MEMORY:
 * nothing was done. */
int process_message_carry_out(ws_manager *manager, const ws_cluster_event *event);

#endif
