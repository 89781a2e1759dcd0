/* rooms.c: the service itself, and the file to change first. Clients connect with
 * ws://HOST:PORT/ws?token=TOKEN, enter rooms and publish messages to the rooms that they are in.
 *
 *   room      who may enter     who may publish
 *   status    everyone          the server, once a second
 *   staff     staff             its members
 *   others    everyone          its members
 *
 * The callbacks run on both loops' threads: data that they share must be constant, as the table of
 * accounts is, or have a lock. */
#include "rooms.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char status_room[] = "status";
static const char staff_room[] = "staff";

struct account {
    const char *token;
    const char *user_id;
    bool is_staff;
};

/* Replace it by your session store or signed tokens. */
static struct account accounts[] = {
    {"ana-3f9c1e", "ana", true},
    {"ben-71d0a4", "ben", false},
    {"eva-c8265b", "eva", false},
};

/* Takes the same time for every text of the token's length, so that the time reveals nothing about
 * the token. */
static bool is_token(const char *token, const char *text, size_t length)
{
    unsigned char difference = 0;

    if (strlen(token) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(token[i] ^ text[i]);
    return difference == 0;
}

static struct account *find_account(const char *token, size_t length)
{
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
        if (is_token(accounts[i].token, token, length))
            return &accounts[i];
    return NULL;
}

static int refuse(ws_handshake *handshake, int status, const char *text)
{
    ws_handshake_refuse(handshake, status, text);
    return WS_ERR_FORBIDDEN;
}

/* The token is in the query because a page's WebSocket can't add a header. Proxies log queries,
 * so a real token should expire soon. A service that takes a cookie instead must check the
 * header Origin, or any page could connect as its visitor. */
static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    struct account *account = NULL;
    const char *token;
    size_t length;
    int result;

    (void)user_data;
    if (strcmp(ws_handshake_path(handshake), "/ws") != 0)
        return refuse(handshake, 404, NULL);
    result = ws_handshake_query_parameter(handshake, "token", &token, &length);
    if (result == WS_ERR_NO_MEMORY)
        return result;
    if (result == WS_OK)
        account = find_account(token, length);
    if (account == NULL)
        return refuse(handshake, 401, "the token is missing or wrong");
    ws_handshake_set_user_data(handshake, account);
    return ws_handshake_set_user_id(handshake, account->user_id);
}

/* Asked for {"type":"join_room"} and for the rooms that a returning client names in its query. */
static int authorize_join(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    const struct account *account = connection->user_data;

    (void)manager;
    (void)user_data;
    if (strcmp(room, staff_room) == 0 && !account->is_staff)
        return WS_ERR_FORBIDDEN;
    return WS_OK;
}

/* {"type":"message","room":"…","data":…} becomes an event "message" for the members of the room,
 * including the sender. An error is sent to the client; after WS_ERR_BACKPRESSURE, when a loop is
 * too far behind, it may try again. */
static int accept_message(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, const char *data, size_t length, void *user_data)
{
    ws_event *event;
    int result;

    (void)user_data;
    if (room == NULL)
        return WS_ERR_INVALID;
    if (strcmp(room, status_room) == 0)
        return WS_ERR_FORBIDDEN;
    if (!ws_manager_is_member(manager, connection->id, room))
        return WS_ERR_NOT_MEMBER;
    result = ws_event_new(manager, "message", data, length, &event);
    if (result != WS_OK)
        return result;
    result = ws_event_set_user_id(event, connection->user_id);
    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, room, event, NULL, 0);
    ws_event_free(event);
    return result;
}

static void on_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (level <= WS_LOG_INFO)
        fprintf(stderr, "rooms: %s\n", line);
}

static int new_manager(ws_manager **manager)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.authorize_join = authorize_join;
    options.accept_message = accept_message;
    options.log = on_log;
    options.max_rooms_per_connection = 20;
    /* A second. A client that ignores it is closed with WS_CLOSE_POLICY_VIOLATION. */
    options.message_rate = 50;
    return ws_manager_new(&options, manager);
}

/* A client that does not read as fast as its rooms receive messages is closed with
 * WS_CLOSE_TRY_AGAIN_LATER when more than max_queue_bytes wait for it. It may come back with
 * after=ID in its query and receives what it missed. */
static int new_endpoint(ws_manager *manager, ws_endpoint **endpoint)
{
    ws_endpoint_options options;

    ws_endpoint_options_init(&options);
    options.accept_handshake = accept_handshake;
    options.max_message_bytes = 16384;
    options.max_queue_bytes = 262144;
    return ws_endpoint_new(manager, &options, endpoint);
}

int rooms_new(ws_manager **manager, ws_endpoint **endpoint)
{
    int result = new_manager(manager);

    if (result != WS_OK)
        return result;
    result = ws_manager_register_event_type(*manager, "message");
    if (result == WS_OK)
        result = ws_manager_register_event_type(*manager, "status");
    if (result == WS_OK)
        result = ws_manager_route_event_type(*manager, "status", status_room);
    if (result == WS_OK)
        result = new_endpoint(*manager, endpoint);
    if (result != WS_OK)
        ws_manager_free(*manager);
    return result;
}

void rooms_publish_status(ws_manager *manager)
{
    char json[64];
    int length = snprintf(json, sizeof json, "{\"connections\":%zu}",
                          ws_manager_connection_count(manager));
    int result = ws_manager_emit(manager, "status", json, (size_t)length);

    /* No client received it, and the next status replaces it. An event that must not be lost has to
     * be kept by the application and sent again later. */
    if (result != WS_OK)
        fprintf(stderr, "rooms: the status was not sent: %s\n", ws_strerror(result));
}

void rooms_drain(ws_manager *manager)
{
    ws_drain_options options;
    int result;

    ws_drain_options_init(&options);
    options.reason = "the server restarts";
    result = ws_manager_drain(manager, &options);
    if (result != WS_OK)
        fprintf(stderr, "rooms: cannot drain clients: %s\n", ws_strerror(result));
}
