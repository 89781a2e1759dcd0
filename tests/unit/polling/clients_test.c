/* clients_test.c: how many sessions that poll one client may have. Not here: sessions that move
 * to a WebSocket (upgrade_test.c). */
#include <string.h>

#include "polling/client.h"

enum { MOST = 2 };

static struct host_options options;

static void open_host(int32_t protocol)
{
    polling_options_init(&options, protocol);
    options.endpoint.max_sessions_per_client = MOST;
    host_open(&host, &options);
    host.client = "192.0.2.1";
}

static void setup(void)
{
    open_host(WS_PROTOCOL_ENGINEIO);
}

static void teardown(void)
{
    host_close(&host);
}

static void expect_refused(int loop)
{
    const struct answer *answer = polling_exchange(loop, "GET", "", NULL);

    ck_assert_int_eq(answer->status, 429);
    ck_assert_str_eq(answer->type, "application/json");
    ck_assert_str_eq(answer->body,
                     "{\"code\":4,\"message\":\"the client has too many sessions\"}");
}

static void open_session(int loop)
{
    ck_assert_int_eq(polling_exchange(loop, "GET", "", NULL)->status, 200);
}

START_TEST(a_client_has_its_sessions_on_all_loops)
{
    host_close(&host);
    open_host(_i == 0 ? WS_PROTOCOL_ENGINEIO : WS_PROTOCOL_SOCKETIO);
    open_session(0);
    open_session(1);
    expect_refused(0);
    expect_refused(1);
    host.client = "192.0.2.11";
    open_session(0);
    open_session(1);
    expect_refused(1);
}
END_TEST

START_TEST(a_session_that_ends_makes_room)
{
    open_session(1);
    for (int i = 0; i < 10; i++) {
        polling_session();
        expect_refused(0);
        ck_assert_str_eq(polling_post(0, "1")->body, "ok");
    }
    host_pass(&host, 20000); /* no pong */
    for (int i = 0; i < MOST; i++)
        open_session(0);
    expect_refused(0);
}
END_TEST

START_TEST(a_session_that_is_refused_does_not_count)
{
    host.refuse_with = 403;
    for (int i = 0; i < MOST; i++)
        ck_assert_int_eq(polling_exchange(0, "GET", "", NULL)->status, 403);
    host.refuse_with = 0;
    for (int i = 0; i < MOST; i++)
        open_session(0);
    expect_refused(0);
}
END_TEST

START_TEST(clients_without_a_name_are_not_counted)
{
    host.client = _i == 0 ? NULL : "";
    for (int i = 0; i < 2 * MOST; i++)
        open_session(0);
}
END_TEST

START_TEST(a_name_has_at_most_63_bytes)
{
    char name[65];
    ws_http_request request;
    ws_http *http;

    memset(name, 'a', sizeof name);
    name[64] = '\0';
    ws_http_request_init(&request);
    request.method = "GET";
    request.target = "/engine.io/?EIO=4&transport=polling";
    request.client = name;
    ck_assert_int_eq(ws_http_new(host.loops[0], host.endpoint, NULL, &request, &http),
                     WS_ERR_INVALID);
    name[63] = '\0';
    host.client = name;
    for (int i = 0; i < MOST; i++)
        open_session(0);
    expect_refused(0);
    name[62] = '\0';
    open_session(0);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("polling-clients");
    TCase *tests = tcase_create("clients");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_client_has_its_sessions_on_all_loops, 0, 2);
    tcase_add_test(tests, a_session_that_ends_makes_room);
    tcase_add_test(tests, a_session_that_is_refused_does_not_count);
    tcase_add_loop_test(tests, clients_without_a_name_are_not_counted, 0, 2);
    tcase_add_test(tests, a_name_has_at_most_63_bytes);
    suite_add_tcase(suite, tests);
    return suite;
}
