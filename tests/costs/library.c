/* library.c: the library's parsers: the opening handshake, queries, frames, clients' messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "base/http_query.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "costs.h"
#include "protocol/json/client_message.h"
#include "protocol/socketio/packet.h"
#include "transport/websocket/extension.h"

enum { FIN_TEXT = 0x81, RSV1 = 0x40, LIMIT = 1 << 20 };

/* --- a connection ---------------------------------------------------------------------------- */

struct server {
    ws_manager *manager;
    ws_loop *loop;
    ws_endpoint *endpoint;
    ws_websocket *websocket;
};

/* Reads everything from a request, as an application would. */
static int look_at(ws_handshake *handshake, void *user_data)
{
    static const char *const names[] = {"Cookie", "Authorization", "Origin", "A",
                                        "Sec-WebSocket-Protocol"};
    const char *value;

    (void)user_data;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ws_handshake_header(handshake, names[i]);
    ws_handshake_query_parameter(handshake, "user_id", &value, NULL);
    ws_handshake_set_subprotocol(handshake, "mine");
    return WS_OK;
}

static void open_server(struct server *server)
{
    static const char *const subprotocols[] = {"first", "second"};
    ws_manager_options limits;
    ws_endpoint_options options;

    ws_manager_options_init(&limits);
    limits.max_rooms_per_connection = LIMIT;
    ws_endpoint_options_init(&options);
    options.accept_handshake = look_at;
    options.subprotocols = subprotocols;
    options.n_subprotocols = 2;
    options.protocol = WS_PROTOCOL_RAW;
    options.max_head_bytes = 81920;
    options.max_message_bytes = LIMIT;
    options.max_fragments = 0;
    options.max_continuation_frames = 0;
    options.max_control_frames = 0;
    if (ws_manager_new(&limits, &server->manager) != WS_OK ||
        ws_loop_new(server->manager, NULL, 0, &server->loop) != WS_OK ||
        ws_endpoint_new(server->manager, &options, &server->endpoint) != WS_OK ||
        ws_websocket_new(server->loop, server->endpoint, NULL, &server->websocket) != WS_OK)
        cost_fail("no connection");
}

static void close_server(struct server *server)
{
    ws_websocket_free(server->websocket);
    ws_endpoint_free(server->endpoint);
    ws_loop_free(server->loop);
    ws_manager_free(server->manager);
}

static void receive(struct server *server, const char *bytes, size_t length, size_t piece)
{
    for (size_t at = 0; at < length; at += piece)
        ws_websocket_receive(server->websocket, bytes + at,
                             piece < length - at ? piece : length - at);
    while (ws_loop_run(server->loop, 0) == 0) /* in turns, to the end */
        continue;
}

/* --- parsers --------------------------------------------------------------------------------- */

#define REQUEST                                                                                \
    " HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                    \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void parse_head(const char *input, size_t length, size_t piece)
{
    struct server server;

    open_server(&server);
    receive(&server, input, length, piece);
    if (ws_websocket_id(server.websocket) == 0)
        cost_fail("the handshake was refused");
    close_server(&server);
}

static void head(const char *input, size_t length)
{
    parse_head(input, length, LIMIT);
}

static void head_by_bytes(const char *input, size_t length)
{
    parse_head(input, length, 1);
}

/* As many different rooms as the length of the input allows. */
static void different_rooms(const char *input, size_t length)
{
    char *text = malloc(8 * length + 512);
    char *end;

    if (text == NULL)
        cost_fail("out of memory");
    end = stpcpy(text, input);
    for (size_t i = 0; i < length; i++)
        end += sprintf(end, ",%zx", i);
    end = stpcpy(end, REQUEST "\r\n");
    head(text, (size_t)(end - text));
    free(text);
}

static void refused_head(const char *input, size_t length)
{
    struct server server;

    open_server(&server);
    receive(&server, input, length, LIMIT);
    if (ws_websocket_id(server.websocket) != 0)
        cost_fail("the handshake was not refused");
    close_server(&server);
}

static void parse_frames(const char *input, size_t length, size_t piece)
{
    static const char request[] =
        "GET /" REQUEST "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    struct server server;

    open_server(&server);
    receive(&server, request, sizeof request - 1, LIMIT);
    receive(&server, input, length, piece);
    if (ws_websocket_id(server.websocket) == 0)
        cost_fail("the connection was ended");
    close_server(&server);
}

static void frames(const char *input, size_t length)
{
    parse_frames(input, length, LIMIT);
}

