/* client_packets.c: processes the packets of a session's client. */
#include <string.h>

#include "base/digits.h"

#include "protocol/json/client_message.h"
#include "transport/engineio/acks.h"
#include "transport/engineio/attachments.h"
#include "transport/engineio/packet.h"
#include "transport/engineio/receipt.h"
#include "transport/engineio/session.h"
#include "transport/engineio/upgrade.h"

/* A packet, and the attachments that belong to it. */
struct arrival {
    struct socketio_packet packet;
    const ws_socketio_attachment *attachments;
    size_t bytes;
};

/* Acknowledgements that a search passes at the cost of a delivery. */
enum { ACKS_PER_UNIT = 64 };

static void end_with(struct engineio_verdict *verdict, uint16_t code, const char *text)
{
    *verdict = (struct engineio_verdict){code, text};
}

/* --- events ---------------------------------------------------------------------------------- */

/* The id of the acknowledgement as JSON, with which the core answers. */
static struct json_slice ref_of(int64_t ack_id, char digits[DECIMAL_MAX])
{
    char *end = digits + DECIMAL_MAX;
    char *first;

    if (ack_id == SOCKETIO_NO_ID)
        return (struct json_slice){NULL, 0};
    first = decimal_before(end, (uint64_t)ack_id);
    return (struct json_slice){first, (size_t)(end - first)};
}

enum { MOST_ARGUMENTS = 2 };

/* The first arguments of an event, behind its name; {NULL} for each that it does not have. */
static void read_arguments(struct json_slice data, struct json_slice arguments[MOST_ARGUMENTS])
{
    struct json_walk walk;
    struct json_slice name;
    bool more =
        json_elements_begin(&walk, data.text, data.length) && json_elements_next(&walk, &name);

    for (size_t i = 0; i < MOST_ARGUMENTS; i++) {
        more = more && json_elements_next(&walk, &arguments[i]);
        if (!more)
            arguments[i] = (struct json_slice){NULL, 0};
    }
}

/* Reads what a client wants of a room that it joins: {presence, state, last, since}; null or
 * nothing at all: nothing. */
static int read_wish(struct json_slice wish, struct client_message *message,
                     struct answer_problem *problem)
{
    static const char *const names[] = {"presence", "state", "last", "since"};
    struct json_slice values[4];
    int result;

    if (wish.text == NULL || *wish.text == 'n')
        return WS_OK;
    if (!json_members(wish.text, wish.length, names, values, 4)) {
        *problem = (struct answer_problem){ANSWER_BAD_REQUEST,
                                           "the second argument must be an object"};
        return WS_ERR_INVALID;
    }
    result = client_message_parse_presence(values[0], message, problem);
    if (result != WS_OK)
        return result;
    return client_message_parse_wish(values[1], values[2], values[3], message, problem);
}

/* Whether the event is a request that the library answers; *type is set then. */
static bool is_request(const struct engineio_session *session, struct json_slice name,
                       enum client_message_type *type)
{
    const ws_manager_options *options = &session->loop->manager->options;

    if (json_string_is(name, "join_room"))
        *type = CLIENT_JOIN_ROOM;
    else if (json_string_is(name, "leave_room"))
        *type = CLIENT_LEAVE_ROOM;
    else if (json_string_is(name, "authenticate") && options->authenticate != NULL)
        *type = CLIENT_AUTHENTICATE;
    else if (json_string_is(name, "presence") && options->authorize_presence != NULL)
        *type = CLIENT_PRESENCE;
    else if (json_string_is(name, "set_state") && options->authorize_presence != NULL)
        *type = CLIENT_SET_STATE;
    else if (json_string_is(name, "watch_presence") && options->authorize_presence != NULL)
        *type = CLIENT_WATCH_PRESENCE;
    else if (json_string_is(name, "unwatch_presence") && options->authorize_presence != NULL)
        *type = CLIENT_UNWATCH_PRESENCE;
    else
        return false;
    return true;
}

/* Whether the request is about the whole service. */
static bool is_for_all(enum client_message_type type, struct json_slice room)
{
    if (type == CLIENT_UNWATCH_PRESENCE)
        return true;
    return (type == CLIENT_PRESENCE || type == CLIENT_SET_STATE ||
            type == CLIENT_WATCH_PRESENCE) &&
           (room.text == NULL || *room.text == 'n');
}

