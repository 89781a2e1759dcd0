/* recovery_test.c: clients that come back receive the events that they missed, in order, once, and
 * nothing else; then the live events. Not here: the same under load with many threads
 * (recovery_threads_test.c). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/manager.h"
#include "core/recovery/read.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann; /* comes back */
static struct client bob; /* stays connected */

/* The id of a position in this run; static text, overwritten after a few calls. */
static const char *id_of(int position)
{
    static char ids[4][EVENT_ID_SIZE];
    static unsigned next;
    char *id = ids[next++ % 4];

    event_id_write(host.manager->epoch, (uint64_t)position, id);
    return id;
}

static void begin(void)
{
    host_open(&host);
    client_open(&host, &bob, "bob", "bob");
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    ann = bob = (struct client){0};
}

struct back {
    const char *after;
    const char *former;
    const char *user;
    const char *rooms[4]; /* ends with NULL */
};

static int connect_back(const struct back *back)
{
    ws_connect_options options;

    if (ann.id != 0 && !ann.gone)
        client_lose(&ann);
    client_free(&ann);
    ann = (struct client){.host = &host, .name = "ann", .on_send = ann.on_send};
    client_options(&ann, &options);
    options.user_id = back->user;
    options.after = back->after;
    options.former_connection_id = back->former;
    options.rooms = back->rooms;
    while (options.n_rooms < 4 && back->rooms[options.n_rooms] != NULL)
        options.n_rooms++;
    return ws_manager_connect(host.manager, host.loop, &options, &ann.id);
}

static void come_back(struct back back)
{
    ck_assert_int_eq(connect_back(&back), WS_OK);
    host_run(&host);
}

/* The next message is a welcome at this position. */
static void expect_welcome(int position)
{
    const char *welcome = client_next(&ann);
    char id[32];

    snprintf(id, sizeof id, "\"id\":\"E.%d\"", position);
    ck_assert_ptr_nonnull(welcome);
    ck_assert_ptr_nonnull(strstr(welcome, "\"type\":\"welcome\""));
    ck_assert_msg(strstr(welcome, id) != NULL, "%s without %s", welcome, id);
}

/* An event's message; static text, overwritten after a few calls. */
static const char *recovered(bool is_complete, int count, int position)
{
    static char texts[4][128];
    static unsigned next;
    char *text = texts[next++ % 4];

    snprintf(text, sizeof texts[0],
             "{\"type\":\"recovered\",\"data\":{\"complete\":%s,\"count\":%d,\"id\":\"E.%d\"}}",
             is_complete ? "true" : "false", count, position);
    return text;
}

static void emit_to_user(const char *user, int number)
{
    char data[32];
    ws_event *event;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    ck_assert_int_eq(ws_event_new(host.manager, "notification", data, strlen(data), &event),
                     WS_OK);
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, user, event, NULL, 0), WS_OK);
    ws_event_free(event);
}

START_TEST(missed_events_come_in_order)
{
    begin();
    emit_number(&host, NULL, 1);
    emit_number(&host, "r", 2);
    emit_to_user("ann", 3);
    emit_number(&host, NULL, 4);
    emit_number(&host, "s", 5);
    host_run(&host);
    come_back((struct back){id_of(1), NULL, "ann", {"r", "s"}});
    expect_welcome(1);
    client_expect(&ann, number_message(2, "r", 2), number_message(3, NULL, 3),
                  number_message(4, NULL, 4), number_message(5, "s", 5), recovered(true, 4, 5),
                  NULL);
    emit_number(&host, "s", 6);
    host_run(&host);
    client_expect(&ann, number_message(6, "s", 6), NULL);
    end();
}
END_TEST

START_TEST(nothing_was_missed)
{
    begin();
    come_back((struct back){.after = id_of(0)});
    expect_welcome(0);
    client_expect(&ann, recovered(true, 0, 0), NULL);
    emit_number(&host, NULL, 1);
    host_run(&host);
    come_back((struct back){.after = id_of(1)});
    expect_welcome(1);
    client_expect(&ann, recovered(true, 0, 1), NULL);
    end();
}
END_TEST

