/* threads_test.c: four threads emit, two loops deliver, two threads open and close clients: a
 * client that stays connected receives every event once, and for every client ids rise.
 * WS_TEST_EVENTS sets the total number of events. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "support/suite.h"

enum {
    N_LOOPS = 2,
    N_EMITTERS = 4,
    N_CHURNERS = 2,
    N_STABLE = 8,   /* clients that stay, half of them on each loop */
    N_VISITORS = 8, /* clients that a churner has at once */
    N_EVENTS = 100000
};

/* Where an event goes: everyone, one of two rooms, one of two users. */
enum target { EVERYONE, ROOM_A, ROOM_B, USER_A, USER_B, N_TARGETS };

static const char *const target_names[N_TARGETS] = {NULL, "room a", "room b", "user a",
                                                    "user b"};

struct loop_thread {
    pthread_t thread;
    ws_loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    bool stop;
};

/* A client is used only by its loop's thread, except for `closed`. */
struct watcher {
    ws_conn_id id;
    bool stays;
    uint64_t position; /* of the last event */
    uint64_t next[N_TARGETS]
                 [N_EMITTERS]; /* the next number expected from each emitter for each target */
    unsigned n_events;
    unsigned n_problems;
    char problem[256]; /* the first one */
    _Atomic bool closed;
};

static ws_manager *manager;
static struct loop_thread loops[N_LOOPS];
static struct watcher stable[N_STABLE];
static uint64_t n_sent[N_TARGETS][N_EMITTERS];
static long n_each;
static _Atomic bool emitters_done;
static _Atomic unsigned n_joined, n_connected, n_disconnected, n_emit_errors;

/* --- clients ------------------------------------------------------------------------------- */

static void problem(struct watcher *watcher, const char *what, const char *text)
{
    if (watcher->n_problems++ == 0)
        snprintf(watcher->problem, sizeof watcher->problem, "%s: %.180s", what, text);
}

/* The number after a piece of text, which must be present. */
static bool number_after(const char *text, const char *piece, uint64_t *number)
{
    const char *found = strstr(text, piece);

    if (found == NULL)
        return false;
    *number = strtoull(found + strlen(piece), NULL, 10);
    return true;
}

static bool hears(const struct watcher *watcher, enum target target)
{
    size_t number = (size_t)(watcher - stable);

    switch (target) {
    case ROOM_A:
        return number % 2 == 0;
    case ROOM_B:
        return number % 4 < 2;
    case USER_A:
        return number < N_STABLE / 2;
    case USER_B:
        return number >= N_STABLE / 2;
    default:
        return true;
    }
}

static int watch(ws_message *message, void *transport_data)
{
    struct watcher *watcher = transport_data;
    uint64_t position, target, emitter, n;
    char text[512];
    size_t length;
    const char *payload = ws_message_payload(message, &length);

    length = length < sizeof text ? length : sizeof text - 1;
    memcpy(text, payload, length);
    text[length] = '\0';
    if (atomic_load(&watcher->closed))
        problem(watcher, "after the end", text);
    if (strncmp(text, "{\"id\":\"", 7) != 0 || !number_after(text, ".", &position) ||
        !number_after(text, "\"t\":", &target) || !number_after(text, "\"e\":", &emitter) ||
        !number_after(text, "\"n\":", &n))
        return WS_OK; /* a welcome, or presence */
    watcher->n_events++;
    if (position <= watcher->position)
        problem(watcher, "id does not rise", text);
    watcher->position = position;
    if (watcher->stays && !hears(watcher, (enum target)target))
        problem(watcher, "not for it", text);
    if (watcher->stays && n != watcher->next[target][emitter])
        problem(watcher, "lost or repeated", text);
    watcher->next[target][emitter] = n + 1;
    return WS_OK;
}

static void watch_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct watcher *watcher = transport_data;

    (void)code;
    (void)reason;
    (void)length;
    atomic_store(&watcher->closed, true);
}

