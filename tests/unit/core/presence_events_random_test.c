/* presence_events_random_test.c: users connect to several processes at random and leave them,
 * while processes are cut off, miss a part of the stream or die, and the stream is away: each
 * client hears of a user's coming and leaving in turn, and in the end knows who is there. Not
 * here: single cases (presence_events_cluster_test.c), and replaced streams
 * (presence_cluster_random_test.c). */
#include <stdio.h>
#include <string.h>

#include "support/processes.h"
#include "support/suite.h"

enum { USERS = 4, CLIENTS = 10, STEPS = 120, ROUNDS = 3, GAMES = 60, HEARD = 2000 };

/* A client at each process, for as long as that lives. */
static struct observer {
    struct client client;
    char last[USERS];  /* what it heard last of each user: '+', '-', or 0 */
    char heard[HEARD]; /* all of it */
    size_t n_heard;
    bool has_missed; /* its process began late, or missed something */
} observers[N_PROCESSES];

static struct visitor {
    struct client client;
    size_t process;
    int user;
    bool is_open;
} visitors[CLIENTS];

static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 16) % below;
}

static void announce_users(ws_manager_options *options)
{
    options->presence_events = WS_PRESENCE_EVERYONE;
    options->max_presence_deliveries = 0;
}

/* --- what observers hear --------------------------------------------------------------------- */

static void observe(size_t i, bool has_missed)
{
    client_free(&observers[i].client);
    observers[i] = (struct observer){.has_missed = has_missed};
    client_open(&processes[i].host, &observers[i].client, "observer", "o");
}

static void take(unsigned seed, struct observer *observer, const char *text)
{
    const char *user = strstr(text, "\"user_id\":\"u");
    char sign = strstr(text, "\"user_connected\"") != NULL ? '+' : '-';
    int number;

    if (user == NULL || strstr(text, "onnected\",\"data\"") == NULL)
        return;
    number = user[12] - '0';
    ck_assert_int_lt(number, USERS);
    /* Of a process that has missed something a user may have come in silence. */
    ck_assert_msg(observer->last[number] != sign || (observer->has_missed && sign == '-'),
                  "game %u: %c of u%d twice", seed, sign, number);
    observer->last[number] = sign;
    ck_assert_uint_lt(observer->n_heard + 2, HEARD);
    observer->heard[observer->n_heard++] = sign;
    observer->heard[observer->n_heard++] = (char)('0' + number);
}

static void read_all(unsigned seed)
{
    for (size_t i = 0; i < N_PROCESSES; i++)
        for (const char *text; processes[i].host.manager != NULL &&
                               (text = client_next(&observers[i].client)) != NULL;)
            take(seed, &observers[i], text);
}

/* --- what happens ---------------------------------------------------------------------------- */

static void act(struct visitor *visitor)
{
    char user[8];

    if (visitor->is_open) {
        client_lose(&visitor->client);
        visitor->is_open = false;
        return;
    }
    visitor->process = pick(N_PROCESSES);
    if (processes[visitor->process].host.manager == NULL)
        return;
    visitor->user = (int)pick(USERS);
    snprintf(user, sizeof user, "u%d", visitor->user);
    client_free(&visitor->client);
    client_open(&processes[visitor->process].host, &visitor->client, user, user);
    visitor->is_open = true;
}

static void kill_process(size_t i)
{
    process_close(&processes[i]);
    processes[i].host.manager = NULL;
    is_cut[i] = false;
    for (size_t n = 0; n < CLIENTS; n++)
        if (visitors[n].process == i)
            visitors[n].is_open = false;
}

static void begin_process(size_t i)
{
    processes_open_one(i);
    observe(i, true);
}

static void miss_some(size_t i)
{
    size_t n_missed = stream.count - processes[i].n_read;

    process_start(&processes[i], n_missed > 0 ? pick((unsigned)n_missed + 1) : 0);
    observers[i].has_missed = true;
    is_cut[i] = false;
}

static void break_something(unsigned seed)
{
    size_t i = pick(N_PROCESSES);
    bool is_alive = processes[i].host.manager != NULL;

    switch (pick(6)) {
    case 0:
        is_cut[i] = is_alive;
        break;
    case 1:
        if (is_alive && pick(3) == 0)
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
    default:
        if (is_alive && pick(4) == 0) {
            read_all(seed);
            kill_process(i);
        } else if (!is_alive)
            begin_process(i);
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
            begin_process(i);
    }
}

/* --- the truth ------------------------------------------------------------------------------- */

static bool is_there(int user)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (visitors[i].is_open && visitors[i].user == user)
            return true;
    return false;
}

static void check(unsigned seed, bool has_faults)
{
    const struct observer *first = NULL;

    for (size_t i = 0; i < N_PROCESSES; i++) {
        const struct observer *observer = &observers[i];

        for (int user = 0; user < USERS; user++)
            ck_assert_msg((observer->last[user] == '+') == is_there(user) ||
                              (observer->has_missed && is_there(user)),
                          "game %u: process %zu heard %c of u%d", seed, i,
                          observer->last[user] != 0 ? observer->last[user] : '0', user);
        /* Whether a process is dead is judged by each of the others. */
        if (has_faults)
            continue;
        if (first == NULL)
            first = observer;
        ck_assert_msg(first->n_heard == observer->n_heard &&
                          memcmp(first->heard, observer->heard, first->n_heard) == 0,
                      "game %u: process %zu heard\n%s\nanother\n%s", seed, i, observer->heard,
                      first->heard);
    }
}

static void play(unsigned seed)
{
    random_state = seed;
    processes_options = announce_users;
    processes_open();
    for (size_t i = 0; i < N_PROCESSES; i++)
        observe(i, false);
    processes_pass(12000); /* no process is new any more */
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STEPS; i++) {
            act(&visitors[pick(CLIENTS)]);
            if (pick(2) == 0)
                processes_pass(UINT64_C(50) * pick(8));
            if (seed % 3 > 0 && pick(10) == 0) /* without faults all hear the same */
                break_something(seed);
            if (pick(40) == 0)
                processes_pass(UINT64_C(1000) * pick(8));
            read_all(seed);
        }
        mend();
        processes_pass(40000);
        read_all(seed);
        check(seed, seed % 3 > 0);
    }
    processes_close();
    for (size_t i = 0; i < CLIENTS; i++) {
        client_free(&visitors[i].client);
        visitors[i] = (struct visitor){.is_open = false};
    }
    for (size_t i = 0; i < N_PROCESSES; i++)
        client_free(&observers[i].client);
}

START_TEST(each_client_hears_of_users_in_turn_and_knows_who_is_there)
{
    for (unsigned seed = 1; seed <= GAMES; seed++)
        play(seed);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_client_hears_of_users_in_turn_and_knows_who_is_there,
                                  NULL};

    return suite_run("presence_events_random", tests);
}