static void frames_by_bytes(const char *input, size_t length)
{
    parse_frames(input, length, 1);
}

/* One frame with the input as its payload, under a mask of zeros. */
static void parse_message(unsigned first, const char *input, size_t length, size_t piece)
{
    char header[14] = {(char)first, (char)0xff};
    char *frame = malloc(sizeof header + length);

    if (frame == NULL)
        cost_fail("out of memory");
    for (int i = 0; i < 8; i++)
        header[2 + i] = (char)(length >> (56 - 8 * i));
    memcpy(frame, header, sizeof header);
    memcpy(frame + sizeof header, input, length);
    if (length > UINT16_MAX) /* the shortest form of a length is required */
        parse_frames(frame, sizeof header + length, piece);
    else if (length > 125) {
        header[1] = (char)0xfe;
        memcpy(frame + 6, header, 2);
        memcpy(frame + 8, header + 8, 2);
        memset(frame + 10, 0, 4);
        parse_frames(frame + 6, sizeof header - 6 + length, piece);
    }
    free(frame);
}

static void message(const char *input, size_t length)
{
    parse_message(FIN_TEXT, input, length, LIMIT);
}

static void message_by_bytes(const char *input, size_t length)
{
    parse_message(FIN_TEXT, input, length, 1);
}

static void compressed(const char *input, size_t length)
{
    parse_message(FIN_TEXT | RSV1, input, length, LIMIT);
}

static void compressed_by_bytes(const char *input, size_t length)
{
    parse_message(FIN_TEXT | RSV1, input, length, 1);
}

static void client_message(const char *input, size_t length)
{
    struct answer_problem problem;
    struct client_message said;
    ws_allocator memory;
    char *text;

    memory_allocator_init(&memory);
    text = memory_copy_text(&memory, input, length);
    if (text == NULL)
        cost_fail("out of memory");
    if (client_message_parse(&memory, text, length, &(struct client_syntax){.max_depth = 32},
                             &said, &problem) == WS_OK)
        client_message_free(&memory, &said);
    memory_free(&memory, text);
}

/* All that is done with an event of a client of Socket.IO. */
static void packet(const char *input, size_t length)
{
    struct socketio_packet read;
    char *text = malloc(length + 1);

    if (text == NULL)
        cost_fail("out of memory");
    memcpy(text, input, length);
    if (socketio_packet_read(text, length, 32, &read) == NULL) {
        socketio_event_name(read.data);
        socketio_event_args((char *)(uintptr_t)read.data.text, read.data.length);
    }
    free(text);
}

/* A request for an event stream, or a message for one. The input is its target, or its header. */
static void ask_for_events(const char *method, const char *target, const char *name,
                           const char *value)
{
    const ws_header headers[] = {{"Host", "h"}, {name, value}};
    struct server server = {.websocket = NULL};
    ws_endpoint_options options;
    ws_manager_options limits;
    ws_http_request request;
    ws_http *http;

    ws_manager_options_init(&limits);
    limits.max_rooms_per_connection = LIMIT;
    ws_endpoint_options_init(&options);
    options.max_head_bytes = 81920;
    ws_http_request_init(&request);
    request.method = method;
    request.target = target;
    request.headers = headers;
    request.n_headers = 2;
    if (ws_manager_new(&limits, &server.manager) != WS_OK ||
        ws_loop_new(server.manager, NULL, 0, &server.loop) != WS_OK ||
        ws_endpoint_new(server.manager, &options, &server.endpoint) != WS_OK ||
        ws_http_new(server.loop, server.endpoint, NULL, &request, &http) != WS_OK)
        cost_fail("no request");
    ws_http_end(http);
    ws_loop_run(server.loop, 0);
    ws_http_free(http);
    close_server(&server);
}

static void events(const char *input, size_t length)
{
    (void)length;
    ask_for_events("GET", input, "Accept", "text/event-stream");
}

static void post_to_events(const char *input, size_t length)
{
    (void)length;
    ask_for_events("POST", input, "Content-Type", "text/plain");
}

static void last_event_id(const char *input, size_t length)
{
    (void)length;
    ask_for_events("GET", "/events", "Last-Event-ID", input);
}

static void accepted_encodings(const char *input, size_t length)
{
    (void)length;
    ask_for_events("GET", "/events", "Accept-Encoding", input);
}

static void offer(const char *input, size_t length)
{
    (void)length;
    extension_accept(input);
}

static void query(const char *input, size_t length)
{
    char *value = malloc(length + 1);

    if (value == NULL)
        cost_fail("out of memory");
    http_query_next(&input, "user_id", value, length + 1);
    free(value);
}

