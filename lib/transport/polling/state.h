/* state.h: the memory of a session of Engine.IO that HTTP requests carry: GET requests wait for its
 * packets, and POST requests bring those of its client.
 * Not here: the requests (ticket.h), its output (output.h), its end (life.h). */
#ifndef WS_TRANSPORT_POLLING_STATE_H
#define WS_TRANSPORT_POLLING_STATE_H

#include "transport/engineio/session.h"
#include "transport/engineio/session_table.h"
#include "transport/shared/endpoint.h"
#include "transport/shared/output_queue.h"

struct ticket;

/* The states, in order: a session never returns to an earlier one. */
enum polling_state {
    POLLING_OPEN,
    POLLING_ENDING, /* the ends of its sockets are posted */
    POLLING_CLOSED, /* the close packet is queued; a poll is awaited that takes it */
    POLLING_GONE    /* no request finds it; its memory is freed when `busy` is 0 */
};

/* While it is OPEN:
 *
 *  NONE ── ping_interval_ms are over ──▶ QUEUED ── a poll takes the queue ──▶ SENT
 *   ▲                                      │                                   │
 *   └───────────── a POST arrives ─────────┴───────────────────────────────────┘
 *
 * When pong_timeout_ms are over in QUEUED or SENT, the client is lost. */
enum polling_ping { POLLING_PING_NONE, POLLING_PING_QUEUED, POLLING_PING_SENT };

struct polling {
    struct session_node node; /* first; the session is this carrier's */
    ws_loop *loop;
    ws_endpoint *endpoint; /* one reference */
    struct output_queue queue;
    struct timer heartbeat;         /* of kind TIMER_POLLING, as the next one */
    struct timer later;             /* for what the next turn has to do */
    struct input input;             /* listed while a POST waits */
    struct ticket *poll;            /* the GET that waits; NULL: none */
    struct ticket *post;            /* the POST that is being processed; NULL: none */
    struct ticket *unread;          /* answered polls that may be unread, the newest first */
    struct client_count *client;    /* its place in the endpoint's counts; NULL: not counted */
    struct engineio_session *probe; /* the WebSocket's, to which it may move; NULL: none */
    /* When the ping was queued or sent; in NONE, when it is due: the low bits of the loop's time */
    uint32_t ping_ms;
    uint8_t state : 2;    /* enum polling_state */
    uint8_t ping : 2;     /* enum polling_ping */
    bool is_new : 1;      /* the first interval has not begun */
    bool too_slow : 1;    /* the last message was dropped because the queue was full */
    bool queue_high : 1;  /* as in ws_websocket */
    bool is_writable : 1; /* its queue is at the low mark: the application must be notified */
    bool is_doomed : 1;   /* the next turn ends it, because memory ran out */
    bool client_left : 1; /* it has closed the session, or broken the protocol */
    bool has_said_close : 1; /* by a close packet */
    bool is_probed : 1;      /* polls do not wait: the client wants to use its WebSocket */
    uint16_t busy;           /* depth of calls that use it and may call back */
};

static_assert(sizeof(struct polling) <= 200, "an idle session does not grow unnoticed");

static inline const ws_allocator *polling_memory(const struct polling *polling)
{
    return &polling->loop->manager->memory;
}

static inline const ws_endpoint_options *polling_options(const struct polling *polling)
{
    return &polling->endpoint->options;
}

static inline struct engineio_session *polling_session(const struct polling *polling)
{
    return polling->node.session;
}

/* Makes a session's carrier, which is not in the table; NULL if memory ran out. */
struct polling *polling_make(ws_loop *loop, ws_endpoint *endpoint);

/* Enters a later state. */
void polling_become(struct polling *polling, enum polling_state state);

/* Enclose what may call back. It may be freed by polling_leave(). */
void polling_enter(struct polling *polling);
void polling_leave(struct polling *polling);

/* Lets the next turn do what cannot be done now; wakes the loop for that. */
void polling_later(struct polling *polling);

/* Ends it in the next turn: memory ran out. */
void polling_doom(struct polling *polling);

/* Waits for the next ping, because the client is alive or its session has begun. */
void polling_await_ping(struct polling *polling);

/* The ping that is outstanding has not been answered in time. */
bool polling_is_lost(const struct polling *polling);

#endif
