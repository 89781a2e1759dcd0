/* model.c: random calls of the public API on two loops, whose connections have transports that fail
 * and call back, against a model: sets of rooms, and for each client the events that it is to get.
 *
 * Calls have one total order, so the model carries each out at once, whenever the loops run; what a
 * client says has no place among them but that of the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "fuzz/support/input.h"
#include "support/drain.h"

enum {
    N_LOOPS = 2,
    N_CLIENTS = 8,
    N_ROOMS = 5,
    OWN_ROOM = N_ROOMS - 1, /* clients enter it themselves; no event goes there */
    EVERYONE = OWN_ROOM,    /* as a target */
    N_USERS = 3,            /* the first is nobody */
    MAX_EVENTS = 500,
    MAX_NESTED = 4
};

struct client {
    ws_conn_id id;
    unsigned loop;
    unsigned user;
    unsigned rooms;    /* a bit for each */
    bool open;         /* calls are still about it */
    bool attached;     /* its transport may be called */
    bool loses_events; /* its transport has refused one, or its loop is gone */
    int events[MAX_EVENTS];
    size_t n_events;
    size_t n_got;
};

static const char *const rooms[N_ROOMS] = {"a", "b", "c", "\"d", "own"};
static const char *const users[N_USERS] = {NULL, "ann", "bob"};

static struct input input;
static ws_manager *manager;
static ws_loop *loops[N_LOOPS];
static bool due[N_LOOPS]; /* it was woken, or has more to do */
static struct client clients[N_CLIENTS];
static bool draining;
static int n_events;
static unsigned nested;
static unsigned n_connects;
static unsigned n_disconnects;

static void act(void);

static struct client *some_client(void)
{
    return &clients[input_below(&input, N_CLIENTS)];
}

static void act_within(void)
{
    if (nested == MAX_NESTED || input_byte(&input) % 4 != 3)
        return;
    nested++;
    act();
    nested--;
}

/* --- the model ------------------------------------------------------------------------------- */

static bool is_in(const struct client *client, unsigned room)
{
    return (client->rooms >> room & 1) != 0;
}

static void model_join(struct client *client, unsigned room)
{
    if (client->open)
        client->rooms |= 1u << room;
}

static void model_leave(struct client *client, unsigned room)
{
    client->rooms &= ~(1u << room);
}

static void model_close(struct client *client)
{
    client->open = false;
    client->rooms = 0;
}

static void model_send(struct client *client)
{
    if (client->open)
        client->events[client->n_events++] = n_events;
}

/* --- callbacks ------------------------------------------------------------------------------- */

static int on_send(ws_message *message, void *transport_data)
{
    struct client *client = transport_data;
    size_t length;
    const char *text = ws_message_payload(message, &length);
    const char *number = memmem(text, length, "{\"n\":", 5);

    ck_assert(client->attached);
    ck_assert(!client->loses_events);
    if (number != NULL) {
        ck_assert_uint_lt(client->n_got, client->n_events);
        ck_assert_int_eq(atoi(number + 5), client->events[client->n_got]);
        client->n_got++;
    }
    if (input_byte(&input) % 64 == 63) {
        client->loses_events = true;
        model_close(client);
        return WS_ERR_DROPPED;
    }
    act_within();
    return input_byte(&input) % 8 == 7 ? WS_ERR_BACKPRESSURE : WS_OK;
}

static void on_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct client *client = transport_data;

    (void)code;
    (void)reason;
    ck_assert_uint_le(length, 123);
    ck_assert(client->attached);
    ck_assert(!client->open);
    client->attached = false;
    if (!client->loses_events)
        ck_assert_uint_eq(client->n_got, client->n_events);
    act_within();
}

static void on_connect(ws_manager *of, const ws_connection_info *connection, void *user_data)
{
    (void)of;
    (void)connection;
    (void)user_data;
    n_connects++;
    act_within();
}

static void on_disconnect(ws_manager *of, const ws_connection_info *connection, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)of;
    (void)connection;
    (void)code;
    (void)reason;
    (void)user_data;
    n_disconnects++;
    act_within();
}

static int authorize_join(ws_manager *of, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    (void)of;
    (void)user_data;
    ck_assert_str_eq(room, rooms[OWN_ROOM]);
    model_join(connection->user_data, OWN_ROOM);
    return WS_OK;
}

static void on_join(ws_manager *of, const ws_connection_info *connection, const char *room,
                    int result, void *user_data)
{
    (void)of;
    (void)connection;
    (void)room;
    (void)user_data;
    ck_assert(result == WS_OK || result == WS_ERR_ALREADY);
    act_within();
}

