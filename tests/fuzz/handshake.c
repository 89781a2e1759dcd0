/* handshake.c: a request that the host has parsed itself, the application's questions about it, the
 * negotiation of extensions, queries; and heads as bytes, which must have the same meaning for a
 * lenient reader. Not here: bytes after a head (websocket.c, http.c). */
#include <stdlib.h>
#include <string.h>

#include <ws_manager/ws_manager.h>

#include "base/http_query.h"
#include "fuzz/support/input.h"
#include "fuzz/support/plain_http.h"
#include "transport/shared/request.h"
#include "transport/websocket/extension.h"

enum { MAX_HEADERS = 12, MAX_HEAD_BYTES = 4096 };

static struct fuzz_input input;

static int look_at(ws_handshake *handshake, void *user_data)
{
    struct text name = input_string(&input);
    struct text other = input_string(&input);
    const char *value;
    size_t length;

    (void)user_data;
    ck_assert_ptr_null(strchr(ws_handshake_path(handshake), '?'));
    if (ws_handshake_query_parameter(handshake, name.bytes, &value, &length) == WS_OK)
        ck_assert_int_eq(value[length], '\0');
    if (ws_handshake_query_parameter(handshake, "user_id", &value, NULL) == WS_OK)
        ws_handshake_set_user_id(handshake, value);
    value = ws_handshake_header(handshake, name.bytes);
    if (value != NULL)
        ws_handshake_set_user_id(handshake, value);
    ws_handshake_set_subprotocol(handshake, other.bytes);
    if (input_byte(&input) % 4 == 3)
        ws_handshake_decline_deflate(handshake);
    if (input_byte(&input) % 4 == 3)
        ws_handshake_refuse(handshake, 390 + input_byte(&input), other.bytes);
    text_free(&name);
    text_free(&other);
    return input_byte(&input) % 4 == 3 ? WS_ERR_FORBIDDEN : WS_OK;
}

/* The answer consists of lines, and no input can add one. */
static void check_answer(ws_websocket *websocket)
{
    struct iovec pieces[8];
    int n = ws_websocket_output(websocket, pieces, 8);
    const char *head;
    const char *end;

    if (n == 0)
        return;
    head = pieces[0].iov_base;
    end = memmem(head, pieces[0].iov_len, "\r\n\r\n", 4);
    ck_assert_int_eq(memcmp(head, "HTTP/1.1 ", 9), 0);
    ck_assert_ptr_nonnull(end);
    for (; head < end; head++)
        ck_assert(*head != '\n' || head[-1] == '\r');
}

static void upgrade(ws_websocket *websocket)
{
    static const char *const known[] = {
        "Host",    "Upgrade",    "Sec-WebSocket-Key",      "Sec-WebSocket-Version",
        "X-Other", "Connection", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
        "Origin"};
    enum { N_KNOWN = sizeof known / sizeof *known };
    static const char *const right[] = {
        "h", "websocket", "dGhlIHNhbXBsZSBub25jZQ==", "13", "x", "Upgrade"};
    enum { N_RIGHT = sizeof right / sizeof *right };
    struct text texts[MAX_HEADERS] = {{0}};
    struct text target = input_string(&input);
    ws_header headers[N_RIGHT + MAX_HEADERS];
    size_t n = 0;

    if (input_byte(&input) % 4 != 3)
        for (; n < N_RIGHT; n++)
            headers[n] = (ws_header){known[n], right[n]};
    for (size_t i = input_below(&input, MAX_HEADERS); i > 0; i--) {
        texts[i] = input_string(&input);
        headers[n++] = (ws_header){known[input_below(&input, N_KNOWN)], texts[i].bytes};
    }
    ws_websocket_upgrade(websocket, "GET", 1, 1, target.bytes, headers, n);
    for (size_t i = 0; i < MAX_HEADERS; i++)
        text_free(&texts[i]);
    text_free(&target);
}

static void shake_hands(void)
{
    static const char *const subprotocols[] = {"chat", "superchat"};
    ws_endpoint_options options;
    ws_endpoint *endpoint;
    ws_websocket *websocket;
    ws_manager *manager;
    ws_loop *loop;

    ws_endpoint_options_init(&options);
    options.accept_handshake = look_at;
    options.subprotocols = subprotocols;
    options.n_subprotocols = 2;
    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    ck_assert_int_eq(ws_endpoint_new(manager, &options, &endpoint), WS_OK);
    ck_assert_int_eq(ws_websocket_new(loop, endpoint, NULL, &websocket), WS_OK);
    upgrade(websocket);
    check_answer(websocket);
    ws_websocket_free(websocket);
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
}

/* The answer's extension is the one that was negotiated, and offering it again negotiates the
 * same. */
static void negotiate(const char *header)
{
    struct permessage_deflate deflate = extension_accept(header);
    struct permessage_deflate again;
    struct buffer answer;
    ws_allocator memory;

    if (!deflate.accepted)
        return;
    ck_assert_uint_ge(deflate.server_window_bits, 8);
    ck_assert_uint_le(deflate.server_window_bits, 15);
    memory_allocator_init(&memory);
    buffer_init(&answer, &memory);
    extension_write(&deflate, &answer);
    buffer_add(&answer, "", 1);
    again = extension_accept(answer.data);
    ck_assert(again.accepted);
    ck_assert_uint_eq(again.server_window_bits, deflate.server_window_bits);
    ck_assert_int_eq(again.limits_server_window, deflate.limits_server_window);
    buffer_free(&answer);
}

static void ask_query(const char *query, const char *name)
{
    char *value = malloc(strlen(query) + 1);
    ptrdiff_t length;

    ck_assert_ptr_nonnull(value);
    while ((length = http_query_next(&query, name, value, strlen(query) + 1)) !=
           HTTP_QUERY_ABSENT)
        if (length != HTTP_QUERY_INVALID)
            ck_assert_int_eq(value[length], '\0');
    free(value);
}

static void expect_plain(const struct request *request, struct text text, size_t used)
{
    char name[MAX_HEAD_BYTES];
    char value[MAX_HEAD_BYTES];
    struct plain_request plain;
    size_t n = 0;

    plain_request_read(&plain, text.bytes, text.length, false, 0);
    ck_assert_uint_eq(plain.end, used);
    for (; plain_request_field(&plain, text.bytes, n, name, value, sizeof name); n++) {
        ck_assert_uint_lt(n, request->n_headers);
        ck_assert_str_eq(request->text.data + request->headers[n].name, name);
        ck_assert_str_eq(request->text.data + request->headers[n].value, value);
    }
    ck_assert_uint_eq(n, request->n_headers);
    free(plain.body);
}

/* A head's bytes, in pieces of that length. */
static void read_head(struct text text, size_t piece)
{
    enum request_result result = REQUEST_MORE;
    struct request *request;
    ws_allocator memory;
    size_t at = 0;

    memory_allocator_init(&memory);
    request = request_new(&memory);
    ck_assert_ptr_nonnull(request);
    while (result == REQUEST_MORE && at < text.length) {
        size_t used;

        result = request_feed(request, text.bytes + at,
                              piece < text.length - at ? piece : text.length - at,
                              MAX_HEAD_BYTES, &used);
        at += used;
    }
    if (result == REQUEST_DONE)
        expect_plain(request, text, at);
    request_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct text one;
    struct text two;

    input = (struct fuzz_input){data, length};
    one = input_string(&input);
    two = input_string(&input);
    negotiate(one.bytes);
    ask_query(one.bytes, two.bytes);
    shake_hands();
    read_head(two, 1 + input_byte(&input));
    text_free(&one);
    text_free(&two);
    return 0;
}
