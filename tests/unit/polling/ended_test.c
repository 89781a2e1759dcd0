/* ended_test.c: sessions of clients that poll which have ended, while their memory is kept: because
 * the close packet waits for a poll, or because the application is being called. */
#include <stdio.h>
#include <string.h>

#include "polling/client.h"
#include "polling/loop_view.h"

enum { MORE = 10 };

static struct host_options options;
static ws_socketio_options socketio;
static struct page *freed_when_judged;
static char seen[16];

static int judge(ws_handshake *handshake, void *user_data)
{
    const char *name;

    (void)user_data;
    if (freed_when_judged != NULL)
        page_free(freed_when_judged);
    freed_when_judged = NULL;
    name = ws_handshake_header(handshake, "X-Name");
    snprintf(seen, sizeof seen, "%s", name != NULL ? name : "none");
    return WS_OK;
}

static void setup(void)
{
    polling_options_init(&options, WS_PROTOCOL_SOCKETIO);
    ws_socketio_options_init(&socketio);
    options.endpoint.socketio = &socketio;
    options.endpoint.accept_handshake = judge;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

/* Packets that end a session: attempts to connect, too many of them. */
static const char *too_many(void)
{
    static char body[40 * 8];

    strcpy(body, "40/x,");
    for (int i = 1; i < 40; i++)
        strcat(body, "\x1e"
                     "40/x,");
    return body;
}

/* A session that has ended, with all that its client has sent; the client fetches nothing of it. */
static void open_and_end(bool is_connected, const char *head, const char *packet)
{
    const char *target = "/socket.io/?EIO=4&transport=polling";
    const struct answer *answer =
        polling_answer(host_request(&host, 0, "GET", target, head, NULL));
    char sid[128] = "&sid=";

    ck_assert_int_eq(sscanf(answer->body, "0{\"sid\":\"%99[^\"]\"", sid + 5), 1);
    ck_assert_uint_gt(view_head_bytes(host.loops[0]), strlen(head));
    if (!is_connected) {
        ck_assert_int_eq(polling_exchange(0, "POST", sid, too_many())->status, 400);
        return;
    }
    ck_assert_int_eq(polling_exchange(0, "POST", sid, "40")->status, 200);
    ck_assert_int_eq(polling_exchange(0, "POST", sid, packet)->status, 200);
    ws_manager_disconnect(host.manager, connected, WS_CLOSE_GOING_AWAY, NULL);
    host_turn(&host);
}

START_TEST(an_ended_session_keeps_nothing_that_its_client_sent)
{
    static const char unfinished[] = "451-[\"a\",{\"_placeholder\":true,\"num\":0}]";
    const ws_loop *loop = host.loops[0];
    long before;
    long each;

    open_and_end(_i == 1, "X-Name: a\n", "42[\"a\"]");
    before = host.memory.n_blocks;
    open_and_end(_i == 1, "X-Name: a\n", "42[\"a\"]");
    each = host.memory.n_blocks - before;
    open_and_end(_i == 1, "X-Name: a\n", unfinished);
    ck_assert_uint_eq(ws_loop_unfetched_sessions(host.loops[0]), 3);
    ck_assert_uint_eq(view_head_bytes(loop), 0);
    ck_assert_int_le(host.memory.n_blocks, before + 2 * each);
}
END_TEST

/* Opens sessions that the server ends: it has failed them, or the application has disconnected
 * their sockets. The client fetches none of it. */
START_TEST(ended_sessions_are_limited)
{
    const int most = (int)view_most_unconnected();
    char first[128] = "";

    for (int i = 0; i < most + MORE; i++) {
        const char *sid = polling_session();

        if (i == 0)
            strcpy(first, sid);
        if (_i == 0) {
            ck_assert_int_eq(polling_post(0, too_many())->status, 400);
        } else {
            ck_assert_int_eq(polling_post(0, "40")->status, 200);
            ws_manager_disconnect(host.manager, connected, WS_CLOSE_GOING_AWAY, NULL);
            host_turn(&host);
        }
    }
    ck_assert_uint_eq(ws_loop_unfetched_sessions(host.loops[0]), most);
    expect_error(polling_exchange(0, "GET", first, NULL), 400, 1);
    while (polling_poll(0)->status == 200)
        continue;
    ck_assert_uint_eq(ws_loop_unfetched_sessions(host.loops[0]), most - 1);
    host_pass(&host, options.endpoint.close_timeout_ms + 100);
    ck_assert_uint_eq(ws_loop_unfetched_sessions(host.loops[0]), 0);
    ck_assert_uint_eq(view_unconnected(host.loops[0]), 0);
}
END_TEST

START_TEST(those_that_a_drain_ends_are_not)
{
    const int most = (int)view_most_unconnected();
    ws_drain_options drain;

    for (int i = 0; i < most + MORE; i++) {
        polling_session();
        ck_assert_int_eq(polling_post(0, "40")->status, 200);
    }
    ws_drain_options_init(&drain);
    drain.spread_ms = 0;
    ck_assert_int_eq(ws_manager_drain(host.manager, &drain), WS_OK);
    host_turn(&host);
    ck_assert_uint_eq(ws_loop_unfetched_sessions(host.loops[0]), most + MORE);
}
END_TEST

/* As when small heads, of which each must stay, have all the memory. */
START_TEST(a_head_without_room_is_refused)
{
    static char large[4001] = "Cookie: ";
    const ws_loop *loop = host.loops[0];
    const char *target = "/socket.io/?EIO=4&transport=polling";
    size_t before;

    polling_session();
    before = view_head_bytes(loop);
    memset(large + strlen(large), 'c', sizeof large - strlen(large) - 2);
    large[sizeof large - 2] = '\n';
    for (int i = 0; i < 2; i++) {
        view_set_head_bytes(loop, view_most_head_bytes());
        ck_assert_int_eq(
            polling_answer(host_request(&host, 0, "GET", target, i == 0 ? large : NULL, NULL))
                ->status,
            503);
        ck_assert_uint_eq(view_head_bytes(loop), view_most_head_bytes());
        view_set_head_bytes(loop, before);
    }
    ck_assert_int_eq(polling_post(0, "40")->status, 200);
    polling_session();
    ck_assert_int_eq(polling_post(0, "40")->status, 200);
}
END_TEST

START_TEST(the_request_stays_while_the_application_judges_it)
{
    const char *target = "/socket.io/?EIO=4&transport=polling";
    char poll[256];
    char sid[128] = "&sid=";

    ck_assert_int_eq(
        sscanf(
            polling_answer(host_request(&host, 0, "GET", target, "X-Name: me\n", NULL))->body,
            "0{\"sid\":\"%99[^\"]\"", sid + 5),
        1);
    snprintf(poll, sizeof poll, "%s%s", target, sid);
    freed_when_judged = host_request(&host, 0, "GET", poll, NULL, NULL);
    ck_assert_int_eq(polling_exchange(0, "POST", sid, "40")->status, 400);
    ck_assert_str_eq(seen, "me");
    ck_assert_uint_eq(view_head_bytes(host.loops[0]), 0);
    expect_error(polling_exchange(0, "GET", sid, NULL), 400, 1);
}
END_TEST

Suite *sse_suite(void)
{
    Suite *suite = suite_create("polling-ended");
    TCase *tests = tcase_create("ended");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, an_ended_session_keeps_nothing_that_its_client_sent, 0, 2);
    tcase_add_loop_test(tests, ended_sessions_are_limited, 0, 2);
    tcase_add_test(tests, those_that_a_drain_ends_are_not);
    tcase_add_test(tests, a_head_without_room_is_refused);
    tcase_add_test(tests, the_request_stays_while_the_application_judges_it);
    suite_add_tcase(suite, tests);
    return suite;
}
