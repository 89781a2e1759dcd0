/* presence_threads_test.c: clients of three loops, each with its thread, come, leave and set
 * their states at once, and another thread asks and sets states: in the end each watcher knows
 * who is there. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ws_manager/ws_manager.h>

#include "support/belief.h"
#include "support/suite.h"
#include "support/threads.h"

enum { LOOPS = 3, CLIENTS = 6 /* of a loop */, ACTIONS = 1500, CALLS = 3000 };

struct loop_thread;

/* Used by its loop's thread alone. */
struct watcher {
    struct loop_thread *thread;
    ws_conn_id id;
    struct belief belief;
    bool is_open;
    bool is_watching;
};

struct loop_thread {
    pthread_t thread;
    ws_loop *loop;
    unsigned seed;
    struct watcher watchers[CLIENTS];
    _Atomic bool has_acted;
    _Atomic bool agrees; /* its watchers believe what is, as of the last look */
    _Atomic bool stop;
};

static ws_manager *manager;
static struct loop_thread threads[LOOPS];

static int allow(ws_manager *of, const ws_connection_info *connection, const char *room,
                 void *user_data)
{
    (void)of;
    (void)connection;
    (void)room;
    (void)user_data;
    return WS_OK;
}

static void on_presence(ws_manager *of, const ws_presence_change *change, void *user_data)
{
    (void)of;
    (void)user_data;
    ck_assert_int_le(change->change, WS_PRESENCE_CHANGED);
}

/* --- clients --------------------------------------------------------------------------------- */

static int take(ws_message *message, void *transport_data)
{
    struct watcher *watcher = transport_data;
    size_t length;
    const char *payload = ws_message_payload(message, &length);
    char *text = strndup(payload, length);

    if (strstr(text, "{\"type\":\"presence") == text) {
        watcher->is_watching |= strstr(text, "\"presence_changed\"") == NULL;
        belief_take(&watcher->belief, text);
    } else if (strstr(text, "\"room_left\"") != NULL) {
        watcher->is_watching = false;
    }
    free(text);
    return WS_OK;
}

static void on_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct watcher *watcher = transport_data;

    (void)code;
    (void)reason;
    (void)length;
    watcher->is_open = false;
}

static const ws_transport transport = {
    .size = sizeof transport, .send = take, .close = on_close};

static void open_watcher(struct watcher *watcher)
{
    ws_connect_options options;
    char user[16];

    snprintf(user, sizeof user, "u%d", rand_r(&watcher->thread->seed) % BELIEF_USERS);
    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = watcher;
    options.user_id = user;
    watcher->is_watching = false;
    watcher->is_open =
        ws_manager_connect(manager, watcher->thread->loop, &options, &watcher->id) == WS_OK;
}

static void say(struct watcher *watcher, const char *json)
{
    ws_manager_receive(manager, watcher->id, json, strlen(json), 1);
}

