/* recovery_random_test.c: clients that connect, are cut, come back, enter and leave rooms and stop
 * reading at random while events are sent, each compared with a model of what it should have
 * received. Not here: several threads (recovery_threads_test.c). */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/events/ids.h"
#include "core/manager.h"
#include "support/host.h"
#include "support/suite.h"

enum {
    N_PLAYERS = 8,
    N_ROOMS = 3,
    N_USERS = 2,
    MOST_EVENTS = 4000,
    N_ACTS = 3000,
    /* Filler calls use up a turn's budget except for a rest, so that the calls after them are
     * cut. */
    BUDGET = 8192,
    CALL = 8
};

static const char *const rooms[N_ROOMS] = {"r", "s", "t"};
static const char *const users[N_USERS] = {"ann", "bob"};

struct event {
    const char *room; /* a room or a user, never both */
    const char *user;
    int excluded; /* a player's number, or -1 */
    ws_conn_id excluded_id;
};

/* A membership as the client knows it. */
struct membership {
    bool asked;     /* may get the room's events */
    bool is_joined; /* should get those above `above`, up to `until` */
    bool is_pending;
    int above;
    int until; /* where it asked to leave */
};

struct player {
    struct client client;
    const char *user;
    char name[CONNECTION_NAME_SIZE]; /* the name of this connection, after its welcome */
    char former[CONNECTION_NAME_SIZE];
    ws_conn_id former_id;
    bool is_connected;
    bool is_recovering;
    bool is_blocked; /* its queue was full when it was given an event */
    bool has_missed;
    int position;
    struct membership rooms[N_ROOMS];
};

static struct host host;
static struct client filler;
static struct player players[N_PLAYERS];
static struct event events[MOST_EVENTS + 1];
static int n_events;
static unsigned blocks_of_100;
static unsigned acts_of_1000;
static unsigned n_complete, n_incomplete, n_cut_in_recovery;

static void act(void);

static unsigned pick(unsigned n)
{
    return (unsigned)random() % n;
}

static int player_number(const struct player *player)
{
    return (int)(player - players);
}

/* --- the model -------------------------------------------------------------------------------- */

static struct membership *membership_of(struct player *player, const char *room)
{
    for (size_t i = 0; i < N_ROOMS; i++)
        if (strcmp(rooms[i], room) == 0)
            return &player->rooms[i];
    return NULL;
}

/* Whether the player should receive the event. It may receive an event that excluded an earlier
 * connection of its own. */
static bool must_get(struct player *player, int position)
{
    const struct event *event = &events[position];
    const struct membership *membership;

    if (event->excluded == player_number(player))
        return false;
    if (event->user != NULL)
        return player->user == event->user;
    if (event->room == NULL)
        return true;
    membership = membership_of(player, event->room);
    return membership->is_joined && position > membership->above &&
           position <= membership->until;
}

static bool may_get(struct player *player, int position)
{
    const struct event *event = &events[position];

    if (event->excluded == player_number(player) &&
        (event->excluded_id == player->client.id || event->excluded_id == player->former_id))
        return false;
    if (event->user != NULL)
        return player->user == event->user;
    return event->room == NULL || membership_of(player, event->room)->asked;
}

/* The player has received everything up to that position; if the position is an event's, the event
 * itself comes next. */
static void move_to(struct player *player, int position, bool is_event)
{
    for (int q = player->position + 1; q <= position - is_event; q++)
        ck_assert_msg(!must_get(player, q), "player %d has not received %d before %d",
                      player_number(player), q, position);
    player->position = position;
}

static void get_answer(struct player *player, int position)
{
    ck_assert_int_ge(position, player->position);
    move_to(player, position, false);
}

static void get_event(struct player *player, int position)
{
    ck_assert_msg(position > player->position, "player %d receives %d, but is already at %d",
                  player_number(player), position, player->position);
    ck_assert_msg(may_get(player, position), "player %d receives %d, which is not for it",
                  player_number(player), position);
    ck_assert_msg(!player->is_recovering || !player->is_blocked,
                  "player %d receives %d while it does not read", player_number(player),
                  position);
    move_to(player, position, true);
}

/* A client that comes back continues at its position, or knows by the welcome's id that it missed
 * something. */
static void get_welcome(struct player *player, int position)
{
    ck_assert_int_ge(position, player->position);
    connection_name_write(host.manager->process, player->client.id, player->name);
    player->has_missed = position > player->position;
    player->position = position;
}

static void get_recovered(struct player *player, const char *text, int position)
{
    bool is_complete = strstr(text, "\"complete\":true") != NULL;

    ck_assert_int_ge(position, player->position);
    ck_assert(!is_complete || !player->has_missed);
    if (is_complete)
        move_to(player, position, false);
    else
        player->position = position;
    n_complete += is_complete;
    n_incomplete += !is_complete;
    player->is_recovering = false;
}

