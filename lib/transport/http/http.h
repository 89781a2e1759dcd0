/* http.h: one HTTP request and its response: states and memory.
 * Not here: the response's head (response.h) and output (http_output.h), the host's calls with the
 * request's body (http_input.c), and what a request is for (struct http_use). */
#ifndef WS_TRANSPORT_HTTP_HTTP_H
#define WS_TRANSPORT_HTTP_HTTP_H

#include <assert.h>
#include <stddef.h>

#include <ws_manager/http.h>

#include "core/transport/transport_side.h"
#include "transport/shared/endpoint.h"
#include "transport/shared/output_queue.h"

struct response_head;

/* What a request is for; called on the loop's thread, with http_enter() in effect. */
struct http_use {
    /* A part of the request's body; NULL: the body is ignored. */
    void (*body)(ws_http *http, const void *data, size_t length);

    /* The request is complete; NULL: nothing is done then. */
    void (*body_ended)(ws_http *http);

    /* http->timer has expired. */
    void (*expired)(ws_http *http);

    /* The request is listed for output, and has no response yet: it may get one now. It must not
     * call the application. NULL: it gets its response elsewhere. */
    void (*fill)(ws_http *http);

    /* The queue is at its low mark, after it was above the high one; NULL: nothing is
     * done then. */
    void (*writable)(ws_http *http);

    /* The whole response is written; it must not call the application. NULL: nothing is done
     * then. */
    void (*written)(ws_http *http);

    /* The host ends a stream: ws_http_close(). NULL: there is no stream. */
    int (*close)(ws_http *http, uint16_t code, const char *reason);

    /* The id of the connection that the request serves, 0 if there is none; NULL: never. */
    ws_conn_id (*id)(const ws_http *http);

    /* The client has gone (ws_http_eof()), or the host has freed the request: nothing more is
     * written. `code` is for on_disconnect. May be called again. */
    void (*gone)(ws_http *http, uint16_t code);

    /* The request's memory is about to be freed. */
    void (*detach)(ws_http *http);

    /* When the client sends no more, it has gone, even if it has no response yet. */
    bool ends_at_eof;
};

/* The states, in order: a request never returns to an earlier one. */
enum exchange_state {
    EXCHANGE_REQUEST,  /* no response yet */
    EXCHANGE_STREAM,   /* the head of the response is queued; more follows */
    EXCHANGE_COMPLETE, /* the whole response is queued; ends when it is written */
    EXCHANGE_ABORTED,  /* ended: nothing more is written */
    EXCHANGE_FREED,    /* by the host; its content is freed when `busy` is 0 */
    EXCHANGE_EMPTIED   /* its memory is freed when it is no longer listed */
};

/* What writes the head of the response, and what ends the body of a stream (RFC 9112 §6.3). */
enum exchange_framing {
    FRAMING_CONNECTION, /* the library; the end of the connection: HTTP/1.0 */
    FRAMING_CHUNKS,     /* the library; the last chunk: HTTP/1.1 */
    FRAMING_HOST        /* the host (`body_only`), in its own way */
};

struct ws_http {
    /* What a delivery to a stream touches, as long as a cache line: */
    ws_loop *loop;
    ws_endpoint *endpoint; /* one reference */
    void *user_data;
    const struct http_use *use; /* NULL: answered */
    struct output_queue queue;
    struct output_node output;
    uint8_t state : 3;    /* enum exchange_state; changed by http_become() alone */
    uint8_t framing : 2;  /* enum exchange_framing */
    bool is_head : 1;     /* the method is HEAD: the response has no body */
    bool body_ended : 1;  /* ws_http_end() was called */
    bool keeps_alive : 1; /* the socket may be used again after a complete response */
    bool blocked : 1;     /* the socket is full, as in ws_websocket */
    bool head_unsent : 1; /* the first entry of the queue is not completely written */
    bool queue_high : 1;  /* the queue has exceeded its high mark */
    bool progressed : 1;  /* the client took bytes of a stream, and use->expired() is due */
    uint8_t busy;         /* depth of calls that use it and may call back */

    /* Since when something waits and the client has taken none of it, as the low bits of the
     * loop's time; only while the queue is not empty. */
    uint32_t stuck_since_ms;

    void *used_by; /* of `use` */
    struct timer timer;
    struct response_head *head; /* with FRAMING_HOST, once it is known */
};

static_assert(offsetof(ws_http, used_by) <= 64, "what a delivery touches is a cache line");
static_assert(sizeof(ws_http) <= 128, "an idle stream does not grow unnoticed");

static inline const ws_allocator *http_memory(const ws_http *http)
{
    return &http->loop->manager->memory;
}

static inline ws_http *http_of_output(struct output_node *node)
{
    return (ws_http *)(uintptr_t)((char *)node - offsetof(ws_http, output));
}

/* Whether nothing more may be written. */
static inline bool http_is_aborted(const ws_http *http)
{
    return http->state >= EXCHANGE_ABORTED;
}

/* Makes a request without a use; NULL if memory ran out. */
ws_http *http_make(ws_loop *loop, ws_endpoint *endpoint, void *user_data);

/* Enters a later state. */
void http_become(ws_http *http, enum exchange_state state);

/* Enclose everything that may call back, so that the host can free the request there.
 * http_leave() returns WS_ERR_CLOSED if the response has ended or the request was freed. */
void http_enter(ws_http *http);
int http_leave(ws_http *http);

/* Ends it without writing another byte; the host learns of it from the output list. */
void http_abort(ws_http *http);

/* Starts the timer; 0: stops it. */
void http_start_timer(ws_http *http, uint32_t after_ms);

/* Frees an EMPTIED request if it is not listed; called when it leaves the output list. */
void http_free_if_unused(ws_http *http);

#endif
