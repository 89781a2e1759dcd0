/* relay.c: --relay: clients' messages to rooms. */
#include "relay.h"

#include <stdlib.h>

/* A message whose event is on its way to the stream. */
struct receipt {
    ws_manager *manager;
    ws_answer answer;
};

/* An answer that cannot be given now is not given: the client receives a timeout, which says that
 * the message may have been carried out. */
static void on_stored(int result, const char *id, void *user_data)
{
    struct receipt *receipt = user_data;

    (void)id;
    if (result == WS_OK)
        ws_manager_answer(receipt->manager, receipt->answer, NULL, 0);
    else
        ws_manager_answer_error(receipt->manager, receipt->answer, "failed",
                                ws_strerror(result));
    free(receipt);
}

/* Without a cluster the message is answered before this returns, otherwise probably later. */
static int send_and_answer(ws_manager *manager, const char *room, ws_event *event,
                           ws_answer answer)
{
    struct receipt *receipt = malloc(sizeof *receipt);
    int result;

    if (receipt == NULL)
        return WS_ERR_NO_MEMORY;
    *receipt = (struct receipt){manager, answer};
    result = ws_event_set_stored_callback(event, on_stored, receipt);
    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, room, event, NULL, 0);
    if (result == WS_OK)
        return WS_DEFERRED;
    free(receipt);
    return result;
}

int relay_message(ws_manager *manager, const ws_connection_info *connection,
                  const ws_client_message *message, void *user_data)
{
    ws_event *event;
    int result;

    (void)user_data;
    if (message->room == NULL)
        return WS_ERR_INVALID;
    if (!ws_manager_is_member(manager, connection->id, message->room))
        return WS_ERR_NOT_MEMBER;
    result = ws_event_new(manager, "message", message->data, message->length, &event);
    if (result != WS_OK)
        return result;
    if (connection->user_id != NULL)
        result = ws_event_set_user_id(event, connection->user_id);
    if (result == WS_OK && message->answer.connection != 0)
        result = send_and_answer(manager, message->room, event, message->answer);
    else if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, message->room, event, NULL, 0);
    ws_event_free(event);
    return result;
}
