/* connection_test.c: registering and ending a connection: options, limits, close codes and reasons,
 * slow and failing transports, draining, the application's pointer. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    host_forget_log(&host);
}

static void end(void)
{
    host_close(&host);
    client_free(&ann);
    client_free(&bob);
}

static int connect_with(const ws_connect_options *options)
{
    ws_conn_id id = 77;
    int result = ws_manager_connect(host.manager, host.loop, options, &id);

    if (result != WS_OK)
        ck_assert_uint_eq(id, 77);
    return result;
}

START_TEST(connect_options_are_checked)
{
    ws_connect_options options;
    ws_transport transport;
    ws_manager *other;
    ws_conn_id id;

    begin();
    ws_connect_options_init(&options);
    ck_assert_uint_eq(options.ping_interval_ms, 25000);
    ck_assert_int_eq(options.protocol, WS_PROTOCOL_JSON);
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    ck_assert_int_eq(connect_with(NULL), WS_ERR_INVALID);
    bob = (struct client){.host = &host, .name = "bob"};
    client_options(&bob, &options);
    options.user_id = "";
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    options.user_id = "a\nb";
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    options.user_id = NULL;
    options.protocol = 2;
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    options.protocol = WS_PROTOCOL_JSON;
    options.size = 1;
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    ws_connect_options_init(&options);
    client_options(&bob, &options);
    transport = *options.transport;
    options.transport = &transport;
    transport.size = offsetof(ws_transport, resume) - 1; /* `resume` was added later */
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    transport.size = sizeof transport;
    transport.close = NULL;
    ck_assert_int_eq(connect_with(&options), WS_ERR_INVALID);
    client_options(&bob, &options);
    ck_assert_int_eq(ws_manager_connect(NULL, host.loop, &options, &id), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_connect(host.manager, NULL, &options, &id), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, NULL),
                     WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_new(NULL, &other), WS_OK);
    ck_assert_int_eq(ws_manager_connect(other, host.loop, &options, &id), WS_ERR_INVALID);
    ws_manager_free(other);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    host_run(&host);
    host_expect_log(&host, "");
    end();
}
END_TEST

/* A program that was compiled before ping_interval_ms gets the default. */
START_TEST(connect_options_of_an_older_version_are_accepted)
{
    ws_connect_options options;

    host_open(&host);
    ann = bob = (struct client){.host = &host, .name = "ann"};
    client_options(&ann, &options);
    options.size = offsetof(ws_connect_options, ping_interval_ms);
    options.ping_interval_ms = 7;
    ck_assert_int_eq(ws_manager_connect(host.manager, host.loop, &options, &ann.id), WS_OK);
    host_run(&host);
    ck_assert_ptr_nonnull(strstr(client_next(&ann), "\"ping_interval_ms\":25000"));
    end();
}
END_TEST

START_TEST(the_number_of_connections_is_limited)
{
    host_init(&host);
    host.options.max_connections = 2;
    host_start(&host);
    ck_assert_int_eq(client_try(&host, &ann, "ann", NULL, WS_PROTOCOL_JSON), WS_OK);
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_RAW), WS_OK);
    ck_assert_int_eq(client_try(&host, &(struct client){0}, "eve", NULL, WS_PROTOCOL_JSON),
                     WS_ERR_LIMIT);
    host_run(&host);
    client_lose(&bob);
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_JSON), WS_OK);
    ck_assert_int_eq(client_try(&host, &(struct client){0}, "eve", "e", WS_PROTOCOL_JSON),
                     WS_ERR_LIMIT);
    end();
}
END_TEST

START_TEST(close_codes_are_those_of_the_header)
{
    begin();
    for (unsigned code = 0; code < 65536; code++) {
        bool good = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                    (code >= 3000 && code <= 4999);
        int result = ws_manager_disconnect(host.manager, 12345, (uint16_t)code, NULL);

        ck_assert_msg(result == (good ? WS_ERR_NOT_FOUND : WS_ERR_INVALID), "code %u", code);
    }
    end();
}
END_TEST

START_TEST(close_reasons_fit_in_a_frame)
{
    char reason[125];

    begin();
    memset(reason, 'x', sizeof reason);
    reason[124] = '\0';
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, reason), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1000, "\xff"), WS_ERR_INVALID);
    ck_assert_int_eq(drain_with(host.manager, 1000, reason), WS_ERR_INVALID);
    ck_assert_int_eq(drain_with(host.manager, 1005, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(drain_with(NULL, 1001, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_disconnect(NULL, ann.id, 1000, NULL), WS_ERR_INVALID);
    reason[123] = '\0';
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 4999, reason), WS_OK);
    memset(reason, 'y', 123); /* the reason was copied */
    host_run(&host);
    ck_assert_int_eq(ann.n_closes, 1);
    ck_assert_uint_eq(ann.close_code, 4999);
    ck_assert_uint_eq(strspn(ann.close_reason, "x"), 123);
    end();
}
END_TEST

