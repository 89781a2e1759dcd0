/* presence_cluster_random_test.c: several processes, whose users come and go and set states at
 * random, while processes are cut off, miss a part of the stream or die, and the stream is away
 * or replaced: when all is well again, each process and each watcher knows who is there. Not
 * here: single cases (presence_cluster_test.c). */
#include <stdio.h>
#include <string.h>

#include "support/belief.h"
#include "support/processes.h"
#include "support/suite.h"

enum { CLIENTS = 15, STEPS = 150, ROUNDS = 4, GAMES = 60 };

struct watcher {
    struct client client;
    struct belief belief;  /* of the room */
    struct belief service; /* who is connected at all */
    size_t process;
    int user;
    bool is_open;
    bool is_in;
    bool is_watching;
    bool is_watching_all;
};

static struct watcher watchers[CLIENTS];
static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

/* --- clients --------------------------------------------------------------------------------- */

static void read_messages(struct watcher *watcher)
{
    const char *text;

    while ((text = client_next(&watcher->client)) != NULL) {
        if (strstr(text, "\"room_joined\"") != NULL)
            watcher->is_in = true;
        if (strstr(text, "\"room_left\"") != NULL)
            watcher->is_in = watcher->is_watching = false;
        if (strncmp(text, "{\"type\":\"presence", 17) != 0)
            continue;
        if (strstr(text, "\"room\"") == NULL) {
            watcher->is_watching_all = true;
            belief_take(&watcher->service, text);
            continue;
        }
        /* The answer to a question has a ref. */
        if (strstr(text, "\"ref\"") == NULL && strstr(text, "\"presence_changed\"") == NULL)
            watcher->is_watching = true;
        if (watcher->is_watching)
            belief_take(&watcher->belief, text);
    }
}

static void open_client(struct watcher *watcher)
{
    char user[16];

    watcher->process = pick(N_PROCESSES);
    if (processes[watcher->process].host.manager == NULL)
        return;
    watcher->user = (int)pick(BELIEF_USERS);
    snprintf(user, sizeof user, "u%d", watcher->user);
    client_free(&watcher->client);
    client_open(&processes[watcher->process].host, &watcher->client, "w", user);
    watcher->is_open = true;
    watcher->is_in = watcher->is_watching = watcher->is_watching_all = false;
}

