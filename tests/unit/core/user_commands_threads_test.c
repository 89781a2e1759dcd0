/* user_commands_threads_test.c: one thread sends commands for users and events in turn,
 * another one also sends commands, and clients of three loops, each with its thread, come and go:
 * each client receives the events that were sent while it was in the room by a command, and no
 * other; in one process, and with a carrier that has a thread of its own. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "support/engine.h"
#include "support/suite.h"
#include "support/threads.h"

enum { LOOPS = 3, USERS = 4, ROUNDS = 1500, MOST_EVENTS = 40000 };

/* A client of each user on each loop. Used by its loop's thread alone. */
struct member {
    ws_conn_id id;
    _Atomic int last; /* the number of its last event */
    int n_wrong; /* events that it should not have received, or that are missing before one */
};

struct loop_thread {
    pthread_t thread;
    ws_loop *loop;
    struct member members[USERS];
    ws_conn_id guest; /* of user "guest"; 0: to be connected */
    _Atomic unsigned n_guests;
    _Atomic bool stop;
};

static ws_manager *manager;
static struct loop_thread threads[LOOPS];

/* The events of a user have the numbers 2, 4, …: in between, the user is not in the room. */
static int take(ws_message *message, void *transport_data)
{
    struct member *member = transport_data;
    size_t length;
    const char *payload = ws_message_payload(message, &length);
    char *text = strndup(payload, length);
    const char *found = strstr(text, "{\"n\":");

    if (found != NULL) {
        int number = atoi(found + 5);
        int before = atomic_load(&member->last);

        member->n_wrong += number != before + 2;
        atomic_store(&member->last, number);
    }
    free(text);
    return WS_OK;
}

static void on_member_close(uint16_t code, const char *reason, size_t length,
                            void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    ((struct member *)transport_data)->n_wrong += 1000000;
}

static int ignore(ws_message *message, void *transport_data)
{
    (void)message;
    (void)transport_data;
    return WS_OK;
}

static void on_guest_close(uint16_t code, const char *reason, size_t length,
                           void *transport_data)
{
    struct loop_thread *of = transport_data;

    (void)reason;
    (void)length;
    if (code == 4001)
        atomic_fetch_add(&of->n_guests, 1);
    of->guest = 0;
}

static const ws_transport member_transport = {
    .size = sizeof member_transport, .send = take, .close = on_member_close};
static const ws_transport guest_transport = {
    .size = sizeof guest_transport, .send = ignore, .close = on_guest_close};

static void connect(ws_loop *loop, const ws_transport *transport, void *data, const char *user,
                    ws_conn_id *id)
{
    ws_connect_options options;

    ws_connect_options_init(&options);
    options.transport = transport;
    options.transport_data = data;
    options.user_id = user;
    ck_assert_int_eq(ws_manager_connect(manager, loop, &options, id), WS_OK);
}

static void *run_loop(void *user_data)
{
    struct loop_thread *of = user_data;

    while (!atomic_load(&of->stop)) {
        if (of->guest == 0)
            connect(of->loop, &guest_transport, of, "guest", &of->guest);
        ws_loop_run(of->loop, 0);
        sched_yield();
    }
    return NULL;
}

/* Repeats a call while too much waits. */
#define SEND(call)                                                                             \
    do {                                                                                       \
        int result;                                                                            \
                                                                                               \
        while ((result = (call)) == WS_ERR_BACKPRESSURE)                                       \
            sched_yield();                                                                     \
        ck_assert_int_eq(result, WS_OK);                                                       \
    } while (0)

static void send_number(const char *room, int number)
{
    char data[32];
    ws_event *event;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    ck_assert_int_eq(ws_event_new(manager, "notification", data, strlen(data), &event), WS_OK);
    SEND(ws_manager_broadcast_to_room(manager, room, event, NULL, 0));
    ws_event_free(event);
}

static void *send_others(void *user_data)
{
    (void)user_data;
    for (int i = 0; i < ROUNDS; i++) {
        char user[16];

        snprintf(user, sizeof user, "u%d", i % USERS);
        SEND(ws_manager_reauthorize_user(manager, user));
        SEND(ws_manager_join_room_of_user(manager, "guest", i % 2 == 0 ? "x" : "y"));
        SEND(ws_manager_disconnect_user(manager, "guest", 4001, "again"));
        SEND(ws_manager_send_to_processes(manager, "cache", "1", 1));
    }
    return NULL;
}

static void send_rounds(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        int number = i / USERS * 2 + 1;
        char user[16];

        snprintf(user, sizeof user, "u%d", i % USERS);
        send_number(user, number);
        SEND(ws_manager_join_room_of_user(manager, user, user));
        send_number(user, number + 1);
        SEND(ws_manager_leave_room_of_user(manager, user, user));
    }
}

static void start(void)
{
    for (int i = 0; i < LOOPS; i++) {
        threads[i] = (struct loop_thread){0};
        ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &threads[i].loop), WS_OK);
        for (int user = 0; user < USERS; user++) {
            struct member *member = &threads[i].members[user];
            char name[16];

            snprintf(name, sizeof name, "u%d", user);
            connect(threads[i].loop, &member_transport, member, name, &member->id);
        }
        /* Else the thread may begin only when no more guests are disconnected. */
        connect(threads[i].loop, &guest_transport, &threads[i], "guest", &threads[i].guest);
    }
    for (int i = 0; i < LOOPS; i++)
        ck_assert_int_eq(pthread_create(&threads[i].thread, NULL, run_loop, &threads[i]), 0);
}

/* Waits until all have received the last events, and ends the threads. */
static void finish(void)
{
    for (int i = 0; i < LOOPS; i++)
        for (int user = 0; user < USERS; user++)
            while (atomic_load(&threads[i].members[user].last) < ROUNDS / USERS * 2)
                sched_yield();
    for (int i = 0; i < LOOPS; i++) {
        atomic_store(&threads[i].stop, true);
        ck_assert_int_eq(pthread_join(threads[i].thread, NULL), 0);
        for (int user = 0; user < USERS; user++)
            ck_assert_int_eq(threads[i].members[user].n_wrong, 0);
        ck_assert_uint_gt(atomic_load(&threads[i].n_guests), 0);
    }
}

static void check(bool has_carrier)
{
    ws_manager_options options;
    struct engine *engine = NULL;
    pthread_t other;

    ws_manager_options_init(&options);
    options.presence_events = WS_PRESENCE_OFF;
    ck_assert_int_eq(ws_manager_new(&options, &manager), WS_OK);
    if (has_carrier)
        engine = engine_start(manager, MOST_EVENTS);
    start();
    ck_assert_int_eq(pthread_create(&other, NULL, send_others, NULL), 0);
    send_rounds();
    ck_assert_int_eq(pthread_join(other, NULL), 0);
    finish();
    for (int i = 0; i < LOOPS; i++) {
        for (int user = 0; user < USERS; user++)
            threads[i].members[user].n_wrong = -1000000; /* they may be closed now */
        ws_loop_free(threads[i].loop);
    }
    if (has_carrier)
        engine_stop(engine);
    ws_manager_free(manager);
}

START_TEST(commands_and_events_have_one_order_in_a_process)
{
    check(false);
}
END_TEST

START_TEST(commands_and_events_have_one_order_in_a_cluster)
{
    check(true);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        commands_and_events_have_one_order_in_a_process,
        commands_and_events_have_one_order_in_a_cluster,
        NULL,
    };

    return suite_run("user-commands-threads", tests);
}
