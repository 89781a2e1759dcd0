/* last_values_threads_test.c: threads send events of keys of their own, numbered in each key;
 * clients of two loops, each with its thread, come and go and enter the room with its state. To
 * each of them the numbers of a key are in one piece: from the kept value on, none is missing
 * and none comes twice; with a history, without, and with a carrier that has a thread of its
 * own. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/last_values.h>
#include <ws_manager/ws_manager.h>

#include "support/engine.h"
#include "support/suite.h"
#include "support/threads.h"

enum {
    LOOPS = 2,
    VISITORS = 2, /* of each loop */
    SENDERS = 3,
    KEYS = 4, /* of each sender */
    ALL_KEYS = SENDERS * KEYS,
    ROUNDS = 1600, /* events of each sender */
    LAST = ROUNDS / KEYS,
    REMOVED = 31, /* events with such numbers remove the value */
    SLOW = 5,     /* such a message is one too many for a slow client */
    STAYS = 16,   /* turns at most, then a client leaves and comes back */
    PER_VISIT = 2 /* events of a sender for each visit */
};

/* Used by its loop's thread alone, apart from `n_done`. */
struct visitor {
    ws_conn_id id;
    unsigned n_visits;
    unsigned n_messages;
    unsigned n_turns;
    bool is_full;          /* its queue; the manager is to be notified when it is not */
    bool has_live;         /* it has received an event that is not a kept one */
    int numbers[ALL_KEYS]; /* the last of each key; 0: not known */
    int n_wrong;
    bool stays;
    _Atomic int n_done; /* keys whose last event it has received */
};

struct loop_thread {
    pthread_t thread;
    ws_loop *loop;
    struct visitor visitors[VISITORS];
    _Atomic bool stop;
};

static ws_manager *manager;
static struct loop_thread threads[LOOPS];
static _Atomic bool is_last_round;
static _Atomic int n_visits;

/* --- a client --------------------------------------------------------------------------------- */

static void take_number(struct visitor *visitor, int key, bool is_state, int number)
{
    int *last = &visitor->numbers[key];

    if (is_state)
        visitor->n_wrong += visitor->has_live || *last != 0;
    else
        visitor->n_wrong += *last != 0 && number != *last + 1;
    *last = number;
    if (number == LAST)
        atomic_fetch_add(&visitor->n_done, 1);
}

static void take_event(struct visitor *visitor, const char *text, int key)
{
    bool is_state = strstr(text, "\"state\":true") != NULL;
    const char *data = strstr(text, "\"data\":");

    if (data[7] == '{')
        take_number(visitor, key, is_state, atoi(data + strlen("\"data\":{\"n\":")));
    else if (visitor->numbers[key] != 0) /* the value is removed */
        take_number(visitor, key, is_state, visitor->numbers[key] + 1);
    visitor->has_live |= !is_state;
}

static int take(ws_message *message, void *transport_data)
{
    struct visitor *visitor = transport_data;
    size_t length;
    const char *payload = ws_message_payload(message, &length);
    char *text = strndup(payload, length);
    const char *key = strstr(text, "\"key\":\"");

    if (key != NULL)
        take_event(visitor, text, atoi(key + strlen("\"key\":\"")));
    if (strstr(text, "\"complete\":false") !=
        NULL) /* the client would ask for the state again */
        memset(visitor->numbers, 0, sizeof visitor->numbers);
    free(text);
    visitor->n_messages++;
    visitor->is_full |= visitor->n_visits % 3 == 0 && visitor->n_messages % SLOW == 0;
    return visitor->is_full ? WS_ERR_BACKPRESSURE : WS_OK;
}

static void on_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    ((struct visitor *)transport_data)->id = 0;
}

static const ws_transport transport = {
    .size = sizeof transport, .send = take, .close = on_close};

static void say(const struct visitor *visitor, const char *text)
{
    ck_assert_int_eq(ws_manager_receive(manager, visitor->id, text, strlen(text), 1), WS_OK);
}

/* Every second time it names the room when it connects. */
static void visit(ws_loop *loop, struct visitor *visitor)
{
    static const char *const rooms[] = {"r"};
    bool names_room = visitor->n_visits % 2 == 0;
    ws_connect_options options;

    visitor->stays = atomic_load(&is_last_round);
    visitor->n_visits++;
    atomic_fetch_add(&n_visits, 1);
    visitor->n_messages = visitor->n_turns = 0;
    visitor->is_full = visitor->has_live = false;
    memset(visitor->numbers, 0, sizeof visitor->numbers);
    atomic_store(&visitor->n_done, 0);
    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = visitor;
    options.rooms = rooms;
    options.n_rooms = names_room;
    options.with_state = names_room;
    ck_assert_int_eq(ws_manager_connect(manager, loop, &options, &visitor->id), WS_OK);
    if (!names_room)
        say(visitor, "{\"type\":\"join_room\",\"room\":\"r\",\"state\":true}");
}

