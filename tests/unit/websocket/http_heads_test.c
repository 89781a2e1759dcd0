/* http_heads_test.c: which bytes are a request's head (RFC 9112), by the cases of tests/http. Not
 * here: which heads are an opening handshake (handshake_request_test.c). */
#include <stdlib.h>
#include <string.h>

#include "support/http_cases.h"
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

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-http-heads");
    TCase *tests = tcase_create("heads");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, rfc9112_2_to_5_heads);
    suite_add_tcase(suite, tests);
    return suite;
}