static bool changes_rooms(enum client_message_type type)
{
    return type == CLIENT_JOIN_ROOM || type == CLIENT_LEAVE_ROOM;
}

static uint32_t request(struct engineio_socket *socket, enum client_message_type type,
                        struct json_slice ref,
                        const struct json_slice arguments[MOST_ARGUMENTS])
{
    static const struct answer_problem bad_room = {ANSWER_BAD_REQUEST,
                                                   "the argument must be the name of a room"};
    static const struct answer_problem bad_token = {ANSWER_BAD_REQUEST,
                                                    "the argument must be a token"};
    const ws_allocator *memory = engineio_session_memory(socket->session);
    bool is_room = type != CLIENT_AUTHENTICATE;
    struct client_message message = {
        .type = type,
        .ref = ref,
        .data = arguments[1].text != NULL ? arguments[1].text : "null",
        .data_length = arguments[1].text != NULL ? arguments[1].length : 4,
    };
    struct answer_problem problem;
    uint32_t cost = 0;
    char *text = NULL;

    if (is_for_all(type, arguments[0]))
        return transport_request(&socket->connection, &message);
    if (arguments[0].text != NULL && !json_string(memory, arguments[0], &text)) {
        transport_out_of_memory(&socket->connection);
        return 0;
    }
    message.room = is_room ? text : NULL;
    message.token = is_room ? NULL : text;
    if (text == NULL || (is_room && !ws_name_is_valid(text)))
        transport_refuse(&socket->connection, ref, is_room ? bad_room : bad_token);
    else if (type == CLIENT_JOIN_ROOM && read_wish(arguments[1], &message, &problem) != WS_OK)
        transport_refuse(&socket->connection, ref, problem);
    else if (!changes_rooms(type) || !engineio_receipt_await(socket, &message))
        cost = transport_request(&socket->connection, &message);
    memory_free(memory, text);
    return cost;
}

/* --- what the application takes with the handlers of all protocols --------------------------- */

/* Whether an event is for these handlers; *type is set then. Without on_event, `message` and
 * `request` are as in the JSON protocol. */
static bool has_handler(const struct engineio_session *session, const char *name,
                        enum client_message_type *type)
{
    const ws_loop *loop = session->loop;
    bool has_on_event = session->endpoint->socketio->options.on_event != NULL;

    if (!has_on_event && strcmp(name, "request") == 0)
        *type = CLIENT_REQUEST;
    else if (!has_on_event && strcmp(name, "message") == 0 &&
             loop->manager->options.accept_message != NULL)
        *type = CLIENT_MESSAGE;
    else
        return transport_has_handler(loop, name, type);
    return true;
}

/* The byte behind a value, a separator or the end of what it is in, is not read again. */
static void set_data(struct client_message *message, struct json_slice data)
{
    if (data.text == NULL)
        data = (struct json_slice){"null", 4};
    else
        ((char *)(uintptr_t)data.text)[data.length] = '\0';
    message->data = data.text;
    message->data_length = data.length;
}

/* The argument of a message: {room, data}. WS_ERR_INVALID with *problem, or WS_ERR_NO_MEMORY. */
static int read_message(const ws_allocator *memory, struct json_slice argument,
                        struct client_message *message, struct answer_problem *problem)
{
    static const char *const names[] = {"room", "data"};
    struct json_slice values[2];

    if (argument.text == NULL ||
        !json_members(argument.text, argument.length, names, values, 2)) {
        *problem = (struct answer_problem){
            ANSWER_BAD_REQUEST,
            "the argument must be an object with the members room and data"};
        return WS_ERR_INVALID;
    }
    if (values[0].text != NULL && !json_string(memory, values[0], &message->room))
        return WS_ERR_NO_MEMORY;
    if (values[0].text != NULL && (message->room == NULL || !ws_name_is_valid(message->room))) {
        *problem =
            (struct answer_problem){ANSWER_BAD_REQUEST, "\"room\" must be the name of a room"};
        return WS_ERR_INVALID;
    }
    set_data(message, values[1]);
    return WS_OK;
}

/* The arguments of `request`, a method and its data; the event of a method has the data alone. */
static int read_request(const ws_allocator *memory, const char *event,
                        const struct json_slice arguments[MOST_ARGUMENTS],
                        struct client_message *message, struct answer_problem *problem)
{
    bool names_method = strcmp(event, "request") == 0;

