/* presence.c: calls about presence, and what clients and the application receive of it. */
#include "fuzz/model/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/callbacks.h"
#include "fuzz/model/calls.h"
#include "fuzz/model/text.h"

/* Clients receive the presence of OWN_ROOM and of the service. */
enum { WATCHED_ROOM, WATCHED_SERVICE, N_WATCHED };

struct watch {
    bool is_on;
    struct belief belief;
};

/* What a client knows. */
struct view {
    struct watch watches[N_WATCHED];
    bool awaits_list;   /* it has entered OWN_ROOM with its presence: the list comes next */
    unsigned n_watched; /* lists of the service that it asked for and that have not come */
    /* In lockstep: the last place whose list it asked for, and the last state that it set. */
    unsigned asked_place;
    unsigned state_place;
    int state;
    bool may_set;
};

static struct {
    struct view views[N_CLIENTS];
    struct belief seen[N_PLACES]; /* by the application's on_presence */
    bool has_observer;
    int n_states;
} all;

/* The places in messages of clients. */
static const char *const place_members[N_PLACES] = {",\"room\":\"a\"",   ",\"room\":\"b\"",
                                                    ",\"room\":\"c\"",   ",\"room\":\"\\\"d\"",
                                                    ",\"room\":\"own\"", ""};

static struct view *view_of(const struct client *client)
{
    return &all.views[client - state.clients];
}

static const char *name_of(unsigned place)
{
    return place == SERVICE ? NULL : room_names[place];
}

static unsigned place_of(const char *room)
{
    unsigned place = 0;

    while (place < SERVICE && (room == NULL || strcmp(room, room_names[place]) != 0))
        place++;
    return place;
}

void presence_connect(const struct client *client)
{
    *view_of(client) = (struct view){.awaits_list = false};
}

/* --- calls ----------------------------------------------------------------------------------- */

static int make_state(unsigned place, unsigned user)
{
    return members_make_state(place, user, all.n_states++);
}

static void say_state(struct client *client, unsigned place)
{
    struct view *view = view_of(client);
    int made = make_state(place, client->user);
    char text[128];

    snprintf(text, sizeof text, "{\"type\":\"set_state\"%s,\"data\":%d,\"ref\":\"state\"}",
             place_members[place], made);
    view->state = made;
    view->state_place = place;
    view->may_set = client->user != 0 && (place == SERVICE || state_is_in(client, place));
    calls_say(client, text);
}

static void ask(struct client *client, unsigned place)
{
    char text[128];

    view_of(client)->asked_place = place;
    snprintf(text, sizeof text, "{\"type\":\"presence\"%s,\"ref\":\"list\"}",
             place_members[place]);
    calls_say(client, text);
}

static void watch_service(struct client *client)
{
    if (calls_say(client, "{\"type\":\"watch_presence\",\"ref\":\"watch\"}"))
        view_of(client)->n_watched++;
}

static void say(struct client *client)
{
    unsigned place = calls_below(N_PLACES);

    if (!client->open)
        return;
    switch (calls_below(6)) {
    case 0:
        ask(client, place);
        break;
    case 1:
        calls_say(client, "{\"type\":\"unwatch_presence\",\"ref\":\"unwatch\"}");
        break;
    case 2:
    case 3:
        watch_service(client);
        break;
    default:
        say_state(client, place);
        break;
    }
}

static void set_state(void)
{
    unsigned place = calls_below(N_PLACES);
    unsigned user = 1 + calls_below(N_USERS - 1);
    struct members *members = &state.members;
    int made = make_state(place, user);
    char text[16];
    int result;

    snprintf(text, sizeof text, "%d", made);
    result = ws_manager_set_presence_state(calls.manager, name_of(place), user_names[user],
                                           text, strlen(text));
    ck_assert(result == WS_OK || result == WS_ERR_NOT_MEMBER);
    if (!members->is_exact)
        return;
    if (result == WS_OK) {
        ck_assert(members_may_have(members, place, user));
        members_set_state(members, place, user, made);
    } else {
        ck_assert(!members_must_have(members, place, user, state.now_ms));
    }
}

static void get(unsigned place, struct belief *found)
{
    char *text;
    size_t length;

    *found = (struct belief){.has_list = false};
    ck_assert_int_eq(ws_manager_get_presence(calls.manager, name_of(place), &text, &length),
                     WS_OK);
    ck_assert_uint_eq(strlen(text), length);
    belief_take(found, text);
    ws_manager_free_text(calls.manager, text);
}