static void get_room_answer(struct player *player, const char *text, int position)
{
    const char *room = strstr(text, "\"room\":\"") + 8;
    char name[2] = {room[0], '\0'};
    struct membership *membership = membership_of(player, name);
    bool is_join = strstr(text, "room_joined") != NULL;

    get_answer(player, position);
    *membership = is_join ? (struct membership){true, true, false, position, INT_MAX}
                          : (struct membership){.until = INT_MAX};
}

static void get(struct client *client, const char *text)
{
    struct player *player = client->hook_data;
    const char *id = strstr(text, "\"id\":\"E.");
    int position = id != NULL ? atoi(id + 8) : 0;
    bool is_event = strncmp(text, "{\"id\"", 5) == 0;

    ck_assert_ptr_nonnull(id);
    if (is_event)
        get_event(player, position);
    else if (strstr(text, "\"welcome\"") != NULL)
        get_welcome(player, position);
    else if (strstr(text, "\"recovered\"") != NULL)
        get_recovered(player, text, position);
    else if (strstr(text, "\"pong\"") != NULL)
        get_answer(player, position);
    else
        get_room_answer(player, text, position);
    player->is_blocked = is_event && client->send_result == WS_ERR_BACKPRESSURE;
    client->send_result = pick(100) < blocks_of_100 ? WS_ERR_BACKPRESSURE : WS_OK;
    if (pick(1000) < acts_of_1000)
        act();
}

/* --- actions ---------------------------------------------------------------------------------- */

/* Its former connection is the last one whose events it has completely. */
static void forget_connection(struct player *player)
{
    player->is_connected = false;
    n_cut_in_recovery += player->is_recovering;
    if (player->is_recovering || player->name[0] == '\0')
        return;
    memcpy(player->former, player->name, sizeof player->former);
    player->former_id = player->client.id;
}

static void on_close(struct client *client)
{
    forget_connection(client->hook_data);
}

/* It names the rooms that it is in, or was about to enter. */
static void connect_player(struct player *player)
{
    static char ids[EVENT_ID_SIZE];
    const char *names[N_ROOMS];
    ws_connect_options options;
    bool comes_back = player->position > 0 || pick(2) == 0;

    client_free(&player->client);
    player->client = (struct client){.host = &host,
                                     .name = "a player",
                                     .on_send = get,
                                     .on_close = on_close,
                                     .hook_data = player};
    client_options(&player->client, &options);
    options.user_id = player->user;
    for (size_t i = 0; i < N_ROOMS; i++) {
        struct membership *room = &player->rooms[i];

        if (!comes_back || !room->asked || room->until < INT_MAX) {
            *room = (struct membership){.until = INT_MAX};
            continue;
        }
        if (!room->is_joined)
            *room = (struct membership){true, true, false, player->position, INT_MAX};
        names[options.n_rooms++] = rooms[i];
    }
    options.rooms = names;
    player->is_recovering = comes_back;
    player->is_blocked = false;
    player->name[0] = '\0';
    if (comes_back) {
        event_id_write(host.manager->epoch, (uint64_t)player->position, ids);
        options.after = ids;
        options.former_connection_id = player->former;
    }
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &player->client.id),
                     WS_OK);
    player->is_connected = true;
}

static void cut(struct player *player)
{
    client_lose(&player->client);
    forget_connection(player);
}

static void say(struct player *player, const char *type, const char *room)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"%s\",\"room\":\"%s\"}", type, room);
    client_say(&player->client, text);
}

static void change_room(struct player *player)
{
    size_t number = pick(N_ROOMS);
    struct membership *room = &player->rooms[number];

    if (room->is_pending)
        return;
    room->is_pending = true;
    if (room->is_joined) {
        room->until = n_events;
        say(player, "leave_room", rooms[number]);
    } else {
        room->asked = true;
        say(player, "join_room", rooms[number]);
    }
}

static void emit(void)
{
    const struct player *excluded = pick(4) == 0 ? &players[pick(N_PLAYERS)] : NULL;
    struct event *sent = &events[n_events + 1];
    ws_event *event;
    int result;

    if (n_events == MOST_EVENTS)
        return;
    if (excluded != NULL && !excluded->is_connected)
        excluded = NULL;
    *sent = (struct event){
        .excluded = excluded != NULL ? player_number(excluded) : -1,
        .excluded_id = excluded != NULL ? excluded->client.id : 0,
    };
    n_events++;
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "{}", 2, &event), WS_OK);
    switch (pick(6)) {
    case 0:
        sent->excluded = -1;
        sent->user = users[pick(N_USERS)];
        result = ws_manager_send_to_user(host.manager, sent->user, event, NULL, 0);
        break;
    case 1:
    case 2:
        result =
            ws_manager_broadcast(host.manager, event, &sent->excluded_id, excluded != NULL);
        break;
    default:
        sent->room = rooms[pick(N_ROOMS)];
        result = ws_manager_broadcast_to_room(host.manager, sent->room, event,
                                              &sent->excluded_id, excluded != NULL);
        break;
    }
    ck_assert_int_eq(result, WS_OK);
    ws_event_free(event);
}

