/* no_memory_test.c: WebSockets from their first byte to their close, events, statistics and a
 * drain, while each allocation of the process fails in turn. Other ways of use are in the files
 * beside it.
 *
 * The unit tests of the same name look closer, but only at what goes through the library's
 * allocator. */
#include <string.h>

#include <ws_manager/cjson.h>

#include "faults/each_failure.h"
#include "faults/websocket_life.h"
#include "support/drain.h"
#include "websocket/zlib_peer.h"

/* The clients' messages, created before any allocation fails. */
static struct bytes request;
static struct bytes messages;
static struct bytes closing;

static struct websocket_life life;

static void make_messages(void)
{
    static const char ping[] = "{\"type\":\"ping\",\"ref\":4}";
    uint8_t packed[200];
    size_t length = zlib_deflate(15, 6, ping, sizeof ping - 1, packed, sizeof packed);

    client_request(&request, "/ws?user_id=ann%20b",
                   "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                   "Sec-WebSocket-Protocol: chat\r\n");
    client_text(&messages, FIN | TEXT,
                "{\"type\":\"join_room\",\"room\":\"caf\\u00e9\",\"ref\":1}");
    client_text(&messages, TEXT, "{\"type\":");
    client_text(&messages, FIN | PING, "between");
    client_text(&messages, FIN | CONTINUATION, "\"ping\",\"ref\":2}");
    client_text(&messages, FIN | TEXT, "{\"type\":\"message\",\"data\":[1],\"ref\":3}");
    client_frame(&messages, FIN | RSV1 | TEXT, packed, length);
    client_close(&closing, 1000, "");
}

/* --- the host -------------------------------------------------------------------------------- */

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    const char *user;

    (void)user_data;
    ws_handshake_header(handshake, "Host");
    if (ws_handshake_query_parameter(handshake, "user_id", &user, NULL) == WS_OK)
        ws_handshake_set_user_id(handshake, user);
    return WS_OK;
}

static int accept_message(ws_manager *of, const ws_connection_info *connection,
                          const ws_client_message *message, void *user_data)
{
    (void)user_data;
    ws_manager_send_text(of, connection->id, message->data, message->length);
    return WS_OK;
}

static bool begin(void)
{
    static const char *const subprotocols[] = {"chat"};
    ws_endpoint_options endpoint_options;
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.accept_message = accept_message;
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = accept_handshake;
    endpoint_options.subprotocols = subprotocols;
    endpoint_options.n_subprotocols = 1;
    return life_begin(&life, &options, &endpoint_options);
}

/* --- a life ---------------------------------------------------------------------------------- */

static void emit_all(void)
{
    static char large[2000];
    cJSON *tree = cJSON_CreateObject();

    memset(large, 'l', sizeof large);
    large[0] = large[sizeof large - 1] = '"';
    if (tree != NULL && cJSON_AddNumberToObject(tree, "n", 1) != NULL)
        ws_manager_emit_cjson(life.manager, "order_created", tree);
    cJSON_Delete(tree);
    ws_manager_emit(life.manager, "stock_low", large, sizeof large);
    life_turn(&life);
    ws_manager_emit_notification(life.manager, "hello \"you\"", "ann b", "info");
    ws_manager_register_event_type(life.manager, "paid");
    ws_manager_route_event_type(life.manager, "paid", "caf\xc3\xa9");
    ws_manager_emit(life.manager, "paid", "[]", 2);
    life_turn(&life);
}

static int go_on(ws_conn_id connection, void *user_data)
{
    (void)connection;
    (void)user_data;
    return 0;
}

static void look_around(void)
{
    char *text;

    if (ws_manager_get_stats(life.manager, &text, NULL) == WS_OK)
        ws_manager_free_text(life.manager, text);
    if (ws_manager_get_metrics(life.manager, &text, NULL) == WS_OK)
        ws_manager_free_text(life.manager, text);
    ws_manager_for_each_member(life.manager, "caf\xc3\xa9", go_on, NULL);
    ws_manager_for_each_connection_of_user(life.manager, "ann b", go_on, NULL);
}

static void live(void)
{
    if (begin()) {
        life_feed(&life, &request);
        life_feed(&life, &messages);
        emit_all();
        look_around();
        drain_with(life.manager, 1001, "restart");
        life_turn(&life);
        life_feed(&life, &closing);
    }
    life_end(&life);
}

static void expect_whole_life(void)
{
    static const char *const texts[] = {"HTTP/1.1 101 ", "\"welcome\"",       "\"ref\":1",
                                        "\"ref\":2",     "\"ref\":4",         "\"n\":1",
                                        "hello",         "\"type\":\"paid\"", "restart"};

    life_expect(&life, texts, sizeof texts / sizeof *texts);
}

int main(void)
{
    make_messages();
    fail_each_allocation(live, expect_whole_life);
    return 0;
}
