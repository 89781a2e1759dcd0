/* model.c: random calls of the public API on two loops, whose connections have transports that fail
 * and call back, against a model: sets of rooms, and for each client the events that it is to get.
 *
 * Calls have one total order, so the model carries each out at once, whenever the loops run; what a
 * client says has no place among them but that of the answer. */
#include <stdio.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "fuzz/model/answers.h"
#include "fuzz/model/callbacks.h"
#include "fuzz/model/calls.h"
#include "fuzz/model/presence.h"
#include "fuzz/model/requests.h"
#include "support/drain.h"

enum {
    FLUSH_MS = 4 * MEMBERS_BATCH_MS, /* changes of presence have been sent */
    SETTLE_MS = 800                  /* the time limits of answers and requests, a grace time */
};

static struct client *const clients = state.clients;
static unsigned n_tried; /* connections */

/* --- calls ----------------------------------------------------------------------------------- */

/* Clients that calls no longer address still count until their loops have run. */
static int expected_of_connect(void)
{
    uint32_t most = state.limits.connections;

    if (state.draining)
        return WS_ERR_DRAINING;
    return most > 0 && ws_manager_connection_count(calls.manager) >= most ? WS_ERR_LIMIT
                                                                          : WS_OK;
}

/* A client forgets all but the name of its former connection. */
static void begin(struct client *client, const struct client *former, unsigned loop,
                  unsigned user)
{
    struct client made = {.loop = loop, .user = user, .lineage = former->lineage};

    if (!former->is_succeeded)
        memcpy(made.name, former->name, sizeof made.name);
    if (made.name[0] == '\0' || former->user != user)
        made.lineage = ++state.n_lineages;
    *client = made;
}

static void connect_as(struct client *client, const struct client *former, unsigned loop,
                       unsigned user)
{
    ws_connect_options options;
    int result;
    int expected = expected_of_connect();

    if (client->attached || client->is_ending || calls.loops[loop] == NULL ||
        n_tried == MAX_CONNECTS)
        return;
    n_tried++;
    begin(client, former, loop, user);
    ws_connect_options_init(&options);
    options.transport = &callbacks_transport;
    options.transport_data = client;
    options.user_data = client;
    options.user_id = user_names[user];
    options.former_connection_id = client->name[0] != '\0' ? client->name : NULL;
    result = ws_manager_connect(calls.manager, calls.loops[loop], &options, &client->id);
    ck_assert_int_eq(result, expected);
    if (result != WS_OK) {
        if (client != former)
            client->name[0] = '\0';
        return;
    }
    state_connect(client);
    presence_connect(client);
}

static void connect_client(struct client *client)
{
    unsigned loop = calls_below(N_LOOPS);

    connect_as(client, client, loop, calls_below(N_USERS));
}

/* Asks to enter OWN_ROOM with what it keeps. */
static void enter_own(struct client *client)
{
    unsigned choice = calls_below(4);
    struct wish wish = {.state = choice % 2 == 1, .presence = choice / 2 == 1};
    char members[128] = "";
    char text[256];

    if (!client->open || client->n_wishes == MAX_ENTRIES)
        return;
    wish.last = calls_below(KEPT_HISTORY + 2);
    if (state.id[0] != '\0' && input_byte(&calls.input) % 2 == 1) {
        wish.after = state.id_number;
        snprintf(members, sizeof members, ",\"since\":\"%s\"", state.id);
    }
    wish.replay = wish.last > 0 || wish.after > 0;
    if (wish.last > 0)
        snprintf(members + strlen(members), sizeof members - strlen(members), ",\"last\":%u",
                 wish.last);
    snprintf(text, sizeof text, "{\"type\":\"join_room\",\"room\":\"own\"%s%s%s}",
             wish.presence ? ",\"presence\":true" : "", wish.state ? ",\"state\":true" : "",
             members);
    state_ask(client, &wish);
    calls_say(client, text);
}

static void enter_or_leave(struct client *client)
{
    unsigned room = calls_below(OWN_ROOM);

    if (input_byte(&calls.input) % 4 != 0) {
        calls_expect(client, ws_manager_join_room(calls.manager, client->id, room_names[room]));
        state_join(client, room);
    } else {
        calls_expect(client,
                     ws_manager_leave_room(calls.manager, client->id, room_names[room]));
        state_leave(client, room);
    }
}

