/* recovery_threads_test.c: four threads emit as fast as they can, two loops deliver, and clients
 * that often do not read are cut hundreds of times, also during a recovery: each receives every
 * event that it should, once, in order, or is notified that it missed some. Not here: rooms that
 * are entered and left meanwhile (recovery_random_test.c). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ws_manager/ws_manager.h>

#include "support/engine.h"
#include "support/suite.h"

enum {
    N_LOOPS = 2,
    N_EMITTERS = 4,
    N_CLIENTS = 16,
    N_WITNESSES = 2, /* never cut; together they receive every event */
    N_CUTS = 300,
    MOST_EVENTS = 1000000, /* all cuts must have happened by then */
    MOST_EACH = MOST_EVENTS / N_EMITTERS,
    MAX_PENDING = 256, /* so that emitters are no faster than loops */
    MOST_BETWEEN_CUTS = 300,
    FINAL_WAITS = 1000000
};

/* Where an event goes: everyone, one of two rooms, one of two users. */
enum target { EVERYONE, ROOM_A, ROOM_B, USER_A, USER_B, N_TARGETS };

static const char *const target_names[N_TARGETS] = {NULL, "room a", "room b", "user a",
                                                    "user b"};

struct loop_thread {
    pthread_t thread;
    size_t number;
    unsigned seed;
    ws_loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    bool stop;
};

/* What a client learned about its position, in order. */
struct step {
    uint32_t position;
    enum { STEP_EVENT, STEP_ANSWER, STEP_JUMP } kind;
};

/* Used by the thread of the client's loop, except for the atomic members. */
struct client {
    size_t number;
    _Atomic size_t loop;
    _Atomic ws_conn_id shown_id; /* for emitters, which exclude this connection */
    ws_conn_id id;
    ws_conn_id former_id;
    char name[64];
    char former[64];
    char last_id[64];
    bool is_up;
    bool is_cut;
    bool is_full;
    bool is_behind; /* came back, and has not received `recovered` yet */
    bool is_done;
    int until_cut;
    unsigned seed;
    struct step *steps;
    size_t n_steps;
    size_t capacity;
    char problem[256]; /* the first one */
};

/* By position, as the witnesses receive them. */
struct event {
    enum target target;
    int excluded; /* a client's number, or -1 */
};

static ws_manager *manager;
static struct engine *engine; /* NULL: there is no cluster */
static struct loop_thread loops[N_LOOPS];
static struct client clients[N_WITNESSES + N_CLIENTS];
static struct event events[MOST_EVENTS + 2];
static _Atomic unsigned n_cuts, n_cut_behind, n_complete, n_incomplete, n_events, n_done;
static _Atomic uint32_t last_position; /* UINT32_MAX: not known yet */
static _Atomic bool is_quiet;          /* no more cuts, and every client reads */

static const struct timespec a_moment = {.tv_nsec = 100000};

static bool is_witness(const struct client *client)
{
    return client->number < N_WITNESSES;
}

static bool hears(const struct client *client, enum target target)
{
    switch (target) {
    case ROOM_A:
        return is_witness(client) || client->number % 2 == 0;
    case ROOM_B:
        return is_witness(client) || client->number % 4 < 2;
    case USER_A:
        return client->number % 3 == 0;
    case USER_B:
        return client->number % 3 == 1;
    default:
        return true;
    }
}

/* --- what a client receives ------------------------------------------------------------------- */

static void problem(struct client *client, const char *what, const char *text)
{
    if (client->problem[0] == '\0')
        snprintf(client->problem, sizeof client->problem, "%s: %.180s", what, text);
}

/* The text after a key, up to the next quote. */
static bool text_after(const char *text, const char *key, char value[64])
{
    const char *found = strstr(text, key);

    if (found == NULL)
        return false;
    found += strlen(key);
    snprintf(value, 64, "%.*s", (int)strcspn(found, "\""), found);
    return true;
}

static unsigned long long number_after(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found != NULL ? strtoull(found + strlen(key), NULL, 10) : 0;
}

static uint32_t position_of(const char *id)
{
    return (uint32_t)strtoul(strchr(id, '.') + 1, NULL, 10);
}

static void add_step(struct client *client, unsigned kind)
{
    if (client->n_steps == client->capacity) {
        client->capacity = client->capacity > 0 ? 2 * client->capacity : 1024;
        client->steps = realloc(client->steps, client->capacity * sizeof *client->steps);
    }
    client->steps[client->n_steps++] = (struct step){position_of(client->last_id), kind};
    if (client->is_done || position_of(client->last_id) < atomic_load(&last_position))
        return;
    client->is_done = true;
    atomic_fetch_add(&n_done, 1);
}

