/* backpressure_test.c: a loop in whose inbox max_pending calls wait refuses further ones: the
 * caller gets WS_ERR_BACKPRESSURE, the event is delivered to nobody, and it uses up no position. */
#include <string.h>

#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob;

static ws_event *new_event(void)
{
    ws_event *event;

    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "{}", 2, &event), WS_OK);
    return event;
}

static int emit_to_room(void)
{
    ws_event *event = new_event();
    int result = ws_manager_broadcast_to_room(host.manager, "orders", event, NULL, 0);

    ws_event_free(event);
    return result;
}

START_TEST(a_full_inbox_refuses_calls_and_delivers_nothing)
{
    ws_event *event;

    host_init(&host);
    host.options.max_pending = 3;
    host_start(&host);
    client_open(&host, &ann, "ann", "ann");
    for (int i = 1; i <= 3; i++)
        emit_number(&host, NULL, i);
    event = new_event();
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_send_to_user(host.manager, "ann", event, NULL, 0),
                     WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_send_personal_message(host.manager, ann.id, event, NULL, 0),
                     WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_emit_stock_low(host.manager, "1", 1), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "x", 1), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "r"), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_leave_room(host.manager, ann.id, "r"), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, ""),
                     WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_JSON),
                     WS_ERR_BACKPRESSURE);
    /* The limit applies neither to the client's own messages nor to an event without recipients. */
    client_say(&ann, "{\"type\":\"ping\"}");
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", "nobody", "info"), WS_OK);
    host_run(&host);
    for (int i = 1; i <= 3; i++)
        ck_assert_str_eq(client_next(&ann), number_message(i, NULL, i));
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"pong\""));
    client_expect(&ann, NULL);
    /* The refused calls have used up no position. */
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ck_assert_str_eq(strchr(ws_event_id(event), '.'), ".5");
    ws_event_free(event);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    host_close(&host);
    client_free(&ann);
}
END_TEST

/* One of two loops is full: the members on the other loop do not receive the event either. */
START_TEST(one_full_loop_refuses_the_event_for_all_loops)
{
    ws_connect_options options;
    ws_loop *other;
    ws_loop *first;

    host_init(&host);
    host.options.max_pending = 2;
    host_start(&host);
    first = host.loop;
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &other), WS_OK);
    client_open_in(&host, &ann, "ann", "orders");
    bob = (struct client){.host = &host, .name = "bob"};
    client_options(&bob, &options);
    ck_assert_int_eq(ws_manager_connect(host.manager, other, &options, &bob.id), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "orders"), WS_OK);
    ck_assert_int_eq(emit_to_room(), WS_ERR_BACKPRESSURE);
    ck_assert_int_eq(ws_manager_emit_stock_low(host.manager, "1", 1), WS_ERR_BACKPRESSURE);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 0);
    ws_loop_run(other, 0);
    ck_assert_int_eq(emit_to_room(), WS_OK);
    ws_loop_run(other, 0);
    host_run(&host);
    ck_assert_uint_eq(client_count(&ann), 1);
    ck_assert_uint_eq(client_count(&bob), 2); /* the welcome and the event */
    ck_assert_ptr_eq(first, host.loop);
    ws_loop_free(other);
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}
END_TEST

/* Ending them takes longer than a delivery: other clients are served in between. */
START_TEST(clients_that_are_too_slow_are_ended_over_several_turns)
{
    enum { N = 2000 };
    static struct client crowd[N];
    uint32_t left = N;

    host_open(&host);
    for (size_t i = 0; i < N; i++) {
        client_open_in(&host, &crowd[i], "crowd", "orders");
        crowd[i].send_result = WS_ERR_DROPPED;
    }
    ck_assert_int_eq(emit_to_room(), WS_OK);
    while (left > 0) {
        uint32_t before = left;

        ws_loop_run(host.loop, host.now_ms);
        left = ws_manager_connection_count(host.manager);
        ck_assert_uint_lt(left, before);
        ck_assert_uint_le(before - left, 256);
    }
    host_close(&host);
    for (size_t i = 0; i < N; i++)
        client_free(&crowd[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_full_inbox_refuses_calls_and_delivers_nothing,
        one_full_loop_refuses_the_event_for_all_loops,
        clients_that_are_too_slow_are_ended_over_several_turns,
        NULL,
    };

    return suite_run("backpressure", tests);
}
