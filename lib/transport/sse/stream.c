/* stream.c: the life of an event stream: its beginning, and its end. */
#include "transport/sse/stream.h"

#include <string.h>

#include <openssl/rand.h>

#include "transport/http/error_response.h"
#include "transport/http/http_output.h"
#include "transport/shared/registration.h"
#include "transport/sse/form.h"
#include "transport/sse/post.h"
#include "transport/sse/stream_output.h"
#include "transport/sse/stream_timer.h"

/* How long a client waits before it connects again, unless a drain says otherwise. */
#define RETRY_LINE "retry: 3000\n"

/* --- the end --------------------------------------------------------------------------------- */

/* The core has released the connection. */
static void let_go(struct stream *stream)
{
    stream->registered = false;
    posts_drop(stream);
}

static void close_stream(struct connection *connection, uint16_t code, const char *reason,
                         size_t length)
{
    struct stream *stream = stream_of(connection);

    let_go(stream);
    if (stream->http->state != EXCHANGE_STREAM)
        return;
    /* A client that was too slow for its queue will not get the queue before the close either:
     * it reconnects and recovers. */
    if (stream->too_slow && !stream->http->head_unsent)
        http_drop_output(stream->http);
    stream_push_close(stream, code, reason, length);
}

static void free_if_unused(struct stream *stream)
{
    if (stream->http == NULL && stream->released)
        memory_free(stream_memory(stream), stream);
}

static void released(struct connection *connection)
{
    struct stream *stream = stream_of(connection);

    stream->released = true;
    free_if_unused(stream);
}

static const char *secret_of(const struct connection *connection)
{
    return ((const struct stream *)connection)->secret;
}

/* --- the request's uses ---------------------------------------------------------------------- */

/* The client has gone, or nothing more can be written. */
static void lose(struct stream *stream, uint16_t code)
{
    if (!stream->registered)
        return;
    let_go(stream);
    transport_gone(&stream->connection, code);
}

static void time_out(ws_http *http)
{
    counter_add(&http->loop->counters, COUNTER_timeouts, 1);
    http_abort(http);
    lose(http->used_by, WS_CLOSE_ABNORMAL);
}

static void expired(ws_http *http)
{
    struct stream *stream = http->used_by;

    if (http->state != EXCHANGE_STREAM || !stream_timer_expired(stream))
        time_out(http);
    else if (http_is_aborted(http))
        lose(stream, WS_CLOSE_ABNORMAL);
}

static void writable(ws_http *http)
{
    struct stream *stream = http->used_by;

    if (stream->registered)
        transport_writable(&stream->connection);
}

static int close_by_host(ws_http *http, uint16_t code, const char *reason)
{
    struct stream *stream = http->used_by;

    if (!stream->registered || stream->connection.state == CONNECTION_GONE)
        return WS_ERR_CLOSED;
    transport_end(&stream->connection, code, reason);
    return WS_OK;
}

static void gone(ws_http *http, uint16_t code)
{
    lose(http->used_by, code);
}

static void detach(ws_http *http)
{
    struct stream *stream = http->used_by;

    stream->http = NULL;
    free_if_unused(stream);
}

/* --- the beginning --------------------------------------------------------------------------- */

static const struct builtin_transport sse_transport = {
    .send = stream_send,
    .close = close_stream,
    .released = released,
    .secret = secret_of,
};

static ws_conn_id id_of(const ws_http *http)
{
    const struct stream *stream = http->used_by;

    return http->state == EXCHANGE_STREAM && stream->registered ? stream->connection.id : 0;
}

static const struct http_use stream_use = {
    .expired = expired,
    .writable = writable,
    .close = close_by_host,
    .id = id_of,
    .gone = gone,
    .detach = detach,
};

static bool draw_secret(char secret[STREAM_SECRET_SIZE])
{
    unsigned char bytes[STREAM_SECRET_BYTES];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        secret[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        secret[2 * i + 1] = "0123456789abcdef"[bytes[i] & 0xf];
    }
    secret[STREAM_SECRET_SIZE - 1] = '\0';
    return true;
}

static unsigned flags_for(const ws_http *http, const struct ws_handshake *handshake)
{
    bool gzip = http->endpoint->options.deflate && !handshake->declines_deflate &&
                request_header_lists(handshake->request, "Accept-Encoding", "gzip", true);

    return (http->framing == FRAMING_CHUNKS ? FORM_CHUNKED : 0) | (gzip ? FORM_GZIP : 0);
}

/* A cache keeps none of it, a proxy passes on each event at once and unchanged. */
static void add_fields(struct response *response, unsigned flags)
{
    response->status = 200;
    response_add(response, "Content-Type", "text/event-stream");
    response_add(response, "Cache-Control", "no-cache, no-transform");
    response_add(response, "X-Accel-Buffering", "no");
    response_add(response, "Vary", "Accept-Encoding");
    if ((flags & FORM_GZIP) != 0)
        response_add(response, "Content-Encoding", "gzip");
}

static struct stream *make_stream(ws_http *http, unsigned flags)
{
    struct stream *stream = memory_zalloc(http_memory(http), sizeof *stream);

    if (stream == NULL || !draw_secret(stream->secret)) {
        memory_free(http_memory(http), stream);
        return NULL;
    }
    stream->connection.loop = http->loop;
    stream->connection.transport = TRANSPORT_SSE;
    stream->http = http;
    stream->flags = flags & (FORM_SETS - 1);
    return stream;
}

/* Sends the head and the first line. */
static void begin(struct stream *stream, struct response *response)
{
    ws_http *http = stream->http;

    add_fields(response, stream->flags);
    response_stream(response, http);
    if (!http_is_aborted(http))
        stream_push_lines(stream, RETRY_LINE, strlen(RETRY_LINE), true);
    if (http_is_aborted(http))
        lose(stream, WS_CLOSE_ABNORMAL);
    else
        http_start_timer(http, 1);
}

const char *stream_last_event_id(const struct request *request)
{
    return request_header(request, "Last-Event-ID", 0);
}

void stream_open(ws_http *http, const struct ws_handshake *handshake, struct response *response)
{
    struct stream *stream = make_stream(http, flags_for(http, handshake));
    struct refusal refusal = {.status = 503, .reason = "out of memory"};
    int result = WS_ERR_NO_MEMORY;

    atomic_store_explicit(&http->loop->manager->builtin[TRANSPORT_SSE], &sse_transport,
                          memory_order_release);
    if (stream != NULL)
        result = registration_make(&stream->connection, http->endpoint, handshake, &refusal);
    if (result != WS_OK) {
        memory_free(http_memory(http), stream);
        http_refuse(http, response, &refusal, handshake->request);
        return;
    }
    stream->registered = true;
    http->use = &stream_use;
    http->used_by = stream;
    begin(stream, response);
}

void stream_describe(ws_http *http, const struct ws_handshake *handshake,
                     struct response *response)
{
    add_fields(response, flags_for(http, handshake));
    response_send(response, http, NULL, SIZE_MAX);
}
