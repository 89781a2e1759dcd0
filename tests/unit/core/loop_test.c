/* loop_test.c: a loop's life, its turns, when it is woken, and the list of connections with
 * output. */
#include "core/loop_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/events/ids.h"
#include "core/inbox.h"
#include "core/manager.h"
#include "support/drain.h"
#include "support/host.h"
#include "support/suite.h"

static struct host host;
static struct client ann, bob;

static void begin(void)
{
    host_open(&host);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    host_forget_log(&host);
    host.n_wakes = 0;
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}

START_TEST(loop_options_are_checked)
{
    struct {
        ws_loop_options options;
        char tail[8];
    } newer;
    ws_loop *loop = NULL;

    host_open(&host);
    memset(&newer, 0, sizeof newer);
    ws_loop_options_init(&newer.options);
    ck_assert(newer.options.wake == NULL);
    ck_assert_int_eq(ws_loop_new(NULL, NULL, 0, &loop), WS_ERR_INVALID);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, NULL), WS_ERR_INVALID);
    newer.options.size = 1;
    ck_assert_int_eq(ws_loop_new(host.manager, &newer.options, 0, &loop), WS_ERR_INVALID);
    newer.options.size = sizeof newer;
    newer.tail[7] = 1;
    ck_assert_int_eq(ws_loop_new(host.manager, &newer.options, 0, &loop), WS_ERR_INVALID);
    ck_assert_ptr_null(loop);
    newer.tail[7] = 0;
    ck_assert_int_eq(ws_loop_new(host.manager, &newer.options, 0, &loop), WS_OK);
    ws_loop_free(loop);
    ws_loop_free(NULL);
    host_close(&host);
}
END_TEST

START_TEST(at_most_256_loops)
{
    ws_loop *loops[255];
    ws_loop *one_more = NULL;

    host_open(&host);
    for (size_t i = 0; i < 255; i++)
        ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &loops[i]), WS_OK);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &one_more), WS_ERR_LIMIT);
    ws_loop_free(loops[100]);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &loops[100]), WS_OK);
    for (size_t i = 0; i < 255; i++)
        ws_loop_free(loops[i]);
    host_close(&host);
}
END_TEST

/* Ids stay unique when a loop takes the number of an earlier loop. */
START_TEST(a_new_loop_s_connections_have_new_ids)
{
    ws_conn_id old;

    begin();
    old = ann.id;
    ws_loop_free(host.loop);
    client_free(&ann);
    client_free(&bob);
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &host.loop), WS_OK);
    client_open(&host, &ann, "ann", "ann");
    client_open(&host, &bob, "bob", "bob");
    ck_assert_uint_eq(conn_id_loop(old), conn_id_loop(ann.id));
    ck_assert_uint_eq(conn_id_slot(old), conn_id_slot(ann.id));
    ck_assert_uint_ne(old, ann.id);
    ck_assert_int_eq(ws_manager_send_text(host.manager, old, "x", 1), WS_ERR_NOT_FOUND);
    end();
}
END_TEST

START_TEST(a_loop_without_work_has_no_deadline)
{
    begin();
    ck_assert_uint_eq(ws_loop_run(host.loop, 1000), WS_NO_DEADLINE);
    emit_number(&host, NULL, 1);
    ck_assert_uint_eq(ws_loop_run(host.loop, 1000), WS_NO_DEADLINE);
    ck_assert_uint_eq(client_count(&ann), 1);
    end();
}
END_TEST

static unsigned n_lines;

static void count_line(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (strstr(line, "not monotonic") != NULL) {
        ck_assert_int_eq(level, WS_LOG_WARN);
        n_lines++;
    }
}

START_TEST(a_clock_that_is_set_back_is_logged_once)
{
    n_lines = 0;
    host_init(&host);
    host.options.log = count_line;
    host.now_ms = 5000000;
    host_start(&host);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(n_lines, i > 0);
        host.now_ms -= 1000000;
        ck_assert_uint_eq(ws_loop_run(host.loop, host.now_ms), WS_NO_DEADLINE);
    }
    ck_assert_uint_eq(n_lines, 1);
    host_close(&host);
}
END_TEST

