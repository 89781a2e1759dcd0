/* websocket.h: one WebSocket connection, from its first byte to its last: its states and its
 * memory.
 * Not here: creation (websocket_new.h), the handshake (handshake_input.h), input
 * (receive.c, input.h), output (output.h), the end (closing.h), timers (deadlines.c,
 * timers.h), sockets (the host's), and the meaning of messages (the core's). */
#ifndef WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H
#define WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H

#include <assert.h>
#include <stddef.h>

#include "core/transport/transport_side.h"
#include "transport/engineio/session.h"
#include "transport/shared/endpoint.h"
#include "transport/shared/output_queue.h"
#include "transport/shared/request.h"
#include "transport/websocket/frame_reader.h"

/* The states, in order: a connection never returns to an earlier one.
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
 *  HANDSHAKE    HEAD         the first bytes arrived, or a request that the host has parsed
 *  HEAD         JUDGED       the head is complete or invalid, or took too long
 *  JUDGED       OPEN         the application accepted it, and it is registered with the manager
 *  JUDGED       CLOSED       refused with an HTTP answer
 *  JUDGED       CLOSING      refused with a close code
 *  OPEN         FAILED       the peer violated the protocol; the end is posted
 *  OPEN         PEER_CLOSED  the peer's close arrived; the end is posted
 *  OPEN         EOF          the peer sends no more and sent no close; the end is posted
 *  FAILED       EOF          the peer sends no more
 *  FAILED       CLOSED       the end is executed: our close is queued
 *  PEER_CLOSED  CLOSED       the end is executed: our answer is queued
 *  EOF          CLOSED       the end is executed: no close is sent
 *  OPEN         CLOSING      the application, a drain or the core ends it: our close is queued
 *  CLOSING      CLOSED       the peer's close, a protocol violation, or end of input
 *  any          ABORTED      a time-out; out of memory; the host or the peer ended it before OPEN
 *  any          FREED        the host freed it
 *  FREED        EMPTIED      no call uses it
 *
 * The answers to the client's messages are posted to the loop's inbox, and so is the end of an
 * open connection, after them: FAILED, PEER_CLOSED and EOF last from the moment when the end is
 * posted until it is executed. */
enum websocket_state {
    WEBSOCKET_HANDSHAKE,
    WEBSOCKET_HEAD,   /* the head is arriving, in `request` */
    WEBSOCKET_JUDGED, /* within the call that answers the request */
    WEBSOCKET_OPEN,
    WEBSOCKET_FAILED,
    WEBSOCKET_PEER_CLOSED,
    WEBSOCKET_EOF,
    WEBSOCKET_CLOSING, /* the peer's close frame is awaited */
    WEBSOCKET_CLOSED,  /* nothing more is read; ends when the queue is written */
    WEBSOCKET_ABORTED, /* ended: nothing more is written */
    WEBSOCKET_FREED,   /* its content is freed when `busy` is 0 */
    WEBSOCKET_EMPTIED  /* its memory is freed when no list and no command refers to it */
};

/* Whether the host may read:
 *
 *  ON ──── buffer is full ────▶ PAUSED ──── it was processed ──────▶ RESUMED
 *   ▲                            │  ▲                                │  │
 *   ├── the host read anyway, and it fits                            │  │
 *   │                               └──────── buffer is full ────────┘  │
 *   └───────────────── ws_loop_next_output() returns it ────────────────┘ */
enum websocket_reading { READING_ON, READING_PAUSED, READING_RESUMED };

/* While it is OPEN:
 *
 *  NONE ── ping_interval_ms are over ──▶ SENT ── bytes ahead of it are written ──▶ PROCEEDS
 *   ▲                                    │  ▲                                      │  │
 *   │                                    │  └───────── pong_timeout_ms are over ───┘  │
 *   └──────────── any byte arrives ──────┴────────────────────────────────────────────┘
 *
 * When pong_timeout_ms are over in SENT, the connection is aborted, unless reading is paused and
 * the client does not have to read first. */
enum websocket_ping { PING_NONE, PING_SENT, PING_PROCEEDS };

/* The memory of an idle connection in the transport and the core, apart from its user and its
 * places in rooms. What is needed only for a moment is borrowed. */
struct ws_websocket {
    union {
        struct connection connection; /* the core's part; `loop` is set from the beginning */

        /* With WS_PROTOCOL_SOCKETIO the WebSocket is not a connection of the core itself, its
         * sockets are. Of `connection` only `loop` is used then. */
        struct {
            ws_conn_id no_id; /* 0 */
            struct engineio_session *session;
        };
    };