static const ws_transport watching = {
    .size = sizeof watching, .send = watch, .close = watch_close};

static int connect_watcher(struct watcher *watcher, ws_loop *loop, const char *user)
{
    ws_connect_options options;

    ws_connect_options_init(&options);
    options.transport = &watching;
    options.transport_data = watcher;
    options.user_data = watcher;
    options.user_id = user;
    return ws_manager_connect(manager, loop, &options, &watcher->id);
}

/* --- the application ----------------------------------------------------------------------- */

static void on_connect(ws_manager *of, const ws_connection_info *connection, void *user_data)
{
    (void)of;
    (void)connection;
    (void)user_data;
    atomic_fetch_add(&n_connected, 1);
}

static void on_disconnect(ws_manager *of, const ws_connection_info *connection, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)of;
    (void)connection;
    (void)code;
    (void)reason;
    (void)user_data;
    atomic_fetch_add(&n_disconnected, 1);
}

/* Sends from a callback to a client that may already have been disconnected. */
static void on_join(ws_manager *of, const ws_connection_info *connection, const char *room,
                    int result, void *user_data)
{
    (void)user_data;
    if (result == WS_OK) {
        atomic_fetch_add(&n_joined, 1);
        ws_manager_send_text(of, connection->id, room, strlen(room));
    }
}

/* --- loops --------------------------------------------------------------------------------- */

