/* state.c: the model: the rooms of each client, and the events that it should receive. Not here:
 * the library that it is compared with (callbacks.c and model.c). */
#include "fuzz/model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

struct state state;

/* By number. */
static struct presence {
    char name[NAME_SIZE];
    bool came;
} presences[2 * MAX_CONNECTS];

bool state_is_in(const struct client *client, unsigned room)
{
    return (client->rooms >> room & 1) != 0;
}

/* --- rooms ----------------------------------------------------------------------------------- */

static unsigned count_occupied(void)
{
    unsigned occupied = 0;

    for (size_t i = 0; i < N_CLIENTS; i++)
        occupied |= state.clients[i].rooms;
    return (unsigned)__builtin_popcount(occupied);
}

static bool is_empty(unsigned room)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (state_is_in(&state.clients[i], room))
            return false;
    return true;
}

static int join_result(const struct client *client, unsigned room)
{
    const struct limits *limits = &state.limits;

    if (state_is_in(client, room))
        return WS_ERR_ALREADY;
    if (limits->rooms_per_connection > 0 &&
        (unsigned)__builtin_popcount(client->rooms) + client->n_watched >=
            limits->rooms_per_connection)
        return WS_ERR_TOO_MANY_ROOMS;
    if (limits->rooms > 0 && is_empty(room) && count_occupied() >= limits->rooms)
        return WS_ERR_TOO_MANY_ROOMS;
    return WS_OK;
}

void state_join(struct client *client, unsigned room)
{
    if (!client->open)
        return;
    state.join_result = join_result(client, room);
    if (state.join_result != WS_OK)
        return;
    client->rooms |= 1u << room;
    members_enter(&state.members, room, client->user, state.now_ms);
}

static void leave(struct client *client, unsigned room, bool is_lost)
{
    if (state_is_in(client, room))
        members_leave(&state.members, room, client->user, is_lost, state.now_ms);
    client->rooms &= ~(1u << room);
}

/* What it was to receive of the room may be missing if it was slow. */
void state_leave(struct client *client, unsigned room)
{
    leave(client, room, false);
    for (size_t i = client->n_done; client->may_recover && i < client->n_expected; i++)
        client->expected[i].may_be_left |=
            client->expected[i].kind == LIVE_EVENT && client->expected[i].room == room;
}

/* --- clients --------------------------------------------------------------------------------- */

static uint64_t cost_ms(void)
{
    return 1000 / state.limits.message_rate;
}

void state_connect(struct client *client)
{
    client->open = client->attached = true;
    members_enter(&state.members, SERVICE, client->user, state.now_ms);
    client->spoke_ms = state.now_ms;
    if (state.limits.message_rate > 0)
        client->credit_ms = cost_ms() * state.limits.message_burst;
}

void state_close(struct client *client)
{
    if (!client->open)
        return;
    client->open = false;
    for (unsigned room = 0; room < N_ROOMS; room++)
        leave(client, room, true);
    members_leave(&state.members, SERVICE, client->user, true, state.now_ms);
}

static bool take_credit(struct client *client)
{
    uint64_t most = cost_ms() * state.limits.message_burst;

    client->credit_ms += state.now_ms - client->spoke_ms;
    client->spoke_ms = state.now_ms;
    if (client->credit_ms > most)
        client->credit_ms = most;
    if (client->credit_ms < cost_ms())
        return false;
    client->credit_ms -= cost_ms();
    return true;
}

void state_say(struct client *client)
{
    client->may_speak = state.limits.message_rate == 0 || take_credit(client);
    if (client->may_speak) {
        client->n_refused = 0;
    } else if (client->n_refused++ == state.limits.message_burst) {
        client->was_too_fast = true;
        state_close(client);
    }
}

/* --- events ---------------------------------------------------------------------------------- */

static void expect(struct client *client, int place, int number, enum message_kind kind,
                   unsigned room)
{
    if (!client->open)
        return;
    ck_assert_uint_lt(client->n_expected, MAX_EXPECTED);
    client->expected[client->n_expected++] = (struct expected){
        .place = place, .number = number, .kind = (uint8_t)kind, .room = (uint8_t)room};
}

void state_send(struct client *client, enum message_kind kind, unsigned room, int number)
{
    expect(client, state.n_events, number, kind, room);
}

void state_request(struct client *client, int number)
{
    expect(client, 0, number, REQUEST, N_ROOMS);
}

static bool is_only_one(const struct client *client)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (&state.clients[i] != client && state.clients[i].is_counted &&
            state.clients[i].user == client->user)
            return false;
    return true;
}

void state_end(struct client *client)
{
    if (!client->is_counted)
        return;
    client->is_counted = false;
    client->is_only = is_only_one(client);
}

