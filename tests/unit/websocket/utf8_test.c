/* utf8_test.c: valid and invalid characters that frames cut at every place (RFC 6455 section 8.1).
 * Not here: which bytes are UTF-8, and that invalid bytes are refused at once
 * (conformance_test.c). */
#include <string.h>

#include "websocket/host.h"

static struct host host;

static void setup(void)
{
    host_open(&host, NULL);
}

static void teardown(void)
{
    host_close(&host);
}

static const char *const good[] = {
    "\x7f",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbf",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5 and plain text \xf0\x9f\x98\x80!",
};

/* `at` is the index of the byte that shows the error. */
static const struct {
    const char *text;
    size_t at;
} bad[] = {
    {"\x80", 0},
    {"\xbf", 0},
    {"\xc0\xaf", 0},
    {"\xc1\xbf", 0},
    {"\xff", 0},
    {"\xf5\x80\x80\x80", 0},
    {"plain text \xfe", 11},
    {"\xc2\x7f", 1},
    {"\xc2\xc0", 1},
    {"\xe0\x9f\x80", 1},     /* overlong */
    {"\xf0\x8f\xbf\xbf", 1}, /* overlong */
    {"\xed\xa0\x80", 1},     /* a surrogate */
    {"\xf4\x90\x80\x80", 1}, /* above U+10FFFF */
    {"\xe2\x82\x28", 2},
    {"\xf0\x9f\x98\x41", 3},
    {"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
     "edited",
     12},
};

enum { N_GOOD = sizeof good / sizeof *good, N_BAD = sizeof bad / sizeof *bad };

START_TEST(rfc6455_5_6_utf8_split_across_fragments)
{
    struct peer *peer = host_client(&host);
    const size_t length = strlen(good[_i]);

    for (size_t cut = 0; cut <= length; cut++) {
        struct bytes frames = {0};

        client_frame(&frames, TEXT, good[_i], cut);
        client_frame(&frames, CONTINUATION, "", 0);
        client_frame(&frames, FIN | PING, "\xff", 1); /* not text */
        client_frame(&frames, FIN | CONTINUATION, good[_i] + cut, length - cut);
        peer_send(peer, &frames);
        peer_expect(peer, PONG, "\xff", 1);
        peer_expect_text(peer, good[_i]);
        bytes_free(&frames);
    }
}
END_TEST

START_TEST(rfc6455_8_1_bad_utf8_across_fragments_is_1007)
{
    const size_t length = strlen(bad[_i].text);

    for (size_t cut = 0; cut <= bad[_i].at; cut++) {
        struct peer *peer = host_client(&host);
        struct bytes frames = {0};

        memset(host.called, 0, sizeof host.called);
        client_frame(&frames, TEXT, bad[_i].text, cut);
        client_frame(&frames, CONTINUATION, bad[_i].text + cut, length - cut);
        peer_send_chunked(peer, &frames, RANDOM_CHUNKS);
        peer_expect_failed(peer, 1007);
        bytes_free(&frames);
    }
}
END_TEST

START_TEST(rfc6455_8_1_text_that_ends_within_a_character_is_1007)
{
    static const char *const cut_off[] = {"\xc3",     "\xe2\x82",     "a\xe2",
                                          "\xf0\x9f", "\xf0\x9f\x98", "ab\xf4"};

    for (size_t i = 0; i < sizeof cut_off / sizeof *cut_off; i++) {
        for (int fragments = 1; fragments <= 3; fragments++) {
            struct peer *peer = host_client(&host);
            struct bytes frames = {0};

            memset(host.called, 0, sizeof host.called);
            client_text(&frames, fragments == 1 ? FIN | TEXT : TEXT, cut_off[i]);
            if (fragments > 1)
                peer_send(peer, &frames);
            peer_expect_nothing(peer); /* more might come */
            if (fragments > 1)
                frames.length = 0;
            if (fragments == 2)
                client_text(&frames, FIN | CONTINUATION, "");
            if (fragments == 3)
                client_text(&frames, FIN | CONTINUATION, "x");
            peer_send(peer, &frames);
            peer_expect_failed(peer, 1007);
            bytes_free(&frames);
            peer_free(peer);
        }
    }
}
END_TEST

/* The unfinished end of one message does not affect the next. */
START_TEST(rfc6455_5_6_binary_messages_are_not_checked)
{
    struct peer *peer = host_client(&host);
    struct bytes frames = {0};

    client_text(&frames, BINARY, "\xff\xfe\xc3");
    client_text(&frames, FIN | CONTINUATION, "\xe2");
    client_text(&frames, FIN | TEXT, "\xc3\xa4");
    client_text(&frames, FIN | BINARY, "\xf0");
    client_text(&frames, FIN | TEXT, "a");
    peer_send(peer, &frames);
    peer_expect(peer, BINARY, "\xff\xfe\xc3\xe2", 4);
    peer_expect_text(peer, "\xc3\xa4");
    peer_expect(peer, BINARY, "\xf0", 1);
    peer_expect_text(peer, "a");
    bytes_free(&frames);
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *suite = suite_create("websocket-utf8");
    TCase *tests = tcase_create("utf8");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, rfc6455_5_6_utf8_split_across_fragments, 0, N_GOOD);
    tcase_add_loop_test(tests, rfc6455_8_1_bad_utf8_across_fragments_is_1007, 0, N_BAD);
    tcase_add_test(tests, rfc6455_8_1_text_that_ends_within_a_character_is_1007);
    tcase_add_test(tests, rfc6455_5_6_binary_messages_are_not_checked);
    suite_add_tcase(suite, tests);
    return suite;
}
