/* socketio_emit.c: the public functions that send a packet to one socket of Socket.IO: an event, or
 * the acknowledgement of a client's event.
 * Not here: the manager's events, which the transport turns into packets once for all. */
#include "core/sending/socketio_emit.h"

#include <string.h>

#include "base/options.h"
#include "base/utf8.h"
#include "core/sending/send.h"
#include "protocol/socketio/packet.h"

enum { ATTACHMENTS_MAX = 255 };

/* What the application wants to send. */
struct emission {
    enum socketio_type type; /* SOCKETIO_EVENT or SOCKETIO_ACK */
    int64_t id;
    ws_socketio_message message;
    struct waiting_ack *ack; /* NULL: none is waited for; on an error the caller keeps it */
};

void ws_socketio_message_init_size(ws_socketio_message *message, size_t size)
{
    const ws_socketio_message empty = {.size = sizeof empty};

    options_init(message, size, &empty, sizeof empty);
}

/* Checks the arguments. White space before them is left out. */
static int check_args(ws_socketio_message *message)
{
    if (message->args == NULL) {
        message->args = "[]";
        message->args_length = 2;
    }
    if (!json_valid(message->args, message->args_length, JSON_MAX_DEPTH))
        return WS_ERR_BAD_JSON;
    for (; strchr(" \t\r\n", *message->args) != NULL; message->args++)
        message->args_length--;
    return *message->args == '[' ? WS_OK : WS_ERR_BAD_JSON;
}

static int check_attachments(const ws_socketio_message *message)
{
    size_t bytes = message->args_length;

    if (message->n_attachments > ATTACHMENTS_MAX ||
        (message->attachments == NULL && message->n_attachments > 0))
        return WS_ERR_INVALID;
    for (size_t i = 0; i < message->n_attachments; i++) {
        const ws_socketio_attachment *attachment = &message->attachments[i];

        if (attachment->data == NULL && attachment->length > 0)
            return WS_ERR_INVALID;
        if (attachment->length > MESSAGE_MAX_BYTES || bytes > MESSAGE_MAX_BYTES)
            return WS_ERR_TOO_BIG;
        bytes += attachment->length;
    }
    if (bytes > MESSAGE_MAX_BYTES)
        return WS_ERR_TOO_BIG;
    return message->n_attachments == 0 ||
                   socketio_placeholders_valid(message->args, message->args_length,
                                               (uint32_t)message->n_attachments)
               ? WS_OK
               : WS_ERR_INVALID;
}

/* Copies the name of the connection's namespace, which is not valid without the lock. */
static int find_space(ws_manager *manager, ws_conn_id id,
                      char space[SOCKETIO_NAMESPACE_MAX + 1])
{
    const struct connection *connection;
    const char *name = NULL;

    manager_lock(manager);
    connection = connection_find(manager, id);
    if (connection != NULL)
        name = connection_space(connection);
    if (name != NULL)
        strcpy(space, name);
    manager_unlock(manager);
    if (connection == NULL)
        return WS_ERR_NOT_FOUND;
    return name != NULL ? WS_OK : WS_ERR_FORBIDDEN;
}

/* Writes the packet as an Engine.IO message. */
static void write_packet(const struct emission *emission, const char *space,
                         struct buffer *buffer)
{
    enum socketio_type type = emission->type;
    const ws_socketio_message *message = &emission->message;
    const char *rest = message->args + 1; /* after the bracket */

    if (message->n_attachments > 0)
        type = type == SOCKETIO_EVENT ? SOCKETIO_BINARY_EVENT : SOCKETIO_BINARY_ACK;
    buffer_add_text(buffer, "4");
    socketio_packet_begin(buffer, type, (uint32_t)message->n_attachments, socketio_space(space),
                          emission->id);
    buffer_add_text(buffer, "[");
    if (message->name != NULL) {
        buffer_add_json_string(buffer, message->name, strlen(message->name));
        if (rest[strspn(rest, " \t\r\n")] != ']')
            buffer_add_text(buffer, ",");
    }
    buffer_add(buffer, rest, message->args_length - 1);
}

