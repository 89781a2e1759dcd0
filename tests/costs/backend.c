/* backend.c: the example backend's parsers: requests, bodies as JSON, credentials, User-Agent. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "costs.h"
#include "credentials.h"
#include "json_text.h"
#include "server/parts/buffer.h"
#include "server/parts/forwarded.h"
#include "server/parts/http_feed.h"
#include "server/parts/origin.h"
#include "server/parts/proxy_header.h"
#include "server/parts/text.h"
#include "server/parts/user_agent.h"
#include "token.h"

/* --- requests -------------------------------------------------------------------------------- */

static bool hands_over(const struct http_request *request, void *user_data)
{
    (void)request;
    (void)user_data;
    return false;
}

/* Parses all requests of the input, one after the other; returns the last one's state. */
static enum http_request_state parse_requests(const char *input, size_t length, size_t piece)
{
    enum http_request_state state = HTTP_AWAITING;
    struct http_request request;
    size_t at = 0;

    http_request_init(&request, hands_over, NULL);
    while (at < length && state != HTTP_FAILED) {
        if (state == HTTP_COMPLETE)
            http_request_reset(&request);
        at +=
            http_request_feed(&request, input + at, piece < length - at ? piece : length - at);
        state = request.state;
    }
    http_request_free(&request);
    return state;
}

static void requests(const char *input, size_t length)
{
    if (parse_requests(input, length, length) != HTTP_COMPLETE)
        cost_fail("the request is not complete");
}

static void requests_by_bytes(const char *input, size_t length)
{
    if (parse_requests(input, length, 1) != HTTP_COMPLETE)
        cost_fail("the request is not complete");
}

static void refused_request(const char *input, size_t length)
{
    if (parse_requests(input, length, length) != HTTP_FAILED)
        cost_fail("the request was not refused");
}

/* The output buffer of a client that reads a little now and then, and then gets as much more. */
static void buffered(const char *input, size_t length)
{
    struct byte_buffer buffer = {0};

    if (!byte_buffer_append(&buffer, input, length))
        cost_fail("out of memory");
    for (size_t at = 0; at + 8 < length; at += 8) {
        byte_buffer_consume(&buffer, 8);
        if (!byte_buffer_append(&buffer, input + at, 8))
            cost_fail("out of memory");
    }
    byte_buffer_free(&buffer);
}

/* --- what is in them ------------------------------------------------------------------------- */

static void body(const char *input, size_t length)
{
    const char *problem;

    cJSON_Delete(json_text_parse_object(input, length, &problem));
}

static void parameter(const char *input, size_t length)
{
    char *value = malloc(length + 1);

    if (value == NULL)
        cost_fail("out of memory");
    text_next_parameter(&input, "limit", value, length + 1);
    free(value);
}

static void query_credentials(const char *input, size_t length)
{
    struct credentials credentials;

    (void)length;
    credentials_init(&credentials);
    credentials_add_handshake(&credentials, input, NULL);
}

static void header_credentials(const char *input, size_t length)
{
    struct credentials credentials;

    (void)length;
    credentials_init(&credentials);
    credentials_add_handshake(&credentials, "", input);
    credentials_add_protocols(&credentials, input);
}

static void token(const char *input, size_t length)
{
    static unsigned char secret[] = "a secret of more than 32 bytes, for all";
    const struct token_key key = {
        .algorithm = "HS256", .secret = secret, .secret_length = sizeof secret - 1};
    struct token_claims claims;

    (void)length;
    token_check(&key, NULL, input, 0, &claims);
}

static void origin(const char *input, size_t length)
{
    static struct origin_rules rules;
    struct origin_request request = {.origin = input, .host = input, .scheme = "http"};

    (void)length;
    origin_is_allowed(&rules, &request, false);
    origin_host_is_ours(&rules, input);
}

static void browser(const char *input, size_t length)
{
    (void)length;
    user_agent_keeps_deflate_context(input);
}

/* From a trusted proxy, with trusted addresses only. */
static void forwarded_by(const char *name, const char *value)
{
    struct address_ranges trusted = {0};
    struct forwarded forwarded;
    struct in6_addr client;
    const char *scheme;

    if (address_ranges_add(&trusted, "10.0.0.0/8") != NULL ||
        !address_parse("10.0.0.1", 8, &client))
        cost_fail("cannot parse the range");
    forwarded_begin(&forwarded, &trusted, &client);
    forwarded_take(&forwarded, name, value);
    forwarded_end(&forwarded, &client, &scheme);
}

static void forwarded_for(const char *input, size_t length)
{
    (void)length;
    forwarded_by("X-Forwarded-For", input);
    forwarded_by("X-Forwarded-Proto", input);
}