/* What the room keeps and a slow client has not received yet may be missing then: so only in
 * lockstep. */
static void leave_own(struct client *client)
{
    if (!client->open || !state.limits.in_lockstep)
        return;
    if (calls_below(2) == 0)
        calls_expect(client,
                     ws_manager_leave_room(calls.manager, client->id, room_names[OWN_ROOM]));
    else if (!calls_say(client, "{\"type\":\"leave_room\",\"room\":\"own\"}"))
        return;
    state_leave(client, OWN_ROOM);
}

static void say(struct client *client)
{
    static const char *const texts[] = {
        "{\"type\":\"message\",\"data\":1}",
        "{\"type\":\"ping\"}",
        "what?",
        "{\"type\":\"response\",\"ref\":\"9999\",\"data\":1}",
    };
    const char *text = texts[calls_below(4)];

    if (client->open)
        calls_say(client, text);
}

static void disconnect(struct client *client)
{
    calls_expect(client, ws_manager_disconnect(calls.manager, client->id, 4000, "enough"));
    state_close(client);
}

static void lose(struct client *client)
{
    if (!client->attached)
        return;
    state_close(client);
    client->attached = false;
    calls.due[client->loop] = true; /* as after any input from a socket */
    if (client->welcomed && !client->announced)
        state_tell_presence(client, false); /* on_disconnect is not called for the client */
    client->is_ending = true;               /* callbacks still name it */
    ws_manager_transport_closed(calls.manager, client->id, 1006, NULL);
    client->is_ending = false;
}

/* An order for all connections of a user. If a limit may refuse a join, its result is not known
 * here. Only in lockstep a question about OWN_ROOM is known to be a reauthorization's. */
static void order(void)
{
    unsigned user = 1 + calls_below(N_USERS - 1);
    unsigned room = calls_below(OWN_ROOM);
    unsigned action = calls_below(3);
    int result;

    if (action == 0)
        result = ws_manager_disconnect_user(calls.manager, user_names[user], 4000, "enough");
    else if (action == 1)
        result =
            ws_manager_leave_room_of_user(calls.manager, user_names[user], room_names[room]);
    else if (state.limits.in_lockstep)
        result = ws_manager_reauthorize_user(calls.manager, user_names[user]);
    else
        result =
            ws_manager_join_room_of_user(calls.manager, user_names[user], room_names[room]);
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
    struct client *client = calls_client();

    calls_expect(client,
                 ws_manager_send_personal_message(calls.manager, client->id, event, NULL, 0));
    state_send(client, PERSONAL_EVENT, N_ROOMS, state.n_events);
}

static void send_to_user(ws_event *event)
{
    unsigned user = 1 + calls_below(N_USERS - 1);

    ck_assert_int_eq(ws_manager_send_to_user(calls.manager, user_names[user], event, NULL, 0),
                     WS_OK);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].user == user)
            state_send(&clients[i], LIVE_EVENT, N_ROOMS, state.n_events);
}

/* An event for everyone (N_ROOMS) or a room. */
static void broadcast(ws_event *event, unsigned room, int number)
{
    const struct client *excluded[2] = {calls_client(), calls_client()};
    const ws_conn_id ids[2] = {excluded[0]->id, excluded[1]->id};
    size_t n = calls_below(3);
    struct kept_event kept = {
        .place = state.n_events, .number = number, .key = (int)calls_below(KEPT_KEYS + 1) - 1};
    char key[12];
    int result;

    if (room == OWN_ROOM && kept.key != KEPT_NO_KEY) {
        snprintf(key, sizeof key, "%d", kept.key);
        ck_assert_int_eq(ws_event_set_key(event, key), WS_OK);
    }
    result = room == N_ROOMS
                 ? ws_manager_broadcast(calls.manager, event, ids, n)
                 : ws_manager_broadcast_to_room(calls.manager, room_names[room], event, ids, n);

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
    unsigned target = calls_below(N_ROOMS + 3);
    bool is_null = target == OWN_ROOM && input_byte(&calls.input) % 4 == 3;
    ws_event *event;
    char data[32] = "null";

    if (state.n_events == MAX_EVENTS - 1)
        return;
    state.n_events++;
    if (!is_null)
        snprintf(data, sizeof data, "{\"n\":%d}", state.n_events);
    ck_assert_int_eq(ws_event_new(calls.manager, "stock_low", data, strlen(data), &event),
                     WS_OK);
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
    if (input_byte(&calls.input) % 16 != 15)
        return;
    ck_assert_int_eq(drain_with(calls.manager, 1001, NULL), WS_OK);
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
    options.user_data = &calls.due[number];
    calls.due[number] = false;
    ck_assert_int_eq(ws_loop_new(calls.manager, &options, state.now_ms, &calls.loops[number]),
                     WS_OK);
}