static void utf8(const char *input, size_t length)
{
    if (!utf8_valid(input, length))
        cost_fail("this is UTF-8");
}

/* --- inputs ---------------------------------------------------------------------------------- */

#define NONE BYTES("")
#define END BYTES("\r\n\r\n")
#define HEADER(name) BYTES("GET /" REQUEST name ": ")
#define SIXTEEN "aaaaaaaaaaaaaaaa"
#define MANY 14 /* headers: sixteen times as many are within the limit */

/* About a tenth above what gcc 12 makes of the cases of frames (-O2, x86-64). */
const struct cost_limit cost_limits[] = {
    {"frames: pongs", 65},
    {"frames: messages", 89},
    {"frames: fragments", 49},
    {"frames: empty fragments", 43},
    {"frames: compressed fragments", 34},
    {"frames: pings by bytes", 511},
    {NULL, 0},
};

const struct cost_case cost_cases[] = {
    {"offer: quoted value", offer, BYTES("permessage-deflate; a=\""), BYTES("a"), BYTES("\""),
     0},
    {"offer: escapes", offer, BYTES("permessage-deflate; a=\""), BYTES("\\a"), BYTES("\""), 0},
    {"offer: quotes", offer, BYTES("permessage-deflate"), BYTES(";a=\"b\""), NONE, 0},
    {"offer: long name", offer, NONE, BYTES("a"), NONE, 0},
    {"offer: long parameter", offer, BYTES("permessage-deflate;"), BYTES("a"), NONE, 0},
    {"offer: long value", offer, BYTES("permessage-deflate;a="), BYTES("a"), NONE, 0},
    {"offer: parameters", offer, BYTES("permessage-deflate"), BYTES(";a"), NONE, 0},
    {"offer: extensions", offer, BYTES("a"), BYTES(",a"), NONE, 0},
    {"offer: commas", offer, NONE, BYTES(","), NONE, 0},
    {"offer: spaces", offer, BYTES("a"), BYTES(" "), NONE, 0},

    {"query: parameters", query, NONE, BYTES("a&"), NONE, 0},
    {"query: ampersands", query, NONE, BYTES("&"), NONE, 0},
    {"query: equals signs", query, NONE, BYTES("="), NONE, 0},
    {"query: escapes in a name", query, NONE, BYTES("%41"), NONE, 0},
    {"query: escapes in the value", query, BYTES("user_id="), BYTES("%41"), NONE, 0},
    {"query: percent signs", query, BYTES("user_id="), BYTES("%"), NONE, 0},
    {"query: bad escapes in names", query, NONE, BYTES("%&"), NONE, 0},

    {"head: long path", head, BYTES("GET /"), BYTES("a"), BYTES(REQUEST "\r\n"), 0},
    {"head: long query", head, BYTES("GET /?"), BYTES("a=b&"), BYTES(REQUEST "\r\n"), 0},
    {"head: escapes", head, BYTES("GET /?user_id="), BYTES("%41"), BYTES(REQUEST "\r\n"), 0},
    {"head: rooms", head, BYTES("GET /?rooms="), BYTES("abc,"), BYTES(REQUEST "\r\n"), 0},
    {"head: different rooms", different_rooms, BYTES("GET /?rooms=a"), BYTES("a"), NONE, 500},
    {"head: commas of rooms", head, BYTES("GET /?rooms=a"), BYTES(","), BYTES(REQUEST "\r\n"),
     0},
    {"head: former connection", head, BYTES("GET /?connection_id="), BYTES("a"),
     BYTES(REQUEST "\r\n"), 0},
    {"head: last id", head, BYTES("GET /?after="), BYTES("1"), BYTES(REQUEST "\r\n"), 0},
    {"head: absolute target", head, BYTES("GET http://h/"), BYTES("//"), BYTES(REQUEST "\r\n"),
     0},
    {"head: empty lines before it", head, NONE, BYTES("\r\n"), BYTES("GET /" REQUEST "\r\n"),
     0},
    {"head: long value", head, HEADER("A"), BYTES("a"), END, 0},
    {"head: spaces before a value", head, HEADER("A"), BYTES(" "), BYTES("a\r\n\r\n"), 0},
    {"head: spaces in a value", head, HEADER("A"), BYTES(" a"), END, 0},
    {"head: long name", head, BYTES("GET /" REQUEST), BYTES("a"), BYTES(": a\r\n\r\n"), 0},
    {"head: headers", head, BYTES("GET /" REQUEST), BYTES("A:b\r\n"), BYTES("\r\n"), MANY},
    {"head: cookies", head, BYTES("GET /" REQUEST), BYTES("Cookie:b\r\n"), BYTES("\r\n"), MANY},
    {"head: offers", head, BYTES("GET /" REQUEST), BYTES("Sec-WebSocket-Extensions: a\r\n"),
     BYTES("\r\n"), MANY},
    {"head: offer", head, HEADER("Sec-WebSocket-Extensions"), BYTES("a;b=\"c\","), END, 0},
    {"head: subprotocols", head, HEADER("Sec-WebSocket-Protocol"), BYTES("firs,"), END, 0},
    {"head: headers of subprotocols", head, BYTES("GET /" REQUEST),
     BYTES("Sec-WebSocket-Protocol:a\r\n"), BYTES("\r\n"), MANY},
    {"head: tokens of Connection", head, HEADER("Connection"), BYTES("Upgrad,"), END, 0},
    {"head: commas of Connection", head, HEADER("Connection"), BYTES(","), END, 0},
    {"head: headers Connection", head, BYTES("GET /" REQUEST), BYTES("Connection:a\r\n"),
     BYTES("\r\n"), MANY},
    {"head: tokens of Upgrade", head, HEADER("Upgrade"), BYTES("a, "), END, 0},
    {"head: long value by bytes", head_by_bytes, HEADER("A"), BYTES("a "), END, 0},
    {"head: long name by bytes", head_by_bytes, BYTES("GET /" REQUEST), BYTES("a"),
     BYTES(": a\r\n\r\n"), 0},
    {"head: headers by bytes", head_by_bytes, BYTES("GET /" REQUEST), BYTES("A:b\r\n"),
     BYTES("\r\n"), MANY},
    {"head: key", refused_head, BYTES("GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: "),
     BYTES("="), END, 0},
    {"head: host", refused_head, BYTES("GET / HTTP/1.1\r\nHost: "), BYTES("a"), END, 0},
    {"head: more headers than the limit", refused_head, BYTES("GET /" REQUEST),
     BYTES("A:b\r\n"), BYTES("\r\n"), 300},

    {"frames: pings", frames, NONE, BYTES("\x89\x80\0\0\0\0"), NONE, 1000},
    {"frames: pongs", frames, NONE, BYTES("\x8a\x81\0\0\0\0a"), NONE, 0},
    {"frames: messages", frames, NONE, BYTES("\x81\x81\0\0\0\0a"), NONE, 0},
    {"frames: fragments", frames, BYTES("\x01\x80\0\0\0\0"), BYTES("\0\x81\0\0\0\0a"), NONE, 0},
    {"frames: fragments of 64 bytes", frames, BYTES("\x01\x80\0\0\0\0"),
     BYTES("\0\xc0\0\0\0\0" SIXTEEN SIXTEEN SIXTEEN SIXTEEN), NONE, 40},
    {"frames: empty fragments", frames, BYTES("\x01\x80\0\0\0\0"), BYTES("\0\x80\0\0\0\0"),
     NONE, 0},
    {"frames: compressed fragments", frames, BYTES("\x41\x80\0\0\0\0"),
     BYTES("\0\x85\0\0\0\0\0\0\0\xff\xff"), NONE, 0},
    {"frames: pings by bytes", frames_by_bytes, NONE, BYTES("\x89\x80\0\0\0\0"), NONE, 0},
    {"message: text", message, NONE, BYTES("\xc3\xa4"), NONE, 0},
    {"message: large text", message, NONE, BYTES(SIXTEEN), NONE, 200},
    {"message: text by bytes", message_by_bytes, NONE, BYTES("\xc3\xa4"), NONE, 0},
    {"message: empty blocks", compressed, NONE, BYTES("\0\0\0\xff\xff"), BYTES("\0"), 0},
    {"message: final blocks", compressed, NONE, BYTES("\x03\0"), NONE, 0},
    {"message: bytes of a window", compressed, BYTES("\x4a\x04"), BYTES("\0\0\0\xff\xff"),
     BYTES("\0"), 0},
    {"message: blocks by bytes", compressed_by_bytes, NONE, BYTES("\0\0\0\xff\xff"),
     BYTES("\0"), 0},

    {"json: nesting", client_message, BYTES("{\"a\":"), BYTES("["), NONE, 0},
    {"json: nesting in turns", client_message, BYTES("{\"a\":["), BYTES("[[],{}],"),
     BYTES("0]}"), 0},
    {"json: members", client_message, BYTES("{"), BYTES("\"type\":\"ping\","),
     BYTES("\"a\":0}"), 0},
    {"json: other members", client_message, BYTES("{"), BYTES("\"typ\":0,"), BYTES("\"a\":0}"),
     0},
    {"json: long member", client_message, BYTES("{\""), BYTES("a"), BYTES("\":0}"), 0},
    {"json: escapes in a member", client_message, BYTES("{\""), BYTES("\\u0074"),
     BYTES("\":0}"), 0},
    {"json: backslashes", client_message, BYTES("{\"type\":\""), BYTES("\\\\"), BYTES("\"}"),
     0},
    {"json: escapes", client_message, BYTES("{\"type\":\"join_room\",\"room\":\""),
     BYTES("\\u00e4"), BYTES("\"}"), 0},
    {"json: quotes", client_message, BYTES("{\"type\":\"authenticate\",\"token\":\""),
     BYTES("\\\""), BYTES("\"}"), 0},
    {"json: digits", client_message, BYTES("{\"type\":\"ping\",\"ref\":1"), BYTES("1"),
     BYTES("}"), 0},
    {"json: spaces", client_message, BYTES("{"), BYTES(" \n"), BYTES("\"type\":\"ping\"}"), 0},
    {"json: values", client_message, BYTES("{\"type\":\"message\",\"data\":["),
     BYTES("true,-1.5e+3,"), BYTES("null]}"), 0},
    {"socketio: arguments", packet, BYTES("2[\"x\""), BYTES(",0"), BYTES("]"), 0},
    {"socketio: one argument", packet, BYTES("2[\"x\",\""), BYTES("a"), BYTES("\"]"), 0},
    {"socketio: containers", packet, BYTES("2[\"x\""), BYTES(",[{}]"), BYTES("]"), 0},
    {"socketio: spaces", packet, BYTES("2[\"x\""), BYTES(" "), BYTES("]"), 0},
    {"socketio: spaces at the end", packet, BYTES("2[\"x\"]"), BYTES(" "), NONE, 0},
    {"socketio: long name", packet, BYTES("2[\""), BYTES("a"), BYTES("\"]"), 0},
    {"socketio: escapes in a name", packet, BYTES("2[\""), BYTES("\\u0063"), BYTES("\"]"), 0},
    {"socketio: digits of a name", packet, BYTES("2["), BYTES("1"), BYTES("]"), 0},
    {"socketio: digits of an id", packet, BYTES("2"), BYTES("1"), BYTES("[\"x\"]"), 0},
    {"socketio: long namespace", packet, BYTES("2/"), BYTES("a"), BYTES(",[\"x\"]"), 0},
    {"socketio: placeholders", packet, BYTES("51-[\"x\""),
     BYTES(",{\"_placeholder\":true,\"num\":0}"), BYTES("]"), 0},
    {"socketio: members", packet, BYTES("51-[\"x\",{\"num\":0"), BYTES(",\"num\":0"),
     BYTES("}]"), 0},
    {"socketio: escapes in a member", packet, BYTES("51-[\"x\",{\""), BYTES("\\u005f"),
     BYTES("\":0}]"), 0},

    {"events: rooms", events, BYTES("/events?rooms="), BYTES("abc,"), NONE, 0},
    {"events: parameters", events, BYTES("/events?"), BYTES("a=b&"), NONE, 0},
    {"events: session", post_to_events, BYTES("/events?session="), BYTES("a"), NONE, 0},
    {"events: dots of a session", post_to_events, BYTES("/events?session="), BYTES("."), NONE,
     0},
    {"events: last id", last_event_id, BYTES("1"), BYTES("1"), NONE, 0},
    {"events: last id of dashes", last_event_id, BYTES("1"), BYTES("-"), NONE, 0},
    {"events: encodings", accepted_encodings, BYTES("a"), BYTES(",gzi"), NONE, 0},
    {"events: commas of encodings", accepted_encodings, BYTES("a"), BYTES(","), NONE, 0},

    {"utf8: two bytes", utf8, NONE, BYTES("\xc3\xa4"), NONE, 0},
    {"utf8: four bytes", utf8, NONE, BYTES("\xf0\x9f\x98\x80"), NONE, 0},
    {"utf8: mixed", utf8, NONE, BYTES("aaaaaaa\xc3\xa4"), NONE, 0},
    {NULL, NULL, NONE, NONE, NONE, 0},
};
