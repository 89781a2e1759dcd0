/* send_test.c: who receives an event that is sent to everyone, a room, a user or one connection;
 * exclude lists; the order. Not here: full inboxes (backpressure_test.c). */
#include <stdlib.h>
#include <string.h>

#include "core/events/ids.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob, eve;

/* Three clients: ann and eve are the user "ann", bob is "bob"; ann and bob are in "orders". */
static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    client_open(&host, &eve, "eve", "ann");
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "orders"), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "orders"), WS_OK);
    host_run(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
    client_free(&eve);
}

static void check_counts(size_t of_ann, size_t of_bob, size_t of_eve)
{
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), of_ann);
    ck_assert_uint_eq(client_count(&bob), of_bob);
    ck_assert_uint_eq(client_count(&eve), of_eve);
}

static ws_event *new_event(void)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "{\"n\":1}", 7, &event), WS_OK);
    return event;
}

static int broadcast(const ws_conn_id *exclude, size_t n_exclude)
{
    ws_event *event = new_event();
    int result = ws_manager_broadcast(host.manager, event, exclude, n_exclude);

    ws_event_free(event);
    return result;
}

static int to_room(const char *room, const ws_conn_id *exclude, size_t n_exclude)
{
    ws_event *event = new_event();
    int result = ws_manager_broadcast_to_room(host.manager, room, event, exclude, n_exclude);

    ws_event_free(event);
    return result;
}

static int to_user(const char *user, const ws_conn_id *exclude, size_t n_exclude)
{
    ws_event *event = new_event();
    int result = ws_manager_send_to_user(host.manager, user, event, exclude, n_exclude);

    ws_event_free(event);
    return result;
}

static int to_one(ws_conn_id id, const ws_conn_id *exclude, size_t n_exclude)
{
    ws_event *event = new_event();
    int result = ws_manager_send_personal_message(host.manager, id, event, exclude, n_exclude);

    ws_event_free(event);
    return result;
}

START_TEST(everyone_a_room_a_user_or_one_connection)
{
    begin();
    ck_assert_int_eq(broadcast(NULL, 0), WS_OK);
    check_counts(1, 1, 1);
    ck_assert_int_eq(to_room("orders", NULL, 0), WS_OK);
    check_counts(1, 1, 0);
    ck_assert_int_eq(to_user("ann", NULL, 0), WS_OK);
    check_counts(1, 0, 1);
    ck_assert_int_eq(to_one(eve.id, NULL, 0), WS_OK);
    check_counts(0, 0, 1);
    end();
}
END_TEST

START_TEST(an_emit_names_a_room_or_a_user)
{
    begin();
    ck_assert_int_eq(ws_manager_emit_to_room(host.manager, "orders", "stock_low", "1", 1),
                     WS_OK);
    check_counts(1, 1, 0);
    ck_assert_int_eq(ws_manager_emit_to_user(host.manager, "ann", "stock_low", "1", 1), WS_OK);
    check_counts(1, 0, 1);
    ck_assert_int_eq(ws_manager_emit_to_room(host.manager, "a\n", "stock_low", "1", 1),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_emit_to_user(host.manager, "ann", "stock_low", "{]", 2),
                     WS_ERR_BAD_JSON);
    ck_assert_int_eq(ws_manager_emit_to_user(host.manager, "ann", "no_type", "1", 1),
                     WS_ERR_UNKNOWN_TYPE);
    end();
}
END_TEST

START_TEST(a_user_or_room_without_connections_is_not_an_error)
{
    begin();
    ck_assert_int_eq(to_room("nobody", NULL, 0), WS_OK);
    ck_assert_int_eq(to_user("nobody", NULL, 0), WS_OK);
    check_counts(0, 0, 0);
    /* They used up positions nevertheless. */
    emit_number(&host, NULL, 3);
    host_run(&host);
    client_expect(&ann, number_message(3, NULL, 3), NULL);
    end();
}
END_TEST

