/* websocket.c: any bytes on sockets in any chunking, with frames masked on the way so that they are
 * parsed further, while callbacks do anything; the unit tests' client checks the output. Not here:
 * the recipients of an event (model.c). */
#include <string.h>

#include "fuzz/support/input.h"
#include "websocket/host.h"
#include "websocket/zlib_peer.h"

enum { N_PEERS = 6, MAX_ACTS = 200, MAX_NESTED = 4 };

static struct host host;
static struct fuzz_input input;
static bool answered[N_PEERS]; /* the head of the answer has been read */
static bool is_http[N_PEERS];  /* it was an HTTP error */
static unsigned nested;
static unsigned n_acts;

static void act(struct peer *peer);

static struct peer *some_peer(void)
{
    return &host.peers[input_below(&input, N_PEERS)];
}

/* --- the client's side ----------------------------------------------------------------------- */

static void feed(struct peer *peer, struct bytes *bytes)
{
    if (peer->websocket != NULL)
        peer_feed(peer, bytes->data, bytes->length, input_below(&input, N_CHUNKINGS));
    bytes_free(bytes);
}

static void open_peer(struct peer *peer)
{
    static const char *const headers[] = {
        "", "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n"};
    struct bytes bytes = {0};
    unsigned way = input_below(&input, 4);
    size_t number;

    if (peer->websocket != NULL)
        return;
    peer = host_peer(&host);
    number = (size_t)(peer - host.peers);
    answered[number] = is_http[number] = false;
    if (way == 3)
        return;
    client_request(&bytes, "/ws?user_id=ann&EIO=4&transport=websocket", headers[way]);
    feed(peer, &bytes);
}

static void send_frame(struct peer *peer)
{
    struct bytes bytes = {0};
    uint8_t first = input_byte(&input);
    struct text payload = input_bytes(&input);

    client_frame(&bytes, first, payload.bytes, payload.length);
    text_free(&payload);
    feed(peer, &bytes);
}

static void send_compressed(struct peer *peer)
{
    enum { ROOM = 8192 };
    static uint8_t packed[ROOM];
    struct bytes bytes = {0};
    struct text payload = input_bytes(&input);
    size_t length = zlib_deflate(15, 6, payload.bytes, payload.length, packed, ROOM);

    client_frame(&bytes, FIN | RSV1 | TEXT, packed, length);
    text_free(&payload);
    feed(peer, &bytes);
}

static void send_raw(struct peer *peer)
{
    struct bytes bytes = {0};
    struct text raw = input_bytes(&input);

    bytes_add(&bytes, raw.bytes, raw.length);
    text_free(&raw);
    feed(peer, &bytes);
}

/* --- the application's ----------------------------------------------------------------------- */

static void call_about(ws_conn_id id)
{
    static const char *const rooms[] = {"r", "s", ""};
    const char *room = rooms[input_below(&input, 3)];

    switch (input_below(&input, 6)) {
    case 0:
        ws_manager_join_room(host.manager, id, room);
        break;
    case 1:
        ws_manager_leave_room(host.manager, id, room);
        break;
    case 2:
        ws_manager_disconnect(host.manager, id, (uint16_t)(1000 + input_byte(&input)), "why");
        break;
    case 3:
        ws_manager_send_binary(host.manager, id, "\0\1", 2);
        break;
    case 4:
        ws_manager_is_member(host.manager, id, room);
        break;
    default:
        ws_manager_set_user_data(host.manager, id, NULL);
        break;
    }
}

/* The id of a connection that has ended names nothing; otherwise its peer would have to be kept. */
static void call_about_peer(struct peer *peer)
{
    if (peer->websocket != NULL)
        call_about(ws_websocket_id(peer->websocket));
}

static void emit(void)
{
    static char large[3000];
    size_t length = 2 + 16 * (size_t)input_byte(&input) % sizeof large;

    length = length < sizeof large ? length : sizeof large;
    memset(large, 'e', length);
    large[0] = large[length - 1] = '"';
    ws_manager_emit(host.manager, "stock_low", large, length);
}

static void end(struct peer *peer)
{
    if (peer->websocket == NULL)
        return;
    switch (input_below(&input, 3)) {
    case 0:
        ws_websocket_close(peer->websocket, (uint16_t)(1000 + input_byte(&input)), "close");
        break;
    case 1:
        ws_websocket_eof(peer->websocket);
        break;
    default:
        peer_free(peer);
        break;
    }
}

static void callback(struct host *of, enum host_callback kind, struct peer *peer, ws_conn_id id)
{
    uint8_t byte = input_byte(&input);

    (void)of;
    (void)kind;
    if (byte % 2 == 0 || nested == MAX_NESTED)
        return;
    nested++;
    if (byte % 4 == 1)
        call_about(id);
    else
        act(peer != NULL && byte % 8 == 3 ? peer : some_peer());
    nested--;
}

static int judge(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    const char *user;

    (void)of;
    (void)peer;
    if (ws_handshake_query_parameter(handshake, "user_id", &user, NULL) == WS_OK)
        ws_handshake_set_user_id(handshake, user);
    return input_byte(&input) % 16 == 15 ? WS_ERR_FORBIDDEN : WS_OK;
}

/* --- what came out --------------------------------------------------------------------------- */