void state_tell_presence(struct client *client, bool came)
{
    struct presence *presence = &presences[state.n_presences];
    int number = state.n_presences;

    if (came) {
        client->is_counted = true;
        client->is_only = is_only_one(client);
    } else {
        state_end(client);
    }
    if (state.limits.presence == WS_PRESENCE_OFF || (client->user != 0 && !client->is_only))
        return;
    if (state.members.grace_ms > 0 && client->user != 0) /* when it ends is not known here */
        return;
    state.n_presences++;
    presence->came = came;
    strcpy(presence->name, client->name);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (&state.clients[i] != client && (state.limits.presence == WS_PRESENCE_EVERYONE ||
                                            state_is_in(&state.clients[i], PRESENCE_ROOM)))
            expect(&state.clients[i], 0, number, PRESENCE, N_ROOMS);
}

static void check_presence(const struct presence *presence, const char *text, size_t length)
{
    char wanted[2 * NAME_SIZE];

    snprintf(wanted, sizeof wanted, "\"data\":{\"connection_id\":\"%s\"", presence->name);
    ck_assert_ptr_nonnull(memmem(text, length, wanted, strlen(wanted)));
    snprintf(wanted, sizeof wanted, "\"type\":\"user_%s\"",
             presence->came ? "connected" : "disconnected");
    ck_assert_ptr_nonnull(memmem(text, length, wanted, strlen(wanted)));
}

/* --- what the room keeps ---------------------------------------------------------------------- */

void state_ask(struct client *client, const struct wish *wish)
{
    if (state.limits.in_lockstep) /* it may have been refused before */
        client->n_wishes = client->n_carried_out = client->n_joined = 0;
    client->wishes[client->n_wishes++] = *wish;
}

static bool is_excluded(const struct kept_event *event, const struct client *client)
{
    return event->excluded[0] == client->id || event->excluded[1] == client->id;
}

static void expect_replay(struct client *client, const struct wish *wish)
{
    const struct kept *kept = &state.kept;
    size_t first = 0;

    while (first < kept->n_history && kept->history[first].place <= wish->after)
        first++;
    if (wish->last > 0 && kept->n_history - first > wish->last)
        first = kept->n_history - wish->last;
    for (size_t i = first; i < kept->n_history; i++)
        if (!is_excluded(&kept->history[i], client))
            expect(client, kept->history[i].place, kept->history[i].number, REPLAYED_EVENT,
                   OWN_ROOM);
}

void state_enter(struct client *client)
{
    const struct wish *wish = &client->wishes[client->n_carried_out++];

    ck_assert_uint_le(client->n_carried_out, client->n_wishes);
    state_join(client, OWN_ROOM);
    if (state.join_result != WS_OK && state.join_result != WS_ERR_ALREADY)
        return;
    client->may_recover |= wish->state || wish->replay;
    for (size_t i = 0; wish->state && i < state.kept.n_values; i++) {
        const struct kept_event *value = &state.kept.values[i];

        expect(client, value->place, value->number, KEPT_VALUE, OWN_ROOM);
        if (client->n_expected > 0 && is_excluded(value, client))
            client->expected[client->n_expected - 1].may_be_left = true;
    }
    if (wish->replay)
        expect_replay(client, wish);
}

const struct wish *state_entered(struct client *client)
{
    ck_assert_uint_lt(client->n_joined, client->n_carried_out);
    return &client->wishes[client->n_joined++];
}

/* --- what a client receives ------------------------------------------------------------------- */

static bool is_kept(unsigned kind)
{
    return kind == KEPT_VALUE || kind == REPLAYED_EVENT;
}

/* Messages without a place in the order do not wait while a slow client recovers. */
static bool has_place(unsigned kind)
{
    return kind != PERSONAL_EVENT && kind != PRESENCE && kind != REQUEST;
}

/* Values that changed before the request was carried out come as live events. */
static bool may_be_missing(const struct client *client, const struct expected *expected)
{
    if (expected->kind == KEPT_VALUE && !kept_is_value(&state.kept, expected->place))
        return true;
    if (expected->kind == REPLAYED_EVENT && !kept_is_in_history(&state.kept, expected->place))
        return true;
    return expected->may_be_left ||
           (is_kept(expected->kind) && client->got_live[expected->number]);
}

static void settle(struct client *client)
{
    while (client->n_done < client->n_expected && client->expected[client->n_done].is_done)
        client->n_done++;
}

/* Whether messages of two kinds have one order for the client. */
static bool are_in_order(const struct client *client, unsigned kind, unsigned other)
{
    return !client->may_recover ||
           (is_kept(kind) == is_kept(other) && has_place(kind) == has_place(other));
}

/* The first message that may be the next one of this kind; NULL: there is none. */
static struct expected *find(struct client *client, unsigned kind, int number)
{
    for (size_t i = client->n_done; i < client->n_expected; i++) {
        struct expected *expected = &client->expected[i];

        if (expected->is_done || !are_in_order(client, kind, expected->kind))
            continue;
        if (expected->kind == kind && (kind == PRESENCE || expected->number == number))
            return expected;
        ck_assert(client->may_recover || may_be_missing(client, expected));
        if (!client->may_recover)
            expected->is_done = true;
    }
    return NULL;
}

