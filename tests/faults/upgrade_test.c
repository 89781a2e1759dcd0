/* upgrade_test.c: a host with its own HTTP parser, clients that authenticate and lose a permission,
 * and a drain over some time, while each allocation of the process fails in turn. */
#include <string.h>

#include "faults/each_failure.h"
#include "faults/websocket_life.h"

enum { SPREAD_MS = 40, STEP_MS = 10 };

/* The clients' messages, created before any allocation fails. */
static struct bytes joining;
static struct bytes authenticating;
static struct bytes closing;

static struct websocket_life life;
static bool strict; /* whether members are no longer allowed in the room */

static void make_messages(void)
{
    client_text(&joining, FIN | TEXT, "{\"type\":\"join_room\",\"room\":\"staff\",\"ref\":1}");
    client_text(&authenticating, FIN | TEXT,
                "{\"type\":\"authenticate\",\"token\":\"a\\u0062c\",\"ref\":2}");
    client_text(&authenticating, FIN | TEXT,
                "{\"type\":\"join_room\",\"room\":\"staff\",\"ref\":3}");
    client_close(&closing, 1012, "");
}

/* --- the host -------------------------------------------------------------------------------- */

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    (void)user_data;
    ws_handshake_set_subprotocol(handshake, "bearer");
    return ws_handshake_set_user_id(handshake, "ann");
}

static int authorize_join(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    (void)manager;
    (void)connection;
    (void)room;
    (void)user_data;
    return strict ? WS_ERR_FORBIDDEN : WS_OK;
}

/* As the header says: the result is a refusal unless the application could be asked. */
static int authenticate(ws_manager *manager, const ws_connection_info *connection,
                        const char *token, void *user_data)
{
    (void)user_data;
    expect(strcmp(token, "abc") == 0, "another token was passed");
    strict = true;
    return ws_manager_reauthorize(manager, connection->id);
}

/* Reads the whole line, which may describe a request that was read in part. */
static void read_line(int level, const char *line, void *user_data)
{
    (void)level;
    (void)user_data;
    expect(strlen(line) < 2000, "the log line has no end");
}

static bool begin(void)
{
    ws_endpoint_options endpoint_options;
    ws_manager_options options;

    strict = false;
    ws_manager_options_init(&options);
    options.authorize_join = authorize_join;
    options.authenticate = authenticate;
    options.log = read_line;
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = accept_handshake;
    return life_begin(&life, &options, &endpoint_options);
}

/* --- a life ---------------------------------------------------------------------------------- */

static void upgrade_all(void)
{
    static const ws_header headers[] = {
        {"Host", "a"},
        {"Upgrade", "websocket"},
        {"Connection", "keep-alive, Upgrade"},
        {"Sec-WebSocket-Key", CLIENT_KEY},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Protocol", "bearer, T"},
        {"Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"},
    };

    for (size_t i = 0; i < N_CLIENTS; i++)
        if (life.clients[i].websocket != NULL)
            ws_websocket_upgrade(life.clients[i].websocket, "GET", 1, 1, "/ws", headers,
                                 sizeof headers / sizeof *headers);
    life_turn(&life);
}

static void drain(void)
{
    ws_drain_options options;

    ws_drain_options_init(&options);
    options.reason = "restart";
    options.spread_ms = SPREAD_MS;
    ws_manager_drain(life.manager, &options);
    for (; life.now_ms <= SPREAD_MS; life.now_ms += STEP_MS)
        life_turn(&life);
}

static void live(void)
{
    if (begin()) {
        upgrade_all();
        life_feed(&life, &joining);
        life_feed(&life, &authenticating);
        drain();
        life_feed(&life, &closing);
    }
    life_end(&life);
}

static void expect_whole_life(void)
{
    static const char *const texts[] = {
        "HTTP/1.1 101 ", "Protocol: bearer\r\n", "permessage-deflate", "room_joined",
        "\"ref\":1",     "authenticated",        "room_left",          "forbidden",
        "retry in "};

    life_expect(&life, texts, sizeof texts / sizeof *texts);
}

int main(void)
{
    make_messages();
    fail_each_allocation(live, expect_whole_life);
    return 0;
}