static void act(struct watcher *watcher)
{
    char text[96];

    if (!watcher->is_open) {
        open_client(watcher);
        return;
    }
    switch (pick(10)) {
    case 8:
        client_say(&watcher->client, "{\"type\":\"watch_presence\"}");
        break;
    case 9:
        client_say(&watcher->client, "{\"type\":\"unwatch_presence\"}");
        host_run(&processes[watcher->process].host);
        read_messages(watcher);
        watcher->is_watching_all = false;
        return;
    case 0:
        client_lose(&watcher->client);
        watcher->is_open = false;
        return;
    case 1:
        client_say(&watcher->client, "{\"type\":\"leave_room\",\"room\":\"r\"}");
        break;
    case 2:
        client_say(&watcher->client, "{\"type\":\"join_room\",\"room\":\"r\"}");
        break;
    case 3:
        client_say(&watcher->client, "{\"type\":\"presence\",\"room\":\"r\",\"ref\":1}");
        break;
    case 4:
    case 5:
        snprintf(text, sizeof text, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":%u}",
                 pick(9));
        client_say(&watcher->client,
                   pick(4) == 0 ? "{\"type\":\"set_state\",\"room\":\"r\",\"data\":null}"
                                : text);
        break;
    default:
        client_say(&watcher->client,
                   "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
        break;
    }
    host_run(&processes[watcher->process].host);
    read_messages(watcher);
}

/* --- faults ---------------------------------------------------------------------------------- */

static void kill_process(size_t i)
{
    process_close(&processes[i]);
    for (size_t n = 0; n < CLIENTS; n++)
        if (watchers[n].process == i)
            watchers[n].is_open = false;
}

/* A process begins anew behind what it has missed, except the newest. */
static void miss_some(size_t i)
{
    size_t n_missed = stream.count - processes[i].n_read;

    process_start(&processes[i], n_missed > 0 ? pick((unsigned)n_missed + 1) : 0);
    is_cut[i] = false;
}

static void replace_stream(void)
{
    static unsigned n_streams;

    stream_reset();
    stream.epoch[0] = (char)('b' + n_streams++ % 25);
    for (size_t i = 0; i < N_PROCESSES; i++)
        if (processes[i].host.manager != NULL)
            process_start(&processes[i], 0);
}

static void break_something(void)
{
    size_t i = pick(N_PROCESSES);
    bool is_alive = processes[i].host.manager != NULL;

    switch (pick(8)) {
    case 7:
        if (is_alive && pick(2) == 0)
            ck_assert_int_eq(ws_manager_enable_presence(processes[i].host.manager, "r"), WS_OK);
        else if (is_alive)
            ck_assert_int_eq(ws_manager_disable_presence(processes[i].host.manager, "r"),
                             WS_OK);
        break;
    case 0:
        is_cut[i] = is_alive;
        break;
    case 1:
        if (is_alive)
            miss_some(i);
        break;
    case 2:
        is_away = true;
        break;
    case 3:
        stream.publish_result = WS_OK;
        processes_come_back();
        break;
    case 4:
        stream.publish_result = stream.publish_result == WS_OK ? WS_ERR_BACKPRESSURE : WS_OK;
        break;
    case 5:
        if (is_alive && pick(4) == 0)
            kill_process(i);
        else if (!is_alive)
            processes_open_one(i);
        break;
    default:
        if (pick(8) == 0)
            replace_stream();
        break;
    }
}

static void mend(void)
{
    stream.publish_result = WS_OK;
    processes_come_back();
    for (size_t i = 0; i < N_PROCESSES; i++) {
        is_cut[i] = false;
        if (processes[i].host.manager == NULL)
            processes_open_one(i);
    }
}

/* --- the truth ------------------------------------------------------------------------------- */

static struct belief who_is_there(bool is_anywhere)
{
    struct belief truth = {.has_list = true};

    for (int user = 0; user < BELIEF_USERS; user++)
        truth.state[user] = -1;
    for (size_t i = 0; i < CLIENTS; i++)
        if (watchers[i].is_open && (is_anywhere || watchers[i].is_in) &&
            truth.connections[watchers[i].user]++ == 0)
            truth.count++;
    return truth;
}

/* Checks that all processes know the same of a room, or of the service. A state may be any of
 * those that were set. */
static void check_processes(unsigned seed, const char *room, struct belief *truth)
{
    for (size_t i = 0; i < N_PROCESSES; i++) {
        ws_manager *manager = processes[i].host.manager;
        struct belief known = {0};
        char *text;

        ck_assert_int_eq(ws_manager_get_presence(manager, room, &text, NULL), WS_OK);
        belief_take(&known, text);
        if (i == 0)
            memcpy(truth->state, known.state, sizeof truth->state);
        ck_assert_msg(belief_is(&known, truth), "game %u, process %zu: %s", seed, i, text);
        ws_manager_free_text(manager, text);
    }
}

static void check_all(unsigned seed)
{
    struct belief room;
    struct belief service;

    for (size_t i = 0; i < CLIENTS; i++)
        if (watchers[i].is_open)
            read_messages(&watchers[i]);
    room = who_is_there(false);
    service = who_is_there(true);
    check_processes(seed, "r", &room);
    for (size_t i = 0; i < N_PROCESSES; i++)
        ck_assert_int_eq(ws_manager_enable_presence(processes[i].host.manager, NULL), WS_OK);
    processes_pass(2000);
    check_processes(seed, NULL, &service);
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct watcher *watcher = &watchers[i];

        ck_assert_msg(!watcher->is_open || !watcher->is_watching ||
                          belief_is(&watcher->belief, &room),
                      "game %u, client %zu", seed, i);
        ck_assert_msg(!watcher->is_open || !watcher->is_watching_all ||
                          belief_is(&watcher->service, &service),
                      "game %u, client %zu, the service", seed, i);
    }
}

static void announce_users(ws_manager_options *options)
{
    options->presence_events = WS_PRESENCE_EVERYONE;
}

static void play(unsigned seed)
{
    random_state = seed;
    processes_options = seed % 2 == 0 ? announce_users : NULL;
    processes_open();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STEPS; i++) {
            act(&watchers[pick(CLIENTS)]);
            if (pick(2) == 0)
                processes_pass(UINT64_C(50) * pick(4));
            if (pick(10) == 0)
                break_something();
            if (pick(40) == 0)
                processes_pass(UINT64_C(1000) * pick(8));
        }
        mend();
        processes_pass(40000);
        check_all(seed);
    }
    processes_close();
    for (size_t i = 0; i < CLIENTS; i++) {
        client_free(&watchers[i].client);
        watchers[i] = (struct watcher){.is_open = false};
    }
}

START_TEST(after_all_faults_every_watcher_has_the_right_members)
{
    for (unsigned seed = 1; seed <= GAMES; seed++)
        play(seed);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {after_all_faults_every_watcher_has_the_right_members, NULL};

    return suite_run("presence_cluster_random", tests);
}
