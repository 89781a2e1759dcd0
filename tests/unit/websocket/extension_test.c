/* extension_test.c: which offers of permessage-deflate are accepted (RFC 7692 section 7.1), how
 * they may be written (RFC 6455 section 9.1), and the answer. */
#include "transport/websocket/extension.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

#define ANSWER "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define ANSWER_OF(bits) ANSWER "; server_max_window_bits=" bits

struct offer {
    const char *header;
    const char *answer; /* NULL: declined */
};

static void check_answer(const struct permessage_deflate *deflate, const char *header,
                         const char *expected)
{
    struct buffer buffer;
    char *answer;

    ck_assert_msg(deflate->accepted == (expected != NULL), "%s: %s", header,
                  deflate->accepted ? "accepted" : "declined");
    if (!deflate->accepted)
        return;
    test_memory_init(&memory);
    buffer_init(&buffer, &memory.allocator);
    extension_write(deflate, &buffer);
    answer = buffer_take(&buffer, NULL);
    ck_assert_msg(strcmp(answer, expected) == 0, "%s: %s", header, answer);
    memory_free(&memory.allocator, answer);
    ck_assert_int_eq(memory.n_blocks, 0);
}

/* In a block of its own: nothing is read after the end. */
static void check_offers(const struct offer *offers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *header = strdup(offers[i].header);
        struct permessage_deflate deflate = extension_accept(header);

        check_answer(&deflate, header, offers[i].answer);
        free(header);
    }
}

#define CHECK_OFFERS(...)                                                                      \
    do {                                                                                       \
        static const struct offer offers[] = {__VA_ARGS__};                                    \
                                                                                               \
        check_offers(offers, sizeof offers / sizeof *offers);                                  \
    } while (0)

START_TEST(offers_of_known_clients)
{
    CHECK_OFFERS(
        /* Chromium, Firefox, Node's ws, python3-websockets */
        {"permessage-deflate; client_max_window_bits", ANSWER},
        /* Safari */
        {"permessage-deflate", ANSWER},
        /* old Safari */
        {"x-webkit-deflate-frame", NULL},
        /* python3-websockets with limits */
        {"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
         ANSWER_OF("12")},
        /* Go */
        {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", ANSWER},
        /* Autobahn's client */
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits", ANSWER},
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_no_context_takeover",
         ANSWER},
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_max_window_bits=9",
         ANSWER_OF("9")},
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_max_window_bits=15",
         ANSWER_OF("15")},
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_no_context_takeover; server_max_window_bits=9",
         ANSWER_OF("9")},
        {"permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_no_context_takeover; server_max_window_bits=9, "
         "permessage-deflate; client_no_context_takeover; client_max_window_bits; "
         "server_no_context_takeover, "
         "permessage-deflate; client_no_context_takeover; client_max_window_bits",
         ANSWER_OF("9")});
}
END_TEST

START_TEST(rfc7692_7_1_examples)
{
    CHECK_OFFERS({"permessage-deflate; client_max_window_bits; server_max_window_bits=10",
                  ANSWER_OF("10")},
                 {"permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
                  "permessage-deflate; client_max_window_bits",
                  ANSWER_OF("10")},
                 {"permessage-deflate; server_max_window_bits=10", ANSWER_OF("10")},
                 {"permessage-deflate; server_max_window_bits=\"10\"", ANSWER_OF("10")});
}
END_TEST

START_TEST(rfc7692_7_1_2_every_window)
{
    CHECK_OFFERS({"permessage-deflate; server_max_window_bits=8", ANSWER_OF("8")},
                 {"permessage-deflate; server_max_window_bits=9", ANSWER_OF("9")},
                 {"permessage-deflate; server_max_window_bits=11", ANSWER_OF("11")},
                 {"permessage-deflate; server_max_window_bits=12", ANSWER_OF("12")},
                 {"permessage-deflate; server_max_window_bits=13", ANSWER_OF("13")},
                 {"permessage-deflate; server_max_window_bits=14", ANSWER_OF("14")},
                 {"permessage-deflate; client_max_window_bits=8", ANSWER},
                 {"permessage-deflate; client_max_window_bits=9", ANSWER},
                 {"permessage-deflate; client_max_window_bits=15", ANSWER});
    ck_assert_uint_eq(extension_accept("permessage-deflate").server_window_bits, 15);
    ck_assert_uint_eq(
        extension_accept("permessage-deflate; client_max_window_bits=9").server_window_bits,
        15);
    ck_assert_uint_eq(
        extension_accept("permessage-deflate; server_max_window_bits=9").server_window_bits, 9);
}
END_TEST