START_TEST(disconnect_is_in_order_with_the_events)
{
    begin();
    client_open(&host, &bob, "bob", NULL);
    host_forget_log(&host);
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, ann.id, 1001, "away"), WS_OK);
    emit_number(&host, NULL, 2);
    host_expect_log(&host, "");
    host_run(&host);
    host_expect_log(&host, "on_disconnect ann ann 1001 away\n");
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    ck_assert_int_eq(ann.n_closes, 1);
    ck_assert_uint_eq(ann.close_code, 1001);
    ck_assert_str_eq(ann.close_reason, "away");
    client_expect(&bob, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    end();
}
END_TEST

START_TEST(connect_and_disconnect_in_one_turn_call_both_callbacks)
{
    begin();
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_JSON), WS_OK);
    ck_assert_int_eq(ws_manager_disconnect(host.manager, bob.id, 3000, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_send_text(host.manager, bob.id, "late", 4), WS_OK);
    host_run(&host);
    host_expect_log(&host, "on_connect bob bob\non_disconnect bob bob 3000 \n");
    ck_assert_uint_eq(client_count(&bob), 1); /* its welcome */
    ck_assert_int_eq(bob.n_closes, 1);
    ck_assert_str_eq(bob.close_reason, "");
    end();
}
END_TEST

START_TEST(a_lost_transport_ends_at_once_and_is_not_called_again)
{
    begin();
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "r"), WS_OK);
    host_run(&host);
    host_forget_log(&host);
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(ws_manager_transport_closed(NULL, ann.id, 1000, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_transport_closed(host.manager, ann.id, 1000, NULL), WS_OK);
    ann.gone = true;
    host_expect_log(&host, "on_disconnect ann ann 1000 \n");
    ck_assert_int_eq(ws_manager_is_member(host.manager, ann.id, "r"), 0);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    host_run(&host);
    ck_assert_int_eq(ann.n_closes, 0);
    client_expect(&ann, NULL);
    end();
}
END_TEST

START_TEST(a_transport_lost_before_its_first_turn)
{
    begin();
    ck_assert_int_eq(client_try(&host, &bob, "bob", "bob", WS_PROTOCOL_JSON), WS_OK);
    client_say(&bob, "{\"type\":\"ping\"}");
    client_lose(&bob);
    host_run(&host);
    host_expect_log(&host, "");
    client_expect(&bob, NULL);
    end();
}
END_TEST

/* A transport that does not take a message is closed with 1013, and the other clients receive
 * theirs. */
static void check_bad_transport(int send_result, const char *reason)
{
    char expected[128] = "on_disconnect ann ann 1013 ";

    begin();
    client_open(&host, &bob, "bob", NULL);
    host_forget_log(&host);
    ann.send_result = send_result;
    emit_number(&host, NULL, 1);
    emit_number(&host, NULL, 2);
    host_run(&host);
    host_expect_log(&host, strcat(strcat(expected, reason), "\n"));
    ck_assert_int_eq(ann.n_closes, 1);
    ck_assert_uint_eq(ann.close_code, 1013);
    ck_assert_str_eq(ann.close_reason, reason);
    client_expect(&ann, NULL);
    client_expect(&bob, number_message(1, NULL, 1), number_message(2, NULL, 2), NULL);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 1);
    end();
}

START_TEST(a_transport_that_refuses_a_message_is_closed)
{
    check_bad_transport(WS_ERR_DROPPED, "the client reads too slowly; its queue is full");
    check_bad_transport(WS_ERR_NO_MEMORY, "out of memory");
}
END_TEST

static unsigned n_ends, n_left_out;

static void count_ends(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (level != WS_LOG_WARN)
        return;
    if (sscanf(line, "%u more connections were ended in the meantime", &n_left_out) != 1)
        n_ends++;
}

static void lose_slow_clients(int n)
{
    for (int i = 0; i < n; i++) {
        struct client slow = {0};

        client_open(&host, &slow, "slow", NULL);
        slow.send_result = WS_ERR_DROPPED;
        emit_number(&host, NULL, 1);
        host_run(&host);
        ck_assert_int_eq(slow.n_closes, 1);
        client_free(&slow);
    }
}

START_TEST(slow_clients_do_not_fill_the_log)
{
    n_ends = n_left_out = 0;
    host_init(&host);
    host.options.log = count_ends;
    host_start(&host);
    lose_slow_clients(25);
    ck_assert_uint_eq(n_ends, 10);
    ck_assert_uint_eq(n_left_out, 0);
    host.now_ms += 1000;
    lose_slow_clients(2);
    ck_assert_uint_eq(n_ends, 12);
    ck_assert_uint_eq(n_left_out, 15);
    host_close(&host);
}
END_TEST

START_TEST(a_transport_that_fills_up_stays_connected)
{
    begin();
    ann.send_result = WS_ERR_BACKPRESSURE;
    emit_number(&host, NULL, 1);
    host_run(&host);
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    ck_assert_int_eq(ann.n_closes, 0);
    end();
}
END_TEST