static void act(struct watcher *watcher)
{
    char text[96];

    if (!watcher->is_open) {
        open_watcher(watcher);
        return;
    }
    switch (rand_r(&watcher->thread->seed) % 6) {
    case 0:
        ws_manager_transport_closed(manager, watcher->id, 1006, "lost");
        watcher->is_open = false;
        break;
    case 1:
        say(watcher, "{\"type\":\"leave_room\",\"room\":\"r\"}");
        break;
    case 2:
        snprintf(text, sizeof text, "{\"type\":\"set_state\",\"room\":\"r\",\"data\":%d}",
                 rand_r(&watcher->thread->seed) % 9);
        say(watcher, text);
        break;
    default:
        say(watcher, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
        break;
    }
}

/* --- threads --------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool agrees(struct loop_thread *thread)
{
    struct belief truth = {0};
    char *text;
    bool same = true;

    ck_assert_int_eq(ws_manager_get_presence(manager, "r", &text, NULL), WS_OK);
    belief_take(&truth, text);
    ws_manager_free_text(manager, text);
    for (size_t i = 0; i < CLIENTS; i++)
        if (thread->watchers[i].is_open && thread->watchers[i].is_watching)
            same = same && belief_is(&thread->watchers[i].belief, &truth);
    return same;
}

static void *run(void *argument)
{
    struct loop_thread *thread = argument;

    for (int i = 0; !atomic_load(&thread->stop); i++) {
        if (i < ACTIONS)
            act(&thread->watchers[rand_r(&thread->seed) % CLIENTS]);
        if (i == ACTIONS)
            atomic_store(&thread->has_acted, true);
        if (ws_loop_run(thread->loop, now_ms()) == WS_NO_DEADLINE && i > ACTIONS)
            sched_yield();
        if (i > ACTIONS)
            atomic_store(&thread->agrees, agrees(thread));
    }
    return NULL;
}

/* Another thread of the application. */
static void call_from_outside(void)
{
    char user[16], state[8];
    char *text;

    for (unsigned i = 0; i < CALLS; i++) {
        snprintf(user, sizeof user, "u%u", i % BELIEF_USERS);
        snprintf(state, sizeof state, "%u", i % 9);
        ws_manager_set_presence_state(manager, "r", user, state, strlen(state));
        if (ws_manager_get_presence(manager, "r", &text, NULL) == WS_OK)
            ws_manager_free_text(manager, text);
        if (i % 16 == 0)
            ws_manager_enable_presence(manager, i % 32 == 0 ? NULL : "s");
        else if (i % 16 == 8)
            ws_manager_disable_presence(manager, i % 32 == 8 ? NULL : "s");
    }
}

static bool all_agree(void)
{
    for (size_t i = 0; i < LOOPS; i++)
        if (!atomic_load(&threads[i].has_acted) || !atomic_load(&threads[i].agrees))
            return false;
    return true;
}

START_TEST(each_watcher_has_the_right_members)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.authorize_presence = allow;
    options.on_presence = on_presence;
    options.presence_grace_ms = 50;
    options.presence_batch_ms = 5;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    for (unsigned i = 0; i < LOOPS; i++) {
        threads[i].seed = i + 1;
        for (size_t j = 0; j < CLIENTS; j++)
            threads[i].watchers[j].thread = &threads[i];
        ck_assert_int_eq(ws_loop_new(manager, NULL, now_ms(), &threads[i].loop), WS_OK);
    }
    for (size_t i = 0; i < LOOPS; i++)
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, run, &threads[i]), 0);
    call_from_outside();
    /* The changes that are left take a few beats; the suite's time limit ends what never agrees. */
    while (!all_agree())
        sched_yield();
    for (size_t i = 0; i < LOOPS; i++)
        atomic_store(&threads[i].stop, true);
    for (size_t i = 0; i < LOOPS; i++)
        pthread_join(threads[i].thread, NULL);
    for (size_t i = 0; i < LOOPS; i++)
        ws_loop_free(threads[i].loop);
    ws_manager_free(manager);
}
END_TEST

/* --- loops that end -------------------------------------------------------------------------- */

enum { ENDING = 2, REPEATS = 300 };

static pthread_barrier_t all_are_in;

/* A loop whose clients' users have just come, so that it may be the one that keeps the beat. */
static void *run_and_end(void *argument)
{
    struct loop_thread *thread = argument;

    for (size_t i = 0; i < CLIENTS; i++) {
        open_watcher(&thread->watchers[i]);
        ws_loop_run(thread->loop, now_ms());
        say(&thread->watchers[i], "{\"type\":\"join_room\",\"room\":\"r\"}");
    }
    ws_loop_run(thread->loop, now_ms());
    pthread_barrier_wait(&all_are_in);
    ws_loop_free(thread->loop);
    return NULL;
}

static void end_together(struct loop_thread *last, struct watcher *watcher)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.authorize_presence = allow;
    options.presence_grace_ms = 1;
    options.presence_batch_ms = 1;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    for (size_t i = 0; i < ENDING; i++)
        ck_assert_int_eq(ws_loop_new(manager, NULL, now_ms(), &threads[i].loop), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, now_ms(), &last->loop), WS_OK);
    open_watcher(watcher);
    ws_loop_run(last->loop, now_ms());
    say(watcher, "{\"type\":\"join_room\",\"room\":\"r\",\"presence\":true}");
    for (size_t i = 0; i < ENDING; i++)
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, run_and_end, &threads[i]), 0);
    for (size_t i = 0; i < ENDING; i++)
        pthread_join(threads[i].thread, NULL);
    while (!watcher->is_watching || watcher->belief.count != 1)
        ws_loop_run(last->loop, now_ms());
    ws_loop_free(last->loop);
    ws_manager_free(manager);
}

/* Whichever of them keeps the beat, the loop that is left goes on with it: the watcher is notified
 * that the others' users have left. */
START_TEST(two_loops_may_end_together)
{
    struct loop_thread *last = &threads[ENDING];
    struct watcher *watcher = &last->watchers[0];

    pthread_barrier_init(&all_are_in, NULL, ENDING);
    for (size_t i = 0; i < LOOPS; i++) {
        threads[i].seed = (unsigned)i + 1;
        for (size_t j = 0; j < CLIENTS; j++)
            threads[i].watchers[j].thread = &threads[i];
    }
    for (int i = 0; i < REPEATS; i++)
        end_together(last, watcher);
    pthread_barrier_destroy(&all_are_in);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_watcher_has_the_right_members,
        two_loops_may_end_together,
        NULL,
    };

    return suite_run("presence_threads", tests);
}