static void serve(ws_loop *loop, struct visitor *visitor)
{
    if (visitor->id == 0) {
        visit(loop, visitor);
    } else if (visitor->n_turns++ == visitor->n_visits % STAYS && !visitor->stays) {
        ck_assert_int_eq(ws_manager_disconnect(manager, visitor->id, 1000, ""), WS_OK);
    } else if (visitor->is_full) {
        visitor->is_full = false;
        ck_assert_int_eq(ws_manager_transport_writable(manager, visitor->id), WS_OK);
    }
}

static void *run_loop(void *user_data)
{
    struct loop_thread *of = user_data;

    while (!atomic_load(&of->stop)) {
        for (int i = 0; i < VISITORS; i++)
            serve(of->loop, &of->visitors[i]);
        sched_yield(); /* events are sent between a request and the turn that carries it out */
        ws_loop_run(of->loop, 0);
    }
    return NULL;
}

/* --- the senders ------------------------------------------------------------------------------ */

static void send_number(int key, int number)
{
    char data[32];
    char name[24];
    ws_event *event;
    int result;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    if (number % REMOVED == 0)
        snprintf(data, sizeof data, "null");
    snprintf(name, sizeof name, "%d", key);
    ck_assert_int_eq(ws_event_new(manager, "notification", data, strlen(data), &event), WS_OK);
    ck_assert_int_eq(ws_event_set_key(event, name), WS_OK);
    while ((result = ws_manager_broadcast_to_room(manager, "r", event, NULL, 0)) ==
           WS_ERR_BACKPRESSURE)
        sched_yield();
    ck_assert_int_eq(result, WS_OK);
    ws_event_free(event);
}

static void *send_all(void *user_data)
{
    int first = *(int *)user_data * KEYS;

    for (int i = 0; i < ROUNDS - KEYS; i++) {
        while (atomic_load(&n_visits) < i / PER_VISIT)
            sched_yield();
        send_number(first + i % KEYS, i / KEYS + 1);
    }
    return NULL;
}

static void send_last(void)
{
    for (int key = 0; key < ALL_KEYS; key++)
        send_number(key, LAST);
}

/* --- the test --------------------------------------------------------------------------------- */

static void start(void)
{
    atomic_store(&n_visits, 0);
    atomic_store(&is_last_round, false);
    for (int i = 0; i < LOOPS; i++) {
        threads[i] = (struct loop_thread){0};
        ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &threads[i].loop), WS_OK);
    }
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, run_loop, &threads[i]), 0);
}

static void send(void)
{
    pthread_t senders[SENDERS];
    int numbers[SENDERS];

    for (int i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&senders[i], NULL, send_all, &numbers[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++)
        ck_assert_int_eq(pthread_join(senders[i], NULL), 0);
    atomic_store(&is_last_round, true);
    send_last();
}

/* Waits until all have received the last event of each key, in whatever way, and ends the
 * threads. */
static void finish(void)
{
    for (int i = 0; i < LOOPS; i++)
        for (int at = 0; at < VISITORS; at++)
            while (atomic_load(&threads[i].visitors[at].n_done) < ALL_KEYS)
                sched_yield();
    for (int i = 0; i < LOOPS; i++) {
        atomic_store(&threads[i].stop, true);
        ck_assert_int_eq(pthread_join(threads[i].thread, NULL), 0);
    }
    for (int i = 0; i < LOOPS; i++)
        for (int at = 0; at < VISITORS; at++)
            ck_assert_int_eq(threads[i].visitors[at].n_wrong, 0);
}

static void check(uint32_t history_events, bool has_carrier)
{
    ws_last_values_options values;
    ws_manager_options options;
    struct engine *engine = NULL;

    ws_manager_options_init(&options);
    options.presence_events = WS_PRESENCE_OFF;
    options.history_events = history_events;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    ws_last_values_options_init(&values);
    values.room = "r";
    ck_assert_int_eq(ws_manager_keep_last_values(manager, &values), WS_OK);
    if (has_carrier)
        engine = engine_start(manager, (size_t)2 * SENDERS * ROUNDS);
    start();
    send();
    finish();
    for (int i = 0; i < LOOPS; i++)
        ws_loop_free(threads[i].loop);
    if (has_carrier)
        engine_stop(engine);
    ws_manager_free(manager);
}

START_TEST(state_and_events_are_in_one_piece)
{
    check(10000, false);
}
END_TEST

START_TEST(state_and_events_are_in_one_piece_without_a_history)
{
    check(0, false);
}
END_TEST

START_TEST(state_and_events_are_in_one_piece_in_a_cluster)
{
    check(10000, true);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        state_and_events_are_in_one_piece,
        state_and_events_are_in_one_piece_without_a_history,
        state_and_events_are_in_one_piece_in_a_cluster,
        NULL,
    };

    return suite_run("last-values-threads", tests);
}