    if (!names_method)
        message->name = memory_copy_text(memory, event, strlen(event));
    else if (arguments[0].text != NULL && !json_string(memory, arguments[0], &message->name))
        return WS_ERR_NO_MEMORY;
    if (names_method && message->name == NULL) {
        *problem = (struct answer_problem){ANSWER_BAD_REQUEST,
                                           "the first argument must be the name of a method"};
        return WS_ERR_INVALID;
    }
    set_data(message, arguments[names_method ? 1 : 0]);
    return message->name != NULL ? WS_OK : WS_ERR_NO_MEMORY;
}

static int read_for_handler(const ws_allocator *memory, const struct arrival *arrival,
                            const char *event, struct client_message *message,
                            struct answer_problem *problem)
{
    struct json_slice arguments[MOST_ARGUMENTS];

    if (arrival->packet.n_attachments > 0) {
        *problem = (struct answer_problem){ANSWER_BAD_REQUEST,
                                           "this event cannot have binary arguments"};
        return WS_ERR_INVALID;
    }
    read_arguments(arrival->packet.data, arguments);
    if (message->type == CLIENT_REQUEST)
        return read_request(memory, event, arguments, message, problem);
    if (message->type == CLIENT_OWN) {
        message->name = memory_copy_text(memory, event, strlen(event));
        if (message->name == NULL)
            return WS_ERR_NO_MEMORY;
    }
    return read_message(memory, arguments[0], message, problem);
}

/* Returns the cost. The application may end the connection. */
static uint32_t call_handler(struct engineio_socket *socket, const struct arrival *arrival,
                             const char *event, enum client_message_type type,
                             struct json_slice ref)
{
    const ws_allocator *memory = engineio_session_memory(socket->session);
    struct client_message message = {.type = type, .ref = ref};
    struct answer_problem problem;
    uint32_t cost = 0;
    int result = read_for_handler(memory, arrival, event, &message, &problem);

    if (result == WS_OK)
        cost = transport_request(&socket->connection, &message);
    else if (result == WS_ERR_NO_MEMORY)
        transport_out_of_memory(&socket->connection);
    else
        transport_refuse(&socket->connection, ref, problem);
    client_message_free(memory, &message);
    return cost;
}

/* --- on_event -------------------------------------------------------------------------------- */

/* Decodes the name of an event: a string without U+0000, or a number. *text is NULL for another
 * one. False if memory ran out. */
static bool decode_name(const ws_allocator *memory, struct json_slice name, char **text)
{
    if (*name.text == '"')
        return json_string(memory, name, text);
    *text = memory_copy_text(memory, name.text, name.length);
    return *text != NULL;
}

/* Calls the application, which may end the connection and free its memory. */
static void notify(struct engineio_socket *socket, const struct arrival *arrival,
                   const char *name)
{
    struct engineio_session *session = socket->session;
    const ws_socketio_options *options = &session->endpoint->socketio->options;
    ws_manager *manager = session->loop->manager;
    char *args = (char *)(uintptr_t)arrival->packet.data.text;
    struct connection_view view;
    ws_socketio_event event = {
        .size = sizeof event,
        .name_space = socket->space_name,
        .name = name,
        .args = args,
        .attachments = arrival->attachments,
        .n_attachments = arrival->packet.n_attachments,
        .ack_id = arrival->packet.id,
    };

    event.args_length = socketio_event_args(args, arrival->packet.data.length);
    options->on_event(manager, connection_view(&socket->connection, &view), &event,
                      options->user_data);
}

static uint32_t handle_event(struct engineio_socket *socket, const struct arrival *arrival)
{
    static const struct answer_problem unknown = {ANSWER_UNKNOWN_TYPE,
                                                  "this server has no such event"};
    static const struct answer_problem bad_name = {
        ANSWER_BAD_REQUEST, "the name of the event must not contain U+0000"};
    struct engineio_session *session = socket->session;
    const ws_allocator *memory = engineio_session_memory(session);
    struct json_slice name = socketio_event_name(arrival->packet.data);
    struct json_slice arguments[MOST_ARGUMENTS];
    enum client_message_type type;
    char digits[DECIMAL_MAX];
    struct json_slice ref = ref_of(arrival->packet.id, digits);
    uint32_t cost = 0;
    char *text;

    if (!transport_admit(&socket->connection, arrival->bytes, ref))
        return 0;
    if (socket->space == 0 && is_request(session, name, &type)) {
        read_arguments(arrival->packet.data, arguments);
        return request(socket, type, ref, arguments);
    }
    if (!decode_name(memory, name, &text)) {
        transport_out_of_memory(&socket->connection);
        return 0;
    }
    if (text == NULL) {
        transport_refuse(&socket->connection, ref, bad_name);
    } else if (socket->space == 0 && has_handler(session, text, &type)) {
        cost = call_handler(socket, arrival, text, type, ref);
    } else if (session->endpoint->socketio->options.on_event == NULL) {
        transport_refuse(&socket->connection, ref, unknown);
    } else {
        notify(socket, arrival, text);
        cost = INPUT_COST_ACCEPT;
    }
    memory_free(memory, text);
    return cost;
}