START_TEST(events_of_other_rooms_and_users_are_not_sent)
{
    begin();
    emit_number(&host, "r", 1);
    emit_to_user("bob", 2);
    emit_number(&host, "s", 3);
    come_back((struct back){id_of(0), NULL, "ann", {"s"}});
    expect_welcome(0);
    client_expect(&ann, number_message(3, "s", 3), recovered(true, 1, 3), NULL);
    /* Without a user id, no user's events. */
    come_back((struct back){.after = id_of(0)});
    expect_welcome(0);
    client_expect(&ann, recovered(true, 0, 3), NULL);
    end();
}
END_TEST

START_TEST(a_forbidden_room_is_not_recovered)
{
    begin();
    host.authorize_result = WS_ERR_FORBIDDEN;
    emit_number(&host, "r", 1);
    come_back((struct back){id_of(0), NULL, NULL, {"r"}});
    expect_welcome(0);
    client_expect(&ann,
                  "{\"type\":\"error\",\"ref\":\"r\",\"data\":{\"code\":\"forbidden\","
                  "\"message\":\"the application does not allow this request\"}}",
                  recovered(true, 0, 1), NULL);
    host_expect_log(&host, "on_connect ann -\nauthorize_join ann r\n");
    end();
}
END_TEST

/* From its welcome on the client misses no event of these rooms, although it enters them later. */
START_TEST(a_new_client_misses_nothing_of_the_rooms_it_names)
{
    begin();
    emit_number(&host, "r", 1);
    ck_assert_int_eq(connect_back(&(struct back){.rooms = {"r"}}), WS_OK);
    emit_number(&host, "r", 2);
    emit_number(&host, "s", 3);
    host_run(&host);
    emit_number(&host, "r", 4);
    host_run(&host);
    expect_welcome(1);
    client_expect(&ann, number_message(2, "r", 2), number_message(4, "r", 4), NULL);
    end();
}
END_TEST

START_TEST(rooms_without_a_position)
{
    begin();
    emit_number(&host, "r", 1);
    come_back((struct back){.rooms = {"r", "r", "s"}});
    expect_welcome(1);
    client_expect(&ann, NULL);
    host_expect_log(&host, "on_connect ann -\n"
                           "authorize_join ann r\non_join ann r success\n"
                           "authorize_join ann r\non_join ann r done already\n"
                           "authorize_join ann s\non_join ann s success\n");
    ck_assert(ws_manager_is_member(host.manager, ann.id, "s"));
    end();
}
END_TEST

static unsigned n_asked;

static void count_asked(struct host *at, struct client *client, const char *line)
{
    (void)at;
    (void)client;
    n_asked += strncmp(line, "authorize_join", 14) == 0;
}

enum how { TO_THE_END, UNTIL_IT_IS_LOST, UNTIL_THE_LOOP_ENDS };

enum { N_ROOMS = 1000 };

/* A client comes back and names r0, r1, … */
static void connect_with_many_rooms(struct client *client, const char *after)
{
    static char names[N_ROOMS][16];
    const char *rooms[N_ROOMS];
    ws_connect_options options;

    for (int i = 0; i < N_ROOMS; i++) {
        snprintf(names[i], sizeof names[i], "r%d", i);
        rooms[i] = names[i];
    }
    *client = (struct client){.host = &host, .name = "ann"};
    client_options(client, &options);
    options.after = after;
    options.rooms = rooms;
    options.n_rooms = N_ROOMS;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &client->id), WS_OK);
}

