/* websocket.h: one WebSocket connection, from its first byte to its last: its states, its memory.
 * Not here: its making (websocket_new.h), what comes in (receive.c, input.h), what goes out (output.h),
 * its end (closing.h), its timers (timers.h); sockets, which are the host's; what messages mean, which
 * the core knows. */
#ifndef WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H
#define WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H

#include <assert.h>
#include <stddef.h>

#include "core/transport/transport_side.h"
#include "transport/websocket/endpoint.h"
#include "transport/websocket/frame_reader.h"
#include "transport/websocket/output_queue.h"
#include "transport/websocket/request.h"

/* The states are in this order: a connection never goes back to an earlier one.
 *
 *  HANDSHAKE ──▶ HEAD ──▶ JUDGED ──▶ OPEN ──┬───────────┬──────────────┐
 *                          │  │             ▼           ▼              │
 *                          │  │          FAILED ──▶ EOF PEER_CLOSED    ▼
 *                          │  └─────────────┼────────┼──────┼───────▶ CLOSING
 *                          ▼                ▼        ▼      ▼          │
 *                        CLOSED ◀───────────┴────────┴──────┴──────────┘
 *
 *  each of these ──▶ ABORTED ──▶ FREED ──▶ EMPTIED
 *
 *  HANDSHAKE    HEAD         the first bytes came, or a request that the host has parsed
 *  HEAD         JUDGED       the head is complete, or can't be, or took too long
 *  JUDGED       OPEN         the application accepted it, and it is registered with the manager
 *  JUDGED       CLOSED       it is refused by an HTTP answer
 *  JUDGED       CLOSING      it is refused by a close code
 *  OPEN         FAILED       the peer broke a rule; the end is posted
 *  OPEN         PEER_CLOSED  the peer's close came; the end is posted
 *  OPEN         EOF          the peer sends no more, and said no close; the end is posted
 *  FAILED       EOF          the peer sends no more
 *  FAILED       CLOSED       the end is carried out: our close is queued
 *  PEER_CLOSED  CLOSED       the end is carried out: our answer is queued
 *  EOF          CLOSED       the end is carried out: no close is to come
 *  OPEN         CLOSING      the application, a drain or the core ends it: our close is queued
 *  CLOSING      CLOSED       the peer's close came, or it broke a rule, or sends no more
 *  any          ABORTED      a time-out; out of memory; the host or the peer ended it before OPEN
 *  any          FREED        the host freed it
 *  FREED        EMPTIED      no call uses it any more
 *
 * The answers to what the client sent take their place in the loop's inbox, and so does the end of an
 * open connection, behind them: FAILED, PEER_CLOSED and EOF last from the moment when the end is
 * posted until it is carried out. */
enum websocket_state {
    WEBSOCKET_HANDSHAKE,
    WEBSOCKET_HEAD,   /* `request` holds what came of it */
    WEBSOCKET_JUDGED, /* within the call that answers it */
    WEBSOCKET_OPEN,
    WEBSOCKET_FAILED,
    WEBSOCKET_PEER_CLOSED,
    WEBSOCKET_EOF,
    WEBSOCKET_CLOSING, /* the peer's close is awaited */
    WEBSOCKET_CLOSED,  /* nothing more is read; it has ended once the queue is written */
    WEBSOCKET_ABORTED, /* it has ended: nothing more is written */
    WEBSOCKET_FREED,   /* what it holds goes when `busy` is 0 */
    WEBSOCKET_EMPTIED  /* its memory goes when no list and no command has it */
};

/* Whether the host may read:
 *
 *  ON ──── too much waits ────▶ PAUSED ──── it was carried out ────▶ RESUMED
 *   ▲                            │  ▲                                │  │
 *   ├── the host read all the same, and it fits                      │  │
 *   │                               └──────── too much waits ────────┘  │
 *   └───────────────── ws_loop_next_output() names it ──────────────────┘ */
enum websocket_reading { READING_ON, READING_PAUSED, READING_RESUMED };

/* While it is OPEN:
 *
 *  NONE ── ping_interval_ms are over ──▶ SENT ── bytes ahead of it are written ──▶ PROCEEDS
 *   ▲                                    │  ▲                                      │  │
 *   │                                    │  └───────── pong_timeout_ms are over ───┘  │
 *   └──────────── anything is heard ─────┴────────────────────────────────────────────┘
 *
 * SENT when pong_timeout_ms are over: the peer has vanished, unless the host may not read. */