static void get_one(void)
{
    unsigned place = calls_below(N_PLACES);
    struct belief found;

    get(place, &found);
    if (state.members.is_exact)
        members_check(&state.members, place, &found, state.now_ms);
}

static void begin_or_end(void)
{
    unsigned place = calls_below(N_PLACES);

    if (calls_below(2) == 0) {
        ck_assert_int_eq(ws_manager_enable_presence(calls.manager, name_of(place)), WS_OK);
    } else {
        ck_assert_int_eq(ws_manager_disable_presence(calls.manager, name_of(place)), WS_OK);
        state.members.declared[place] = false;
    }
}

void presence_act(void)
{
    switch (calls_below(8)) {
    case 0:
        set_state();
        break;
    case 1:
        get_one();
        break;
    case 2:
        begin_or_end();
        break;
    default:
        say(calls_client());
        break;
    }
}

/* --- what a client receives ------------------------------------------------------------------ */

static bool is_own(const char *text)
{
    return text_has(text, "\"room\":\"own\"");
}

static unsigned watched_place(unsigned watched)
{
    return watched == WATCHED_ROOM ? OWN_ROOM : SERVICE;
}

static void set_watching(struct client *client, unsigned watched, bool is_on)
{
    struct watch *watch = &view_of(client)->watches[watched];

    client->n_watched += is_on;
    client->n_watched -= watch->is_on;
    watch->is_on = is_on;
}

/* Whether lists are sent again, without a request, when fewer users are there. */
static bool has_long_lists(void)
{
    return state.members.max_list < N_USERS;
}

/* A list that the client asked for. */
static void take_list(struct view *view, unsigned watched)
{
    if (watched == WATCHED_ROOM && view->awaits_list)
        view->awaits_list = false;
    else if (has_long_lists())
        ck_assert(view->watches[watched].is_on || view->n_watched > 0);
    else
        ck_assert(watched == WATCHED_SERVICE && view->n_watched-- > 0);
}

/* An answer; in lockstep, to the last request. */
static void check_list(const struct view *view, const char *text)
{
    struct belief found = {.has_list = false};

    belief_take(&found, text);
    if (state.members.is_exact)
        members_check(&state.members, view->asked_place, &found, state.now_ms);
}

/* The client's list is that of the answer, too. */
static void got_list(struct client *client, const char *text)
{
    struct view *view = view_of(client);
    bool is_answer = text_has(text, "\"ref\":");
    bool is_of_service = !text_has(text, "\"room\":");
    unsigned watched = is_of_service ? WATCHED_SERVICE : WATCHED_ROOM;

    if (is_answer)
        check_list(view, text);
    if (!is_of_service && !is_own(text)) {
        ck_assert(is_answer);
        return;
    }
    if (!is_answer) {
        take_list(view, watched);
        set_watching(client, watched, true);
    }
    if (view->watches[watched].is_on)
        belief_take(&view->watches[watched].belief, text);
}

static void got_changes(struct client *client, const char *text)
{
    struct watch *watch =
        &view_of(client)->watches[text_has(text, "\"room\":") ? WATCHED_ROOM : WATCHED_SERVICE];

    ck_assert(watch->is_on);
    belief_take(&watch->belief, text);
}

/* In lockstep this is the answer to the last request. */
static void got_state_answer(struct client *client, bool is_ok)
{
    const struct view *view = view_of(client);

    if (!state.members.is_exact || !client->may_speak)
        return;
    ck_assert_int_eq(is_ok, view->may_set);
    if (is_ok)
        members_set_state(&state.members, view->state_place, client->user, view->state);
}

void presence_got(struct client *client, const char *text)
{
    struct view *view = view_of(client);

    ck_assert(!view->awaits_list ||
              (text_begins(text, "{\"type\":\"presence\",") && is_own(text)));
    if (text_begins(text, "{\"type\":\"presence\""))
        got_list(client, text);
    else if (text_begins(text, "{\"type\":\"presence_changed\""))
        got_changes(client, text);
    else if (text_begins(text, "{\"type\":\"room_joined\""))
        view->awaits_list = state_entered(client)->presence;
    else if (text_begins(text, "{\"type\":\"ack\",\"ref\":\"unwatch\""))
        set_watching(client, WATCHED_SERVICE, false);
    else if (text_begins(text, "{\"type\":\"ack\",\"ref\":\"state\""))
        got_state_answer(client, true);
    else if (text_begins(text, "{\"type\":\"error\",\"ref\":\"state\""))
        got_state_answer(client, false);
}