static void emit_again(struct client *client, const char *message)
{
    (void)message;
    emit_number(client->host, NULL, 1);
}

/* A callback that emits without end does not keep the host from its sockets. */
START_TEST(a_turn_ends_even_if_a_callback_keeps_emitting)
{
    size_t first;

    begin();
    ann.on_send = emit_again;
    emit_number(&host, NULL, 1);
    ck_assert_uint_eq(ws_loop_run(host.loop, 777), 777);
    first = client_count(&bob);
    ck_assert_uint_gt(first, 1);
    ck_assert_uint_eq(ws_loop_run(host.loop, 777), 777);
    ck_assert_uint_eq(client_count(&bob), first);
    ann.on_send = NULL;
    ck_assert_uint_eq(ws_loop_run(host.loop, 778), WS_NO_DEADLINE);
    end();
}
END_TEST

/* --- waking -------------------------------------------------------------------------------- */

START_TEST(one_wake_up_for_all_calls_between_two_runs)
{
    begin();
    for (int i = 0; i < 10; i++)
        emit_number(&host, NULL, i);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "r"), WS_OK);
    ck_assert_int_eq(ws_manager_send_text(host.manager, ann.id, "x", 1), WS_OK);
    ck_assert_uint_eq(host.n_wakes, 1);
    host_run(&host);
    ck_assert_uint_eq(host.n_wakes, 1);
    emit_number(&host, NULL, 1);
    ck_assert_uint_eq(host.n_wakes, 2);
    host_run(&host);
    end();
}
END_TEST

/* Steps that take long give the lock back in between, so that loops can run. */
START_TEST(a_loop_that_runs_within_a_step_is_woken_once)
{
    struct posting posting;

    begin();
    posting_begin(&posting, host.manager);
    for (int i = 0; i < 10; i++) {
        posting_wake(&posting, host.loop);
        manager_unlock(host.manager);
        host_run(&host);
        manager_lock(host.manager);
    }
    posting_wake(&posting, host.loop);
    ck_assert_uint_eq(posting.n_wake, 1);
    posting_end(&posting);
    ck_assert_uint_eq(host.n_wakes, 1);
    ck_assert_uint_eq(host.loop->wakers, 0);
    host_run(&host);
    end();
}
END_TEST

START_TEST(every_kind_of_call_wakes)
{
    struct client eve;

    begin();
#define CHECK_WAKES(call)                                                                      \
    do {                                                                                       \
        host.n_wakes = 0;                                                                      \
        ck_assert_int_eq(call, WS_OK);                                                         \
        ck_assert_uint_eq(host.n_wakes, 1);                                                    \
        host_run(&host);                                                                       \
    } while (0)
    CHECK_WAKES(client_try(&host, &eve, "eve", "eve", WS_PROTOCOL_JSON));
    CHECK_WAKES(ws_manager_join_room(host.manager, eve.id, "r"));
    CHECK_WAKES(ws_manager_emit(host.manager, "stock_low", "1", 1));
    CHECK_WAKES(ws_manager_emit_notification(host.manager, "x", "eve", "info"));
    CHECK_WAKES(ws_manager_send_binary(host.manager, eve.id, "x", 1));
    CHECK_WAKES(ws_manager_receive(host.manager, eve.id, "x", 1, 1));
    CHECK_WAKES(ws_manager_leave_room(host.manager, eve.id, "r"));
    CHECK_WAKES(ws_manager_disconnect(host.manager, eve.id, 1000, NULL));
    CHECK_WAKES(drain_with(host.manager, 1001, NULL));
#undef CHECK_WAKES
    end();
    client_free(&eve);
}
END_TEST

