/* replies.c: sends a client the answers to what it sent. Not here: their JSON
 * (protocol/json/answer.h). */
#include "core/clients/replies.h"

#include "core/connections/delivery.h"
#include "core/connections/doom.h"
#include "core/recovery/recovery.h"
#include "core/sending/send.h"
#include "protocol/socketio/packet.h"

/* The secret part of the session's id; NULL if the client needs none. */
static const char *secret_of(const struct connection *connection)
{
    const struct builtin_transport *transport =
        manager_builtin(connection->loop->manager, connection->transport);

    return transport != NULL && transport->secret != NULL ? transport->secret(connection)
                                                          : NULL;
}

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
    answer_welcome(&buffer, name, secret_of(connection),
                   user != NULL ? user->group->name : NULL, id, ping_interval_ms);
    connection_deliver_id(connection, &buffer, recovery_position(connection));
}

/* Begin and end the text of an answer: a client of Socket.IO gets it in a packet, which has the
 * request's ref in the place of the answer's. */
static void begin_answer(const struct connection *connection, struct buffer *buffer,
                         const char *type, struct json_slice *ref)
{
    const char *space = connection_space(connection);

    if (space == NULL)
        return;
    socketio_answer_begin(buffer, space, type, *ref);
    *ref = (struct json_slice){NULL, 0};
}

static void end_answer(const struct connection *connection, struct buffer *buffer)
{
    if (connection_space(connection) != NULL)
        buffer_add_text(buffer, SOCKETIO_ANSWER_END);
}

/* What follows the event id at the end of an answer. */
static const char *after_id(const struct connection *connection)
{
    return connection_space(connection) != NULL ? ANSWER_AFTER_ID SOCKETIO_ANSWER_END
                                                : ANSWER_AFTER_ID;
}

/* Completes an answer with an event id, posts it, and frees its buffer. A connection that
 * is behind is at another point of the order than its loop: it gets the answer at once, with its
 * own id. */
static void answer_up_to_id(struct connection *connection, struct buffer *buffer)
{
    char id[EVENT_ID_SIZE];
    int result = WS_ERR_NO_MEMORY;

    if (connection_is_behind(connection)) {
        buffer_add(buffer, id, recovery_event_id(connection, id));
        buffer_add_text(buffer, after_id(connection));
        connection_deliver_id(connection, buffer, recovery_position(connection));
        return;
    }
    if (!buffer->failed)
        result = send_answer(connection, buffer->data, buffer->length, after_id(connection));
    buffer_free(buffer);
    if (result != WS_OK)
        connection_out_of_memory(connection);
}

/* Posts an answer without an event id, in order with the other answers, and frees its buffer. */
static void answer_without_id(struct connection *connection, struct buffer *buffer)
{
    int result = WS_ERR_NO_MEMORY;

    if (connection_is_behind(connection)) {
        connection_deliver_text(connection, buffer);
        return;
    }
    if (!buffer->failed)
        result = send_answer(connection, buffer->data, buffer->length, NULL);
    buffer_free(buffer);
    if (result != WS_OK)
        connection_out_of_memory(connection);
}

void reply_with_id(struct connection *connection, const char *type, struct json_slice ref)
{
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    begin_answer(connection, &buffer, type, &ref);
    answer_id(&buffer, type, ref.text, ref.length);
    answer_up_to_id(connection, &buffer);
}

void reply_with_room(struct connection *connection, const char *type, struct json_slice ref,
                     const char *room)
{
    reply_with_entry(connection, type, ref, room, NULL);
}

void reply_with_entry(struct connection *connection, const char *type, struct json_slice ref,
                      const char *room, const struct answer_entry *entry)
{
    char id[EVENT_ID_SIZE];
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    begin_answer(connection, &buffer, type, &ref);
    answer_room(&buffer, type, ref.text, ref.length, room, entry);
    buffer_add(&buffer, id, recovery_event_id(connection, id));
    buffer_add_text(&buffer, after_id(connection));
    connection_deliver_id(connection, &buffer, recovery_position(connection));
}

void reply_with_problem(struct connection *connection, struct json_slice ref,
                        struct answer_problem problem)
{
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    counter_add(&connection->loop->counters, COUNTER_client_errors, 1);
    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    begin_answer(connection, &buffer, "error", &ref);
    answer_error(&buffer, ref.text, ref.length, problem);
    end_answer(connection, &buffer);
    answer_without_id(connection, &buffer);
}

void reply_with_data(struct connection *connection, const char *type, struct json_slice ref,
                     const char *data, size_t length, bool is_due)
{
    char text[ANSWER_USUAL_BYTES];
    struct buffer buffer;

    buffer_init_with(&buffer, &connection->loop->manager->memory, text, sizeof text);
    begin_answer(connection, &buffer, type, &ref);
    answer_data(&buffer, type, ref.text, ref.length, data, length);
    end_answer(connection, &buffer);
    if (is_due)
        connection_deliver_text(connection, &buffer);
    else
        answer_without_id(connection, &buffer);
}

void reply_with_result(struct connection *connection, struct json_slice ref, int result)
{
    static const struct answer_problem forbidden = {
        ANSWER_FORBIDDEN, "the application does not allow this request"};
    static const struct answer_problem not_member = {ANSWER_NOT_MEMBER,
                                                     "the connection is not in that room"};
    static const struct answer_problem too_many = {
        ANSWER_TOO_MANY_ROOMS, "a limit of rooms is reached; leave a room or try again later"};
    static const struct answer_problem rejected = {ANSWER_BAD_REQUEST,
                                                   "the application rejected the message"};

    if (connection->state == CONNECTION_GONE)
        return;
    switch (result) {
    case WS_OK:
        break;
    case WS_ERR_FORBIDDEN:
        reply_with_problem(connection, ref, forbidden);
        break;
    case WS_ERR_NOT_MEMBER:
        reply_with_problem(connection, ref, not_member);
        break;
    case WS_ERR_TOO_MANY_ROOMS:
        counter_add(&connection->loop->counters, COUNTER_rooms_refused, 1);
        reply_with_problem(connection, ref, too_many);
        break;
    case WS_ERR_NO_MEMORY:
        connection_out_of_memory(connection);
        break;
    default:
        reply_with_problem(connection, ref, rejected);
        break;
    }
}