static void forwarded_elements(const char *input, size_t length)
{
    (void)length;
    forwarded_by("Forwarded", input);
}

static void proxy_header(const char *input, size_t length)
{
    struct proxy_header header;

    proxy_header_read(&header, input, length);
}

static void log_line_text(const char *input, size_t length)
{
    char *copy = malloc(length + 1);

    if (copy == NULL)
        cost_fail("out of memory");
    memcpy(copy, input, length + 1);
    utf8_make_line(copy);
    free(copy);
}

/* --- inputs ---------------------------------------------------------------------------------- */

#define NONE BYTES("")
#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
#define LAST_CHUNK BYTES("0\r\n\r\n")
#define SMALL 800 /* bytes: sixteen times as many are within the head's limit */
#define TINY 200  /* for the extensions and trailers of chunks */
#define MANY 15   /* headers */

const struct cost_limit cost_limits[] = {{NULL, 0}};

const struct cost_case cost_cases[] = {
    {"request: long path", requests, BYTES("GET /"), BYTES("a"),
     BYTES(" HTTP/1.1\r\nHost: h\r\n\r\n"), SMALL},
    {"request: long query", requests, BYTES("GET /?"), BYTES("&"),
     BYTES(" HTTP/1.1\r\nHost: h\r\n\r\n"), SMALL},
    {"request: long value", requests, BYTES(GET "X: "), BYTES("a"), BYTES("\r\n\r\n"), SMALL},
    {"request: spaces in a value", requests, BYTES(GET "X: "), BYTES(" "), BYTES("\r\n\r\n"),
     SMALL},
    {"request: long name", requests, BYTES(GET), BYTES("a"), BYTES(": x\r\n\r\n"), SMALL},
    {"request: headers", requests, BYTES(GET), BYTES("A:b\r\n"), BYTES("\r\n"), MANY},
    {"request: tokens of Connection", requests, BYTES(GET "Connection: "), BYTES("a,"),
     BYTES("\r\n\r\n"), SMALL / 2},
    {"request: empty lines before it", requests, NONE, BYTES("\r\n"), BYTES(GET "\r\n"),
     SMALL / 2},
    {"request: one behind the other", requests, NONE, BYTES(GET "\r\n"), NONE, 0},
    {"request: codings", refused_request,
     BYTES("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "), BYTES("a,"), BYTES("\r\n\r\n"),
     SMALL / 2},
    {"request: fields of codings", refused_request, BYTES(GET),
     BYTES("Transfer-Encoding:a\r\n"), BYTES("\r\n"), MANY},
    {"request: unknown method", refused_request, NONE, BYTES("A"),
     BYTES(" / HTTP/1.1\r\nHost: h\r\n\r\n"), SMALL},
    {"request: length", refused_request,
     BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "), BYTES("0"), BYTES("x\r\n\r\n"),
     SMALL},
    {"request: long value by bytes", requests_by_bytes, BYTES(GET "X: "), BYTES("a "),
     BYTES("a\r\n\r\n"), SMALL / 2},
    {"request: headers by bytes", requests_by_bytes, BYTES(GET), BYTES("A:b\r\n"),
     BYTES("\r\n"), MANY},
    {"chunks: small", requests, BYTES(CHUNKED), BYTES("1\r\na\r\n"), LAST_CHUNK, 0},
    {"chunks: small by bytes", requests_by_bytes, BYTES(CHUNKED), BYTES("1\r\na\r\n"),
     LAST_CHUNK, 0},
    {"chunks: extensions", requests, BYTES(CHUNKED), BYTES("1;a\r\na\r\n"), LAST_CHUNK,
     TINY / 2},
    {"chunks: long extension", requests, BYTES(CHUNKED "1;"), BYTES("a"),
     BYTES("\r\na\r\n0\r\n\r\n"), TINY},
    {"chunks: trailers", requests, BYTES(CHUNKED "0\r\n"), BYTES("A:b\r\n"), BYTES("\r\n"),
     TINY / 5},
    {"forwarded: addresses", forwarded_for, NONE, BYTES("10.0.0.2, "), NONE, 0},
    {"forwarded: commas", forwarded_for, NONE, BYTES(","), NONE, 0},
    {"forwarded: quotes in a list", forwarded_for, NONE, BYTES("\""), NONE, 0},
    {"forwarded: elements", forwarded_elements, NONE, BYTES("for=10.0.0.2;proto=http, "),
     BYTES("for=10.0.0.2"), 0},
    {"forwarded: parameters", forwarded_elements, NONE, BYTES("a=b;"), NONE, 0},
    {"forwarded: quotes", forwarded_elements, NONE, BYTES("\""), NONE, 0},
    {"forwarded: escapes", forwarded_elements, BYTES("for=\""), BYTES("\\\""), NONE, 0},
    {"forwarded: brackets", forwarded_elements, BYTES("for=\"["), BYTES("1:"), BYTES("]\""), 0},
    {"proxy header: text", proxy_header, BYTES("PROXY TCP4 "), BYTES("1.1.1.1 "), NONE, 0},
    {"proxy header: binary", proxy_header, BYTES("\r\n\r\n\0\r\nQUIT\n\x21\x11\x07\xf0"),
     BYTES("\x03\0\1a"), NONE, 25},
    {"buffer: a bit at a time", buffered, NONE, BYTES("a"), NONE, 0},

    {"body: nesting", body, BYTES("{\"a\":"), BYTES("["), NONE, 0},
    {"body: members", body, BYTES("{"), BYTES("\"a\":0,"), BYTES("\"b\":0}"), 0},
    {"body: values", body, BYTES("{\"a\":["), BYTES("-1.5e3,"), BYTES("0]}"), 0},
    {"body: escapes", body, BYTES("{\"a\":\""), BYTES("\\u00e4"), BYTES("\"}"), 0},
    {"body: unfinished escapes", body, BYTES("{\"a\":\""), BYTES("\\uabcdabcdabcd"),
     BYTES("\"}"), 0},
    {"body: digits behind an escape", body, BYTES("{\"a\":\"\\u"), BYTES("a"), BYTES("\"}"), 0},
    {"body: backslashes", body, BYTES("{\"a\":\""), BYTES("\\\\"), BYTES("\"}"), 0},
    {"body: digits", body, BYTES("{\"a\":1"), BYTES("1"), BYTES("}"), 0},
    {"body: spaces", body, BYTES("{"), BYTES(" "), BYTES("}"), 0},
    {"body: text", body, BYTES("{\"a\":\""), BYTES("\xc3\xa4"), BYTES("\"}"), 0},
    {"body: objects", body, BYTES("{\"items\":["), BYTES("{\"sku\":\"a\"},"), BYTES("{}]}"), 0},

    {"query: parameters", parameter, NONE, BYTES("a=b&"), NONE, 0},
    {"query: ampersands", parameter, NONE, BYTES("&"), NONE, 0},
    {"query: escapes", parameter, BYTES("limit="), BYTES("%41"), NONE, 0},
    {"query: tokens", query_credentials, NONE, BYTES("token=a&"), NONE, 0},
    {"query: other tokens", query_credentials, NONE, BYTES("toke=&"), NONE, 0},
    {"query: escapes in a token", query_credentials, BYTES("token="), BYTES("%41"), NONE, 0},
    {"header: long token", header_credentials, BYTES("Bearer "), BYTES("a"), NONE, 0},
    {"header: spaces", header_credentials, BYTES("Bearer"), BYTES(" "), NONE, 0},
    {"header: subprotocols", header_credentials, NONE, BYTES("beare, "), NONE, 0},
    {"token: points", token, NONE, BYTES("."), NONE, 500},
    {"token: long head", token, NONE, BYTES("eyJh"), BYTES(".e30.AA"), 120},
    {"token: long claims", token, BYTES("eyJhbGciOiJIUzI1NiJ9."), BYTES("eyJh"), BYTES(".AA"),
     120},
    {"token: long signature", token, BYTES("eyJhbGciOiJIUzI1NiJ9.e30."), BYTES("AAAA"), NONE,
     120},
    {"origin: long scheme", origin, NONE, BYTES("a"), BYTES("://h"), 0},
    {"origin: long host", origin, BYTES("http://"), BYTES("a"), NONE, 0},
    {"origin: points", origin, BYTES("http://"), BYTES("a."), NONE, 0},
    {"origin: colons", origin, BYTES("http://["), BYTES(":"), BYTES("]:80"), 0},
    {"origin: slashes", origin, NONE, BYTES(":/"), NONE, 0},
    {"browser: words", browser, BYTES("Mozilla/5.0 "), BYTES("Version/15.1 "), NONE, 0},
    {"browser: beginnings", browser, NONE, BYTES("Versio"), NONE, 0},
    {"browser: systems", browser, NONE, BYTES("OS 15_ "), NONE, 0},
    {"log: controls", log_line_text, NONE, BYTES("\x1b"), NONE, 0},
    {"log: broken text", log_line_text, NONE, BYTES("\xf0\x9f\x98"), NONE, 0},
    {NULL, NULL, NONE, NONE, NONE, 0},
};