static void becomes_writable(struct player *player)
{
    player->is_blocked = false;
    player->client.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, player->client.id), WS_OK);
}

static void act_on(struct player *player)
{
    if (!player->is_connected) {
        connect_player(player);
        return;
    }
    switch (pick(12)) {
    case 0:
        cut(player);
        break;
    case 1:
        ck_assert_int_eq(ws_manager_disconnect(host.manager, player->client.id, 1000, NULL),
                         WS_OK);
        break;
    case 2:
    case 3:
    case 4:
        change_room(player);
        break;
    case 5:
        client_say(&player->client, "{\"type\":\"ping\"}");
        break;
    default:
        if (player->is_blocked)
            becomes_writable(player);
        break;
    }
}

static void act(void)
{
    if (pick(2) == 0)
        emit();
    else
        act_on(&players[pick(N_PLAYERS)]);
}

/* Leaves so much of the turn's budget that the next calls are cut. */
static void fill_turn(void)
{
    for (unsigned i = 0; i < (BUDGET - pick(20 * CALL)) / CALL; i++)
        ck_assert_int_eq(ws_manager_leave_room(host.manager, filler.id, "nowhere"), WS_OK);
}

/* --- the test --------------------------------------------------------------------------------- */

/* In the end everyone is connected, reads, and has everything. */
static void settle(void)
{
    acts_of_1000 = blocks_of_100 = 0;
    for (size_t i = 0; i < N_PLAYERS; i++) {
        if (players[i].is_connected)
            becomes_writable(&players[i]);
        else
            connect_player(&players[i]);
    }
    host_run(&host);
    for (size_t i = 0; i < N_PLAYERS; i++)
        if (players[i].is_connected)
            client_say(&players[i].client, "{\"type\":\"ping\"}");
    host_run(&host);
    for (size_t i = 0; i < N_PLAYERS; i++) {
        ck_assert(!players[i].is_recovering || !players[i].is_connected);
        if (players[i].is_connected)
            ck_assert_int_eq(players[i].position, n_events);
    }
}

static void play(unsigned seed, uint32_t history_events)
{
    srandom(seed);
    blocks_of_100 = 5 * pick(10);
    acts_of_1000 = 5 * pick(10);
    n_events = 0;
    memset(players, 0, sizeof players);
    host_init(&host);
    host_without_callbacks(&host);
    host.options.history_events = history_events;
    host_start(&host);
    client_open(&host, &filler, "filler", NULL);
    for (size_t i = 0; i < N_PLAYERS; i++) {
        players[i].user = i % 3 < N_USERS ? users[i % 3] : NULL;
        for (size_t room = 0; room < N_ROOMS; room++)
            players[i].rooms[room].until = INT_MAX;
    }
    for (int i = 0; i < N_ACTS; i++) {
        act();
        if (pick(300) == 0)
            fill_turn();
        if (pick(4) == 0)
            ws_loop_run(host.loop, host.now_ms);
    }
    settle();
    host_close(&host);
    client_free(&filler);
    for (size_t i = 0; i < N_PLAYERS; i++)
        client_free(&players[i].client);
}

static void play_many(uint32_t history_events)
{
    n_complete = n_incomplete = n_cut_in_recovery = 0;
    for (unsigned seed = 1; seed <= 15; seed++)
        play(seed, history_events);
}

START_TEST(everything_missed_is_in_the_history)
{
    play_many(MOST_EVENTS);
    ck_assert_uint_gt(n_complete, 500);
    ck_assert_uint_eq(n_incomplete, 0);
    ck_assert_uint_gt(n_cut_in_recovery, 100);
}
END_TEST

START_TEST(lost_events_are_reported)
{
    play_many(20);
    ck_assert_uint_gt(n_complete, 100);
    ck_assert_uint_gt(n_incomplete, 100);
}
END_TEST

START_TEST(without_a_history_every_gap_is_reported)
{
    play_many(0);
    ck_assert_uint_gt(n_incomplete, 100);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        everything_missed_is_in_the_history,
        lost_events_are_reported,
        without_a_history_every_gap_is_reported,
        NULL,
    };

    return suite_run("recovery_random", tests);
}
