/* model.c: random calls of the public API on two loops, whose connections have transports that fail
 * and call back, against a model: sets of rooms, and for each client the events that it is to get.
 *
 * Calls have one total order, so the model carries each out at once, whenever the loops run; what a
 * client says has no place among them but that of the answer. */
#include <stdio.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "fuzz/model/callbacks.h"
#include "fuzz/model/state.h"
#include "fuzz/support/input.h"
#include "support/drain.h"

enum { N_LOOPS = 2, N_USERS = 3 /* the first user is anonymous */ };

static const char *const users[N_USERS] = {NULL, "ann", "bob"};

static struct client *const clients = state.clients;
static struct fuzz_input input;
static ws_manager *manager;
static ws_loop *loops[N_LOOPS];
static bool due[N_LOOPS]; /* it was woken, or has more to do */
static unsigned n_tried;  /* connections */

static struct client *some_client(void)
{
    return &clients[input_below(&input, N_CLIENTS)];
}

/* --- calls ----------------------------------------------------------------------------------- */

/* Clients that calls no longer address still count until their loops have run. */
static int expected_of_connect(void)
{
    uint32_t most = state.limits.connections;

    if (state.draining)
        return WS_ERR_DRAINING;
    return most > 0 && ws_manager_connection_count(manager) >= most ? WS_ERR_LIMIT : WS_OK;
}

static void connect_client(struct client *client)
{
    ws_connect_options options;
    char former[NAME_SIZE];
    int result;
    int expected = expected_of_connect();
    unsigned loop = input_below(&input, N_LOOPS);

    if (client->attached || client->is_ending || loops[loop] == NULL || n_tried == MAX_CONNECTS)
        return;
    n_tried++;
    memcpy(former, client->name, sizeof former);
    *client = (struct client){.loop = loop, .user = input_below(&input, N_USERS)};
    ws_connect_options_init(&options);
    options.transport = &callbacks_transport;
    options.transport_data = client;
    options.user_data = client;
    options.user_id = users[client->user];
    options.former_connection_id = former[0] != '\0' ? former : NULL;
    result = ws_manager_connect(manager, loops[client->loop], &options, &client->id);
    ck_assert_int_eq(result, expected);
    if (result == WS_OK)
        state_connect(client);
}

/* Asks to enter OWN_ROOM with what it keeps. */
static void enter_own(struct client *client)
{
    struct wish wish = {.state = input_byte(&input) % 2 == 1};
    char members[128] = "";
    char text[256];

    if (!client->open || client->n_wishes == MAX_ENTRIES)
        return;
    wish.last = input_below(&input, KEPT_HISTORY + 2);
    if (state.id[0] != '\0' && input_byte(&input) % 2 == 1) {
        wish.after = state.id_number;
        snprintf(members, sizeof members, ",\"since\":\"%s\"", state.id);
    }
    wish.replay = wish.last > 0 || wish.after > 0;
    if (wish.last > 0)
        snprintf(members + strlen(members), sizeof members - strlen(members), ",\"last\":%u",
                 wish.last);
    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"own\"%s%s}",
             wish.state ? ",\"state\":true" : "", members);
    state_ask(client, &wish);
    state_say(client);
    due[client->loop] = true;
    ck_assert_int_eq(ws_manager_receive(manager, client->id, text, strlen(text), 1), WS_OK);
}

/* For a client that calls no longer address, both results are correct until its loop has run. */
static void expect(const struct client *client, int result)
{
    ck_assert(result == WS_OK || (result == WS_ERR_NOT_FOUND && !client->open));
}

static void enter_or_leave(struct client *client)
{
    unsigned room = input_below(&input, OWN_ROOM);

    if (input_byte(&input) % 4 != 0) {
        expect(client, ws_manager_join_room(manager, client->id, room_names[room]));
        state_join(client, room);
    } else {
        expect(client, ws_manager_leave_room(manager, client->id, room_names[room]));
        state_leave(client, room);
    }
}

static void say(struct client *client)
{
    static const char *const texts[] = {
        "{\"type\":\"message\",\"data\":1}",
        "{\"type\":\"ping\"}",
        "what?",
        "{\"type\":\"message\",\"data\":1,\"ref\":1}",
        "{\"type\":\"message\",\"data\":22,\"ref\":1}", /* answered later */
        "{\"type\":\"response\",\"ref\":\"1\",\"data\":1}",
        "{\"type\":\"response\",\"ref\":\"2\",\"error\":{}}",
    };
    const char *text = texts[input_below(&input, 7)];

    if (!client->open)
        return;
    state_say(client);
    due[client->loop] = true;
    ck_assert_int_eq(ws_manager_receive(manager, client->id, text, strlen(text), 1), WS_OK);
}

static void answer(void)
{
    int result = ws_manager_answer(manager, callbacks.answer, "{}", 2);

    ck_assert(result == WS_OK || result == WS_ERR_NOT_FOUND);
}