bool state_is_done(struct client *client)
{
    for (size_t i = client->n_done; i < client->n_expected; i++)
        if (!client->expected[i].is_done && may_be_missing(client, &client->expected[i]))
            client->expected[i].is_done = true;
    settle(client);
    return client->n_done == client->n_expected && client->n_values == 0 &&
           client->n_replayed == 0;
}

static unsigned number_behind(const char *text, size_t length, const char *name)
{
    const char *found = memmem(text, length, name, strlen(name));

    return found != NULL ? (unsigned)atoi(found + strlen(name)) : 0;
}

/* What the answer to a request announces, beside what is still to follow a former answer. */
static void take_answer(struct client *client, const char *text, size_t length)
{
    client->n_values += number_behind(text, length, "\"state\":");
    client->n_replayed += number_behind(text, length, "\"replayed\":");
}

static bool contains(const char *text, size_t length, const char *part)
{
    return memmem(text, length, part, strlen(part)) != NULL;
}

/* As many values and replayed events come as the answers said, before any other event. */
static unsigned kind_of(struct client *client, const char *text, size_t length)
{
    if (contains(text, length, "\"state\":true")) {
        ck_assert_uint_gt(client->n_values--, 0);
        return KEPT_VALUE;
    }
    if (contains(text, length, "\"replayed\":true")) {
        ck_assert_uint_gt(client->n_replayed--, 0);
        return REPLAYED_EVENT;
    }
    if (contains(text, length, "\"type\":\"user_"))
        return PRESENCE;
    if (contains(text, length, "\"type\":\"request\""))
        return REQUEST;
    if (!contains(text, length, "\"id\":\""))
        return PERSONAL_EVENT;
    ck_assert_uint_eq(client->n_values + client->n_replayed, 0);
    return LIVE_EVENT;
}

/* Live events come in their order, behind all that the client has received: nothing comes
 * twice. Kept events are of the client's place, or of before. */
static void check_position(struct client *client, unsigned kind, const char *text,
                           size_t length)
{
    const char *dot = memchr(text, '.', length);
    unsigned position;

    ck_assert_ptr_nonnull(dot);
    position = (unsigned)atoi(dot + 1);
    ck_assert(kind != LIVE_EVENT || position > client->position);
    if (position > client->position)
        client->position = position;
}

/* With a grace time a user comes and leaves in turn. A client is not told that it has come itself.
 * False: the event is of an anonymous client. */
static bool take_news(struct client *client, const char *text, size_t length)
{
    unsigned user = number_behind(text, length, "\"user_id\":\"u");
    enum news news = contains(text, length, "\"type\":\"user_connected\"") ? CAME : WENT;

    if (state.members.grace_ms == 0 || user == 0)
        return false;
    ck_assert(user == client->user || client->news[user] != news);
    client->news[user] = news;
    return true;
}

void state_check_news(const struct client *client)
{
    for (unsigned user = 1; user < N_USERS; user++)
        if (client->news[user] != NO_NEWS && user != client->user)
            ck_assert_int_eq(client->news[user] == CAME,
                             state.members.of[SERVICE][user].connections > 0);
}

/* For `since`. */
static void note_id(const char *text, size_t length, int place)
{
    static const char before[] = "{\"id\":\"";
    const char *end = memchr(text + sizeof before, '"', length - sizeof before);

    if (!contains(text, length, "\"room\":\"own\""))
        return;
    snprintf(state.id, sizeof state.id, "%.*s", (int)(end - text - strlen(before)),
             text + strlen(before));
    state.id_number = place;
}

void state_got(struct client *client, const char *text, size_t length)
{
    bool is_event = contains(text, length, "\"type\":\"stock_low\"") ||
                    contains(text, length, "\"type\":\"request\"");
    int number = (int)number_behind(text, length, "{\"n\":");
    struct expected *expected;
    unsigned kind;

    if (contains(text, length, "\"type\":\"room_joined\""))
        take_answer(client, text, length);
    if (!is_event && !contains(text, length, "\"type\":\"user_"))
        return;
    kind = kind_of(client, text, length);
    if (kind == PRESENCE && take_news(client, text, length))
        return;
    if (has_place(kind))
        check_position(client, kind, text, length);
    if (kind == LIVE_EVENT)
        client->got_live[number] = true;
    expected = find(client, kind, number);
    /* A slow client that enters a room also receives what was sent before, behind its own place. */
    if (expected == NULL && client->may_recover && contains(text, length, "\"room\":\""))
        return;
    ck_assert_ptr_nonnull(expected);
    expected->is_done = true;
    settle(client);
    if (kind == PRESENCE)
        check_presence(&presences[expected->number], text, length);
    if (kind == LIVE_EVENT)
        note_id(text, length, expected->place);
}