static void hear_welcome(struct client *client, const char *text)
{
    char before[64];
    bool goes_on;

    memcpy(before, client->last_id, sizeof before);
    text_after(text, "\"id\":\"", client->last_id);
    text_after(text, "\"connection_id\":\"", client->name);
    goes_on = strcmp(before, client->last_id) == 0;
    add_step(client, goes_on ? STEP_ANSWER : STEP_JUMP);
    atomic_store(&client->shown_id, client->id);
    client->is_up = true;
}

static void hear_recovered(struct client *client, const char *text)
{
    bool is_complete = strstr(text, "\"complete\":true") != NULL;

    text_after(text, "\"id\":\"", client->last_id);
    add_step(client, is_complete ? STEP_ANSWER : STEP_JUMP);
    client->is_behind = false;
    atomic_fetch_add(is_complete ? &n_complete : &n_incomplete, 1);
}

static void hear_event(struct client *client, const char *text)
{
    enum target target = (enum target)number_after(text, "\"t\":");
    int excluded = (int)number_after(text, "\"x\":") - 1;
    ws_conn_id id = number_after(text, "\"c\":");
    uint32_t position;

    text_after(text, "\"id\":\"", client->last_id);
    position = position_of(client->last_id);
    add_step(client, STEP_EVENT);
    if (!hears(client, target))
        problem(client, "not for it", text);
    if (excluded == (int)client->number &&
        (id == client->id || (client->is_behind && id == client->former_id)))
        problem(client, "excluded", text);
    if (is_witness(client) && (client->number == 0 || target == USER_B))
        events[position] = (struct event){target, excluded};
}

/* The loop's thread reconnects it later. */
static void cut(struct client *client)
{
    if (ws_manager_transport_closed(manager, client->id, 1006, "cut") != WS_OK)
        problem(client, "cannot be cut", client->name);
    client->is_cut = true;
    client->is_full = false;
    atomic_fetch_add(&n_cuts, 1);
    atomic_fetch_add(&n_cut_behind, client->is_behind);
}

static int take(ws_message *message, void *transport_data)
{
    struct client *client = transport_data;
    char text[512];
    size_t length;
    const char *payload = ws_message_payload(message, &length);

    snprintf(text, sizeof text, "%.*s", (int)length, payload);
    if (client->is_cut)
        problem(client, "after the end", text);
    if (strstr(text, "\"type\":\"welcome\"") != NULL)
        hear_welcome(client, text);
    else if (strstr(text, "\"type\":\"recovered\"") != NULL)
        hear_recovered(client, text);
    else
        hear_event(client, text);
    if (is_witness(client) || atomic_load(&is_quiet))
        return WS_OK;
    if (client->until_cut-- == 0)
        cut(client);
    client->is_full = !client->is_cut && rand_r(&client->seed) % 64 == 0;
    return client->is_full ? WS_ERR_BACKPRESSURE : WS_OK;
}

static void be_closed(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    struct client *client = transport_data;

    (void)code;
    if (!is_witness(client) || code != 1001)
        problem(client, "closed", length > 0 ? reason : "");
}

static const ws_transport transport = {
    .size = sizeof transport, .send = take, .close = be_closed};

/* Once the call returns, the client belongs to its new loop. */
static int connect_client(struct client *client, size_t loop)
{
    const char *rooms[2];
    ws_connect_options options;

    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = client;
    options.user_id = hears(client, USER_A)   ? target_names[USER_A]
                      : hears(client, USER_B) ? target_names[USER_B]
                                              : NULL;
    options.rooms = rooms;
    for (enum target room = ROOM_A; room <= ROOM_B; room++)
        if (hears(client, room))
            rooms[options.n_rooms++] = target_names[room];
    client->is_behind = client->last_id[0] != '\0';
    if (client->is_behind) {
        options.after = client->last_id;
        options.former_connection_id = client->former;
    }
    client->is_up = client->is_cut = false;
    client->until_cut = rand_r(&client->seed) % MOST_BETWEEN_CUTS;
    return ws_manager_connect(manager, loops[loop].loop, &options, &client->id);
}

/* --- loops ------------------------------------------------------------------------------------ */

static void wake(void *user_data)
{
    struct loop_thread *thread = user_data;

    pthread_mutex_lock(&thread->lock);
    thread->woken = true;
    pthread_cond_signal(&thread->wake);
    pthread_mutex_unlock(&thread->lock);
}

