/* http_request_test.c: which bytes are a request and where it ends (RFC 9112), by the cases of
 * tests/http. Not here: the answers (e2e/test_http.py). */
#include "server/parts/http_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/http_cases.h"
#include "support/suite.h"

static const char next_request[] = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

static bool hands_over(const struct http_request *request, void *user_data)
{
    (void)request;
    (void)user_data;
    return false;
}

/* Feeds pieces of that length, each in a block of its own, until the request is complete. */
static size_t feed(struct http_request *request, const char *bytes, size_t length, size_t piece)
{
    size_t at = 0;

    while (at < length && request->state <= HTTP_IN_BODY) {
        size_t given = piece < length - at ? piece : length - at;
        char *copy = malloc(given);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, bytes + at, given);
        at += http_request_feed(request, copy, given);
        free(copy);
    }
    return at;
}

static void check_result(const struct http_case *of, const struct http_request *request,
                         size_t used)
{
    if (of->status != 0) {
        ck_assert_msg(request->state == HTTP_FAILED && request->failure_status == of->status,
                      "%s: state %d, status %d instead of %d", of->name, (int)request->state,
                      request->failure_status, of->status);
        return;
    }
    ck_assert_msg(request->state == HTTP_COMPLETE, "%s: state %d: %s", of->name,
                  (int)request->state, request->failure_message);
    ck_assert_msg(used == of->length, "%s: %zu of %zu bytes", of->name, used, of->length);
    ck_assert_msg(request->keep_alive != of->is_last, "%s: keep_alive", of->name);
    ck_assert_msg(byte_buffer_length(&request->body) == of->body_length &&
                      memcmp(byte_buffer_bytes(&request->body), of->body, of->body_length) == 0,
                  "%s: another body", of->name);
}

/* With another request after it, which must not become part of it. */
static void check_in_pieces(const struct http_case *of, size_t piece)
{
    size_t length = of->length + strlen(next_request);
    struct http_request request;
    char *bytes = malloc(length);
    size_t used;

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, of->bytes, of->length);
    memcpy(bytes + of->length, next_request, strlen(next_request));
    http_request_init(&request, hands_over, NULL);
    used = feed(&request, bytes, length, piece);
    check_result(of, &request, used);
    if (of->status == 0) {
        http_request_reset(&request);
        ck_assert_uint_eq(http_request_head_bytes(&request) + request.body.capacity, 0);
        ck_assert_uint_eq(feed(&request, bytes + used, length - used, piece),
                          strlen(next_request));
        ck_assert_int_eq(request.state, HTTP_COMPLETE);
        ck_assert_str_eq(http_request_path(&request), "/next");
    }
    http_request_free(&request);
    free(bytes);
}

static void check(const struct http_case *of)
{
    check_in_pieces(of, SIZE_MAX);
    for (size_t piece = 1; piece < 10; piece++)
        check_in_pieces(of, piece);
}

START_TEST(rfc9112_2_to_5_heads)
{
    ck_assert_uint_gt(http_cases_for_each(HTTP_CASES "/heads.txt", "", check), 70);
}
END_TEST

START_TEST(rfc9112_6_and_7_bodies)
{
    ck_assert_uint_gt(http_cases_for_each(HTTP_CASES "/bodies.txt", "", check), 80);
}
END_TEST

/* The number of headers is limited too, not only their bytes. */
START_TEST(rfc6585_5_more_than_256_headers_are_431)
{
    static struct http_case of = {.is_last = true};

    for (int n = 255; n <= 256; n++) {
        of.length = 0;
        of.length += (size_t)sprintf(of.bytes, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (int i = 0; i < n; i++)
            of.length += (size_t)sprintf(of.bytes + of.length, "A:b\r\n");
        of.length += (size_t)sprintf(of.bytes + of.length, "\r\n");
        of.status = n == 255 ? 0 : HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE;
        of.is_last = of.status != 0;
        check_in_pieces(&of, SIZE_MAX);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rfc9112_2_to_5_heads,
        rfc9112_6_and_7_bodies,
        rfc6585_5_more_than_256_headers_are_431,
        NULL,
    };

    return suite_run("http-request", tests);
}