START_TEST(a_transport_that_drops_its_welcome_is_closed)
{
    begin();
    ck_assert_int_eq(client_try(&host, &bob, "bob", NULL, WS_PROTOCOL_JSON), WS_OK);
    bob.send_result = WS_ERR_DROPPED;
    client_say(&bob, "{\"type\":\"ping\"}");
    host_run(&host);
    host_expect_log(&host, "on_connect bob -\non_disconnect bob - 1013 the client reads too "
                           "slowly; its queue is full\n");
    ck_assert_int_eq(bob.n_closes, 1);
    end();
}
END_TEST

START_TEST(draining_ends_all_connections_and_refuses_new_ones)
{
    struct client raw, eve;
    ws_event *event;

    begin();
    client_open(&host, &bob, "bob", NULL);
    ck_assert_int_eq(client_try(&host, &raw, "raw", NULL, WS_PROTOCOL_RAW), WS_OK);
    host_forget_log(&host);
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(drain_with(host.manager, 1001, "restart"), WS_OK);
    ck_assert_int_eq(client_try(&host, &eve, "eve", NULL, WS_PROTOCOL_JSON), WS_ERR_DRAINING);
    emit_number(&host, NULL, 2);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 3);
    host_run(&host);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    client_expect(&ann, number_message(1, NULL, 1), NULL);
    ck_assert_uint_eq(ann.close_code, 1001);
    ck_assert_str_eq(ann.close_reason, "restart");
    ck_assert_int_eq(ann.n_closes, 1);
    ck_assert_int_eq(bob.n_closes, 1);
    ck_assert_int_eq(raw.n_closes, 1);
    ck_assert_ptr_nonnull(strstr(host.log, "on_disconnect ann ann 1001 restart\n"));
    ck_assert_ptr_nonnull(strstr(host.log, "on_disconnect bob - 1001 restart\n"));
    ck_assert_ptr_nonnull(strstr(host.log, "on_connect raw -\n"));
    ck_assert_ptr_nonnull(strstr(host.log, "on_disconnect raw - 1001 restart\n"));
    /* Sending still succeeds, without recipients; draining twice does no harm. */
    ck_assert_int_eq(ws_event_new(host.manager, "stock_low", "1", 1, &event), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(host.manager, event, NULL, 0), WS_OK);
    ws_event_free(event);
    ck_assert_int_eq(drain_with(host.manager, 1001, NULL), WS_OK);
    host_run(&host);
    ck_assert_int_eq(client_try(&host, &eve, "eve", NULL, WS_PROTOCOL_JSON), WS_ERR_DRAINING);
    end();
    client_free(&raw);
}
END_TEST

START_TEST(draining_is_not_limited_by_a_full_inbox)
{
    host_init(&host);
    host.options.max_pending = 1;
    host_start(&host);
    client_open(&host, &ann, "ann", NULL);
    emit_number(&host, NULL, 1);
    ck_assert_int_eq(drain_with(host.manager, 1001, NULL), WS_OK);
    host_run(&host);
    ck_assert_uint_eq(ws_manager_connection_count(host.manager), 0);
    end();
}
END_TEST

/* The first slot of the first loop, when its generation wraps around. */
START_TEST(an_id_is_never_0)
{
    host_open(&host);
    host.manager->generations[0] = UINT32_MAX;
    client_open(&host, &ann, "ann", NULL);
    ck_assert_uint_eq(ann.id, 1);
    end();
}
END_TEST

START_TEST(the_application_can_change_its_pointer)
{
    void *data = NULL;

    begin();
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, ann.id, &data), WS_OK);
    ck_assert_ptr_eq(data, &ann);
    bob = (struct client){.name = "renamed", .host = &host};
    ck_assert_int_eq(ws_manager_set_user_data(host.manager, ann.id, &bob), WS_OK);
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, ann.id, &data), WS_OK);
    ck_assert_ptr_eq(data, &bob);
    ck_assert_int_eq(ws_manager_join_room(host.manager, ann.id, "r"), WS_OK);
    host_run(&host);
    host_expect_log(&host, "on_join renamed r success\n");
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, 0, &data), WS_ERR_NOT_FOUND);
    ck_assert_int_eq(ws_manager_get_user_data(NULL, ann.id, &data), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_get_user_data(host.manager, ann.id, NULL), WS_ERR_INVALID);
    ck_assert_int_eq(ws_manager_set_user_data(NULL, ann.id, NULL), WS_ERR_INVALID);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        connect_options_are_checked,
        connect_options_of_an_older_version_are_accepted,
        the_number_of_connections_is_limited,
        close_codes_are_those_of_the_header,
        close_reasons_fit_in_a_frame,
        disconnect_is_in_order_with_the_events,
        connect_and_disconnect_in_one_turn_call_both_callbacks,
        a_lost_transport_ends_at_once_and_is_not_called_again,
        a_transport_lost_before_its_first_turn,
        a_transport_that_refuses_a_message_is_closed,
        slow_clients_do_not_fill_the_log,
        a_transport_that_fills_up_stays_connected,
        a_transport_that_drops_its_welcome_is_closed,
        draining_ends_all_connections_and_refuses_new_ones,
        draining_is_not_limited_by_a_full_inbox,
        an_id_is_never_0,
        the_application_can_change_its_pointer,
        NULL,
    };

    return suite_run("connection", tests);
}