static void come_back(struct client *client, struct loop_thread *thread)
{
    size_t loop = (size_t)rand_r(&thread->seed) % N_LOOPS;

    if (!client->is_behind) {
        memcpy(client->former, client->name, sizeof client->former);
        client->former_id = client->id;
    }
    /* The other loop may be waiting for this one. */
    while (connect_client(client, loop) == WS_ERR_BACKPRESSURE)
        ws_loop_run(thread->loop, 0);
    /* The other thread may have looked for the client too early. */
    atomic_store(&client->loop, loop);
    wake(&loops[loop]);
}

/* Returns whether there was something to do. */
static bool tend(struct loop_thread *thread)
{
    bool tended = false;

    for (size_t i = N_WITNESSES; i < N_WITNESSES + N_CLIENTS; i++) {
        struct client *client = &clients[i];

        if (atomic_load(&client->loop) != thread->number || !client->is_up)
            continue;
        if (client->is_cut) {
            come_back(client, thread);
            tended = true;
        } else if (client->is_full) {
            client->is_full = false;
            if (ws_manager_transport_writable(manager, client->id) != WS_OK)
                problem(client, "cannot continue", client->name);
            tended = true;
        }
    }
    return tended;
}

static bool wait_until_woken(struct loop_thread *thread)
{
    bool goes_on;

    pthread_mutex_lock(&thread->lock);
    while (!thread->woken && !thread->stop)
        pthread_cond_wait(&thread->wake, &thread->lock);
    thread->woken = false;
    goes_on = !thread->stop;
    pthread_mutex_unlock(&thread->lock);
    return goes_on;
}

static void *run_loop(void *argument)
{
    struct loop_thread *thread = argument;

    do {
        while (ws_loop_run(thread->loop, 0) == 0 || tend(thread))
            continue;
    } while (wait_until_woken(thread));
    return NULL;
}

/* --- emitting --------------------------------------------------------------------------------- */

static int send_to(enum target target, ws_event *event, ws_conn_id excluded)
{
    switch (target) {
    case ROOM_A:
    case ROOM_B:
        return ws_manager_broadcast_to_room(manager, target_names[target], event, &excluded,
                                            excluded != 0);
    case USER_A:
    case USER_B:
        return ws_manager_send_to_user(manager, target_names[target], event, NULL, 0);
    default:
        return ws_manager_broadcast(manager, event, &excluded, excluded != 0);
    }
}

/* Until the event is accepted: meanwhile the loop empties its full inbox. */
static int emit(enum target target, const struct client *excluded)
{
    ws_conn_id id = excluded != NULL ? atomic_load(&excluded->shown_id) : 0;
    char data[96];
    ws_event *event;
    int length =
        snprintf(data, sizeof data, "{\"t\":%u,\"x\":%zu,\"c\":%llu}", (unsigned)target,
                 excluded != NULL ? excluded->number + 1 : 0, (unsigned long long)id);
    int result = ws_event_new(manager, "stock_low", data, (size_t)length, &event);

    if (result != WS_OK)
        return result;
    while ((result = send_to(target, event, id)) == WS_ERR_BACKPRESSURE)
        nanosleep(&a_moment, NULL);
    ws_event_free(event);
    return result;
}

static void *emit_all(void *argument)
{
    unsigned seed = *(const unsigned *)argument;

    for (long i = 0; i < MOST_EACH && atomic_load(&n_cuts) < N_CUTS; i++) {
        enum target target = (enum target)((unsigned)rand_r(&seed) % N_TARGETS);
        const struct client *excluded = NULL;

        if (target < USER_A && rand_r(&seed) % 8 == 0)
            excluded = &clients[N_WITNESSES + (size_t)rand_r(&seed) % N_CLIENTS];
        atomic_fetch_add(&n_events, emit(target, excluded) == WS_OK);
    }
    return NULL;
}

/* --- the test --------------------------------------------------------------------------------- */

static void start(uint32_t history_events, bool has_cluster)
{
    ws_manager_options options;

    ws_manager_options_init(&options);
    options.max_pending = MAX_PENDING;
    options.presence_events = WS_PRESENCE_OFF;
    options.history_events = history_events;
    options.history_bytes = 0;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    engine = has_cluster ? engine_start(manager, MOST_EVENTS + 1) : NULL;
    n_cuts = n_cut_behind = n_complete = n_incomplete = n_events = n_done = 0;
    last_position = UINT32_MAX;
    is_quiet = false;
    for (size_t i = 0; i < N_LOOPS; i++) {
        struct loop_thread *thread = &loops[i];
        ws_loop_options loop_options;

        *thread = (struct loop_thread){.number = i, .seed = 100 + (unsigned)i};
        ws_loop_options_init(&loop_options);
        loop_options.wake = wake;
        loop_options.user_data = thread;
        pthread_mutex_init(&thread->lock, NULL);
        pthread_cond_init(&thread->wake, NULL);
        ck_assert_int_eq(ws_loop_new(manager, &loop_options, 0, &thread->loop), WS_OK);
    }
    for (size_t i = 0; i < N_WITNESSES + N_CLIENTS; i++) {
        clients[i] = (struct client){.number = i, .seed = (unsigned)i};
        atomic_init(&clients[i].loop, i % N_LOOPS);
        ck_assert_int_eq(connect_client(&clients[i], i % N_LOOPS), WS_OK);
    }
    /* The clients are in their rooms before the first event. */
    for (size_t i = 0; i < N_LOOPS; i++) {
        ws_loop_run(loops[i].loop, 0);
        ck_assert_int_eq(pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]), 0);
    }
}