static void run(unsigned number)
{
    calls.due[number] = false;
    calls.due[number] |= ws_loop_run(calls.loops[number], state.now_ms) <= state.now_ms;
}

/* A client comes back while its former connection may not have ended, and sends a message again. */
static void come_back(struct client *former)
{
    struct client *client = calls_client();
    unsigned loop = calls_below(N_LOOPS);

    if (client == former || client->open || former->is_succeeded || former->user == 0 ||
        former->name[0] == '\0')
        return;
    connect_as(client, former, loop, former->user);
    if (!client->open)
        return;
    former->is_succeeded = true;
    former->lineage = ++state.n_lineages;
    if (callbacks.n_nested == 0)
        run(loop);
    answers_say_again(client);
}

static void run_once(void)
{
    if (callbacks.n_nested > 0)
        return;
    state.now_ms += 10 * (uint64_t)input_byte(&calls.input);
    run(calls_below(N_LOOPS));
}

/* The loop's clients no longer receive their events. */
static void free_loop(unsigned number)
{
    ws_loop *loop = calls.loops[number];

    calls.loops[number] = NULL;
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].loop == number) {
            state_close(&clients[i]);
            clients[i].loses_events = true;
        }
    ws_loop_free(loop);
}

static void renew_loop(void)
{
    unsigned number = calls_below(N_LOOPS);

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

        ws_manager_for_each_member(calls.manager, room_names[room], collect, &found);
        for (unsigned i = 0; i < N_CLIENTS; i++) {
            ck_assert_uint_eq(found >> i & 1, state_is_in(&clients[i], room));
            ck_assert_int_eq(
                ws_manager_is_member(calls.manager, clients[i].id, room_names[room]),
                state_is_in(&clients[i], room));
        }
    }
    for (unsigned user = 1; user < N_USERS; user++) {
        unsigned found = 0;

        ws_manager_for_each_connection_of_user(calls.manager, user_names[user], collect,
                                               &found);
        for (unsigned i = 0; i < N_CLIENTS; i++)
            ck_assert_uint_eq(found >> i & 1, clients[i].open && clients[i].user == user);
    }
}

static void make_room(struct client *client)
{
    client->is_full = false;
    if (client->attached && calls.loops[client->loop] != NULL) {
        calls.due[client->loop] = true;
        ws_manager_transport_writable(calls.manager, client->id);
    }
}

static void run_all(void)
{
    bool any = true;

    while (any) {
        while (calls.due[0] || calls.due[1])
            run(calls.due[0] ? 0 : 1);
        any = false;
        for (size_t i = 0; i < N_CLIENTS; i++)
            if (clients[i].is_full) {
                make_room(&clients[i]);
                any = true;
            }
    }
}

/* When the loops have nothing left to do, everything is as in the model. */
static void compare_clients(void)
{
    size_t n_open = 0;

    for (size_t i = 0; i < N_CLIENTS; i++) {
        ck_assert_int_eq(clients[i].attached, clients[i].open);
        if (clients[i].open)
            ck_assert(state_is_done(&clients[i]));
        n_open += clients[i].open;
    }
    ck_assert_uint_eq(ws_manager_connection_count(calls.manager), n_open);
    ck_assert_uint_eq(callbacks.n_connects - callbacks.n_disconnects, n_open);
    compare_groups();
}

/* As a host that is on time, while nothing else happens. */
static void pass(unsigned ms)
{
    callbacks.is_quiet = true;
    for (unsigned passed = 0; passed < ms; passed += 2 * MEMBERS_BATCH_MS) {
        state.now_ms += 2 * MEMBERS_BATCH_MS;
        for (unsigned i = 0; i < N_LOOPS; i++)
            run(i);
        run_all();
    }
    callbacks.is_quiet = false;
}