enum websocket_ping { PING_NONE, PING_SENT, PING_PROCEEDS };

/* All that an idle connection costs in the transport and the core, its user and the places in its
 * rooms aside. What is only needed for a moment is borrowed. */
struct ws_websocket {
    struct connection connection; /* the core's part; its loop is set from the beginning */

    ws_endpoint *endpoint; /* one reference */
    void *user_data;
    struct output_queue queue;
    struct output_node output;
    uint32_t flood_place; /* in the loop's table (floods.h) */
    uint8_t state : 4;    /* enum websocket_state; changed by websocket_become() alone */
    uint8_t reading : 2;  /* enum websocket_reading */
    uint8_t ping : 2;     /* enum websocket_ping */
    uint8_t busy;         /* depth of calls that use it and may call back */

    /* The host said that the client sends no more. What came before is still carried out, so the
     * state changes later; nothing is added to it. */
    bool eof : 1;
    /* The core has the connection and calls the transport: from before OPEN until inner_transport's
     * close, or transport_gone() when the connection is aborted or freed before that. */
    bool registered : 1;
    /* The core has no use for the memory any more: set once, after `registered` has ended, before or
     * after the host's ws_websocket_free(). */
    bool released : 1;
    /* Nothing of the queue was written whole yet, and the answer to the handshake is first in it:
     * set with OPEN or CLOSING. */
    bool head_unsent : 1;
    /* The last message was dropped because of what is queued. */
    bool too_slow : 1;
    /* The queue went above its high mark, which the application was told, and was not at its low mark
     * since. */
    bool queue_high : 1;
    /* The socket is full: not all that was offered was written, and the host has not asked for output
     * since. Meanwhile output is not listed. */
    bool blocked : 1;
    uint8_t window_bits : 4; /* of what the client can inflate; 0: nothing was agreed on */

    union {
        struct request *request;     /* in the state HEAD */
        struct frame_reader *reader; /* in the others: while a frame or message is unfinished */
    };
    /* Its `owners`: messages to be written up to and with a ping behind others; or 0. */
    struct timer timer;
};

static_assert(sizeof(ws_websocket) <= 168, "an idle WebSocket does not grow unnoticed");
static_assert(offsetof(ws_websocket, request) - offsetof(struct connection, loop) <= 64,
              "what a delivery touches is as long as a cache line");

static inline ws_loop *websocket_loop(const ws_websocket *websocket)
{
    return websocket->connection.loop;
}

static inline const ws_allocator *websocket_memory(const ws_websocket *websocket)
{
    return &websocket->connection.loop->manager->memory;
}

static inline ws_websocket *websocket_of_output(struct output_node *node)
{
    return (ws_websocket *)(uintptr_t)((char *)node - offsetof(ws_websocket, output));
}

/* Whether frames are read. */
static inline bool websocket_is_reading(const ws_websocket *websocket)
{
    return websocket->state == WEBSOCKET_OPEN || websocket->state == WEBSOCKET_CLOSING;
}

/* Whether nothing is to be written any more. */
static inline bool websocket_is_aborted(const ws_websocket *websocket)
{
    return websocket->state >= WEBSOCKET_ABORTED;
}

/* Goes to a later state. A request that was coming in is freed. */
void websocket_become(ws_websocket *websocket, enum websocket_state state);

/* Goes from HEAD to JUDGED; the request is the caller's. */
struct request *websocket_take_request(ws_websocket *websocket);

/* Around whatever may call back, so that the host can free the websocket there.
 * websocket_leave() returns WS_ERR_CLOSED if it has ended or was freed. */
void websocket_enter(ws_websocket *websocket);
int websocket_leave(ws_websocket *websocket);

/* Ends it without another byte; the host is told by the output list. */
void websocket_abort(ws_websocket *websocket);

/* Starts the timer that the state wants. */
void websocket_start_timer(ws_websocket *websocket);

/* The core lets go of it, and on_disconnect is called, if it is registered. */
void websocket_unregister(ws_websocket *websocket);

/* inner_transport's `released`. */
void websocket_released(struct connection *connection);

/* Frees the memory of one that is EMPTIED if nothing has it: to be called when it leaves the list of
 * output. */
void websocket_free_if_unused(ws_websocket *websocket);

#endif
