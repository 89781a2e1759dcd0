/* presence.c: executes what clients request about presence. */
#include "core/clients/presence.h"

#include "core/clients/replies.h"
#include "core/connections/delivery.h"
#include "core/connections/doom.h"
#include "core/costs.h"
#include "core/presence/states.h"
#include "core/presence/watch.h"
#include "core/rooms/membership.h"

static const struct json_slice no_ref = {NULL, 0};

static void reply_with_failure(struct connection *connection, struct json_slice ref, int result)
{
    static const struct answer_problem too_many = {
        ANSWER_FAILED, "the server's limit of users in rooms with presence is reached"};
    static const struct answer_problem too_big = {ANSWER_BAD_REQUEST, "the state is too long"};
    static const struct answer_problem too_deep = {ANSWER_BAD_REQUEST,
                                                   "the state is nested too deep"};

    if (result == WS_ERR_LIMIT)
        reply_with_problem(connection, ref, too_many);
    else if (result == WS_ERR_TOO_BIG)
        reply_with_problem(connection, ref, too_big);
    else if (result == WS_ERR_BAD_JSON)
        reply_with_problem(connection, ref, too_deep);
    else
        reply_with_result(connection, ref, result);
}

static void reply_with_outcome(struct connection *connection, struct json_slice ref, int result)
{
    if (result != WS_OK)
        reply_with_failure(connection, ref, result);
    else if (ref.text != NULL)
        reply_with_data(connection, "ack", ref, NULL, 0, false);
}

int client_may_see(struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->authorize_presence == NULL || connection->state != CONNECTION_LIVE)
        return WS_ERR_FORBIDDEN;
    if (room != NULL && *room == '\0')
        room = NULL;
    return options->authorize_presence(manager, connection_view(connection, &view), room,
                                       options->user_data) == WS_OK
               ? WS_OK
               : WS_ERR_FORBIDDEN;
}

/* Makes the client one of the watchers, and delivers the list. */
static void watch(struct connection *connection, struct share *watchers, ws_message *list)
{
    int result = membership_watch(connection, watchers);

    if (result == WS_OK || result == WS_ERR_ALREADY)
        connection_deliver(connection, list);
    else if (result == WS_ERR_NO_MEMORY)
        connection_out_of_memory(connection);
}

void client_begin_watching(struct connection *connection, const char *room)
{
    struct share *watchers;
    ws_message *list;
    int result;

    if (connection->state != CONNECTION_LIVE)
        return;
    result = presence_begin_watching(connection, room, &watchers, &list);
    if (result != WS_OK) {
        reply_with_failure(connection, no_ref, result);
        return;
    }
    watch(connection, watchers, list);
    presence_end_beginning(connection, watchers, list);
}

void client_watch(struct connection *connection, struct share *watchers, ws_message *list)
{
    connection->awaits_room = false;
    /* The right may have been taken away since the client asked: a reauthorization in between does
     * not know the client as a watcher yet. */
    if (client_may_see(connection, watchers->group->name) == WS_OK &&
        connection->state == CONNECTION_LIVE)
        watch(connection, watchers, list);
}

uint32_t client_ask_presence(struct connection *connection,
                             const struct client_message *message)
{
    uint32_t cost = 0;
    int result = client_may_see(connection, message->room);

    if (result == WS_OK && connection->state == CONNECTION_LIVE)
        result = presence_answer(connection,
                                 message->room != NULL ? message->room : PRESENCE_SERVICE,
                                 message->ref, &cost);
    if (result != WS_OK)
        reply_with_failure(connection, message->ref, result);
    return cost;
}

void client_set_state(struct connection *connection, const struct client_message *message)
{
    int result = client_may_see(connection, message->room);

    if (result == WS_OK && connection->state == CONNECTION_LIVE)
        result = presence_set_state(connection,
                                    message->room != NULL ? message->room : PRESENCE_SERVICE,
                                    message->data, message->data_length);
    reply_with_outcome(connection, message->ref, result);
}

/* The list is posted, so that it is ordered with the changes before it. Nothing else from the
 * client is processed until then: it may be unwatch_presence. */
void client_watch_service(struct connection *connection, const struct client_message *message)
{
    static const struct answer_problem is_room = {
        ANSWER_BAD_REQUEST, "join a room with \"presence\":true to watch its presence"};
    int result;

    if (message->room != NULL) {
        reply_with_problem(connection, message->ref, is_room);
        return;
    }
    result = client_may_see(connection, NULL);
    if (result == WS_OK && connection->state == CONNECTION_LIVE)
        result = presence_watch(connection, PRESENCE_SERVICE);
    if (result == WS_OK)
        connection->awaits_room = true;
    reply_with_outcome(connection, message->ref, result);
}

void client_unwatch_service(struct connection *connection, const struct client_message *message)
{
    reply_with_outcome(connection, message->ref,
                       membership_unwatch(connection, PRESENCE_SERVICE));
}
