/* handshake_check.c: which requests open a WebSocket (RFC 6455 §4.2.1), and what is wrong with
 * others. */
#include "transport/websocket/handshake_check.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/http_target.h"

/* The most frequent cause of missing headers: a proxy that is not configured to pass them
 * on. */
static const char proxy_advice[] =
    "a WebSocket handshake needs HTTP/1.1 with Upgrade and Connection; nginx passes them on "
    "with "
    "proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and "
    "proxy_set_header Connection \"upgrade\"";

static const char version_advice[] = "a WebSocket handshake needs HTTP/1.1 here; HTTP/2 and "
                                     "HTTP/3 end at a proxy that speaks HTTP/1.1 "
                                     "to this server";

static void set(struct refusal *refusal, int status, const char *reason, const char *advice)
{
    refusal->status = status;
    refusal->reason = reason;
    refusal->advice = advice;
}

/* --- a request whose head is complete -------------------------------------------------------- */

/* Whether the key is the base64 of 16 bytes (§4.1). */
static bool key_valid(const char *key)
{
    unsigned char decoded[18];

    return strlen(key) == HANDSHAKE_KEY_LENGTH &&
           strcmp(key + HANDSHAKE_KEY_LENGTH - 2, "==") == 0 &&
           strchr(key, '=') == key + HANDSHAKE_KEY_LENGTH - 2 &&
           EVP_DecodeBlock(decoded, (const unsigned char *)key, HANDSHAKE_KEY_LENGTH) ==
               (int)sizeof decoded;
}

static size_t count_headers(const struct request *request, const char *name)
{
    size_t count = 0;

    for (size_t at = 0; request_next_header(request, name, &at) != NULL; at++)
        count++;
    return count;
}

/* Whether the request has a body. The frames would begin after it (RFC 9110 §7.8), and no
 * client has a reason to send one. */
static bool has_body(const struct request *request)
{
    for (size_t at = 0;; at++) {
        const char *length = request_next_header(request, "Content-Length", &at);

        if (length == NULL)
            return request_header(request, "Transfer-Encoding", 0) != NULL;
        if (strcmp(length, "0") != 0)
            return true;
    }
}

/* Names everything that a proxy, or a client that does not speak WebSocket, has left out: "the
 * request is HTTP/1.0 and lacks A, B and C". */
static const char *compose_lack(const struct request *request, struct refusal *refusal)
{
    const char *missing[4];
    size_t n = 0;
    char *text = refusal->composed;
    char *end = text + sizeof refusal->composed;

    if (!request_header_lists(request, "Upgrade", "websocket", true))
        missing[n++] = "Upgrade: websocket";
    if (!request_header_lists(request, "Connection", "Upgrade", true))
        missing[n++] = "Connection: Upgrade";
    if (count_headers(request, "Sec-WebSocket-Version") == 0)
        missing[n++] = "Sec-WebSocket-Version";
    if (count_headers(request, "Sec-WebSocket-Key") == 0)
        missing[n++] = "Sec-WebSocket-Key";
    text += snprintf(text, (size_t)(end - text), "the request%s%s%s",
                     request->http_minor < 1 ? " is HTTP/1.0" : "",
                     request->http_minor < 1 && n > 0 ? " and" : "", n > 0 ? " lacks " : "");
    for (size_t i = 0; i < n; i++)
        text += snprintf(text, (size_t)(end - text), "%s%s",
                         i == 0 ? "" : (i + 1 < n ? ", " : " and "), missing[i]);
    return refusal->composed;
}

static void check_version(const struct request *request, struct refusal *refusal)
{
    static const char advice[] = "this server speaks version 13 of the protocol, RFC 6455";
    size_t n = count_headers(request, "Sec-WebSocket-Version");

    if (n == 0)
        set(refusal, 426, "the request lacks Sec-WebSocket-Version", advice);
    else if (n > 1)
        set(refusal, 426, "the request has several Sec-WebSocket-Version headers", advice);
    else if (strcmp(request_header(request, "Sec-WebSocket-Version", 0), "13") != 0)
        set(refusal, 426, "Sec-WebSocket-Version is not 13", advice);
}