/* Some of the rooms are authorised in each turn. */
static void enter_many_rooms(enum how how)
{
    enum { MOST_IN_A_TURN = 200 };
    unsigned n_turns = 0;

    begin();
    connect_with_many_rooms(&ann, NULL);
    emit_number(&host, "r999", 1);
    host.hook = count_asked;
    for (unsigned before = n_asked = 0; n_asked < N_ROOMS; before = n_asked) {
        ck_assert(ws_loop_run(host.loop, host.now_ms) == host.now_ms || n_asked == N_ROOMS);
        ck_assert_uint_gt(n_asked, before);
        ck_assert_uint_le(n_asked - before, MOST_IN_A_TURN);
        if (++n_turns == 2 && how != TO_THE_END)
            break;
    }
    if (how == UNTIL_IT_IS_LOST)
        client_lose(&ann);
    if (how != UNTIL_THE_LOOP_ENDS)
        host_run(&host);
    if (how == TO_THE_END) {
        expect_welcome(0);
        client_expect(&ann, number_message(1, "r999", 1), NULL);
        ck_assert(ws_manager_is_member(host.manager, ann.id, "r999"));
    }
    host.hook = NULL;
    end();
}

START_TEST(many_rooms_are_entered_over_several_turns)
{
    enter_many_rooms(TO_THE_END);
    enter_many_rooms(UNTIL_IT_IS_LOST);
    enter_many_rooms(UNTIL_THE_LOOP_ENDS);
}
END_TEST

/* However many clients name a thousand rooms each, an event is delivered in the turn after it was
 * emitted: the rooms wait as what clients send does. */
START_TEST(named_rooms_do_not_hold_up_events)
{
    enum { N_CLIENTS = 20 };
    static struct client crowd[N_CLIENTS];

    begin();
    for (int i = 0; i < N_CLIENTS; i++)
        connect_with_many_rooms(&crowd[i], NULL);
    emit_number(&host, NULL, 1);
    ws_loop_run(host.loop, host.now_ms);
    client_expect(&bob, number_message(1, NULL, 1), NULL);
    end();
    for (int i = 0; i < N_CLIENTS; i++)
        client_free(&crowd[i]);
}
END_TEST

/* What the client sends is processed after it has entered the rooms that it named. */
START_TEST(requests_wait_for_the_named_rooms)
{
    static const char ping[] = "{\"type\":\"ping\"}";

    begin();
    host.authorize_result = WS_ERR_FORBIDDEN;
    connect_with_many_rooms(&ann, NULL);
    ck_assert_int_eq(ws_manager_receive(host.manager, ann.id, ping, sizeof ping - 1, 1), WS_OK);
    host_run(&host);
    expect_welcome(0);
    for (int i = 0; i < N_ROOMS; i++) {
        const char *message = client_next(&ann);

        ck_assert_ptr_nonnull(message);
        ck_assert_ptr_nonnull(strstr(message, "forbidden"));
    }
    client_expect(&ann, "{\"type\":\"pong\",\"data\":{\"id\":\"E.0\"}}", NULL);
    end();
}
END_TEST

/* Events of these rooms that were sent after the welcome may be lost, and the client learns of
 * it. A client with few rooms has entered them before any later event. */
START_TEST(many_rooms_without_a_history)
{
    host_init(&host);
    host.options.history_events = 0;
    host_start(&host);
    connect_with_many_rooms(&ann, NULL);
    emit_number(&host, "r999", 1);
    host_run(&host);
    expect_welcome(0);
    client_expect(&ann, recovered(false, 0, 1), NULL);
    client_lose(&ann);
    client_free(&ann);
    /* No event was sent. */
    connect_with_many_rooms(&ann, NULL);
    host_run(&host);
    expect_welcome(1);
    client_expect(&ann, NULL);
    come_back((struct back){.rooms = {"r", "s"}});
    expect_welcome(1);
    client_expect(&ann, NULL);
    emit_number(&host, "s", 2);
    host_run(&host);
    client_expect(&ann, number_message(2, "s", 2), NULL);
    end();
}
END_TEST

