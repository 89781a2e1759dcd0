/* state.c: the model: the rooms of each client, and the events that it should receive. Not here:
 * the library that it is compared with (callbacks.c and model.c). */
#include "fuzz/model/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

struct state state;

/* By number; in the clients' lists of events their number is increased by MAX_EVENTS. */
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
        (unsigned)__builtin_popcount(client->rooms) >= limits->rooms_per_connection)
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
    if (state.join_result == WS_OK)
        client->rooms |= 1u << room;
}

void state_leave(struct client *client, unsigned room)
{
    client->rooms &= ~(1u << room);
}

/* --- clients --------------------------------------------------------------------------------- */

static uint64_t cost_ms(void)
{
    return 1000 / state.limits.message_rate;
}

void state_connect(struct client *client)
{
    client->open = client->attached = true;
    client->spoke_ms = state.now_ms;
    if (state.limits.message_rate > 0)
        client->credit_ms = cost_ms() * state.limits.message_burst;
}

void state_close(struct client *client)
{
    client->open = false;
    client->rooms = 0;
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

static void expect_event(struct client *client, int number)
{
    if (client->open)
        client->events[client->n_events++] = number;
}

void state_send(struct client *client)
{
    expect_event(client, state.n_events);
}

void state_tell_presence(const struct client *client, bool came)
{
    struct presence *presence = &presences[state.n_presences];
    int number = MAX_EVENTS + state.n_presences;

    if (state.limits.presence == WS_PRESENCE_OFF)
        return;
    state.n_presences++;
    presence->came = came;
    strcpy(presence->name, client->name);
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (&state.clients[i] != client && (state.limits.presence == WS_PRESENCE_EVERYONE ||
                                            state_is_in(&state.clients[i], PRESENCE_ROOM)))
            expect_event(&state.clients[i], number);
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

void state_got(struct client *client, const char *text, size_t length)
{
    const char *number = memmem(text, length, "{\"n\":", 5);
    int expected;

    if (number == NULL && memmem(text, length, "\"type\":\"user_", 13) == NULL)
        return;
    ck_assert_uint_lt(client->n_got, client->n_events);
    expected = client->events[client->n_got++];
    if (expected >= MAX_EVENTS) {
        check_presence(&presences[expected - MAX_EVENTS], text, length);
    } else {
        ck_assert_ptr_nonnull(number);
        ck_assert_int_eq(atoi(number + 5), expected);
    }
}
