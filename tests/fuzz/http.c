/* http.c: the example backend's parser of requests, whose result must not depend on how they are
 * cut, and which must find the same end as a lenient reader; and what follows it: router, API and
 * store, with an SQLite database in memory. Not here: sockets. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backend/app.h"
#include "backend/http_response.h"
#include "backend/log.h"
#include "backend/router.h"
#include "fuzz/support/input.h"
#include "fuzz/support/plain_http.h"
#include "server/parts/http_feed.h"
#include "server/parts/monotonic_clock.h"
#include "server/parts/request.h"
#include "server/parts/response.h"

static struct options options;
static struct app app = {.options = &options};

static bool hands_over(const struct http_request *request, void *user_data)
{
    (void)user_data;
    return strcmp(http_request_path(request), "/ws") == 0;
}

/* Feeds bytes until the request is complete; returns how many were used. */
static size_t feed(struct http_request *request, struct fuzz_input *cuts, struct text text)
{
    size_t at = 0;

    while (at < text.length && request->state <= HTTP_IN_BODY) {
        size_t piece = 1 + input_byte(cuts);
        char *copy;
        size_t used;

        piece = piece < text.length - at && cuts->length > 0 ? piece : text.length - at;
        copy = malloc(piece);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text.bytes + at, piece);
        used = http_request_feed(request, copy, piece);
        ck_assert_uint_le(used, piece);
        free(copy);
        at += used;
        if (used < piece && request->state <= HTTP_IN_BODY && request->state != HTTP_HEAD_DONE)
            break;
    }
    return at;
}

static void expect_same(const struct http_request *one, const struct http_request *other)
{
    ck_assert_int_eq(one->state, other->state);
    if (one->state == HTTP_FAILED) {
        ck_assert_int_eq(one->failure_status, other->failure_status);
        ck_assert_str_eq(one->failure_message, other->failure_message);
        return;
    }
    if (one->state <= HTTP_IN_HEAD)
        return;
    ck_assert_str_eq(http_request_path(one), http_request_path(other));
    ck_assert_str_eq(http_request_query(one), http_request_query(other));
    ck_assert_uint_eq(one->n_fields, other->n_fields);
    for (size_t i = 0; i < one->n_fields; i++) {
        ck_assert_str_eq(http_request_field_name(one, i), http_request_field_name(other, i));
        ck_assert_str_eq(http_request_field_value(one, i), http_request_field_value(other, i));
    }
    ck_assert_uint_eq(byte_buffer_length(&one->body), byte_buffer_length(&other->body));
}

static void expect_fields(const struct http_request *request, const struct plain_request *plain,
                          const char *bytes)
{
    static char name[HTTP_HEAD_LIMIT];
    static char value[HTTP_HEAD_LIMIT];
    size_t n = 0;

    for (; plain_request_field(plain, bytes, n, name, value, sizeof name); n++) {
        ck_assert_uint_lt(n, request->n_fields);
        ck_assert_str_eq(http_request_field_name(request, n), name);
        ck_assert_str_eq(http_request_field_value(request, n), value);
    }
    ck_assert_uint_eq(n, request->n_fields);
}

/* Every reader must find the end of a request where the parser finds it. */
static void expect_plain(const struct http_request *request, struct text text, size_t used)
{
    const char *length = http_request_header(request, "Content-Length");
    bool is_chunked = http_request_header(request, "Transfer-Encoding") != NULL;
    struct plain_request plain;

    ck_assert(!is_chunked || length == NULL);
    plain_request_read(&plain, text.bytes, text.length, is_chunked,
                       length != NULL ? strtoul(length, NULL, 10) : 0);
    ck_assert_uint_eq(plain.end, used);
    ck_assert_uint_eq(plain.length, byte_buffer_length(&request->body));
    ck_assert_mem_eq(plain.body, byte_buffer_bytes(&request->body), plain.length);
    expect_fields(request, &plain, text.bytes);
    free(plain.body);
}

static void answer(const struct http_request *request)
{
    struct response taken;
    ws_server_request shown = {.http = request, .response = &taken};
    struct http_response response;
    struct byte_buffer out = {0};

    response_begin(&taken);
    http_response_init(&response);
    if (router_accepts(&app, &shown, &response))
        router_answer(&app, &shown, &response);
    http_response_send(&response, &shown);
    ck_assert_ptr_null(shown.response);
    ck_assert_int_ge(taken.status, 200);
    ck_assert_int_lt(taken.status, 600);
    ck_assert_int_ne(taken.status, HTTP_STATUS_INTERNAL_SERVER_ERROR);
    ck_assert(response_write(&taken, false, request->keep_alive, false, &out));
    byte_buffer_free(&out);
    response_free(&taken);
    outbox_settle(&app.outbox, monotonic_ms());
}

static void open_app(void)
{
    static char name[] = "backend";
    static char relay[] = "--relay";
    char *arguments[] = {name, relay, NULL};
    char problem[200];

    ck_assert_int_eq(options_parse(2, arguments, &options, problem, sizeof problem),
                     OPTIONS_OK);
    log_set_level(WS_LOG_ERROR);
    ck_assert(static_files_open(&app.static_files, BACKEND_STATIC_DIR));
    app.store = store_open(":memory:", 0, problem, sizeof problem);
    ck_assert_msg(app.store != NULL, "%s", problem);
    app.options = &options;
    ck_assert(access_open(&app.access, &options, problem, sizeof problem));
    ck_assert_int_eq(realtime_open(&app.realtime, &options, &app.access), WS_OK);
    outbox_open(&app.outbox, app.store, app.realtime.manager, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz_input input = {data, length};
    struct text cuts = input_bytes(&input);
    struct text text = input_rest(&input);
    struct fuzz_input cut_input = {(const uint8_t *)cuts.bytes, cuts.length};
    struct fuzz_input whole = {0};
    struct http_request one;
    struct http_request other;
    size_t used;

    if (app.store == NULL)
        open_app();
    http_request_init(&one, hands_over, NULL);
    http_request_init(&other, hands_over, NULL);
    used = feed(&one, &whole, text);
    feed(&other, &cut_input, text);
    expect_same(&one, &other);
    if (one.state == HTTP_COMPLETE) {
        expect_plain(&one, text, used);
        answer(&one);
    }
    http_request_free(&one);
    http_request_free(&other);
    text_free(&cuts);
    text_free(&text);
    return 0;
}