/* Each read of the history looks for the events of each room. */
START_TEST(many_rooms_cost_each_read)
{
    enum { EVENTS = 3000, READS = 8192 / N_ROOMS + 1 };
    char room[16];

    begin();
    for (int i = 0; i < EVENTS; i++) {
        snprintf(room, sizeof room, "r%d", i % N_ROOMS);
        emit_number(&host, room, i);
    }
    connect_with_many_rooms(&ann, id_of(0));
    for (size_t before = 0; ann.n_messages < 1 + EVENTS + 1; before = ann.n_messages) {
        ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_le(ann.n_messages - before, READS * RECOVERY_READ_AT_ONCE);
    }
    end();
}
END_TEST

START_TEST(events_that_excluded_the_former_connection)
{
    char former[CONNECTION_NAME_SIZE];
    ws_event *event;

    begin();
    ck_assert_int_eq(client_try(&host, &ann, "ann", NULL, WS_PROTOCOL_JSON), WS_OK);
    host_run(&host);
    connection_name_write(host.manager->process, ann.id, former);
    for (int i = 0; i < 2; i++) {
        const ws_conn_id exclude[] = {i == 0 ? ann.id : bob.id, 12345};

        ck_assert_int_eq(ws_event_new(host.manager, "notification", "{\"n\":7}", 7, &event),
                         WS_OK);
        ck_assert_int_eq(ws_manager_broadcast(host.manager, event, exclude, 2), WS_OK);
        ws_event_free(event);
    }
    client_lose(&ann);
    come_back((struct back){.after = id_of(0), .former = former});
    expect_welcome(0);
    client_expect(&ann, number_message(2, NULL, 7), recovered(true, 1, 2), NULL);
    /* In another process the same number is another connection. */
    former[0] = former[0] == 'a' ? 'b' : 'a';
    come_back((struct back){.after = id_of(0), .former = former});
    ck_assert_uint_eq(client_count(&ann), 4);
    end();
}
END_TEST

static void expect_incomplete(const char *after, int position)
{
    come_back((struct back){.after = after});
    expect_welcome(position);
    client_expect(&ann, recovered(false, 0, position), NULL);
    emit_number(&host, NULL, position + 1);
    host_run(&host);
    client_expect(&ann, number_message(position + 1, NULL, position + 1), NULL);
}

START_TEST(positions_that_cannot_be_recovered)
{
    begin();
    emit_number(&host, NULL, 1);
    expect_incomplete("", 1);
    expect_incomplete("nonsense", 2);
    expect_incomplete("aaaaaaaaaa.1", 3); /* another run of the process */
    expect_incomplete(id_of(5), 4);       /* no such event yet */
    end();
}
END_TEST

START_TEST(events_that_left_the_history)
{
    host_init(&host);
    host.options.history_events = 3;
    host_start(&host);
    for (int i = 1; i <= 5; i++)
        emit_number(&host, NULL, i);
    expect_incomplete(id_of(1), 5);
    come_back((struct back){.after = id_of(3)});
    expect_welcome(3);
    client_expect(&ann, number_message(4, NULL, 4), number_message(5, NULL, 5),
                  number_message(6, NULL, 6), recovered(true, 3, 6), NULL);
    end();
}
END_TEST

START_TEST(events_that_left_the_history_by_age)
{
    host_init(&host);
    host.options.history_age_ms = 1000;
    host_start(&host);
    emit_number(&host, NULL, 1);
    come_back((struct back){.after = id_of(0)});
    ck_assert_uint_eq(client_count(&ann), 3);
    host.clock_ms += 1001;
    come_back((struct back){.after = id_of(0)});
    expect_welcome(1);
    client_expect(&ann, recovered(false, 0, 1), NULL);
    end();
}
END_TEST

