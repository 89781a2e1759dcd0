/* stream_output.c: what an event stream sends: messages, lines of its own, and its last event. */
#include "transport/sse/stream_output.h"

#include <string.h>

#include "base/digits.h"
#include "transport/http/http_output.h"
#include "transport/shared/queue_limit.h"
#include "transport/shared/shared_part.h"
#include "transport/sse/form.h"

void stream_push_lines(struct stream *stream, const char *lines, size_t length, bool is_first)
{
    http_push_own(stream->http,
                  form_of_lines(stream_memory(stream), lines, length, stream->flags, is_first));
}

static bool is_too_slow(const struct stream *stream, const struct frames *form)
{
    const struct output_queue *queue = &stream->http->queue;

    return queue_limit_is_exceeded(stream->connection.loop, stream_options(stream), queue,
                                   output_queue_bytes(queue) + form->before_last);
}

static int push_within_limit(struct stream *stream, struct frames *form)
{
    ws_http *http = stream->http;

    stream->too_slow = is_too_slow(stream, form);
    if (stream->too_slow)
        return WS_ERR_DROPPED;
    if (!http_push(http, form))
        return WS_ERR_NO_MEMORY;
    if (output_queue_bytes(&http->queue) <= stream_options(stream)->queue_high_bytes)
        return WS_OK;
    if (!http->queue_high) {
        http->queue_high = true;
        transport_filled(&stream->connection);
    }
    return WS_ERR_BACKPRESSURE;
}

/* Not inlined, as the next function, so that stream_send() saves no registers for them. */
__attribute__((noinline)) static int refuse_binary(const struct stream *stream)
{
    ws_loop *loop = stream->connection.loop;
    uint32_t n_left_out;

    if (log_limit_take(&shared_part_of(loop)->logged_binaries, loop->timers.now_ms,
                       &n_left_out))
        manager_log(loop->manager, WS_LOG_WARN,
                    "a binary message cannot be sent as a server-sent event; it is dropped");
    return WS_ERR_INVALID;
}

/* Sends a form that has references of its own. */
__attribute__((noinline)) static int send_own_form(struct stream *stream, ws_message *message,
                                                   struct frames *form)
{
    int result;

    frames_ref_n(form, 1);
    result = push_within_limit(stream, form);
    frames_unref(result == WS_OK || result == WS_ERR_BACKPRESSURE ? &message->frames : form);
    return result;
}

int stream_send(struct connection *connection, ws_message *message)
{
    struct stream *stream = stream_of(connection);
    struct frames *form;

    if (!message->is_text && message->frames.n_frames == 1)
        return refuse_binary(stream);
    form = form_of_message(connection->loop, message, stream->flags, stream_options(stream));
    if (form == NULL)
        return WS_ERR_NO_MEMORY;
    if (message->has_id)
        stream->position = message->position;
    return frames_hold(&message->frames, form) ? push_within_limit(stream, form)
                                               : send_own_form(stream, message, form);
}

static void add_close(struct buffer *buffer, const ws_loop *loop, uint16_t code,
                      const char *reason, size_t length)
{
    uint32_t retry_ms = transport_retry_ms(loop);

    if (retry_ms > 0) {
        buffer_add_text(buffer, "retry: ");
        buffer_add_number(buffer, retry_ms);
        buffer_add_text(buffer, "\n");
    }
    buffer_add_text(buffer, "event: close\ndata: {\"code\":");
    buffer_add_number(buffer, code);
    buffer_add_text(buffer, ",\"reason\":");
    buffer_add_json_string(buffer, length > 0 ? reason : "", length);
    buffer_add_text(buffer, "}\n\n");
}

void stream_push_close(struct stream *stream, uint16_t code, const char *reason, size_t length)
{
    ws_http *http = stream->http;
    struct buffer buffer;

    buffer_init(&buffer, stream_memory(stream));
    add_close(&buffer, stream->connection.loop, code, reason, length);
    if (buffer.failed)
        http_abort(http);
    else
        stream_push_lines(stream, buffer.data, buffer.length, false);
    buffer_free(&buffer);
    if ((stream->flags & FORM_CHUNKED) != 0 && !http_is_aborted(http))
        http_push_own(http, frames_new_own(stream_memory(stream), FORM_LAST_CHUNK,
                                           strlen(FORM_LAST_CHUNK)));
    if (http_is_aborted(http))
        return;
    http_become(http, EXCHANGE_COMPLETE);
    http_start_timer(http, stream_options(stream)->close_timeout_ms);
}
