/* requests.c: executes what clients request, and answers them. */
#include "core/clients/requests.h"
#include "core/connections/delivery.h"

#include <string.h>

#include "base/utf8.h"
#include "core/clients/input.h"
#include "core/clients/paces.h"
#include "core/inbox.h"
#include "core/recovery/recovery.h"
#include "core/rooms/membership.h"
#include "core/rooms/rooms.h"
#include "core/sending/send.h"
#include "protocol/json/client_message.h"

/* --- answers ------------------------------------------------------------------------------ */

void client_welcome(struct connection *connection, uint32_t ping_interval_ms)
{
    const ws_manager *manager = connection->loop->manager;
    const struct share *user = connection->user;
    char name[CONNECTION_NAME_SIZE];
    char id[EVENT_ID_SIZE];
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    connection_name_write(manager->process, connection->id, name);
    recovery_event_id(connection, id);
    buffer_init_with(&buffer, &manager->memory, text, sizeof text);
    answer_welcome(&buffer, name, user != NULL ? user->group->name : NULL, id,
                   ping_interval_ms);
    connection_deliver_text(connection, &buffer);
}

/* Completes an answer with an event id, posts it, and frees its buffer. A connection that
 * recovers is at another point of the order than its loop: it gets the answer at once, with its
 * own id. */
static void answer_up_to_id(struct connection *connection, struct buffer *buffer)
{
    char id[EVENT_ID_SIZE];
    int result = WS_ERR_NO_MEMORY;

    if (connection->recovering) {
        buffer_add(buffer, id, recovery_event_id(connection, id));
        buffer_add_text(buffer, ANSWER_AFTER_ID);
        connection_deliver_text(connection, buffer);
        return;
    }
    if (!buffer->failed)
        result = send_answer(connection, buffer->data, buffer->length, ANSWER_AFTER_ID);
    buffer_free(buffer);
    if (result != WS_OK)
        connection_out_of_memory(connection);
}

/* Answers with an event id; `type` is pong or authenticated. */
static void answer_with_id(struct connection *connection, const char *type,
                           struct json_slice ref)
{
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    answer_id(&buffer, type, ref.text, ref.length);
    answer_up_to_id(connection, &buffer);
}

/* Answers a join or leave at the point where the membership changes: every event up to the id
 * was delivered before, and a client that joined gets every event of the room after it. */
static void answer_with_room(struct connection *connection, const char *type,
                             struct json_slice ref, const char *room)
{
    char id[EVENT_ID_SIZE];
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    answer_room(&buffer, type, ref.text, ref.length, room);
    buffer_add(&buffer, id, recovery_event_id(connection, id));
    buffer_add_text(&buffer, ANSWER_AFTER_ID);
    connection_deliver_text(connection, &buffer);
}

/* Answers with an error, in order with the other answers. */
static void answer_with_problem(struct connection *connection, struct json_slice ref,
                                struct answer_problem problem)
{
    const ws_manager *manager = connection->loop->manager;
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;
    int result = WS_ERR_NO_MEMORY;

    counter_add(&connection->loop->counters, COUNTER_client_errors, 1);
    buffer_init_with(&buffer, &manager->memory, text, sizeof text);
    answer_error(&buffer, ref.text, ref.length, problem);
    if (connection->recovering) {
        connection_deliver_text(connection, &buffer);
        return;
    }
    if (!buffer.failed)
        result = send_answer(connection, buffer.data, buffer.length, NULL);
    buffer_free(&buffer);
    if (result != WS_OK)
        connection_out_of_memory(connection);
}

/* Answers with a request's result, unless it is WS_OK. If a callback has ended the connection,
 * nothing is sent. */
static void answer_with_result(struct connection *connection, struct json_slice ref, int result)
{
    static const struct answer_problem forbidden = {ANSWER_FORBIDDEN, "not allowed"};
    static const struct answer_problem not_member = {ANSWER_NOT_MEMBER,
                                                     "the connection is not in that room"};
    static const struct answer_problem too_many = {
        ANSWER_TOO_MANY_ROOMS, "the connection is in the maximum number of rooms"};
    static const struct answer_problem rejected = {ANSWER_BAD_REQUEST,
                                                   "the message was not accepted"};

    if (connection->state == CONNECTION_GONE)
        return;
    switch (result) {
    case WS_OK:
        break;
    case WS_ERR_FORBIDDEN:
        answer_with_problem(connection, ref, forbidden);
        break;
    case WS_ERR_NOT_MEMBER:
        answer_with_problem(connection, ref, not_member);
        break;
    case WS_ERR_TOO_MANY_ROOMS:
        counter_add(&connection->loop->counters, COUNTER_rooms_refused, 1);
        answer_with_problem(connection, ref, too_many);
        break;
    case WS_ERR_NO_MEMORY:
        connection_out_of_memory(connection);
        break;
    default:
        answer_with_problem(connection, ref, rejected);
        break;
    }
}

