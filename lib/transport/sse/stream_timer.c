/* stream_timer.c: the heartbeats of an event stream, and clients that take nothing. */
#include "transport/sse/stream_timer.h"

#include <string.h>

#include "transport/shared/shared_part.h"
#include "transport/sse/stream_output.h"

/* Sends a comment, so that neither a proxy nor the client takes the silence for a lost connection,
 * and the newest id, so that a client to which no event goes keeps its place in the history. */
static void send_heartbeat(struct stream *stream)
{
    char lines[EVENT_ID_SIZE + 16];
    char *to = lines;
    char id[EVENT_ID_SIZE];
    uint64_t position;

    if (transport_newest_id(&stream->connection, id, &position) &&
        position > stream->position) {
        stream->position = position;
        to = stpcpy(to, "id: ");
        to = stpcpy(to, id);
        to = stpcpy(to, "\n");
    }
    to = stpcpy(to, ":\n\n");
    stream_push_lines(stream, lines, (size_t)(to - lines), false);
}

static uint32_t rest(uint32_t duration_ms, uint32_t passed_ms)
{
    return passed_ms < duration_ms ? duration_ms - passed_ms : 0;
}

/* Starts the timer for what is due first: the next heartbeat, or the end of a client that takes
 * nothing. Queueing a message does not start it, so that a delivery costs no timer: the timer runs
 * anyway, for pong_timeout_ms at most, and finds out for how long the client has taken nothing. */
static void start_timer(struct stream *stream)
{
    ws_http *http = stream->http;
    const ws_endpoint_options *options = stream_options(stream);
    uint32_t now_ms = (uint32_t)http->loop->timers.now_ms;
    uint32_t after_ms = options->pong_timeout_ms;

    if (after_ms > 0 && output_queue_count(&http->queue) > 0)
        after_ms = rest(after_ms, now_ms - http->stuck_since_ms);
    if (options->ping_interval_ms > 0) {
        uint32_t heartbeat_after_ms =
            rest(options->ping_interval_ms, now_ms - stream->heartbeat_ms);

        if (options->pong_timeout_ms == 0 || heartbeat_after_ms < after_ms)
            after_ms = heartbeat_after_ms;
    }
    http_start_timer(http, after_ms);
}

static bool is_stuck(const struct stream *stream)
{
    const ws_http *http = stream->http;
    uint32_t timeout_ms = stream_options(stream)->pong_timeout_ms;

    return timeout_ms > 0 && output_queue_count(&http->queue) > 0 &&
           (uint32_t)http->loop->timers.now_ms - http->stuck_since_ms >= timeout_ms;
}

/* Notes when something happened, if it did since the loop's last run: the stream began, or the
 * client took something. The first heartbeat is due after half of the interval or more, as the
 * first ping of a WebSocket is. */
static void take_time(struct stream *stream)
{
    ws_http *http = stream->http;
    uint32_t now_ms = (uint32_t)http->loop->timers.now_ms;
    uint32_t interval_ms = stream_options(stream)->ping_interval_ms;

    if (http->progressed || !stream->timed)
        http->stuck_since_ms = now_ms;
    http->progressed = false;
    if (stream->timed)
        return;
    stream->timed = true;
    stream->heartbeat_ms =
        now_ms - interval_ms + shared_part_first_interval(http->loop, interval_ms);
}

/* Sends the heartbeat that is due. A client for which something waits gets none: those bytes will
 * end the silence. */
static void beat(struct stream *stream)
{
    ws_http *http = stream->http;
    uint32_t interval_ms = stream_options(stream)->ping_interval_ms;
    uint32_t now_ms = (uint32_t)http->loop->timers.now_ms;

    if (interval_ms == 0 || now_ms - stream->heartbeat_ms < interval_ms)
        return;
    stream->heartbeat_ms = now_ms;
    if (output_queue_count(&http->queue) == 0)
        send_heartbeat(stream);
}

bool stream_timer_expired(struct stream *stream)
{
    take_time(stream);
    if (is_stuck(stream))
        return false;
    beat(stream);
    if (!http_is_aborted(stream->http))
        start_timer(stream);
    return true;
}