static void ask(const struct client *client)
{
    ws_request request;
    int result;

    ws_request_init(&request);
    request.method = "m";
    request.timeout_ms = 1 + input_byte(&input);
    request.on_response = callbacks_on_response;
    result = ws_manager_request(manager, client->id, &request);
    expect(client, result);
    callbacks.n_asked += result == WS_OK;
}

static void disconnect(struct client *client)
{
    expect(client, ws_manager_disconnect(manager, client->id, 4000, "enough"));
    state_close(client);
}

static void lose(struct client *client)
{
    if (!client->attached)
        return;
    state_close(client);
    client->attached = false;
    due[client->loop] = true; /* as after any input from a socket */
    if (client->welcomed && !client->announced)
        state_tell_presence(client, false); /* on_disconnect is not called for the client */
    client->is_ending = true;               /* callbacks still name it */
    ws_manager_transport_closed(manager, client->id, 1006, NULL);
    client->is_ending = false;
}

/* An order for all connections of a user. If a limit may refuse a join, its result is not known
 * here. Only in lockstep a question about OWN_ROOM is known to be a reauthorization's. */
static void order(void)
{
    unsigned user = 1 + input_below(&input, N_USERS - 1);
    unsigned room = input_below(&input, OWN_ROOM);
    unsigned action = input_below(&input, 3);
    int result;

    if (action == 0)
        result = ws_manager_disconnect_user(manager, users[user], 4000, "enough");
    else if (action == 1)
        result = ws_manager_leave_room_of_user(manager, users[user], room_names[room]);
    else if (state.limits.in_lockstep)
        result = ws_manager_reauthorize_user(manager, users[user]);
    else
        result = ws_manager_join_room_of_user(manager, users[user], room_names[room]);
    ck_assert_int_eq(result, WS_OK);
    callbacks.is_reauthorizing = action == 2 && state.limits.in_lockstep;
    if (callbacks.is_reauthorizing)
        room = REFUSED_ROOM;
    for (size_t i = 0; i < N_CLIENTS; i++) {
        if (clients[i].user != user)
            continue;
        if (action == 0)
            state_close(&clients[i]);
        else if (action == 1 || callbacks.is_reauthorizing)
            state_leave(&clients[i], room);
        else
            state_join(&clients[i], room);
    }
}

static void send_to_one(ws_event *event)
{
    struct client *client = some_client();

    expect(client, ws_manager_send_personal_message(manager, client->id, event, NULL, 0));
    state_send(client, PERSONAL_EVENT, N_ROOMS, state.n_events);
}

static void send_to_user(ws_event *event)
{
    unsigned user = 1 + input_below(&input, N_USERS - 1);

    ck_assert_int_eq(ws_manager_send_to_user(manager, users[user], event, NULL, 0), WS_OK);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].user == user)
            state_send(&clients[i], LIVE_EVENT, N_ROOMS, state.n_events);
}

/* An event for everyone (N_ROOMS) or a room. */
static void broadcast(ws_event *event, unsigned room, int number)
{
    const struct client *excluded[2] = {some_client(), some_client()};
    const ws_conn_id ids[2] = {excluded[0]->id, excluded[1]->id};
    size_t n = input_below(&input, 3);
    struct kept_event kept = {.place = state.n_events,
                              .number = number,
                              .key = (int)input_below(&input, KEPT_KEYS + 1) - 1};
    char key[8];
    int result;

    if (room == OWN_ROOM && kept.key != KEPT_NO_KEY) {
        snprintf(key, sizeof key, "%d", kept.key);
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
    }
    result = room == N_ROOMS
                 ? ws_manager_broadcast(manager, event, ids, n)
                 : ws_manager_broadcast_to_room(manager, room_names[room], event, ids, n);

    ck_assert_int_eq(result, WS_OK);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if ((room == N_ROOMS || state_is_in(&clients[i], room)) &&
            !(n > 0 && excluded[0] == &clients[i]) && !(n > 1 && excluded[1] == &clients[i]))
            state_send(&clients[i], LIVE_EVENT, room, kept.number);
    memcpy(kept.excluded, ids, n * sizeof *ids);
    if (room == OWN_ROOM)
        kept_add(&state.kept, &kept);
}

static void send_event(void)
{
    unsigned target = input_below(&input, N_ROOMS + 3);
    bool is_null = target == OWN_ROOM && input_byte(&input) % 4 == 3;
    ws_event *event;
    char data[32] = "null";

    if (state.n_events == MAX_EVENTS - 1)
        return;
    state.n_events++;
    if (!is_null)
        snprintf(data, sizeof data, "{\"n\":%d}", state.n_events);
    ck_assert_int_eq(ws_event_new(manager, "stock_low", data, strlen(data), &event), WS_OK);
    if (target <= N_ROOMS)
        broadcast(event, target, is_null ? 0 : state.n_events);
    else if (target == N_ROOMS + 1)
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
    state.draining = true;
    for (size_t i = 0; i < N_CLIENTS; i++)
        state_close(&clients[i]);
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
    ck_assert_int_eq(ws_loop_new(manager, &options, state.now_ms, &loops[number]), WS_OK);
}