START_TEST(without_a_history_recovery_is_incomplete)
{
    host_init(&host);
    host.options.history_events = 0;
    host_start(&host);
    emit_number(&host, NULL, 1);
    come_back((struct back){.after = id_of(1)});
    expect_welcome(1);
    client_expect(&ann, recovered(true, 0, 1), NULL);
    expect_incomplete(id_of(0), 1);
    end();
}
END_TEST

START_TEST(presence_is_not_kept)
{
    host_init(&host);
    host.options.presence_events = WS_PRESENCE_ROOM;
    host.options.presence_room = "who is there";
    host.options.history_events = 2;
    host_start(&host);
    client_open_in(&host, &bob, "bob", "who is there");
    emit_number(&host, NULL, 1);
    for (int i = 0; i < 50; i++)
        come_back((struct back){.after = id_of(0)});
    expect_welcome(0);
    client_expect(&ann, number_message(1, NULL, 1), recovered(true, 1, 1), NULL);
    ck_assert_uint_ge(client_count(&bob), 50);
    end();
}
END_TEST

static void join_when_connected(struct host *of, struct client *client, const char *line)
{
    if (strncmp(line, "on_connect", 10) == 0)
        ck_assert_int_eq(ws_manager_join_room(of->manager, client->id, "r"), WS_OK);
}

START_TEST(rooms_that_the_application_joins)
{
    begin();
    emit_number(&host, "r", 1);
    host.hook = join_when_connected;
    come_back((struct back){.after = id_of(0)});
    expect_welcome(0);
    client_expect(&ann, number_message(1, "r", 1), recovered(true, 1, 1), NULL);
    end();
}
END_TEST

/* --- slow clients ----------------------------------------------------------------------------- */

START_TEST(a_slow_client_receives_events_as_it_reads)
{
    begin();
    for (int i = 1; i <= 300; i++)
        emit_number(&host, NULL, i);
    ck_assert_int_eq(connect_back(&(struct back){.after = id_of(0)}), WS_OK);
    ann.send_result = WS_ERR_BACKPRESSURE;
    host_run(&host);
    /* The welcome, and the first event, which the transport accepted. */
    ck_assert_uint_eq(ann.n_messages, 2);
    for (int i = 301; i <= 310; i++) {
        emit_number(&host, NULL, i);
        host_run(&host);
        ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    }
    ck_assert_uint_eq(ann.n_messages, 12);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    host_run(&host);
    expect_welcome(0);
    for (int i = 1; i <= 310; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    client_expect(&ann, recovered(true, 310, 310), NULL);
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(events_leave_the_history_while_a_client_reads)
{
    host_init(&host);
    host.options.history_events = 100;
    host_start(&host);
    for (int i = 1; i <= 100; i++)
        emit_number(&host, NULL, i);
    ck_assert_int_eq(connect_back(&(struct back){.after = id_of(0)}), WS_OK);
    ann.send_result = WS_ERR_BACKPRESSURE;
    host_run(&host);
    emit_number(&host, NULL, 101);
    emit_number(&host, NULL, 102);
    host_run(&host);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    expect_welcome(0);
    client_expect(&ann, number_message(1, NULL, 1), recovered(false, 1, 102), NULL);
    end();
}
END_TEST

START_TEST(requests_during_a_recovery)
{
    begin();
    emit_number(&host, "r", 1);
    emit_number(&host, NULL, 2);
    emit_number(&host, "r", 3);
    emit_number(&host, "s", 4);
    ck_assert_int_eq(connect_back(&(struct back){id_of(0), NULL, NULL, {"s"}}), WS_OK);
    ann.send_result = WS_ERR_BACKPRESSURE;
    host_run(&host);
    client_say(&ann, "{\"type\":\"ping\"}");
    client_say(&ann, "{\"type\":\"join_room\",\"room\":\"r\"}");
    client_say(&ann, "{\"type\":\"leave_room\",\"room\":\"s\"}");
    client_say(&ann, "{\"type\":\"what\"}");
    host_run(&host);
    ann.send_result = WS_OK;
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
    host_run(&host);
    expect_welcome(0);
    client_expect(&ann, number_message(2, NULL, 2),
                  "{\"type\":\"pong\",\"data\":{\"id\":\"E.2\"}}",
                  "{\"type\":\"room_joined\",\"data\":{\"room\":\"r\",\"id\":\"E.2\"}}",
                  "{\"type\":\"room_left\",\"data\":{\"room\":\"s\",\"id\":\"E.2\"}}",
                  "{\"type\":\"error\",\"data\":{\"code\":\"unknown_type\",\"message\":"
                  "\"\\\"type\\\" must be join_room, leave_room, ping, message, request, "
                  "response, presence, "
                  "set_state, watch_presence, unwatch_presence or authenticate\"}}",
                  number_message(3, "r", 3), recovered(true, 2, 4), NULL);
    end();
}
END_TEST

START_TEST(the_connection_ends_during_a_recovery)
{
    for (int how = 0; how < 5; how++) {
        begin();
        for (int i = 1; i <= 200; i++)
            emit_number(&host, NULL, i);
        ck_assert_int_eq(connect_back(&(struct back){.after = id_of(0)}), WS_OK);
        ann.send_result = WS_ERR_BACKPRESSURE;
        host_run(&host);
        switch (how) {
        case 0:
            client_lose(&ann);
            break;
        case 1:
            ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, NULL), WS_OK);
            break;
        case 2: /* the transport accepts no more */
            ann.send_result = WS_ERR_DROPPED;
            ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
            break;
        case 3:
            ann.send_result = WS_ERR_NO_MEMORY;
            ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id), WS_OK);
            break;
        default: /* the connection's loop ends */
            break;
        }
        if (how < 4) {
            host_run(&host);
            ck_assert(ann.gone);
            ck_assert_int_eq(ws_manager_transport_writable(host.manager, ann.id),
                             WS_ERR_NOT_FOUND);
        }
        end();
    }
}
END_TEST