START_TEST(excluded_connections_receive_nothing)
{
    ws_conn_id stale = 0;
    struct client gone;

    begin();
    client_open(&host, &gone, "gone", NULL);
    stale = gone.id;
    client_lose(&gone);
    ck_assert_int_eq(broadcast(&bob.id, 1), WS_OK);
    check_counts(1, 0, 1);
    ck_assert_int_eq(
        broadcast((const ws_conn_id[]){eve.id, stale, ann.id, 0, eve.id, UINT64_MAX}, 6),
        WS_OK);
    check_counts(0, 1, 0);
    ck_assert_int_eq(to_room("orders", (const ws_conn_id[]){eve.id, ann.id}, 2), WS_OK);
    check_counts(0, 1, 0);
    ck_assert_int_eq(broadcast((const ws_conn_id[]){ann.id, bob.id, eve.id}, 3), WS_OK);
    check_counts(0, 0, 0);
    ck_assert_int_eq(to_user("ann", &eve.id, 1), WS_OK);
    check_counts(1, 0, 0);
    ck_assert_int_eq(to_one(eve.id, (const ws_conn_id[]){ann.id, bob.id}, 2), WS_OK);
    check_counts(0, 0, 1);
    ck_assert_int_eq(to_one(eve.id, (const ws_conn_id[]){ann.id, eve.id}, 2), WS_OK);
    check_counts(0, 0, 0);
    ck_assert_int_eq(to_one(stale, &stale, 1), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(broadcast(NULL, 1), WS_ERR_INVALID);
    ck_assert_int_eq(to_room("orders", NULL, 1), WS_ERR_INVALID);
    ck_assert_int_eq(to_user("ann", NULL, 1), WS_ERR_INVALID);
    ck_assert_int_eq(to_one(ann.id, NULL, 1), WS_ERR_INVALID);
    check_counts(0, 0, 0);
    end();
    client_free(&gone);
}
END_TEST

/* The exclude list is copied: the caller may change it after the call. */
START_TEST(the_exclude_list_is_copied)
{
    ws_conn_id *exclude = malloc(sizeof *exclude);

    begin();
    *exclude = bob.id;
    ck_assert_int_eq(broadcast(exclude, 1), WS_OK);
    *exclude = ann.id;
    free(exclude);
    check_counts(1, 0, 1);
    end();
}
END_TEST

/* The slot of a connection that ended is used again at once, with another generation. */
START_TEST(a_stale_id_is_never_another_client_s)
{
    struct client again;
    void *data = NULL;
    ws_conn_id stale;

    begin();
    stale = bob.id;
    client_lose(&bob);
    client_open(&host, &again, "again", "bob");
    ck_assert_uint_ne(again.id, stale);
    ck_assert_uint_eq(conn_id_slot(again.id), conn_id_slot(stale));
    ck_assert_int_eq(to_one(stale, NULL, 0), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_send_text(host.manager, stale, "x", 1), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, stale, "x", 1), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_join_room(host.manager, stale, "r"), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, stale, "r"), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, stale, 1000, NULL), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, stale, &data), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_set_user_data(host.manager, stale, &data), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_receive(host.manager, stale, "x", 1, 1), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_transport_closed(host.manager, stale, 1000, NULL),
                     WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_is_member(host.manager, stale, "orders"), 0);
    ck_assert_int_eq(broadcast(&stale, 1), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(client_count(&again), 1);
    ck_assert_int_eq(to_one(0, NULL, 0), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(to_one(UINT64_MAX, NULL, 0), WS_ERR_NOT_FOUND);
    end();
    client_free(&again);
}
END_TEST

START_TEST(a_personal_message_has_no_id)
{
    ws_event *event;

    begin();
    host.clock_ms = 1795557600123;
    event = new_event();
    ck_assert_int_eq(ws_event_set_user_id(event, "bob"), WS_OK);
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, ann.id, event, NULL, 0),
                     WS_OK);
    ck_assert_str_eq(ws_event_id(event), "");
    ck_assert_int_eq(ws_event_timestamp_ms(event), 1795557600123);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_ERR_ALREADY);
    ws_event_free(event);
    host_run(&host);
    client_expect(&ann,
                  "{\"type\":\"stock_low\",\"data\":{\"n\":1},"
                  "\"timestamp\":\"2026-11-24T22:00:00.123Z\",\"user_id\":\"bob\"}",
                  NULL);
    end();
}
END_TEST

START_TEST(an_event_that_was_refused_can_be_sent_again)
{
    ws_event *event;

    begin();
    event = new_event();
    host.clock_ms = 5;
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, 12345, event, NULL, 0),
                     WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_event_timestamp_ms(event), 0);
    ck_assert_str_eq(ws_event_id(event), "");
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, "", event, NULL, 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, NULL, event, NULL, 0),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, "a\n", event, NULL, 0),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_broadcast_to_room(host.manager, NULL, event, NULL, 0),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_broadcast(NULL, event, NULL, 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, NULL, NULL, 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
    check_counts(1, 1, 1);
    end();
}
END_TEST

START_TEST(an_event_belongs_to_its_manager)
{
    ws_manager *other;
    ws_event *event;

    begin();
    ck_assert_int_eq(ws_manager_new(NULL, &other), WS_OK);
    ck_assert_int_eq(ws_event_new(other, "stock_low", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, ann.id, event, NULL, 0),
                     WS_ERR_INVALID);
    ws_event_free(event);
    ws_manager_free(other);
    check_counts(0, 0, 0);
    end();
}
END_TEST

