/* stream_state.h: the memory of an event stream: a connection of the manager whose messages are the
 * response to a GET request. Not here: its life (stream.h), its output (stream_output.h), the form
 * of the messages (form.h) and what the client sends (post.h). */
#ifndef WS_TRANSPORT_SSE_STREAM_STATE_H
#define WS_TRANSPORT_SSE_STREAM_STATE_H

#include "transport/http/http.h"

struct post_queue;

enum { STREAM_SECRET_BYTES = 16, STREAM_SECRET_SIZE = 2 * STREAM_SECRET_BYTES + 1 };

struct stream {
    struct connection connection; /* the core's part; first */

    /* What a delivery touches, beside the end of the core's part: */
    ws_http *http;       /* NULL: its memory is gone */
    uint64_t position;   /* of the newest id that the client was sent */
    uint8_t flags : 2;   /* enum form_flags */
    bool registered : 1; /* the core has the connection and calls the transport */
    bool released : 1;   /* the core no longer uses the memory */
    bool too_slow : 1;   /* the last message was dropped because the queue was full */
    bool timed : 1;      /* its timer has expired once: heartbeat_ms is known */

    uint32_t heartbeat_ms;    /* when the last one was due: the low bits of the loop's time */
    struct input input;       /* listed while posts wait */
    struct post_queue *posts; /* what waits to be processed (post.h); NULL: nothing */
    char secret[STREAM_SECRET_SIZE]; /* of the session's id: no other client knows it */
};

static_assert(offsetof(struct stream, heartbeat_ms) - offsetof(struct connection, loop) <= 64,
              "what a delivery touches is as long as a cache line");
static_assert(sizeof(struct stream) <= 208, "an idle stream does not grow unnoticed");

static inline struct stream *stream_of_input(struct input *input)
{
    return (struct stream *)(uintptr_t)((char *)input - offsetof(struct stream, input));
}

/* The stream of a connection of TRANSPORT_SSE. */
static inline struct stream *stream_of(struct connection *connection)
{
    return (struct stream *)connection;
}

static inline const ws_endpoint_options *stream_options(const struct stream *stream)
{
    return &stream->http->endpoint->options;
}

static inline const ws_allocator *stream_memory(const struct stream *stream)
{
    return &stream->connection.loop->manager->memory;
}

#endif