static void emit_from_threads(void)
{
    static unsigned seeds[N_EMITTERS];
    pthread_t emitters[N_EMITTERS];

    for (size_t i = 0; i < N_EMITTERS; i++) {
        seeds[i] = (unsigned)i;
        ck_assert_int_eq(pthread_create(&emitters[i], NULL, emit_all, &seeds[i]), 0);
    }
    for (size_t i = 0; i < N_EMITTERS; i++)
        pthread_join(emitters[i], NULL);
    atomic_store(&is_quiet, true);
    atomic_store(&last_position, n_events + 1);
    ck_assert_int_eq(emit(EVERYONE, NULL), WS_OK);
}

static void stop(void)
{
    for (int i = 0; i < FINAL_WAITS && n_done < N_WITNESSES + N_CLIENTS; i++)
        nanosleep(&a_moment, NULL);
    for (size_t i = 0; i < N_LOOPS; i++) {
        pthread_mutex_lock(&loops[i].lock);
        loops[i].stop = true;
        pthread_cond_signal(&loops[i].wake);
        pthread_mutex_unlock(&loops[i].lock);
        pthread_join(loops[i].thread, NULL);
    }
}

static void check(const struct client *client)
{
    uint32_t position = 0;

    ck_assert_msg(client->problem[0] == '\0', "client %zu: %s", client->number,
                  client->problem);
    for (size_t i = 0; i < client->n_steps; i++) {
        const struct step *step = &client->steps[i];

        ck_assert_msg(step->position + (step->kind != STEP_EVENT) > position,
                      "client %zu: %u after %u", client->number, step->position, position);
        for (uint32_t missed = position + 1;
             missed < step->position + (step->kind != STEP_EVENT) && step->kind != STEP_JUMP;
             missed++)
            ck_assert_msg(!hears(client, events[missed].target) ||
                              events[missed].excluded == (int)client->number,
                          "client %zu misses %u before %u", client->number, missed,
                          step->position);
        position = step->position;
    }
    ck_assert_uint_eq(position, last_position);
}

/* Returns how many events were fetched from the cluster. */
static size_t play(uint32_t history_events, bool has_cluster)
{
    size_t n_fetched = 0;

    start(history_events, has_cluster);
    emit_from_threads();
    stop();
    for (size_t i = 0; i < N_WITNESSES + N_CLIENTS; i++)
        check(&clients[i]);
    for (size_t i = 0; i < N_LOOPS; i++)
        ws_loop_free(loops[i].loop);
    if (has_cluster)
        n_fetched = engine_stop(engine);
    ws_manager_free(manager);
    for (size_t i = 0; i < N_WITNESSES + N_CLIENTS; i++)
        free(clients[i].steps);
    ck_assert_uint_ge(n_cuts, N_CUTS);
    printf("%u events; %u cuts, %u of them while events were missing; %u times complete, %u "
           "times not\n",
           n_events, n_cuts, n_cut_behind, n_complete, n_incomplete);
    return n_fetched;
}

START_TEST(every_client_that_comes_back_has_every_event_once)
{
    play(MOST_EVENTS + 1, false);
    ck_assert_uint_gt(n_cut_behind, 0);
    ck_assert_uint_eq(n_incomplete, 0);
}
END_TEST

START_TEST(events_that_left_the_history_are_reported)
{
    play(50, false);
    ck_assert_uint_gt(n_incomplete, 0);
}
END_TEST

START_TEST(events_that_left_the_history_come_from_the_cluster)
{
    size_t n_fetched = play(50, true);

    ck_assert_uint_eq(n_incomplete, 0);
    ck_assert_uint_gt(n_fetched, n_events / 10);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_client_that_comes_back_has_every_event_once,
        events_that_left_the_history_are_reported,
        events_that_left_the_history_come_from_the_cluster,
        NULL,
    };

    return suite_run("recovery_threads", tests);
}
