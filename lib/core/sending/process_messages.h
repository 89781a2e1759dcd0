/* process_messages.h: messages between the application's processes, through the cluster's
 * stream. */
#ifndef WS_CORE_SENDING_PROCESS_MESSAGES_H
#define WS_CORE_SENDING_PROCESS_MESSAGES_H

#include "core/manager.h"

/* The name of the command that brings such a message. */
#define PROCESS_MESSAGE_COMMAND "message"

/* Hands a message of the stream to the application, unless this process sent it. The text is a
 * valid JSON object. The lock is not held. WS_ERR_INVALID: it lacks a member. WS_ERR_NO_MEMORY:
 * nothing was done. */
int process_message_carry_out(ws_manager *manager, const ws_cluster_event *event);

#endif