static void run(unsigned number)
{
    due[number] = false;
    due[number] |= ws_loop_run(loops[number], state.now_ms) <= state.now_ms;
}

static void run_once(void)
{
    if (callbacks.n_nested > 0)
        return;
    state.now_ms += 10 * (uint64_t)input_byte(&input);
    run(input_below(&input, N_LOOPS));
}

/* The loop's clients no longer receive their events. */
static void free_loop(unsigned number)
{
    ws_loop *loop = loops[number];

    loops[number] = NULL;
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].loop == number) {
            state_close(&clients[i]);
            clients[i].loses_events = true;
        }
    ws_loop_free(loop);
}

static void renew_loop(void)
{
    unsigned number = input_below(&input, N_LOOPS);

    if (callbacks.n_nested > 0)
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

        ws_manager_for_each_member(manager, room_names[room], collect, &found);
        for (unsigned i = 0; i < N_CLIENTS; i++) {
            ck_assert_uint_eq(found >> i & 1, state_is_in(&clients[i], room));
            ck_assert_int_eq(ws_manager_is_member(manager, clients[i].id, room_names[room]),
                             state_is_in(&clients[i], room));
        }
    }
    for (unsigned user = 1; user < N_USERS; user++) {
        unsigned found = 0;

        ws_manager_for_each_connection_of_user(manager, users[user], collect, &found);
        for (unsigned i = 0; i < N_CLIENTS; i++)
            ck_assert_uint_eq(found >> i & 1, clients[i].open && clients[i].user == user);
    }
}

static void make_room(struct client *client)
{
    client->is_full = false;
    if (client->attached && loops[client->loop] != NULL) {
        due[client->loop] = true;
        ws_manager_transport_writable(manager, client->id);
    }
}

static void run_all(void)
{
    bool any = true;

    while (any) {
        while (due[0] || due[1])
            run(due[0] ? 0 : 1);
        any = false;
        for (size_t i = 0; i < N_CLIENTS; i++)
            if (clients[i].is_full) {
                make_room(&clients[i]);
                any = true;
            }
    }
}

/* When the loops have nothing left to do, everything is as in the model. */
static void compare(void)
{
    size_t n_open = 0;

    if (callbacks.n_nested > 0)
        return;
    run_all();
    for (size_t i = 0; i < N_CLIENTS; i++) {
        ck_assert_int_eq(clients[i].attached, clients[i].open);
        if (clients[i].open)
            ck_assert(state_is_done(&clients[i]));
        n_open += clients[i].open;
    }
    ck_assert_uint_eq(ws_manager_connection_count(manager), n_open);
    ck_assert_uint_eq(callbacks.n_connects - callbacks.n_disconnects, n_open);
    compare_groups();
}

static void act(void)
{
    switch (input_below(&input, 24)) {
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
    case 14:
        answer();
        break;
    case 15:
        ask(some_client());
        break;
    case 16:
    case 17:
        enter_own(some_client());
        break;
    case 18:
        make_room(some_client());
        break;
    case 19:
        order();
        break;
    default:
        send_event();
        break;
    }
}

static void set_limits(ws_manager_options *options)
{
    struct limits *limits = &state.limits;
    uint8_t byte = input_byte(&input);

    *limits = (struct limits){.in_lockstep = byte % 2 == 1,
                              .presence = byte / 2 % 3,
                              .connections = byte % 16 < 8 ? 3 : 0};
    if (limits->in_lockstep) {
        limits->rooms = input_below(&input, N_ROOMS);
        limits->rooms_per_connection = input_below(&input, 3);
        limits->message_rate = input_below(&input, 3);
        limits->message_burst = 1 + input_below(&input, 3);
        options->message_burst = limits->message_burst;
    }
    options->presence_events = limits->presence;
    options->presence_room = room_names[PRESENCE_ROOM];
    options->presence_grace_ms = 0;
    options->max_presence_deliveries = 0;
    options->max_connections = limits->connections;
    options->max_rooms = limits->rooms;
    options->max_rooms_per_connection = limits->rooms_per_connection;
    options->message_rate = limits->message_rate;
}

static void open_all(void)
{
    ws_manager_options options;

    state = (struct state){0};
    callbacks = (struct callbacks){.input = &input, .act = act};
    n_tried = 0;
    ws_manager_options_init(&options);
    callbacks_set(&options);
    set_limits(&options);
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    kept_open(&state.kept, manager, room_names[OWN_ROOM], input_byte(&input) % 2 == 1);
    for (unsigned i = 0; i < N_LOOPS; i++)
        new_loop(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    input = (struct fuzz_input){data, length};
    open_all();
    while (input.length > 0) {
        callbacks.is_reauthorizing = false;
        act();
        if (state.limits.in_lockstep)
            run_all();
    }
    compare();
    for (unsigned i = 0; i < N_LOOPS; i++)
        free_loop(i);
    ws_manager_free(manager);
    ck_assert_uint_eq(callbacks.n_connects, callbacks.n_disconnects);
    ck_assert_uint_eq(callbacks.n_asked, callbacks.n_settled);
    return 0;
}