static int on_message(ws_manager *of, const ws_connection_info *connection, const char *room,
                      const char *data, size_t length, void *user_data)
{
    (void)of;
    (void)connection;
    (void)room;
    (void)user_data;
    ck_assert_int_eq(data[length], '\0');
    act_within();
    return WS_OK;
}

/* --- calls ----------------------------------------------------------------------------------- */

static void connect_client(struct client *client)
{
    static const ws_transport transport = {sizeof transport, on_send, on_close};
    ws_connect_options options;
    int result;
    unsigned loop = input_below(&input, N_LOOPS);

    if (client->attached || loops[loop] == NULL)
        return;
    *client = (struct client){.loop = loop, .user = input_below(&input, N_USERS)};
    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = client;
    options.user_data = client;
    options.user_id = users[client->user];
    result = ws_manager_connect(manager, loops[client->loop], &options, &client->id);
    ck_assert_int_eq(result, draining ? WS_ERR_DRAINING : WS_OK);
    client->open = client->attached = result == WS_OK;
}

/* About one that calls are no longer about, either answer is right until its loop has run. */
static void expect(const struct client *client, int result)
{
    ck_assert(result == WS_OK || (result == WS_ERR_NOT_FOUND && !client->open));
}

static void enter_or_leave(struct client *client)
{
    unsigned room = input_below(&input, OWN_ROOM);

    if (input_byte(&input) % 4 != 0) {
        expect(client, ws_manager_join_room(manager, client->id, rooms[room]));
        model_join(client, room);
    } else {
        expect(client, ws_manager_leave_room(manager, client->id, rooms[room]));
        model_leave(client, room);
    }
}

static void say(struct client *client)
{
    static const char *const texts[] = {"{\"type\":\"message\",\"data\":1}",
                                        "{\"type\":\"ping\"}",
                                        "{\"type\":\"join_room\",\"room\":\"own\"}", "what?"};
    const char *text = texts[input_below(&input, 4)];

    if (!client->open)
        return;
    due[client->loop] = true;
    ck_assert_int_eq(ws_manager_receive(manager, client->id, text, strlen(text), 1), WS_OK);
}

static void disconnect(struct client *client)
{
    expect(client, ws_manager_disconnect(manager, client->id, 4000, "enough"));
    model_close(client);
}

static void lose(struct client *client)
{
    if (!client->attached)
        return;
    model_close(client);
    client->attached = false;
    due[client->loop] = true; /* as after all that comes from a socket */
    ws_manager_transport_closed(manager, client->id, 1006, NULL);
}

static void send_to_one(ws_event *event)
{
    struct client *client = some_client();

    expect(client, ws_manager_send_personal_message(manager, client->id, event));
    model_send(client);
}

static void send_to_user(ws_event *event)
{
    unsigned user = 1 + input_below(&input, N_USERS - 1);

    ck_assert_int_eq(ws_manager_send_to_user(manager, users[user], event), WS_OK);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].user == user)
            model_send(&clients[i]);
}

static void broadcast(ws_event *event, unsigned room)
{
    const struct client *excluded[2] = {some_client(), some_client()};
    const ws_conn_id ids[2] = {excluded[0]->id, excluded[1]->id};
    size_t n = input_below(&input, 3);
    int result = room == EVERYONE
                     ? ws_manager_broadcast(manager, event, ids, n)
                     : ws_manager_broadcast_to_room(manager, rooms[room], event, ids, n);

    ck_assert_int_eq(result, WS_OK);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if ((room == EVERYONE || is_in(&clients[i], room)) &&
            !(n > 0 && excluded[0] == &clients[i]) && !(n > 1 && excluded[1] == &clients[i]))
            model_send(&clients[i]);
}

static void send_event(void)
{
    unsigned target = input_below(&input, EVERYONE + 3);
    ws_event *event;
    char data[32];

    if (n_events == MAX_EVENTS - 1)
        return;
    n_events++;
    snprintf(data, sizeof data, "{\"n\":%d}", n_events);
    ck_assert_int_eq(ws_event_new(manager, "stock_low", data, strlen(data), &event), WS_OK);
    if (target <= EVERYONE)
        broadcast(event, target);
    else if (target == EVERYONE + 1)
        send_to_user(event);
    else
        send_to_one(event);
    ws_event_free(event);
}

static void drain(void)
{
    if (input_byte(&input) % 16 != 15)
        return;
    ck_assert_int_eq(drain_with(manager, 1001, NULL), WS_OK);
    draining = true;
    for (size_t i = 0; i < N_CLIENTS; i++)
        model_close(&clients[i]);
}