    ws_endpoint *endpoint; /* one reference */
    void *user_data;
    struct output_queue queue;
    struct output_node output;
    uint32_t flood_place; /* in the loop's table (floods.h) */
    uint8_t state : 4;    /* enum websocket_state; changed by websocket_become() alone */
    uint8_t reading : 2;  /* enum websocket_reading */
    uint8_t ping : 2;     /* enum websocket_ping */
    uint8_t busy;         /* depth of calls that use it and may call back */

    /* The host has reported that the client sends no more. Earlier bytes are still processed,
     * so the state changes later; no bytes are added. */
    bool eof : 1;
    /* The core has the connection and calls the transport: from before OPEN until
     * builtin_transport's close, or until transport_gone() if the connection is aborted or freed
     * before that. */
    bool registered : 1;
    /* The core no longer uses the memory: set once, after `registered` has ended, before or
     * after the host's ws_websocket_free(). */
    bool released : 1;
    /* The answer to the handshake is first in the queue and not completely written: set with
     * OPEN or CLOSING. */
    bool head_unsent : 1;
    /* The last message was dropped because the queue was full. */
    bool too_slow : 1;
    /* The queue has exceeded its high mark, of which the application was notified, and was not
     * at its low mark since. */
    bool queue_high : 1;
    /* The socket is full: not all that was offered was written, and the host has not asked for
     * output since. Until then output is not listed. */
    bool blocked : 1;
    uint8_t window_bits : 4; /* window of what the client can inflate; 0: not compressed */

    union {
        struct request *request;     /* in the state HEAD */
        struct frame_reader *reader; /* otherwise: while a frame or message is unfinished */
    };
    /* `owners`: messages to be written up to and including a ping that is behind others; or
     * 0. */
    struct timer timer;
};

static_assert(offsetof(ws_websocket, session) == offsetof(struct connection, user_data),
              "a session takes the place of the application's pointer alone");
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

/* The session that the websocket carries; NULL if it carries none. */
static inline struct engineio_session *websocket_session(const ws_websocket *websocket)
{
    return websocket->endpoint->options.protocol >= WS_PROTOCOL_SOCKETIO ? websocket->session
                                                                         : NULL;
}

/* Whether it probes another session (engineio/upgrade.h). */
static inline bool websocket_is_probe(const ws_websocket *websocket)
{
    const struct engineio_session *session = websocket_session(websocket);

    return session != NULL && session->probe != PROBE_NONE;
}

static inline void websocket_set_session(ws_websocket *websocket,
                                         struct engineio_session *session)
{
    websocket->session = session;
}

/* Whether further messages must wait for a command in the inbox, or until the client has read. */
static inline bool websocket_must_wait(const ws_websocket *websocket)
{
    const struct engineio_session *session = websocket_session(websocket);

    return session != NULL ? engineio_session_must_wait(session, 0)
                           : connection_must_wait(&websocket->connection);
}

/* Whether frames are read. */
static inline bool websocket_is_reading(const ws_websocket *websocket)
{
    return websocket->state == WEBSOCKET_OPEN || websocket->state == WEBSOCKET_CLOSING;
}

/* Whether nothing more may be written. */
static inline bool websocket_is_aborted(const ws_websocket *websocket)
{
    return websocket->state >= WEBSOCKET_ABORTED;
}

/* Enters a later state. A request that is arriving is freed. */
void websocket_become(ws_websocket *websocket, enum websocket_state state);

/* Changes from HEAD to JUDGED; the caller takes over the request. */
struct request *websocket_take_request(ws_websocket *websocket);

/* Enclose everything that may call back, so that the host can free the websocket there.
 * websocket_leave() returns WS_ERR_CLOSED if the websocket has ended or was freed. */
void websocket_enter(ws_websocket *websocket);
int websocket_leave(ws_websocket *websocket);

/* Ends the connection without writing another byte; the host learns of it from the output
 * list. */
void websocket_abort(ws_websocket *websocket);

/* Starts the timer for the deadline of the current state (deadlines.c). */
void websocket_start_timer(ws_websocket *websocket);

/* Starts the timer for the first ping of an OPEN websocket, after half of the interval to the whole
 * of it, so that connections that were opened together are not all pinged in one turn. */
void websocket_start_first_interval(ws_websocket *websocket);

/* Removes the connection from the core, if it is registered, which calls on_disconnect. */
void websocket_unregister(ws_websocket *websocket);

/* builtin_transport's `released`. */
void websocket_released(struct connection *connection);

/* Frees an EMPTIED websocket if nothing refers to it; called when it leaves the output list. */
void websocket_free_if_unused(ws_websocket *websocket);

#endif