/* --- requests ----------------------------------------------------------------------------- */

static int authorize(struct connection *connection, const char *room)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->authorize_join == NULL)
        return WS_OK;
    return options->authorize_join(manager, connection_view(connection, &view), room,
                                   manager->options.user_data) == WS_OK
               ? WS_OK
               : WS_ERR_FORBIDDEN;
}

/* Adds the client to a room. The answer is sent before on_join is called, so that it precedes
 * what the application sends there. `is_quiet`: the client named the room when it reconnected,
 * so only a failure is answered. */
static void enter_room(struct connection *connection, struct share *share,
                       struct json_slice ref, bool is_quiet)
{
    const char *room = share->group->name;
    int result = membership_enter(connection, share);

    if (result != WS_OK && result != WS_ERR_ALREADY)
        answer_with_result(connection, ref, result);
    else if (!is_quiet)
        answer_with_room(connection, "room_joined", ref, room);
    room_joined(connection, room, result);
}

static void join_former_room(struct connection *connection, const char *room,
                             struct json_slice ref)
{
    struct share *share;
    int result = authorize(connection, room);

    if (connection->state != CONNECTION_LIVE)
        return;
    if (result != WS_OK) {
        answer_with_result(connection, ref, result);
        return;
    }
    share = room_pin(connection, room);
    if (share == NULL)
        connection_out_of_memory(connection);
    else
        enter_room(connection, share, ref, true);
    room_unpin(connection, share);
}

void client_join(struct connection *connection, const char *room)
{
    static const struct answer_problem bad_name = {ANSWER_BAD_REQUEST, "not a valid room name"};
    struct buffer quoted;

    if (connection->state != CONNECTION_LIVE)
        return;
    buffer_init(&quoted, &connection->loop->manager->memory);
    buffer_add_json_string_or_null(&quoted, room);
    if (quoted.failed)
        connection_out_of_memory(connection);
    else if (!name_text_valid(room))
        answer_with_problem(connection, (struct json_slice){quoted.data, quoted.length},
                            bad_name);
    else
        join_former_room(connection, room, (struct json_slice){quoted.data, quoted.length});
    buffer_free(&quoted);
}

static struct json_slice ref_of(const char *ref)
{
    return (struct json_slice){ref, ref != NULL ? strlen(ref) : 0};
}

/* Posts a client's join or leave, so that it is ordered with the events: the room's earlier
 * events are delivered by the old membership, the later ones by the new one. Nothing else from
 * the client is processed until then. */
static void request_room(struct connection *connection, enum command_kind kind,
                         const struct client_message *message)
{
    const ws_allocator *memory = &connection->loop->manager->memory;
    struct command command = {.kind = kind};

    if (message->ref.text != NULL)
        command.ref = memory_copy_text(memory, message->ref.text, message->ref.length);
    if ((message->ref.text != NULL && command.ref == NULL) ||
        send_own_command(connection, message->room, &command) != WS_OK) {
        memory_free(memory, command.ref);
        connection_out_of_memory(connection);
    } else {
        connection->awaits_room = true;
    }
}

static void request_join(struct connection *connection, const struct client_message *message)
{
    int result = authorize(connection, message->room);

    if (connection->state != CONNECTION_LIVE)
        return;
    if (result == WS_OK)
        request_room(connection, COMMAND_CLIENT_JOIN, message);
    else
        answer_with_result(connection, message->ref, result);
}

void client_enter_room(struct connection *connection, struct share *share, const char *ref)
{
    connection->awaits_room = false;
    if (connection->state == CONNECTION_LIVE)
        enter_room(connection, share, ref_of(ref), false);
}

void client_leave_room(struct connection *connection, struct share *share, const char *ref)
{
    const char *room = share->group->name;
    int result;

    connection->awaits_room = false;
    if (connection->state != CONNECTION_LIVE)
        return;
    result = membership_leave(connection, share);
    if (result == WS_OK)
        answer_with_room(connection, "room_left", ref_of(ref), room);
    else
        answer_with_result(connection, ref_of(ref), result);
    room_left(connection, room, result);
}

void client_reauthorize(struct connection *connection, uint32_t at)
{
    static const struct json_slice no_ref = {NULL, 0};
    struct share *share = rooms_at(&connection->rooms, at).share;
    const char *room = share->group->name;

    /* Pinned so that the name stays valid whatever the callbacks do. */
    room_pin_share(connection, share);
    if (authorize(connection, room) != WS_OK && connection->state == CONNECTION_LIVE) {
        int result = membership_leave(connection, share);

        if (result == WS_OK)
            answer_with_room(connection, "room_left", no_ref, room);
        room_left(connection, room, result);
    }
    room_unpin(connection, share);
}

static int handle_message(struct connection *connection, const struct client_message *message)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->accept_message == NULL)
        return WS_ERR_FORBIDDEN;
    return options->accept_message(manager, connection_view(connection, &view), message->room,
                                   message->data, message->data_length, options->user_data);
}