static void lose_at_third(struct client *client, const char *message)
{
    (void)message;
    if (client->n_messages == 3)
        client_lose(client);
}

START_TEST(the_connection_ends_within_a_send)
{
    begin();
    for (int i = 1; i <= 10; i++)
        emit_number(&host, NULL, i);
    ann.on_send = lose_at_third;
    come_back((struct back){.after = id_of(0)});
    ck_assert_uint_eq(ann.n_messages, 3);
    ann.on_send = NULL;
    end();
}
END_TEST

static void lose_when_asked(struct host *of, struct client *client, const char *line)
{
    if (strstr(line, of->hook_data) != NULL && !client->gone)
        client_lose(client);
}

START_TEST(the_connection_ends_within_a_callback)
{
    static const char *const lines[] = {"on_connect", "authorize_join ann r", "on_join ann s"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        for (int reachable = 0; reachable < 2; reachable++) {
            begin();
            host.hook = lose_when_asked;
            host.hook_data = (void *)(uintptr_t)lines[i];
            emit_number(&host, NULL, 1);
            come_back((struct back){reachable ? id_of(0) : "", NULL, NULL, {"r", "s", "t"}});
            ck_assert_uint_eq(ann.n_messages, 1);
            end();
        }
    }
}
END_TEST

/* --- the work of a turn ----------------------------------------------------------------------- */

START_TEST(events_emitted_while_a_turn_is_full)
{
    enum { MISSED = 3000 };
    uint64_t deadline;
    int n_turns = 0;

    begin();
    for (int i = 1; i <= MISSED; i++)
        emit_number(&host, i % 2 == 0 ? "r" : NULL, i);
    ck_assert_int_eq(connect_back(&(struct back){id_of(0), NULL, NULL, {"r"}}), WS_OK);
    do {
        deadline = ws_loop_run(host.loop, host.now_ms);
        if (n_turns++ < 20)
            emit_number(&host, "r", MISSED + n_turns);
    } while (deadline <= host.now_ms || n_turns < 21);
    expect_welcome(0);
    for (int i = 1; i <= MISSED + 20; i++) {
        const char *message = client_next(&ann);

        if (strstr(message, "recovered") != NULL)
            message = client_next(&ann);
        ck_assert_str_eq(message, number_message(i, i > MISSED || i % 2 == 0 ? "r" : NULL, i));
    }
    end();
}
END_TEST