/* A call on the loop's own thread that leaves work for the next turn wakes the loop. */
START_TEST(a_pending_disconnect_wakes_the_loop)
{
    begin();
    test_memory_fail(&host.memory, 0, false);
    ck_assert_int_eq(ws_manager_receive(host.manager, ann.id, "{}", 2, 1), WS_ERR_NO_MEMORY);
    ck_assert_uint_eq(host.n_wakes, 1);
    host_run(&host);
    ck_assert_uint_eq(ann.close_code, 1013);
    end();
}
END_TEST

START_TEST(calls_without_recipients_wake_no_loop)
{
    struct host empty;

    begin();
    emit_number(&host, "nobody", 1);
    ck_assert_int_eq(ws_manager_emit_notification(host.manager, "x", "nobody", "info"), WS_OK);
    ck_assert_int_eq(ws_manager_send_text(host.manager, 0, "x", 1), WS_ERR_NOT_FOUND);
    ck_assert_uint_eq(host.n_wakes, 0);
    host_open(&empty);
    emit_number(&empty, NULL, 1);
    ck_assert_uint_eq(empty.n_wakes, 0);
    host_close(&empty);
    end();
}
END_TEST

static unsigned n_other_wakes;

static void wake_other(void *user_data)
{
    (void)user_data;
    n_other_wakes++;
}

static void emit_in_message(struct host *of, struct client *client, const char *line)
{
    if (strncmp(line, "accept_message", 14) == 0) {
        emit_number(of, NULL, 1);
        ck_assert_int_eq(ws_manager_send_text(of->manager, client->id, "x", 1), WS_OK);
    }
}

START_TEST(callbacks_wake_other_loops_only)
{
    ws_loop_options loop_options;
    ws_connect_options options;
    ws_loop *other;
    struct client eve = {.host = &host, .name = "eve"};

    begin();
    ws_loop_options_init(&loop_options);
    loop_options.wake = wake_other;
    ck_assert_int_eq(ws_loop_new(host.manager, &loop_options, 0, &other), WS_OK);
    client_options(&eve, &options);
    ck_assert_int_eq(ws_manager_connect(host.manager, other, &options, &eve.id), WS_OK);
    ws_loop_run(other, 0);
    host.hook = emit_in_message;
    client_say(&ann, "{\"type\":\"message\"}");
    client_say(&bob, "{\"type\":\"message\"}");
    host.n_wakes = n_other_wakes = 0;
    host_run(&host);
    ck_assert_uint_eq(host.n_wakes, 0);
    ck_assert_uint_eq(n_other_wakes, 1);
    ck_assert_uint_eq(client_count(&ann), 3);
    ck_assert_uint_eq(client_count(&eve), 1);
    ws_loop_run(other, 0);
    ck_assert_uint_eq(client_count(&eve), 2);
    ws_loop_free(other);
    end();
    client_free(&eve);
}
END_TEST

/* --- the end ------------------------------------------------------------------------------- */

START_TEST(freeing_a_loop_ends_its_connections)
{
    ws_loop *other;

    begin();
    ck_assert_int_eq(ws_loop_new(host.manager, NULL, 0, &other), WS_OK);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "r"), WS_OK);
    host_run(&host);
    host_forget_log(&host);
    emit_number(&host, NULL, 1);
    client_say(&ann, "{\"type\":\"ping\"}");
    ck_assert_int_eq(ws_manager_join_room(host.manager, bob.id, "r"), WS_OK);
    ck_assert_int_eq(ws_manager_send_text(host.manager, bob.id, "x", 1), WS_OK);
    ws_loop_free(host.loop);
    host.loop = other;
    host_expect_log(&host, "on_disconnect bob bob 1001 server loop ended\n"
                           "on_disconnect ann ann 1001 server loop ended\n");
    ck_assert_int_eq(ann.n_closes, 1);
    ck_assert_uint_eq(ann.close_code, 1001);
    client_expect(&ann, NULL); /* calls that were not carried out are dropped */
    client_expect(&bob, NULL);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    end();
}
END_TEST