/* --- loops ----------------------------------------------------------------------------------- */

static void wake(void *user_data)
{
    *(bool *)user_data = true;
}

static void new_loop(unsigned number)
{
    ws_loop_options options;

    ws_loop_options_init(&options);
    options.wake = wake;
    options.user_data = &due[number];
    due[number] = false;
    ck_assert_int_eq(ws_loop_new(manager, &options, 0, &loops[number]), WS_OK);
}

static void run(unsigned number)
{
    due[number] = false;
    due[number] |= ws_loop_run(loops[number], 0) == 0;
}

static void run_once(void)
{
    if (nested == 0)
        run(input_below(&input, N_LOOPS));
}

/* What its clients were to get does not come any more. */
static void free_loop(unsigned number)
{
    ws_loop *loop = loops[number];

    loops[number] = NULL;
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].loop == number) {
            model_close(&clients[i]);
            clients[i].loses_events = true;
        }
    ws_loop_free(loop);
}

static void renew_loop(void)
{
    unsigned number = input_below(&input, N_LOOPS);

    if (nested > 0)
        return;
    free_loop(number);
    new_loop(number);
}

static int collect(ws_conn_id id, void *user_data)
{
    unsigned *found = user_data;

    for (unsigned i = 0; i < N_CLIENTS; i++)
        if (clients[i].id == id && clients[i].open) {
            ck_assert_uint_eq(*found >> i & 1, 0);
            *found |= 1u << i;
            return 0;
        }
    ck_abort_msg("somebody else is here");
}

static void compare_groups(void)
{
    for (unsigned room = 0; room < N_ROOMS; room++) {
        unsigned found = 0;

        ws_manager_for_each_member(manager, rooms[room], collect, &found);
        for (unsigned i = 0; i < N_CLIENTS; i++) {
            ck_assert_uint_eq(found >> i & 1, is_in(&clients[i], room));
            ck_assert_int_eq(ws_manager_is_member(manager, clients[i].id, rooms[room]),
                             is_in(&clients[i], room));
        }
    }
    for (unsigned user = 1; user < N_USERS; user++) {
        unsigned found = 0;

        ws_manager_for_each_connection_of_user(manager, users[user], collect, &found);
        for (unsigned i = 0; i < N_CLIENTS; i++)
            ck_assert_uint_eq(found >> i & 1, clients[i].open && clients[i].user == user);
    }
}

/* When the loops have nothing left to do, everything is as the model says. */
static void compare(void)
{
    size_t n_open = 0;

    if (nested > 0)
        return;
    while (due[0] || due[1])
        run(due[0] ? 0 : 1);
    for (size_t i = 0; i < N_CLIENTS; i++) {
        ck_assert_int_eq(clients[i].attached, clients[i].open);
        if (clients[i].open)
            ck_assert_uint_eq(clients[i].n_got, clients[i].n_events);
        n_open += clients[i].open;
    }
    ck_assert_uint_eq(ws_manager_connection_count(manager), n_open);
    ck_assert_uint_eq(n_connects - n_disconnects, n_open);
    compare_groups();
}

static void act(void)
{
    switch (input_below(&input, 16)) {
    case 0:
    case 1:
        connect_client(some_client());
        break;
    case 2:
    case 3:
    case 4:
        enter_or_leave(some_client());
        break;
    case 5:
    case 6:
        say(some_client());
        break;
    case 7:
        disconnect(some_client());
        break;
    case 8:
        lose(some_client());
        break;
    case 9:
        drain();
        break;
    case 10:
        renew_loop();
        break;
    case 11:
        compare();
        break;
    case 12:
    case 13:
        run_once();
        break;
    default:
        send_event();
        break;
    }
}

static void open_all(void)
{
    ws_manager_options options;

    memset(clients, 0, sizeof clients);
    draining = false;
    n_events = 0;
    n_connects = n_disconnects = 0;
    ws_manager_options_init(&options);
    options.on_connect = on_connect;
    options.on_disconnect = on_disconnect;
    options.authorize_join = authorize_join;
    options.on_join = on_join;
    options.on_message = on_message;
    options.presence_events = WS_PRESENCE_OFF;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    for (unsigned i = 0; i < N_LOOPS; i++)
        new_loop(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    input = (struct input){data, length};
    open_all();
    while (input.length > 0)
        act();
    compare();
    for (unsigned i = 0; i < N_LOOPS; i++)
        free_loop(i);
    ws_manager_free(manager);
    ck_assert_uint_eq(n_connects, n_disconnects);
    return 0;
}