static ws_message *make_message(const ws_manager *manager, const struct emission *emission,
                                const char *space)
{
    const struct builtin_transport *websocket = manager_builtin(manager, TRANSPORT_WEBSOCKET);
    const ws_socketio_attachment *attachments = emission->message.attachments;
    size_t n_attachments = emission->message.n_attachments;
    struct buffer packet;
    ws_message *message = NULL;
    size_t bytes;

    buffer_init(&packet, &manager->memory);
    write_packet(emission, space, &packet);
    bytes = packet.length;
    for (size_t i = 0; i < n_attachments; i++)
        bytes += attachments[i].length;
    if (!packet.failed)
        message = message_new_packets(&manager->memory, bytes, 1 + n_attachments);
    if (message != NULL) {
        message_add_packet(message, websocket->framing, packet.data, packet.length, true);
        for (size_t i = 0; i < n_attachments; i++)
            message_add_packet(message, websocket->framing, attachments[i].data,
                               attachments[i].length, false);
        message->is_volatile = emission->message.flags & WS_SOCKETIO_VOLATILE;
    }
    buffer_free(&packet);
    return message;
}

static int send_emission(ws_manager *manager, ws_conn_id connection, struct emission *emission)
{
    char space[SOCKETIO_NAMESPACE_MAX + 1];
    struct command command = {.kind = COMMAND_SEND, .ack = emission->ack};
    int result = check_args(&emission->message);

    if (result == WS_OK)
        result = check_attachments(&emission->message);
    if (result == WS_OK)
        result = find_space(manager, connection, space);
    if (result != WS_OK)
        return result;
    command.message = make_message(manager, emission, space);
    if (command.message == NULL)
        return WS_ERR_NO_MEMORY;
    result = send_command(manager, connection, NULL, &command, true);
    if (result != WS_OK)
        ws_message_unref(command.message);
    return result;
}

/* Copies the caller's event. False if its name or a flag is not acceptable. */
static bool take_event(struct emission *emission, const ws_socketio_message *message)
{
    const char *name;

    *emission = (struct emission){.type = SOCKETIO_EVENT, .id = SOCKETIO_NO_ID};
    if (message == NULL || !options_copy(&emission->message, sizeof emission->message, message))
        return false;
    name = emission->message.name;
    return name != NULL && utf8_valid(name, strlen(name)) && !socketio_text_is_reserved(name) &&
           (emission->message.flags & ~(unsigned)WS_SOCKETIO_VOLATILE) == 0;
}

int ws_socketio_emit(ws_manager *manager, ws_conn_id connection,
                     const ws_socketio_message *message)
{
    struct emission emission;

    if (manager == NULL || !take_event(&emission, message))
        return WS_ERR_INVALID;
    return send_emission(manager, connection, &emission);
}

int socketio_emit_waiting(ws_manager *manager, ws_conn_id connection,
                          const ws_socketio_message *message, struct waiting_ack *ack)
{
    struct emission emission;

    if (!take_event(&emission, message))
        return WS_ERR_INVALID;
    emission.id = ack->id;
    emission.ack = ack;
    return send_emission(manager, connection, &emission);
}

int ws_socketio_emit_with_ack(ws_manager *manager, ws_conn_id connection,
                              const ws_socketio_message *message, uint32_t timeout_ms,
                              ws_socketio_ack_callback *on_ack, void *user_data)
{
    struct waiting_ack *ack;
    int result;

    if (manager == NULL || on_ack == NULL || timeout_ms < 1 || timeout_ms > WAITING_ACK_MAX_MS)
        return WS_ERR_INVALID;
    ack = waiting_ack_new(manager, connection, timeout_ms);
    if (ack == NULL)
        return WS_ERR_NO_MEMORY;
    ack->on_ack = on_ack;
    ack->user_data = user_data;
    result = socketio_emit_waiting(manager, connection, message, ack);
    if (result != WS_OK)
        memory_free(&manager->memory, ack);
    return result;
}

int ws_socketio_ack(ws_manager *manager, ws_conn_id connection, int64_t ack_id,
                    const ws_socketio_message *message)
{
    struct emission emission = {.type = SOCKETIO_ACK, .id = ack_id};

    if (manager == NULL || ack_id < 0 || ack_id > SOCKETIO_ID_MAX ||
        !options_copy(&emission.message, sizeof emission.message, message) ||
        emission.message.name != NULL || emission.message.flags != 0)
        return WS_ERR_INVALID;
    return send_emission(manager, connection, &emission);
}