START_TEST(rfc7692_7_1_wrong_values_are_declined)
{
    CHECK_OFFERS({"permessage-deflate; server_max_window_bits", NULL},
                 {"permessage-deflate; server_max_window_bits=7", NULL},
                 {"permessage-deflate; server_max_window_bits=16", NULL},
                 {"permessage-deflate; server_max_window_bits=0", NULL},
                 {"permessage-deflate; server_max_window_bits=1", NULL},
                 {"permessage-deflate; server_max_window_bits=08", NULL},
                 {"permessage-deflate; server_max_window_bits=010", NULL},
                 {"permessage-deflate; server_max_window_bits=100", NULL},
                 {"permessage-deflate; server_max_window_bits=1000", NULL},
                 {"permessage-deflate; server_max_window_bits=12345678901234567890", NULL},
                 {"permessage-deflate; server_max_window_bits=-9", NULL},
                 {"permessage-deflate; server_max_window_bits=+9", NULL},
                 {"permessage-deflate; server_max_window_bits=9.0", NULL},
                 {"permessage-deflate; server_max_window_bits=0x9", NULL},
                 {"permessage-deflate; server_max_window_bits=1a", NULL},
                 {"permessage-deflate; server_max_window_bits=x", NULL},
                 {"permessage-deflate; client_max_window_bits=7", NULL},
                 {"permessage-deflate; client_max_window_bits=16", NULL},
                 {"permessage-deflate; client_max_window_bits=08", NULL},
                 {"permessage-deflate; client_max_window_bits=x", NULL},
                 {"permessage-deflate; client_no_context_takeover=1", NULL},
                 {"permessage-deflate; client_no_context_takeover=9", NULL},
                 {"permessage-deflate; server_no_context_takeover=true", NULL},
                 {"permessage-deflate; server_no_context_takeover=\"10\"", NULL});
}
END_TEST