/* The last frame may be incomplete if the socket accepts no more. */
static void read_frames(struct peer *peer)
{
    struct frame frame;

    while (server_frame(peer->received.data + peer->read, peer->received.length - peer->read,
                        &frame) > 0)
        ck_assert(peer_next(peer, &frame));
}

static void read_answers(void)
{
    for (size_t i = 0; i < host.n_peers; i++) {
        struct peer *peer = &host.peers[i];

        if (!answered[i] && peer->received.length > 0 &&
            strstr((char *)peer->received.data, "\r\n\r\n") != NULL) {
            answered[i] = true;
            is_http[i] = peer_head(peer) != 101;
        }
        if (answered[i] && !is_http[i])
            read_frames(peer);
    }
}

static void turn(void)
{
    if (nested > 0)
        return;
    host_pass(&host, 1000 * (uint64_t)input_below(&input, 40));
    for (size_t i = 0; i < host.n_peers; i++) {
        struct peer *peer = &host.peers[i];

        if (peer->websocket != NULL && peer->writable > 0)
            peer_write(peer);
    }
    read_answers();
    for (size_t i = 0; i < host.n_peers; i++)
        if (host.peers[i].websocket != NULL && ws_websocket_ended(host.peers[i].websocket))
            peer_free(&host.peers[i]);
}

static void act(struct peer *peer)
{
    if (++n_acts > MAX_ACTS)
        return;
    switch (input_below(&input, 12)) {
    case 0:
        open_peer(peer);
        break;
    case 1:
    case 2:
    case 3:
        send_frame(peer);
        break;
    case 4:
        send_compressed(peer);
        break;
    case 5:
        send_raw(peer);
        break;
    case 6:
        emit();
        break;
    case 7:
        call_about_peer(peer);
        break;
    case 8:
        end(peer);
        break;
    case 9:
        peer->writable = input_byte(&input) % 2 == 0 ? SIZE_MAX : input_byte(&input);
        break;
    default:
        turn();
        break;
    }
}

/* --- Socket.IO ----------------------------------------------------------------------------- */

static void on_ack(ws_manager *manager, ws_conn_id connection,
                   const ws_socketio_ack_result *result, void *user_data)
{
    ck_assert_ptr_null(user_data);
    ck_assert_int_eq(result->result == WS_OK, result->args != NULL);
    if (result->args != NULL)
        ck_assert_uint_eq(result->args_length, strlen(result->args));
    if (result->args_length == 2)
        ws_manager_disconnect(manager, connection, 4000, NULL);
}

/* Answers with the same arguments, which must be valid. */
static void on_event(ws_manager *manager, const ws_connection_info *connection,
                     const ws_socketio_event *event, void *user_data)
{
    ws_socketio_message message;
    int result;

    (void)user_data;
    ws_socketio_message_init(&message);
    message.name = "back";
    message.args = event->args;
    message.args_length = event->args_length;
    message.attachments = event->attachments;
    message.n_attachments = event->n_attachments;
    message.flags = event->ack_id == 0 ? WS_SOCKETIO_VOLATILE : 0;
    result = ws_socketio_emit(manager, connection->id, &message);
    ck_assert(result == WS_OK || result == WS_ERR_BACKPRESSURE);
    message.name = NULL;
    message.flags = 0;
    if (event->ack_id != WS_SOCKETIO_NO_ACK)
        ws_socketio_ack(manager, connection->id, event->ack_id, &message);
    ws_socketio_message_init(&message);
    message.name = "ask";
    if (*event->name != 'x')
        ws_socketio_emit_with_ack(manager, connection->id, &message, 1000, on_ack, NULL);
}

static int32_t protocol_of(uint8_t byte)
{
    if ((byte & 0x40) != 0)
        return (byte & 0x80) != 0 ? WS_PROTOCOL_ENGINEIO : WS_PROTOCOL_SOCKETIO;
    return byte % 2 == 0 ? WS_PROTOCOL_JSON : WS_PROTOCOL_RAW;
}

static void open_host(void)
{
    static const char *const namespaces[] = {"/a"};
    uint8_t byte = input_byte(&input);
    struct host_options options;
    ws_socketio_options socketio;

    host_options_init(&options);
    ws_socketio_options_init(&socketio);
    socketio.on_event = on_event;
    socketio.namespaces = namespaces;
    socketio.n_namespaces = 1;
    socketio.max_attachments = 2;
    socketio.max_waiting_acks = 2;
    options.endpoint.protocol = protocol_of(byte);
    options.endpoint.socketio = &socketio;
    options.endpoint.deflate = byte % 8 < 6;
    options.endpoint.deflate_min_bytes = 20;
    options.endpoint.ping_interval_ms =
        byte % 4 == 0 || options.endpoint.protocol >= WS_PROTOCOL_SOCKETIO ? 25000 : 0;
    options.endpoint.max_message_bytes = 3000;
    options.endpoint.max_queue_bytes = 20000;
    options.endpoint.max_fragments = 8;
    options.manager.presence_events = byte % 16 < 8 ? WS_PRESENCE_EVERYONE : WS_PRESENCE_OFF;
    host_open(&host, &options);
    host.hook = callback;
    host.judge = judge;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    input = (struct fuzz_input){data, length};
    n_acts = 0;
    open_host();
    while (input.length > 0 && n_acts < MAX_ACTS)
        act(some_peer());
    for (size_t i = 0; i < host.n_peers; i++)
        host.peers[i].writable = SIZE_MAX;
    turn();
    host_close(&host);
    return 0;
}