START_TEST(raw_text_and_binary)
{
    begin();
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "h\xc3\xa9llo!", 6), WS_OK);
    host_run(&host);
    ck_assert(ann.last_is_text);
    client_expect(&ann, "h\xc3\xa9llo", NULL);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, ann.id, "\xff\0\xfe", 3), WS_OK);
    host_run(&host);
    ck_assert(!ann.last_is_text);
    ck_assert_uint_eq(ann.last_length, 3);
    ck_assert_mem_eq(client_next(&ann), "\xff\0\xfe", 3);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, NULL, 0), WS_OK);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, ann.id, NULL, 0), WS_OK);
    host_run(&host);
    client_expect(&ann, "", "", NULL);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "\xff", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, NULL, 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_text(NULL, ann.id, "x", 1), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, ann.id, "x", ((size_t)1 << 30) + 1),
                     WS_ERR_TOO_BIG);
    ck_assert_int_eq(ws_manager_send_binary(host.manager, 0, "x", 1), WS_ERR_NOT_FOUND);
    check_counts(0, 0, 0);
    end();
}
END_TEST

START_TEST(join_then_broadcast_reaches_the_joiner)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, "new"), WS_OK);
    emit_number(&host, "new", 1);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, eve.id, "new"), WS_OK);
    emit_number(&host, "new", 2);
    ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, "new"), WS_OK);
    emit_number(&host, "new", 3);
    host_run(&host);
    client_expect(&eve, number_message(1, "new", 1), number_message(3, "new", 3), NULL);
    end();
}
END_TEST

START_TEST(broadcast_then_join_or_connect_does_not)
{
    struct client late;

    begin();
    emit_number(&host, NULL, 1);
    emit_number(&host, "orders", 2);
    ck_assert_int_eq(to_user("late", NULL, 0), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, "orders"), WS_OK);
    ck_assert_int_eq(client_try(&host, &late, "late", "late", WS_PROTOCOL_JSON), WS_OK);
    emit_number(&host, NULL, 4);
    ck_assert_int_eq(to_user("late", NULL, 0), WS_OK);
    host_run(&host);
    client_expect(&eve, number_message(1, NULL, 1), number_message(4, NULL, 4), NULL);
    ck_assert_ptr_nonnull(strstr(client_next(&late), "\"id\":\"E.3\"")); /* its welcome */
    ck_assert_str_eq(client_next(&late), number_message(4, NULL, 4));
    ck_assert_uint_eq(client_count(&late), 1);
    end();
    client_free(&late);
}
END_TEST

static void emit_in_callback(struct host *of, struct client *client, const char *line)
{
    (void)client;
    if (strncmp(line, "accept_message", 14) == 0)
        emit_number(of, NULL, 100);
}

static void emit_in_send(struct client *client, const char *message)
{
    if (strcmp(message, number_message(1, NULL, 1)) == 0)
        emit_number(client->host, NULL, 50);
}

/* An event that is emitted while another event is being delivered comes after those that were
 * posted before. */
START_TEST(an_event_from_a_callback_waits_its_turn)
{
    begin();
    host.hook = emit_in_callback;
    bob.on_send = emit_in_send;
    emit_number(&host, NULL, 1);
    client_say(&ann, "{\"type\":\"message\"}");
    emit_number(&host, NULL, 2);
    host_run(&host);
    client_expect(&ann, number_message(1, NULL, 1), number_message(2, NULL, 2),
                  number_message(3, NULL, 50), number_message(4, NULL, 100), NULL);
    client_expect(&eve, number_message(1, NULL, 1), number_message(2, NULL, 2),
                  number_message(3, NULL, 50), number_message(4, NULL, 100), NULL);
    ck_assert_uint_eq(client_count(&bob), 4);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        everyone_a_room_a_user_or_one_connection,
        an_emit_names_a_room_or_a_user,
        a_user_or_room_without_connections_is_not_an_error,
        excluded_connections_receive_nothing,
        the_exclude_list_is_copied,
        a_stale_id_is_never_another_client_s,
        a_personal_message_has_no_id,
        an_event_that_was_refused_can_be_sent_again,
        an_event_belongs_to_its_manager,
        raw_text_and_binary,
        join_then_broadcast_reaches_the_joiner,
        broadcast_then_join_or_connect_does_not,
        an_event_from_a_callback_waits_its_turn,
        NULL,
    };

    return suite_run("send", tests);
}