START_TEST(rfc7692_7_1_unknown_and_repeated_parameters_are_declined)
{
    CHECK_OFFERS(
        {"permessage-deflate; unknown", NULL}, {"permessage-deflate; mode=fast", NULL},
        {"permessage-deflate; SERVER_MAX_WINDOW_BITS=10", NULL},
        {"permessage-deflate; server_max_window_bit=10", NULL},
        {"permessage-deflate; server_max_window_bits2=10", NULL},
        {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", NULL},
        {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=11", NULL},
        {"permessage-deflate; client_max_window_bits; client_max_window_bits=10", NULL},
        {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", NULL},
        {"permessage-deflate; server_no_context_takeover; client_max_window_bits; "
         "server_no_context_takeover",
         NULL});
}
END_TEST

START_TEST(rfc7692_5_1_the_first_acceptable_offer)
{
    CHECK_OFFERS(
        {"permessage-deflate; server_max_window_bits=7, permessage-deflate", ANSWER},
        {"permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10, "
         "permessage-deflate",
         ANSWER_OF("10")},
        {"permessage-deflate; server_max_window_bits=10, permessage-deflate; unknown",
         ANSWER_OF("10")},
        {"permessage-bzip2, permessage-deflate", ANSWER},
        {"foo; bar; baz=\"qux\"; n=1, permessage-deflate; client_max_window_bits", ANSWER},
        {"permessage-deflate, foo; server_max_window_bits=10", ANSWER},
        {"permessage-bzip2", NULL}, {"permessage-deflate-2", NULL},
        {"Permessage-Deflate", NULL}, {"deflate; permessage-deflate", NULL});
}
END_TEST

START_TEST(rfc6455_9_1_spaces_quotes_and_empty_elements)
{
    CHECK_OFFERS({"", NULL}, {" \t", NULL}, {",", NULL}, {" , ,", NULL},
                 {",permessage-deflate", ANSWER}, {"permessage-deflate , ", ANSWER},
                 {" \tpermessage-deflate\t;\tserver_max_window_bits\t=\t10 ", ANSWER_OF("10")},
                 {"permessage-deflate;server_max_window_bits=10;client_max_window_bits,x;y=z",
                  ANSWER_OF("10")},
                 {"permessage-deflate; server_max_window_bits=\"9\"", ANSWER_OF("9")},
                 {"permessage-deflate; server_max_window_bits=\"\\1\\5\" ; "
                  "client_max_window_bits=\"8\"",
                  ANSWER_OF("15")},
                 {"permessage-deflate; server_max_window_bits=\"010\"", NULL},
                 {"permessage-deflate; server_max_window_bits=\"100\"", NULL});
}
END_TEST

START_TEST(rfc6455_9_1_a_malformed_header_offers_nothing)
{
    CHECK_OFFERS({"permessage-deflate;", NULL}, {"permessage-deflate;;", NULL},
                 {";permessage-deflate", NULL}, {"permessage-deflate; =10", NULL},
                 {"permessage-deflate; server_max_window_bits=", NULL},
                 {"permessage-deflate; server_max_window_bits=\"", NULL},
                 {"permessage-deflate; server_max_window_bits=\"10", NULL},
                 {"permessage-deflate; server_max_window_bits=\"10\\", NULL},
                 {"permessage-deflate; server_max_window_bits=\"\"", NULL},
                 {"permessage-deflate; server_max_window_bits=\" 10\"", NULL},
                 {"permessage-deflate; server_max_window_bits=\"10\"1", NULL},
                 {"permessage-deflate; server_max_window_bits=10=10", NULL},
                 {"permessage-deflate; server_max_window_bits=10 11", NULL},
                 {"permessage-deflate client_max_window_bits", NULL},
                 {"permessage-deflate=1", NULL}, {"permessage-deflate, /", NULL},
                 {"permessage-deflate, foo; bar=\"a b\"", NULL},
                 {"foo; bar=\"a:b\", permessage-deflate", NULL},
                 {"foo; bar=\"\", permessage-deflate", NULL},
                 {"foo; bar=, permessage-deflate", NULL}, {"\"permessage-deflate\"", NULL},
                 {"permessage-deflate, \x80", NULL}, {"permessage-deflate\x01", NULL});
}
END_TEST

static void check_request(const ws_header *headers, size_t n, const char *answer)
{
    struct request *request;
    struct permessage_deflate deflate;

    test_memory_init(&memory);
    request = request_new(&memory.allocator);
    ck_assert_int_eq(request_fill(request, "GET", 1, 1, "/", headers, n, 8192), REQUEST_DONE);
    deflate = extension_negotiate(request);
    request_free(request);
    ck_assert_int_eq(memory.n_blocks, 0);
    check_answer(&deflate, "request", answer);
}

START_TEST(rfc6455_9_1_offers_in_several_headers)
{
    static const ws_header headers[] = {
        {"Host", "example.org"},
        {"Sec-WebSocket-Extensions", "permessage-bzip2, permessage-deflate; unknown"},
        {"Sec-WebSocket-Protocol", "permessage-deflate; server_max_window_bits=14"},
        {"Sec-WebSocket-Extensions", "permessage-deflate;"},
        {"sec-websocket-extensions", "permessage-deflate; server_max_window_bits=13"},
        {"Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=12"},
    };

    check_request(headers, 6, ANSWER_OF("13"));
    check_request(headers, 5, ANSWER_OF("13"));
    check_request(headers, 4, NULL);
    check_request(headers, 1, NULL);
}
END_TEST

/* Every text over an alphabet of the significant tokens, up to a length: an accepted text contains
 * an offer, and the sanitizers see every path through the grammar. */
START_TEST(texts_of_all_tokens)
{
    static const char *const pieces[] = {
        "permessage-deflate", ";", ",", "=", "\"", "\\", " ", "server_max_window_bits", "10"};
    enum { N = sizeof pieces / sizeof *pieces, LENGTH = 6 };
    unsigned accepted = 0;

    for (unsigned number = 0; number < N * N * N * N * N * N; number++) {
        unsigned rest = number;
        char text[LENGTH * 24] = "";

        for (int i = 0; i < LENGTH; i++, rest /= N)
            strcat(text, pieces[rest % N]);
        if (extension_accept(text).accepted) {
            ck_assert_ptr_nonnull(strstr(text, "permessage-deflate"));
            accepted++;
        }
    }
    ck_assert_uint_gt(accepted, 100);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        offers_of_known_clients,
        rfc7692_7_1_examples,
        rfc7692_7_1_2_every_window,
        rfc7692_7_1_wrong_values_are_declined,
        rfc7692_7_1_unknown_and_repeated_parameters_are_declined,
        rfc7692_5_1_the_first_acceptable_offer,
        rfc6455_9_1_spaces_quotes_and_empty_elements,
        rfc6455_9_1_a_malformed_header_offers_nothing,
        rfc6455_9_1_offers_in_several_headers,
        texts_of_all_tokens,
        NULL,
    };

    return suite_run("websocket-extension", tests);
}