/* Each of its rooms is searched for events, 64 at once: that counts as work, so a turn delivers
 * fewer. */
START_TEST(a_client_in_many_rooms_gets_fewer_events_in_a_turn)
{
    enum { MISSED = 6000, MOST_IN_A_TURN = 3000 };
    uint64_t deadline;
    size_t before;

    begin();
    for (int i = 1; i <= MISSED; i++)
        emit_number(&host, NULL, i);
    host_run(&host);
    connect_with_many_rooms(&ann, id_of(0));
    do {
        before = ann.n_messages;
        deadline = ws_loop_run(host.loop, host.now_ms);
        ck_assert_uint_le(ann.n_messages - before, MOST_IN_A_TURN);
    } while (deadline <= host.now_ms);
    expect_welcome(0);
    for (int i = 1; i <= MISSED; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    client_expect(&ann, recovered(true, MISSED, MISSED), NULL);
    end();
}
END_TEST

START_TEST(invalid_options_are_refused)
{
    begin();
    ck_assert_int_eq(connect_back(&(struct back){.rooms = {"bad\nname"}}), WS_ERR_INVALID);
    ck_assert_int_eq(connect_back(&(struct back){.rooms = {""}}), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_transport_writable(NULL, bob.id), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_transport_writable(host.manager, 99), WS_ERR_NOT_FOUND);
    end();
}
END_TEST

START_TEST(without_memory_it_is_incomplete_or_closed)
{
    for (int n = 0; n < 40; n++) {
        int result;

        begin();
        for (int i = 1; i <= 5; i++)
            emit_number(&host, i % 2 == 0 ? "r" : NULL, i);
        test_memory_fail(&host.memory, n, true);
        result = connect_back(&(struct back){id_of(0), NULL, "ann", {"r", "s", "t"}});
        if (result == WS_OK)
            host_run(&host);
        test_memory_fail(&host.memory, NEVER_FAIL, false);
        host_run(&host);
        if (result != WS_OK)
            ck_assert_int_eq(result, WS_ERR_NO_MEMORY);
        else if (!ann.gone)
            ck_assert_uint_eq(client_count(&ann), 1 + 5 + 1);
        end();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        missed_events_come_in_order,
        nothing_was_missed,
        events_of_other_rooms_and_users_are_not_sent,
        a_forbidden_room_is_not_recovered,
        a_new_client_misses_nothing_of_the_rooms_it_names,
        rooms_without_a_position,
        many_rooms_are_entered_over_several_turns,
        named_rooms_do_not_hold_up_events,
        requests_wait_for_the_named_rooms,
        many_rooms_without_a_history,
        many_rooms_cost_each_read,
        events_that_excluded_the_former_connection,
        positions_that_cannot_be_recovered,
        events_that_left_the_history,
        events_that_left_the_history_by_age,
        without_a_history_recovery_is_incomplete,
        presence_is_not_kept,
        rooms_that_the_application_joins,
        a_slow_client_receives_events_as_it_reads,
        events_leave_the_history_while_a_client_reads,
        requests_during_a_recovery,
        the_connection_ends_during_a_recovery,
        the_connection_ends_within_a_send,
        the_connection_ends_within_a_callback,
        events_emitted_while_a_turn_is_full,
        a_client_in_many_rooms_gets_fewer_events_in_a_turn,
        invalid_options_are_refused,
        without_memory_it_is_incomplete_or_closed,
        NULL,
    };

    return suite_run("recovery", tests);
}
