/* http_heads_test.c: which bytes are a request's head (RFC 9112), by the cases of tests/http, and
 * the memory of heads that arrive. Not here: which heads are an opening handshake
 * (handshake_request_test.c). */
#include <stdlib.h>
#include <string.h>

#include "support/http_cases.h"
#include "support/unfinished_crowd.h"
#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    struct host_options options;

    host_options_init(&options);
    options.endpoint.max_head_bytes = 16384;
    host_open(&host, &options);
}

static void teardown(void)
{
    host_close(&host);
}

static void check_chunked(const struct http_case *of, enum chunking chunking)
{
    struct peer *peer = host_peer(&host);
    int expected = of->status != 0 ? of->status : 101;
    int status;

    peer_feed(peer, of->bytes, of->length, chunking);
    host_turn(&host);
    ck_assert_msg(peer->received.length > 0, "%s: no answer", of->name);
    status = peer_head(peer);
    ck_assert_msg(status == expected, "%s: %d instead of %d", of->name, status, expected);
    ck_assert_msg(peer->ended == of->is_last, "%s: ended is %d", of->name, peer->ended);
    peer_free(peer);
}

static void check(const struct http_case *of)
{
    for (int chunking = 0; chunking < N_CHUNKINGS; chunking++)
        check_chunked(of, (enum chunking)chunking);
}

START_TEST(rfc9112_2_to_5_heads)
{
    const char *fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: " CLIENT_KEY "\r\nSec-WebSocket-Version: 13\r\n";

    ck_assert_uint_gt(http_cases_for_each(HTTP_CASES "/heads.txt", fields, check), 70);
}
END_TEST

/* Sends so much of a head that it takes between 1,024 and 1,500 bytes. */
static void send_part(struct peer *peer)
{
    static char part[600];

    memset(part, 'a', sizeof part);
    peer_feed(peer, part, sizeof part, WHOLE);
}

/* All that clients have not completed has a limit together: the oldest large head gives way. */
START_TEST(heads_that_never_end_are_limited)
{
    struct peer *first = host_peer(&host);
    struct peer *last = host_peer(&host);

    peer_feed(first, "GET /", 5, WHOLE);
    peer_feed(last, "GET /", 5, WHOLE);
    if (_i == 0) {
        send_part(first);
        unfinished_crowd_begin(host.loop);
        send_part(last);
    } else { /* it becomes large itself */
        send_part(last);
        unfinished_crowd_begin(host.loop);
        send_part(first);
    }
    host_turn(&host);
    ck_assert_int_eq(peer_head(first), 503);
    ck_assert(first->ended);
    ck_assert_uint_eq(last->received.length, 0);
    peer_free(last);
    unfinished_crowd_end(host.loop);
}
END_TEST

START_TEST(a_head_that_is_complete_or_gone_is_not_counted)
{
    struct peer *complete = host_peer(&host);
    struct peer *gone = host_peer(&host);

    peer_feed(complete, "GET /", 5, WHOLE);
    peer_feed(gone, "GET /", 5, WHOLE);
    send_part(complete);
    send_part(gone);
    ck_assert_uint_gt(unfinished_bytes(host.loop), 2048);
    peer_free(gone);
    peer_feed(complete, " HTTP/1.1\r\n\r\n", 13, WHOLE);
    host_turn(&host);
    ck_assert_int_eq(peer_head(complete), 400);
    ck_assert_uint_eq(unfinished_bytes(host.loop), 0);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-http-heads");
    TCase *tests = tcase_create("heads");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc9112_2_to_5_heads);
    tcase_add_loop_test(tests, heads_that_never_end_are_limited, 0, 2);
    tcase_add_test(tests, a_head_that_is_complete_or_gone_is_not_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
