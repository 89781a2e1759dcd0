/* client_request.c: ws_manager_request(): asks one client. Not here: what waits for the responses
 * (clients/waiting.h, and of Socket.IO transport/engineio/acks.h). */
#include <string.h>

#include <ws_manager/requests.h>

#include "base/json_text.h"
#include "base/options.h"
#include "base/utf8.h"
#include "core/checks.h"
#include "core/sending/send.h"
#include "core/sending/socketio_emit.h"

void ws_request_init_size(ws_request *request, size_t size)
{
    const ws_request defaults = {.size = sizeof defaults, .timeout_ms = 30000};

    options_init(request, size, &defaults, sizeof defaults);
}

static int check(const ws_manager *manager, ws_request *request)
{
    if (!name_text_valid(request->method) || request->on_response == NULL ||
        request->timeout_ms < 1 || request->timeout_ms > WAITING_ACK_MAX_MS ||
        (request->data == NULL && request->length > 0))
        return WS_ERR_INVALID;
    if (request->data == NULL) {
        request->data = "null";
        request->length = 4;
    }
    if (request->length > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    return json_valid(request->data, request->length, JSON_MAX_DEPTH) ? WS_OK : WS_ERR_BAD_JSON;
}

/* Whether the connection can be asked, and whether it is a socket of Socket.IO. */
static int find(ws_manager *manager, ws_conn_id id, bool *is_socketio)
{
    const struct connection *connection;
    int result = WS_ERR_NOT_FOUND;

    manager_lock(manager);
    connection = connection_find(manager, id);
    if (connection != NULL) {
        *is_socketio = connection_space(connection) != NULL;
        result =
            connection->protocol == WS_PROTOCOL_JSON || *is_socketio ? WS_OK : WS_ERR_FORBIDDEN;
    }
    manager_unlock(manager);
    return result;
}

static int send_json(ws_manager *manager, ws_conn_id connection, const ws_request *request,
                     struct waiting_ack *ack)
{
    struct command command = {.kind = COMMAND_SEND, .ack = ack};
    struct buffer text;
    int result;

    buffer_init(&text, &manager->memory);
    buffer_add_text(&text, "{\"type\":\"request\",\"ref\":\"");
    buffer_add_number(&text, (uint64_t)ack->id);
    buffer_add_text(&text, "\",\"method\":");
    buffer_add_json_string(&text, request->method, strlen(request->method));
    buffer_add_text(&text, ",\"data\":");
    buffer_add(&text, request->data, request->length);
    buffer_add_text(&text, "}");
    command.message = manager_message(manager, &text);
    if (command.message == NULL)
        return WS_ERR_NO_MEMORY;
    command.message->frames.is_own = true;
    result = send_command(manager, connection, NULL, &command, true);
    if (result != WS_OK)
        ws_message_unref(command.message);
    return result;
}

static int send_socketio(ws_manager *manager, ws_conn_id connection, const ws_request *request,
                         struct waiting_ack *ack)
{
    ws_socketio_message message;
    struct buffer args;
    int result = WS_ERR_NO_MEMORY;

    buffer_init(&args, &manager->memory);
    buffer_add_text(&args, "[");
    buffer_add_json_string(&args, request->method, strlen(request->method));
    buffer_add_text(&args, ",");
    buffer_add(&args, request->data, request->length);
    buffer_add_text(&args, "]");
    ws_socketio_message_init(&message);
    message.name = "request";
    message.args = args.data;
    message.args_length = args.length;
    if (!args.failed)
        result = socketio_emit_waiting(manager, connection, &message, ack);
    buffer_free(&args);
    return result;
}

int ws_manager_request(ws_manager *manager, ws_conn_id connection, const ws_request *request)
{
    struct waiting_ack *ack;
    ws_request copy;
    bool is_socketio;
    int result;

    ws_request_init(&copy);
    if (manager == NULL || request == NULL || !options_copy(&copy, sizeof copy, request))
        return WS_ERR_INVALID;
    result = checks_call(manager, "a request was sent");
    if (result == WS_OK)
        result = check(manager, &copy);
    if (result == WS_OK)
        result = find(manager, connection, &is_socketio);
    if (result != WS_OK)
        return result;
    ack = waiting_ack_new(manager, connection, copy.timeout_ms);
    if (ack == NULL)
        return WS_ERR_NO_MEMORY;
    ack->on_response = copy.on_response;
    ack->user_data = copy.user_data;
    result = is_socketio ? send_socketio(manager, connection, &copy, ack)
                         : send_json(manager, connection, &copy, ack);
    if (result != WS_OK)
        memory_free(&manager->memory, ack);
    return result;
}
