/* subprotocol_test.c: which subprotocol an opening handshake selects (RFC 6455 section 4.2.2), by
 * the server's preference or the application's choice. */
#include <stdio.h>
#include <string.h>

#include "websocket/host.h"

static struct host host;
static struct host_options options;

static void setup(void)
{
    memset(&host, 0, sizeof host);
    host_options_init(&options);
}

static void teardown(void)
{
    host_close(&host);
}

static const char *wanted; /* the application's choice; "-": it chooses none */
static int chosen;         /* the result of that call */

static int choose(struct host *of, struct peer *peer, ws_handshake *handshake)
{
    (void)of;
    (void)peer;
    if (wanted == NULL || strcmp(wanted, "-") != 0)
        chosen = ws_handshake_set_subprotocol(handshake, wanted);
    return WS_OK;
}

/* Offers `headers`, and expects this subprotocol; NULL: none. */
static void expect_subprotocol(const char *headers, const char *subprotocol)
{
    struct peer *peer = host_request(&host, headers);
    char line[256];

    ck_assert_int_eq(peer_head(peer), 101);
    if (subprotocol == NULL) {
        ck_assert_ptr_null(strstr((char *)peer->received.data, "Sec-WebSocket-Protocol"));
        return;
    }
    snprintf(line, sizeof line, "\r\nSec-WebSocket-Protocol: %s\r\n", subprotocol);
    peer_expect_header(peer, line);
}

static void open_with_subprotocols(void)
{
    char names[2][8] = {"v2.ws", "v1.ws"};
    const char *pointers[2] = {names[0], names[1]};

    options.endpoint.subprotocols = pointers;
    options.endpoint.n_subprotocols = 2;
    host_open(&host, &options);
    host.judge = choose;
    wanted = "-";
    memset(names, 'x', sizeof names); /* they were copied */
    memset(pointers, 0, sizeof pointers);
}

START_TEST(rfc6455_4_2_2_the_server_s_preferred_subprotocol)
{
    open_with_subprotocols();
    expect_subprotocol("Sec-WebSocket-Protocol: v1.ws, v2.ws\r\n", "v2.ws");
    expect_subprotocol("Sec-WebSocket-Protocol: v1.ws\r\n", "v1.ws");
    expect_subprotocol("sec-websocket-protocol: a\r\nSEC-WEBSOCKET-PROTOCOL: b,v1.ws\r\n",
                       "v1.ws");
}
END_TEST

START_TEST(rfc6455_4_2_2_no_common_subprotocol_is_not_an_error)
{
    open_with_subprotocols();
    expect_subprotocol("", NULL);
    expect_subprotocol("Sec-WebSocket-Protocol: a, b\r\n", NULL);
    expect_subprotocol("Sec-WebSocket-Protocol: V2.WS, v1.w, v1.wss\r\n", NULL);
    expect_subprotocol("Sec-WebSocket-Protocol: \r\n", NULL);
}
END_TEST

START_TEST(rfc6455_4_2_2_the_application_chooses_an_offered_one)
{
    open_with_subprotocols();
    wanted = "mine";
    expect_subprotocol("Sec-WebSocket-Protocol: v1.ws, mine\r\n", "mine");
    ck_assert_int_eq(chosen, WS_OK);
    wanted = NULL;
    expect_subprotocol("Sec-WebSocket-Protocol: v1.ws, mine\r\n", NULL);
    ck_assert_int_eq(chosen, WS_OK);
}
END_TEST

static void expect_not_offered(const char *subprotocol)
{
    wanted = subprotocol;
    expect_subprotocol("Sec-WebSocket-Protocol: v1.ws, mine,\r\n", "v1.ws");
    ck_assert_int_eq(chosen, WS_ERR_INVALID);
}

START_TEST(rfc6455_4_2_2_the_application_cannot_choose_one_that_was_not_offered)
{
    open_with_subprotocols();
    expect_not_offered("other");
    expect_not_offered("MINE");
    expect_not_offered("min");
    expect_not_offered("v1.ws, mine");
    expect_not_offered("v1.ws ");
}
END_TEST

START_TEST(rfc6455_4_2_2_the_empty_subprotocol_was_not_offered)
{
    open_with_subprotocols();
    expect_not_offered("");
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-subprotocol");
    TCase *tests = tcase_create("subprotocol");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc6455_4_2_2_the_server_s_preferred_subprotocol);
    tcase_add_test(tests, rfc6455_4_2_2_no_common_subprotocol_is_not_an_error);
    tcase_add_test(tests, rfc6455_4_2_2_the_application_chooses_an_offered_one);
    tcase_add_test(tests, rfc6455_4_2_2_the_application_cannot_choose_one_that_was_not_offered);
    tcase_add_test(tests, rfc6455_4_2_2_the_empty_subprotocol_was_not_offered);
    suite_add_tcase(suite, tests);
    return suite;
}