/* Moves the arguments over the id before them, so that a NUL can follow. Returns them. */
static const char *terminate(struct json_slice data)
{
    char *text = (char *)(uintptr_t)data.text;

    memmove(text - 1, text, data.length);
    text[data.length - 1] = '\0';
    return text - 1;
}

/* An acknowledgement of nothing that the server waits for is ignored, as by servers of Socket.IO;
 * it may have come too late. */
static uint32_t handle_ack(struct engineio_socket *socket, const struct arrival *arrival)
{
    struct engineio_session *session = socket->session;
    uint32_t cost = session->work != NULL ? session->work->n_acks / ACKS_PER_UNIT : 0;
    struct waiting_ack *ack = acks_take(session, socket->space, arrival->packet.id);
    ws_socketio_ack_result result = {
        .result = WS_OK,
        .args_length = arrival->packet.data.length,
        .attachments = arrival->attachments,
        .n_attachments = arrival->packet.n_attachments,
    };

    if (ack == NULL) {
        transport_admit(&socket->connection, arrival->bytes, (struct json_slice){NULL, 0});
        return cost;
    }
    result.args = terminate(arrival->packet.data);
    transport_settle_ack(session->loop, ack, result);
    return cost + INPUT_COST_CALLBACK;
}

/* --- packets --------------------------------------------------------------------------------- */

static uint32_t handle_packet(struct engineio_session *session, const struct arrival *arrival,
                              struct engineio_verdict *verdict)
{
    uint8_t space = socketio_config_find(session->endpoint->socketio, arrival->packet.space);
    struct engineio_socket *socket = engineio_session_find(session, space);

    if (arrival->packet.type == SOCKETIO_CONNECT)
        return engineio_connect(session, &arrival->packet, verdict);
    if (socket == NULL) {
        /* A socket that the server has disconnected may still send for a moment. */
        if (session->state == SESSION_NEW || space == CONFIG_NO_SPACE)
            end_with(verdict, WS_CLOSE_PROTOCOL_ERROR, "the namespace is not connected");
        return 0;
    }
    if (socket->client_left || socket->connection.state != CONNECTION_LIVE)
        return 0;
    switch (arrival->packet.type) {
    case SOCKETIO_DISCONNECT:
        socket->client_left = true;
        transport_post_end(&socket->connection, WS_CLOSE_NORMAL, NULL, 0);
        break;
    case SOCKETIO_EVENT:
    case SOCKETIO_BINARY_EVENT:
        return handle_event(socket, arrival);
    case SOCKETIO_ACK:
    case SOCKETIO_BINARY_ACK:
        return handle_ack(socket, arrival);
    case SOCKETIO_CONNECT:
    case SOCKETIO_CONNECT_ERROR:
        break;
    }
    return 0;
}

/* Keeps a packet until its attachments have come. */
static void await_attachments(struct engineio_session *session,
                              const struct socketio_packet *packet, const char *text,
                              size_t length, struct engineio_verdict *verdict)
{
    struct session_work *work = NULL;

    /* Nothing is kept for a client that nobody has admitted. */
    if (session->state == SESSION_NEW) {
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR, "the namespace is not connected");
        return;
    }
    if (packet->n_attachments > session->endpoint->socketio->options.max_attachments) {
        end_with(verdict, WS_CLOSE_MESSAGE_TOO_BIG, "too many attachments");
        return;
    }
    work = engineio_session_work(session);
    if (work != NULL)
        work->attachments = attachments_new(session->loop, packet, text, length);
    if (work == NULL || work->attachments == NULL) {
        end_with(verdict, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        return;
    }
    work->attachments->unfinished.owner = session;
    work->attachments->unfinished.give_way = engineio_session_give_way;
    engineio_session_limit_unfinished(session, verdict);
}

