/* callbacks.c: what the library calls: transports that fail, and callbacks that call the library.
 * Not here: the calls (model.c) and their expected results (state.c). */
#include "fuzz/model/callbacks.h"

#include <stdio.h>
#include <string.h>

#include "fuzz/model/answers.h"
#include "fuzz/model/calls.h"
#include "fuzz/model/presence.h"
#include "fuzz/model/requests.h"

enum { MAX_NESTED = 4, MAX_TEXT = 1024 /* of a message of any kind */ };

struct callbacks callbacks;

void callbacks_act_within(void)
{
    if (state.limits.in_lockstep || callbacks.is_quiet || callbacks.n_nested == MAX_NESTED ||
        input_byte(&calls.input) % 4 != 3)
        return;
    callbacks.n_nested++;
    callbacks.act();
    callbacks.n_nested--;
}

/* --- the transport's ------------------------------------------------------------------------- */

/* The other clients have just been notified of it. */
static void welcome(struct client *client, const char *text, size_t length)
{
    static const char before[] = "\"connection_id\":\"";
    const char *name = memmem(text, length, before, strlen(before));
    const char *end;

    ck_assert_ptr_nonnull(name);
    name += strlen(before);
    end = memchr(name, '"', length - (size_t)(name - text));
    ck_assert_ptr_nonnull(end);
    ck_assert_int_lt(end - name, NAME_SIZE);
    snprintf(client->name, NAME_SIZE, "%.*s", (int)(end - name), name);
    client->welcomed = true;
    state_tell_presence(client, true);
}

static void got(struct client *client, const char *text, size_t length)
{
    state_got(client, text, length);
    presence_got(client, text);
    answers_got(client, text);
    requests_got(client, text);
}

static int on_send(ws_message *message, void *transport_data)
{
    struct client *client = transport_data;
    char text[MAX_TEXT];
    size_t length;
    const void *payload = ws_message_payload(message, &length);

    ck_assert(client->attached);
    ck_assert(!client->loses_events);
    ck_assert_uint_lt(length, sizeof text);
    memcpy(text, payload, length);
    text[length] = '\0';
    if (!client->welcomed)
        welcome(client, text, length);
    else
        got(client, text, length);
    if (callbacks.is_quiet)
        return WS_OK;
    if (input_byte(&calls.input) % 64 == 63) {
        client->loses_events = true;
        state_close(client);
        return WS_ERR_DROPPED;
    }
    callbacks_act_within();
    client->is_full |= input_byte(&calls.input) % 8 == 7;
    return client->is_full ? WS_ERR_BACKPRESSURE : WS_OK;
}

static void on_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct client *client = transport_data;

    (void)reason;
    ck_assert_uint_le(length, 123);
    ck_assert(client->attached);
    ck_assert(!client->open);
    ck_assert_int_eq(code == 1008, client->was_too_fast);
    client->attached = false;
    ck_assert(client->loses_events || client->may_recover || state_is_done(client));
    callbacks_act_within();
}

const ws_transport callbacks_transport = {
    .size = sizeof(ws_transport), .send = on_send, .close = on_close};

/* --- the manager's --------------------------------------------------------------------------- */

static void on_connect(ws_manager *of, const ws_connection_info *connection, void *user_data)
{
    struct client *client = connection->user_data;

    (void)of;
    (void)user_data;
    ck_assert(client->welcomed && !client->announced);
    client->announced = true;
    callbacks.n_connects++;
    callbacks_act_within();
}

/* The other clients have just been notified of it. */
static void on_disconnect(ws_manager *of, const ws_connection_info *connection, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)of;
    (void)code;
    (void)reason;
    (void)user_data;
    state_tell_presence(connection->user_data, false);
    callbacks.n_disconnects++;
    callbacks_act_within();
}

static int authorize_join(ws_manager *of, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    struct client *client = connection->user_data;

    (void)of;
    (void)user_data;
    if (callbacks.is_reauthorizing)
        return strcmp(room, room_names[REFUSED_ROOM]) == 0 ? WS_ERR_FORBIDDEN : WS_OK;
    ck_assert_str_eq(room, room_names[OWN_ROOM]);
    ck_assert(client->may_speak);
    state_enter(client);
    return WS_OK;
}

static void on_join(ws_manager *of, const ws_connection_info *connection, const char *room,
                    int result, void *user_data)
{
    (void)of;
    (void)connection;
    (void)room;
    (void)user_data;
    if (state.limits.in_lockstep)
        ck_assert_int_eq(result, state.join_result);
    else
        ck_assert(result == WS_OK || result == WS_ERR_ALREADY);
    callbacks_act_within();
}

static void on_leave(ws_manager *of, const ws_connection_info *connection, const char *room,
                     int result, void *user_data)
{
    struct client *client = connection->user_data;

    (void)of;
    (void)user_data;
    ck_assert(result == WS_OK || result == WS_ERR_NOT_MEMBER);
    if (result == WS_OK)
        presence_left_room(client, room);
    if (strcmp(room, room_names[PRESENCE_ROOM]) == 0)
        memset(client->news, NO_NEWS, sizeof client->news);
    callbacks_act_within();
}

void callbacks_set(ws_manager_options *options)
{
    options->on_connect = on_connect;
    options->on_disconnect = on_disconnect;
    options->authorize_join = authorize_join;
    options->on_join = on_join;
    options->on_leave = on_leave;
}