static void wake(void *user_data)
{
    struct loop_thread *thread = user_data;

    pthread_mutex_lock(&thread->lock);
    thread->woken = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

static void *run_loop(void *argument)
{
    struct loop_thread *thread = argument;
    bool stop;

    do {
        pthread_mutex_lock(&thread->lock);
        while (!thread->woken && !thread->stop)
            pthread_cond_wait(&thread->wake, &thread->lock);
        thread->woken = false;
        stop = thread->stop;
        pthread_mutex_unlock(&thread->lock);
        while (ws_loop_run(thread->loop, 0) == 0)
            continue;
    } while (!stop);
    return NULL;
}

static void stop_loop(struct loop_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stop = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
    pthread_join(thread->thread, NULL);
}

/* --- emitting ------------------------------------------------------------------------------ */

static int send_to(enum target target, ws_event *event)
{
    switch (target) {
    case ROOM_A:
    case ROOM_B:
        return ws_manager_broadcast_to_room(manager, target_names[target], event, NULL, 0);
    case USER_A:
    case USER_B:
        return ws_manager_send_to_user(manager, target_names[target], event, NULL, 0);
    default:
        return ws_manager_broadcast(manager, event, NULL, 0);
    }
}

/* Until the event is accepted: meanwhile the loop empties its full inbox. */
static int emit(enum target target, size_t emitter, uint64_t n)
{
    char data[96];
    ws_event *event;
    int length = snprintf(data, sizeof data, "{\"t\":%u,\"e\":%zu,\"n\":%llu}",
                          (unsigned)target, emitter, (unsigned long long)n);
    int result = ws_event_new(manager, "stock_low", data, (size_t)length, &event);

    if (result != WS_OK)
        return result;
    while ((result = send_to(target, event)) == WS_ERR_BACKPRESSURE)
        sched_yield();
    ws_event_free(event);
    return result;
}

static void *emit_all(void *argument)
{
    size_t emitter = *(const size_t *)argument;
    unsigned seed = (unsigned)emitter;

    for (long i = 0; i < n_each; i++) {
        enum target target = (enum target)((unsigned)rand_r(&seed) % N_TARGETS);

        if (emit(target, emitter, n_sent[target][emitter]++) != WS_OK)
            atomic_fetch_add(&n_emit_errors, 1);
    }
    return NULL;
}

/* --- clients that connect and disconnect --------------------------------------------------- */

struct churner {
    pthread_t thread;
    size_t number;
    struct watcher visitors[N_VISITORS];
    unsigned n_visits;
    unsigned n_events;
    unsigned n_problems;
    char problem[256];
};

/* Checks that the result is one that a call about a connection may have. */
static void call(struct churner *churner, int result)
{
    if (result != WS_OK && result != WS_ERR_BACKPRESSURE && result != WS_ERR_NOT_FOUND &&
        churner->n_problems++ == 0)
        snprintf(churner->problem, sizeof churner->problem, "%s", ws_strerror(result));
}

static int see_member(ws_conn_id id, void *user_data)
{
    void *data;

    (void)user_data;
    ws_manager_get_user_data(manager, id, &data);
    return 0;
}

static void look_around(struct churner *churner)
{
    char *text;

    call(churner, ws_manager_for_each_member(manager, "room a", see_member, NULL));
    call(churner, ws_manager_for_each_connection_of_user(manager, "user b", see_member, NULL));
    call(churner, ws_manager_get_stats(manager, &text, NULL));
    ws_manager_free_text(manager, text);
    call(churner, ws_manager_get_metrics(manager, &text, NULL));
    ws_manager_free_text(manager, text);
}

static void act(struct churner *churner, struct watcher *visitor, unsigned choice)
{
    const char *room = target_names[choice % 2 == 0 ? ROOM_A : ROOM_B];

    switch (choice / 2 % 6) {
    case 0:
    case 1:
        call(churner, ws_manager_join_room(manager, visitor->id, room));
        break;
    case 2:
        call(churner, ws_manager_leave_room(manager, visitor->id, room));
        break;
    case 3:
        call(churner, ws_manager_send_text(manager, visitor->id, "hello", 5));
        break;
    case 4:
        ws_manager_is_member(manager, visitor->id, room);
        call(churner, ws_manager_set_user_data(manager, visitor->id, churner));
        break;
    default:
        look_around(churner);
        break;
    }
}

/* Once the loop's thread has closed a visitor, it no longer uses it. */
static void say_goodbye(struct churner *churner, struct watcher *visitor)
{
    while (ws_manager_disconnect(manager, visitor->id, 1000, "bye") == WS_ERR_BACKPRESSURE)
        sched_yield();
    while (!atomic_load(&visitor->closed))
        sched_yield();
    churner->n_visits++;
    churner->n_events += visitor->n_events;
    if (visitor->n_problems > 0 && churner->n_problems == 0)
        memcpy(churner->problem, visitor->problem, sizeof churner->problem);
    churner->n_problems += visitor->n_problems;
}

static void visit(struct churner *churner, unsigned *seed)
{
    static const char *const users[] = {NULL, "user a", "user b", "visitor"};

    for (size_t i = 0; i < N_VISITORS; i++) {
        struct watcher *visitor = &churner->visitors[i];
        int result;

        memset(visitor, 0, sizeof *visitor);
        while ((result = connect_watcher(visitor, loops[i % N_LOOPS].loop,
                                         users[(unsigned)rand_r(seed) % 4])) ==
               WS_ERR_BACKPRESSURE)
            sched_yield();
        call(churner, result);
    }
    for (unsigned step = 0; step < 12 * N_VISITORS; step++)
        act(churner, &churner->visitors[(unsigned)rand_r(seed) % N_VISITORS],
            (unsigned)rand_r(seed));
    for (size_t i = 0; i < N_VISITORS; i++)
        say_goodbye(churner, &churner->visitors[i]);
}

static void *churn(void *argument)
{
    struct churner *churner = argument;
    unsigned seed = 1000 + (unsigned)churner->number;

    while (!atomic_load(&emitters_done))
        visit(churner, &seed);
    return NULL;
}

/* --- the test ------------------------------------------------------------------------------ */

static void start_loops(void)
{
    for (size_t i = 0; i < N_LOOPS; i++) {
        ws_loop_options options;

        ws_loop_options_init(&options);
        options.wake = wake;
        options.user_data = &loops[i];
        pthread_mutex_init(&loops[i].lock, NULL);
        pthread_cond_init(&loops[i].wake, NULL);
        ck_assert_int_eq(ws_loop_new(manager, &options, 0, &loops[i].loop), WS_OK);
        ck_assert_int_eq(pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]), 0);
    }
}