static uint32_t receive_attachment(struct engineio_session *session, const char *data,
                                   size_t length, struct engineio_verdict *verdict)
{
    ws_loop *loop = session->loop;
    struct attachments *attachments = session->work != NULL ? session->work->attachments : NULL;
    struct arrival arrival;
    uint32_t cost;

    if (attachments == NULL) {
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR,
                 "a binary attachment arrived without a packet that announces it");
        return 0;
    }
    if (attachments->bytes + length > session->endpoint->options.max_message_bytes) {
        end_with(verdict, WS_CLOSE_MESSAGE_TOO_BIG, "the attachments are too large");
        return 0;
    }
    if (!attachments_add(loop, attachments, data, length)) {
        end_with(verdict, WS_CLOSE_INTERNAL_ERROR, "out of memory");
        return 0;
    }
    if (attachments->count < attachments->packet.n_attachments) {
        engineio_session_limit_unfinished(session, verdict);
        return 0;
    }
    attachments_complete(loop, attachments);
    session->work->attachments = NULL;
    engineio_session_trim(session);
    arrival = (struct arrival){attachments->packet, attachments->items, attachments->bytes};
    cost = handle_packet(session, &arrival, verdict);
    attachments_free(loop, attachments);
    return cost;
}

static uint32_t receive_packet(struct engineio_session *session, char *text, size_t length,
                               struct engineio_verdict *verdict)
{
    const ws_manager_options *options = &session->loop->manager->options;
    struct arrival arrival = {.bytes = length};
    const char *problem =
        socketio_packet_read(text, length, options->max_client_json_depth, &arrival.packet);
    uint32_t cost;

    if (problem == NULL && session->work != NULL && session->work->attachments != NULL)
        problem = "a packet arrived before all attachments of the previous packet";
    if (problem != NULL) {
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR, problem);
        return 0;
    }
    cost = arrival.packet.n_tokens / INPUT_TOKENS_PER_UNIT;
    if (arrival.packet.n_attachments == 0)
        return cost + handle_packet(session, &arrival, verdict);
    await_attachments(session, &arrival.packet, text, length, verdict);
    return cost;
}

static uint32_t receive_raw(struct engineio_session *session, char *data, size_t length,
                            bool is_text)
{
    if (session->sockets == NULL)
        return 0;
    return transport_received(&session->sockets->connection, data, length, is_text);
}

static uint32_t receive_text(struct engineio_session *session, char *data, size_t length,
                             struct engineio_verdict *verdict)
{
    struct engineio_packet packet;
    const char *problem = engineio_packet_read(data, length, &packet);

    if (problem != NULL) {
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR, problem);
        return 0;
    }
    switch (packet.type) {
    case ENGINEIO_MESSAGE:
        return session->is_raw ? receive_raw(session, packet.data, packet.length, true)
                               : receive_packet(session, packet.data, packet.length, verdict);
    case ENGINEIO_CLOSE:
        end_with(verdict, WS_CLOSE_NORMAL, "");
        break;
    case ENGINEIO_PONG: /* the carrier has noted that the client is alive */
    case ENGINEIO_NOOP:
        break;
    case ENGINEIO_OPEN:
    case ENGINEIO_PING:
    case ENGINEIO_UPGRADE:
        end_with(verdict, WS_CLOSE_PROTOCOL_ERROR,
                 "a client must not send a packet of this type");
        break;
    }
    return 0;
}

uint32_t engineio_session_received(struct engineio_session *session, char *data, size_t length,
                                   bool is_text, struct engineio_verdict *verdict)
{
    uint32_t cost = INPUT_COST_MESSAGE + (uint32_t)(length / INPUT_BYTES_PER_UNIT);

    *verdict = (struct engineio_verdict){.code = 0};
    if (session->state >= SESSION_ENDING)
        return cost;
    if (session->probe != PROBE_NONE)
        return engineio_probe_received(session, data, length, is_text, verdict);
    if (is_text)
        return cost + receive_text(session, data, length, verdict);
    return cost + (session->is_raw ? receive_raw(session, data, length, false)
                                   : receive_attachment(session, data, length, verdict));
}