void presence_left_room(struct client *client, const char *room)
{
    if (strcmp(room, room_names[OWN_ROOM]) == 0)
        set_watching(client, WATCHED_ROOM, false);
}

/* --- callbacks ------------------------------------------------------------------------------- */

/* A client that is authorised again loses the presence of OWN_ROOM. */
static int authorize(ws_manager *of, const ws_connection_info *connection, const char *room,
                     void *user_data)
{
    (void)of;
    (void)user_data;
    if (!callbacks.is_reauthorizing || room == NULL)
        return WS_OK;
    ck_assert_str_eq(room, room_names[OWN_ROOM]);
    set_watching(connection->user_data, WATCHED_ROOM, false);
    return WS_ERR_FORBIDDEN;
}

static void on_presence(ws_manager *of, const ws_presence_change *change, void *user_data)
{
    unsigned place = place_of(change->room);
    int user = change->user_id[1] - '0';
    struct belief *seen = &all.seen[place];
    bool was_there = seen->connections[user] > 0;

    (void)of;
    (void)user_data;
    ck_assert_int_eq(was_there, change->change != WS_PRESENCE_JOINED);
    ck_assert_int_eq(change->connections == 0, change->change == WS_PRESENCE_LEFT);
    seen->connections[user] = (int)change->connections;
    seen->state[user] = change->state != NULL ? atoi(change->state) : NO_STATE;
    callbacks_act_within();
}

void presence_set(ws_manager_options *options)
{
    static const uint32_t limits[] = {1000, 2, 1};
    uint8_t byte = input_byte(&calls.input);

    memset(&all, 0, sizeof all);
    all.has_observer = byte / 8 % 2 == 1;
    state.members.is_exact = state.limits.in_lockstep;
    state.members.grace_ms = byte % 2 == 1 ? 300 : 0;
    state.members.max_list = limits[byte / 2 % 3];
    members_settle(&state.members);
    options->authorize_presence = authorize;
    options->on_presence = all.has_observer ? on_presence : NULL;
    options->presence_grace_ms = state.members.grace_ms;
    options->presence_batch_ms = MEMBERS_BATCH_MS;
    options->max_presence_list = state.members.max_list;
    options->max_presence_deliveries = 0;
}

void presence_begin(void)
{
    uint8_t byte = input_byte(&calls.input);

    for (unsigned place = 0; place < N_PLACES; place++)
        if (byte >> place & 1) {
            state.members.declared[place] = true;
            ck_assert_int_eq(ws_manager_enable_presence(calls.manager, name_of(place)), WS_OK);
        }
}

/* --- comparing ------------------------------------------------------------------------------- */

static bool is_watched(unsigned place)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        for (unsigned watched = 0; watched < N_WATCHED; watched++)
            if (watched_place(watched) == place && state.clients[i].open &&
                all.views[i].watches[watched].is_on)
                return true;
    return false;
}

static void compare_views(unsigned place, const struct belief *truth)
{
    for (size_t i = 0; i < N_CLIENTS; i++) {
        const struct view *view = &all.views[i];

        if (!state.clients[i].open)
            continue;
        ck_assert(!view->awaits_list);
        ck_assert(has_long_lists() || view->n_watched == 0);
        for (unsigned watched = 0; watched < N_WATCHED; watched++)
            if (watched_place(watched) == place && view->watches[watched].is_on)
                ck_assert(belief_is(&view->watches[watched].belief, truth));
    }
}

/* The application is notified of each user, also if clients receive the count alone. */
static void compare_seen(unsigned place)
{
    for (unsigned user = 1; user < N_USERS; user++) {
        int connections = all.seen[place].connections[user];
        const struct member *member = &state.members.of[place][user];

        if (connections > 0 && member->connections > 0)
            ck_assert_int_eq(connections, (int)member->connections);
        else if (connections > 0)
            ck_assert(members_may_have(&state.members, place, user));
        else if (state.members.declared[place])
            ck_assert(!members_must_have(&state.members, place, user, state.now_ms));
    }
}

void presence_compare(void)
{
    struct belief truth;

    for (unsigned place = 0; place < N_PLACES; place++) {
        if (all.has_observer)
            compare_seen(place);
        if (!is_watched(place) && !state.members.declared[place])
            continue;
        get(place, &truth);
        members_check(&state.members, place, &truth, state.now_ms);
        compare_views(place, &truth);
    }
}