static void handle_authenticate(struct connection *connection,
                                const struct client_message *message)
{
    static const struct answer_problem unknown = {ANSWER_UNKNOWN_TYPE,
                                                  "this server does not use tokens"};
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;
    int result;

    if (options->authenticate == NULL) {
        answer_with_problem(connection, message->ref, unknown);
        return;
    }
    result = options->authenticate(manager, connection_view(connection, &view), message->token,
                                   options->user_data);
    if (result == WS_OK && connection->state != CONNECTION_GONE)
        answer_with_id(connection, "authenticated", message->ref);
    else
        answer_with_result(connection, message->ref, result);
}

static void handle_request(struct connection *connection, const struct client_message *message)
{
    switch (message->type) {
    case CLIENT_JOIN_ROOM:
        request_join(connection, message);
        break;
    case CLIENT_LEAVE_ROOM:
        request_room(connection, COMMAND_CLIENT_LEAVE, message);
        break;
    case CLIENT_PING:
        answer_with_id(connection, "pong", message->ref);
        break;
    case CLIENT_MESSAGE:
        answer_with_result(connection, message->ref, handle_message(connection, message));
        break;
    case CLIENT_AUTHENTICATE:
        handle_authenticate(connection, message);
        break;
    }
}

static uint32_t cost_of_request(const ws_manager_options *options,
                                const struct client_message *message)
{
    switch (message->type) {
    case CLIENT_JOIN_ROOM:
        return options->authorize_join != NULL ? INPUT_COST_CALLBACK : 0;
    case CLIENT_MESSAGE:
        return INPUT_COST_CALLBACK;
    case CLIENT_AUTHENTICATE:
        return options->authenticate != NULL ? INPUT_COST_TOKEN : 0;
    case CLIENT_LEAVE_ROOM:
    case CLIENT_PING:
        break;
    }
    return 0;
}

static uint32_t handle_json(struct connection *connection, char *text, size_t length)
{
    const ws_manager *manager = connection->loop->manager;
    struct client_message message;
    struct answer_problem problem;
    int result =
        client_message_parse(&manager->memory, text, length,
                             manager->options.max_client_json_depth, &message, &problem);
    uint32_t cost = 0;

    if (result == WS_OK) {
        cost = cost_of_request(&manager->options, &message);
        handle_request(connection, &message);
        client_message_free(&manager->memory, &message);
    } else if (result == WS_ERR_NO_MEMORY) {
        connection_out_of_memory(connection);
    } else {
        answer_with_problem(connection, message.ref, problem);
    }
    return cost;
}

/* Refuses a message that exceeds the rate limit. A client that continues to send too fast is
 * disconnected. */
static void refuse_pace(struct connection *connection, char *text, size_t length)
{
    static const struct answer_problem too_fast = {ANSWER_RATE_LIMITED, "too many messages"};
    const ws_manager *manager = connection->loop->manager;
    struct client_message message;
    struct answer_problem problem;

    counter_add(&connection->loop->counters, COUNTER_rate_limited, 1);
    if (connection->protocol == WS_PROTOCOL_RAW ||
        connection->refused >= manager->options.message_burst ||
        connection->refused == UINT16_MAX) {
        connection_doom(connection, DOOM_TOO_FAST);
        return;
    }
    connection->refused++;
    /* Parsed only for its ref, which the answer repeats. */
    if (client_message_parse(&manager->memory, text, length,
                             manager->options.max_client_json_depth, &message,
                             &problem) == WS_OK)
        client_message_free(&manager->memory, &message);
    answer_with_problem(connection, message.ref, too_fast);
}

uint32_t client_handle(struct connection *connection, char *data, size_t length, bool is_text)
{
    static const struct answer_problem binary = {ANSWER_BAD_REQUEST,
                                                 "binary messages are not supported"};
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    const ws_manager_options *options = &manager->options;
    uint32_t cost = INPUT_COST_MESSAGE + (uint32_t)(length / INPUT_BYTES_PER_UNIT);
    struct connection_view view;

    if (connection->state != CONNECTION_LIVE)
        return cost;
    counter_add(&loop->counters, COUNTER_received_messages, 1);
    counter_add(&loop->counters, COUNTER_received_bytes, length);
    if (!paces_take(connection)) {
        refuse_pace(connection, data, length);
        return cost;
    }
    connection->refused = 0;
    if (connection->protocol == WS_PROTOCOL_RAW) {
        if (options->on_raw == NULL)
            return cost;
        options->on_raw(manager, connection_view(connection, &view), data, length, is_text,
                        manager->options.user_data);
        return cost + INPUT_COST_CALLBACK;
    }
    if (is_text)
        return cost + handle_json(connection, data, length);
    answer_with_problem(connection, (struct json_slice){NULL, 0}, binary);
    return cost;
}