static void check_key(const struct request *request, struct refusal *refusal)
{
    static const char advice[] = "it must be the base64 of 16 random bytes";
    size_t n = count_headers(request, "Sec-WebSocket-Key");

    if (n == 0)
        set(refusal, 400, "the request lacks Sec-WebSocket-Key", advice);
    else if (n > 1)
        set(refusal, 400, "the request has several Sec-WebSocket-Key headers", NULL);
    else if (!key_valid(request_header(request, "Sec-WebSocket-Key", 0)))
        set(refusal, 400, "Sec-WebSocket-Key is malformed", advice);
}

static void check_host(const struct request *request, struct refusal *refusal)
{
    size_t n = count_headers(request, "Host");

    if (n != 1)
        set(refusal, 400,
            n == 0 ? "the request lacks Host" : "the request has several Host headers", NULL);
    else if (!http_host_valid(request_header(request, "Host", 0)))
        set(refusal, 400, "the Host header is not a valid host", NULL);
    else if (request_path(request) == NULL)
        set(refusal, 400,
            "the target is not a path, or names a host other than the Host header", NULL);
}

/* The checks are in the order in which their results help most. */
void handshake_check(const struct request *request, struct refusal *refusal)
{
    set(refusal, 101, NULL, NULL);
    if (request->http_major != 1)
        set(refusal, 505, "the request is not HTTP/1.1", version_advice);
    else if (!request->is_get)
        set(refusal, 405, "the method is not GET", "a WebSocket handshake is a GET request");
    else if (request->http_minor < 1)
        set(refusal, 400, compose_lack(request, refusal), proxy_advice);
    else
        check_host(request, refusal);
    if (refusal->status != 101)
        return;
    if (has_body(request))
        set(refusal, 400, "the request has a body", "a WebSocket handshake has none");
    else if (!request_header_lists(request, "Upgrade", "websocket", true))
        set(refusal, 426, compose_lack(request, refusal), proxy_advice);
    else if (!request_header_lists(request, "Connection", "Upgrade", true))
        set(refusal, 400, compose_lack(request, refusal), proxy_advice);
    if (refusal->status == 101)
        check_version(request, refusal);
    if (refusal->status == 101)
        check_key(request, refusal);
}

/* --- a head that could not be read ----------------------------------------------------------- */

/* Whether the first line begins with this text, as far as it has arrived. */
static bool begins(const struct request *request, const char *text)
{
    size_t length = strlen(text);

    if (request->line_length < length && !request->line_complete)
        length = request->line_length;
    return length > 0 && request->line_length >= length &&
           memcmp(request->line, text, length) == 0;
}

static void explain_bad(const struct request *request, struct refusal *refusal)
{
    if (begins(request, "\x16")) /* a handshake record (RFC 8446 §5.1) */
        set(refusal, 400, "these bytes are TLS, but this port speaks plain HTTP",
            "connect with ws:// or http://");
    else if (begins(request, "PRI * HTTP/2.0")) /* RFC 9113 §3.4 */
        set(refusal, 505, "these bytes are HTTP/2", version_advice);
    else
        set(refusal, 400,
            request_problem(request) != NULL ? request_problem(request)
                                             : "the request is malformed",
            NULL);
}

void handshake_explain(const struct request *request, enum request_result result,
                       uint32_t max_head_bytes, struct refusal *refusal)
{
    switch (result) {
    case REQUEST_TOO_LARGE:
        snprintf(refusal->composed, sizeof refusal->composed,
                 "the head is larger than %u bytes or has more than %d headers",
                 (unsigned)max_head_bytes, REQUEST_MAX_HEADERS);
        set(refusal, 431, refusal->composed,
            "a browser sends all cookies of the domain; they may be too large");
        break;
    case REQUEST_BAD_VERSION:
        set(refusal, 505, "the request is not HTTP/1.1", version_advice);
        break;
    default:
        explain_bad(request, refusal);
    }
}
