/* send.c: posts messages and commands for one connection. */
#include "core/sending/send.h"

#include <string.h>

#include <ws_manager/send.h>

#include "base/utf8.h"
#include "core/checks.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/sending/encode.h"

/* Whether this thread is in the callback of the connection's reauthorization. */
static bool is_being_asked(const struct connection *connection)
{
    const struct reauthorization *asked = &connection->loop->reauthorization;

    return loop_is_entered(connection->loop) && asked->is_asking &&
           asked->connection == connection->id;
}

/* The lock is held. */
static int post_about(struct posting *posting, struct connection *connection, const char *room,
                      struct command *command, bool limited)
{
    ws_manager *manager = posting->manager;
    ws_loop *loop = connection->loop;
    int result;

    manager_assert_locked(manager);
    if (command->kind == COMMAND_REAUTHORIZE && is_being_asked(connection)) {
        loop->reauthorization.again = true;
        return WS_OK;
    }
    result = loop_reserve(loop, limited);
    if (result != WS_OK)
        return result;
    if (room != NULL) {
        command->share = manager_pin_room(manager, room, loop);
        if (command->share == NULL)
            return WS_ERR_NO_MEMORY;
    }
    connection->pins++;
    command->connection = connection;
    /* Only the loop's thread may read a connection's rooms. */
    if (command->kind == COMMAND_REAUTHORIZE && loop_is_entered(loop))
        command->work = room_cost(manager) * connection->rooms.count;
    posting_push(posting, loop, command);
    return WS_OK;
}

int send_command(ws_manager *manager, ws_conn_id id, const char *room, struct command *command,
                 bool limited)
{
    struct posting posting;
    struct connection *connection;
    int result = WS_ERR_NOT_FOUND;

    posting_begin(&posting, manager);
    connection = connection_find(manager, id);
    if (connection != NULL)
        result = post_about(&posting, connection, room, command, limited);
    posting_end(&posting);
    return result;
}

int send_own_command(struct connection *connection, const char *room, struct command *command)
{
    struct posting posting;
    int result;

    if (connection->state == CONNECTION_NEW || connection->state == CONNECTION_GONE)
        return WS_ERR_CLOSED;
    posting_begin(&posting, connection->loop->manager);
    result = post_about(&posting, connection, room, command, false);
    posting_end(&posting);
    return result;
}

int send_own_command_if(struct connection *connection, const char *room,
                        struct command *command, uint64_t n_reauthorized, bool *is_stale)
{
    ws_manager *manager = connection->loop->manager;
    struct posting posting;
    int result = WS_OK;

    *is_stale = false;
    if (connection->state == CONNECTION_NEW || connection->state == CONNECTION_GONE)
        return WS_ERR_CLOSED;
    posting_begin(&posting, manager);
    *is_stale = atomic_load(&manager->n_reauthorized) != n_reauthorized;
    if (!*is_stale)
        result = post_about(&posting, connection, room, command, false);
    posting_end(&posting);
    return result;
}

int send_answer(struct connection *connection, const char *text, size_t length,
                const char *after_id)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    size_t after_length = after_id != NULL ? strlen(after_id) : 0;
    ws_message *message =
        message_new_answer(&manager->memory, length + EVENT_ID_SIZE + after_length);
    char id[EVENT_ID_SIZE];
    struct posting posting;
    int result;

    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    message_append(message, text, length);
    if (connection_space(connection) != NULL)
        message->form = MESSAGE_PACKET;
    posting_begin(&posting, manager);
    result = loop_reserve(loop, false);
    if (result == WS_OK) {
        if (after_id != NULL) {
            message_append(message, id, event_id_write(manager->epoch, manager->position, id));
            message_append(message, after_id, after_length);
            message->position = manager->position;
            message->has_id = true;
        }
        manager_frame(manager, message);
        connection->pins++;
        posting_push(&posting, loop,
                     &(struct command){
                         .kind = COMMAND_SEND, .connection = connection, .message = message});
    }
    posting_end(&posting);
    if (result != WS_OK)
        ws_message_unref(message);
    return result;
}

int send_message(ws_manager *manager, ws_conn_id id, ws_message *message)
{
    struct command command = {.kind = COMMAND_SEND, .message = message};
    int result;

    message->frames.is_own = true;
    result = send_command(manager, id, NULL, &command, true);

    if (result != WS_OK)
        ws_message_unref(message);
    return result;
}

static int send_raw(ws_manager *manager, ws_conn_id id, const void *data, size_t length,
                    bool is_text)
{
    ws_message *message;
    int result;

    if (manager == NULL || (data == NULL && length > 0))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a message was sent");
    if (result != WS_OK)
        return result;
    if (length > MESSAGE_MAX_BYTES)
        return WS_ERR_TOO_BIG;
    if (is_text && !utf8_valid(data, length))
        return WS_ERR_INVALID;
    message = message_new_copy(&manager->memory, data, length, is_text);
    if (message == NULL)
        return WS_ERR_NO_MEMORY;
    message->form = MESSAGE_RAW;
    manager_frame(manager, message);
    return send_message(manager, id, message);
}

int ws_manager_send_text(ws_manager *manager, ws_conn_id connection, const char *text,
                         size_t length)
{
    return send_raw(manager, connection, text, length, true);
}

int ws_manager_send_binary(ws_manager *manager, ws_conn_id connection, const void *data,
                           size_t length)
{
    return send_raw(manager, connection, data, length, false);
}