static void compare(void)
{
    if (callbacks.n_nested > 0)
        return;
    run_all();
    compare_clients();
    answers_compare(false);
    requests_compare(false);
    if (calls_below(2) == 0)
        return;
    pass(FLUSH_MS);
    presence_compare();
}

/* Every deadline is over. */
static void settle(void)
{
    run_all();
    pass(SETTLE_MS);
    members_settle(&state.members);
    compare_clients();
    answers_compare(true);
    requests_compare(true);
    presence_compare();
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (clients[i].open)
            state_check_news(&clients[i]);
}

static void for_client(void (*call)(struct client *client))
{
    call(calls_client());
}

static void act(void)
{
    switch (calls_below(36)) {
    case 0:
    case 1:
    case 2:
        for_client(connect_client);
        break;
    case 3:
    case 4:
    case 5:
        for_client(enter_or_leave);
        break;
    case 6:
        for_client(say);
        break;
    case 7:
        for_client(disconnect);
        break;
    case 8:
    case 9:
        for_client(lose);
        break;
    case 10:
        drain();
        break;
    case 11:
        renew_loop();
        break;
    case 12:
        compare();
        break;
    case 13:
    case 14:
        run_once();
        break;
    case 15:
    case 16:
        for_client(answers_say);
        break;
    case 17:
    case 18:
        for_client(answers_say_again);
        break;
    case 19:
        answers_give();
        break;
    case 20:
        for_client(requests_ask);
        break;
    case 21:
        for_client(requests_respond);
        break;
    case 22:
    case 23:
    case 24:
        for_client(enter_own);
        break;
    case 25:
        for_client(make_room);
        break;
    case 26:
        order();
        break;
    case 27:
        for_client(leave_own);
        break;
    case 28:
        for_client(come_back);
        break;
    case 29:
    case 30:
    case 31:
    case 32:
        presence_act();
        break;
    default:
        send_event();
        break;
    }
}

static void set_limits(ws_manager_options *options)
{
    struct limits *limits = &state.limits;
    uint8_t byte = input_byte(&calls.input);

    *limits = (struct limits){.in_lockstep = byte % 2 == 1,
                              .presence = byte / 2 % 3,
                              .connections = byte % 16 < 8 ? 3 : 0};
    if (limits->in_lockstep) {
        limits->rooms = calls_below(N_ROOMS);
        limits->rooms_per_connection = calls_below(3);
        limits->message_rate = calls_below(3);
        limits->message_burst = 1 + calls_below(3);
        options->message_burst = limits->message_burst;
    }
    options->presence_events = limits->presence;
    options->presence_room = room_names[PRESENCE_ROOM];
    options->max_connections = limits->connections;
    options->max_rooms = limits->rooms;
    options->max_rooms_per_connection = limits->rooms_per_connection;
    options->message_rate = limits->message_rate;
}

static void open_all(void)
{
    ws_manager_options options;

    state = (struct state){0};
    callbacks = (struct callbacks){.act = act};
    n_tried = 0;
    ws_manager_options_init(&options);
    callbacks_set(&options);
    set_limits(&options);
    presence_set(&options);
    answers_set(&options);
    requests_set(&options);
    ck_assert_int_eq(ws_manager_new(&options, &calls.manager), WS_OK);
    kept_open(&state.kept, calls.manager, room_names[OWN_ROOM],
              input_byte(&calls.input) % 2 == 1);
    presence_begin();
    answers_begin();
    for (unsigned i = 0; i < N_LOOPS; i++)
        new_loop(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    calls.input = (struct fuzz_input){data, length};
    open_all();
    while (calls.input.length > 0) {
        callbacks.is_reauthorizing = false;
        act();
        if (state.limits.in_lockstep)
            run_all();
    }
    settle();
    for (unsigned i = 0; i < N_LOOPS; i++)
        free_loop(i);
    ws_manager_free(calls.manager);
    ck_assert_uint_eq(callbacks.n_connects, callbacks.n_disconnects);
    requests_compare(true);
    return 0;
}