static void connect_stable(void)
{
    for (size_t i = 0; i < N_STABLE; i++) {
        struct watcher *watcher = &stable[i];

        watcher->stays = true;
        ck_assert_int_eq(connect_watcher(watcher, loops[i % N_LOOPS].loop,
                                         target_names[i < N_STABLE / 2 ? USER_A : USER_B]),
                         WS_OK);
        for (enum target room = ROOM_A; room <= ROOM_B; room++)
            if (hears(watcher, room))
                ck_assert_int_eq(ws_manager_join_room(manager, watcher->id, target_names[room]),
                                 WS_OK);
    }
}

static void check_stable(void)
{
    for (size_t i = 0; i < N_STABLE; i++) {
        ck_assert_msg(stable[i].n_problems == 0, "client %zu, %u problems, first %s", i,
                      stable[i].n_problems, stable[i].problem);
        for (size_t target = 0; target < N_TARGETS; target++)
            for (size_t emitter = 0; emitter < N_EMITTERS; emitter++)
                ck_assert_uint_eq(
                    stable[i].next[target][emitter],
                    hears(&stable[i], (enum target)target) ? n_sent[target][emitter] : 0);
    }
}

static void make_manager(void)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.on_connect = on_connect;
    options.on_disconnect = on_disconnect;
    options.on_join = on_join;
    options.max_pending = 2048;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
}

START_TEST(every_client_that_stays_receives_every_event_once)
{
    static struct churner churners[N_CHURNERS];
    static size_t numbers[N_EMITTERS];
    const char *events = getenv("WS_TEST_EVENTS");
    pthread_t emitters[N_EMITTERS];

    n_each = (events != NULL ? atol(events) : N_EVENTS) / N_EMITTERS;
    make_manager();
    start_loops();
    connect_stable();
    for (size_t i = 0; i < N_EMITTERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&emitters[i], NULL, emit_all, &numbers[i]), 0);
    }
    for (size_t i = 0; i < N_CHURNERS; i++) {
        churners[i].number = i;
        ck_assert_int_eq(pthread_create(&churners[i].thread, NULL, churn, &churners[i]), 0);
    }
    for (size_t i = 0; i < N_EMITTERS; i++)
        pthread_join(emitters[i], NULL);
    atomic_store(&emitters_done, true);
    for (size_t i = 0; i < N_CHURNERS; i++)
        pthread_join(churners[i].thread, NULL);
    for (size_t i = 0; i < N_LOOPS; i++)
        stop_loop(&loops[i]);
    ck_assert_uint_eq(atomic_load(&n_emit_errors), 0);
    check_stable();
    for (size_t i = 0; i < N_CHURNERS; i++) {
        ck_assert_msg(churners[i].n_problems == 0, "visitors, first %s", churners[i].problem);
        ck_assert_uint_gt(churners[i].n_visits, 0);
    }
    ck_assert_uint_eq(ws_manager_connection_count(manager), N_STABLE);
    for (size_t i = 0; i < N_LOOPS; i++)
        ws_loop_free(loops[i].loop);
    ck_assert_uint_eq(ws_manager_connection_count(manager), 0);
    ck_assert_uint_eq(atomic_load(&n_connected), atomic_load(&n_disconnected));
    ws_manager_free(manager);
    printf("%ld events, %u visits with %u events, %u joins\n", n_each * N_EMITTERS,
           churners[0].n_visits + churners[1].n_visits,
           churners[0].n_events + churners[1].n_events, atomic_load(&n_joined));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_client_that_stays_receives_every_event_once, NULL};

    return suite_run("threads", tests);
}