START_TEST(freeing_a_loop_with_a_connection_in_its_inbox)
{
    struct client eve;

    begin();
    ck_assert_int_eq(client_try(&host, &eve, "eve", "eve", WS_PROTOCOL_JSON), WS_OK);
    client_say(&eve, "{\"type\":\"join_room\",\"room\":\"r\"}");
    ck_assert_int_eq(ws_manager_join_room(host.manager, eve.id, "r"), WS_OK);
    ck_assert_int_eq(drain_with(host.manager, 1001, "x"), WS_OK);
    end();
    ck_assert_int_eq(eve.n_closes, 1);
    client_expect(&eve, NULL);
}
END_TEST

START_TEST(freeing_a_loop_with_a_pending_disconnect)
{
    begin();
    test_memory_fail(&host.memory, 0, false);
    ck_assert_int_eq(ws_manager_receive(host.manager, ann.id, "{}", 2, 1), WS_ERR_NO_MEMORY);
    end();
    ck_assert_int_eq(ann.n_closes, 1);
}
END_TEST

static void reconnect(struct host *of, struct client *client, const char *line)
{
    struct client *again = of->hook_data;

    (void)client;
    if (strncmp(line, "on_disconnect", 13) != 0)
        return;
    emit_number(of, NULL, 1);
    if (again->host == NULL)
        ck_assert_int_eq(client_try(of, again, "again", NULL, WS_PROTOCOL_JSON), WS_OK);
}

/* on_disconnect may even register another connection with the loop that is being freed. */
START_TEST(freeing_a_loop_whose_callbacks_connect)
{
    struct client again = {0};

    begin();
    host.hook = reconnect;
    host.hook_data = &again;
    ws_loop_free(host.loop);
    host.loop = NULL;
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    ck_assert_int_eq(again.n_closes, 1);
    end();
}
END_TEST

/* --- the list of connections with output --------------------------------------------------- */

START_TEST(connections_with_output_are_listed_once_and_in_order)
{
    struct output_node a = {0}, b = {0}, c = {0};

    host_open(&host);
    ck_assert_ptr_null(loop_next_output(host.loop, OUTPUT_WEBSOCKET));
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &a);
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &b);
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &a);
    ck_assert_ptr_eq(loop_next_output(host.loop, OUTPUT_WEBSOCKET), &a);
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &c);
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &a);
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &b);
    ck_assert_ptr_eq(loop_next_output(host.loop, OUTPUT_WEBSOCKET), &b);
    ck_assert_ptr_eq(loop_next_output(host.loop, OUTPUT_WEBSOCKET), &c);
    ck_assert_ptr_eq(loop_next_output(host.loop, OUTPUT_WEBSOCKET), &a);
    ck_assert_ptr_null(loop_next_output(host.loop, OUTPUT_WEBSOCKET));
    loop_list_output(host.loop, OUTPUT_WEBSOCKET, &c);
    ck_assert_ptr_eq(loop_next_output(host.loop, OUTPUT_WEBSOCKET), &c);
    ck_assert_ptr_null(loop_next_output(host.loop, OUTPUT_WEBSOCKET));
    host_close(&host);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        loop_options_are_checked,
        at_most_256_loops,
        a_new_loop_s_connections_have_new_ids,
        a_loop_without_work_has_no_deadline,
        a_clock_that_is_set_back_is_logged_once,
        a_turn_ends_even_if_a_callback_keeps_emitting,
        one_wake_up_for_all_calls_between_two_runs,
        a_loop_that_runs_within_a_step_is_woken_once,
        every_kind_of_call_wakes,
        a_pending_disconnect_wakes_the_loop,
        calls_without_recipients_wake_no_loop,
        callbacks_wake_other_loops_only,
        freeing_a_loop_ends_its_connections,
        freeing_a_loop_with_a_connection_in_its_inbox,
        freeing_a_loop_with_a_pending_disconnect,
        freeing_a_loop_whose_callbacks_connect,
        connections_with_output_are_listed_once_and_in_order,
        NULL,
    };

    return suite_run("loop", tests);
}
