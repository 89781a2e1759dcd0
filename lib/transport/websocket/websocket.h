/* websocket.h: the state of one WebSocket connection, from its first byte to its last.
 * Not here: sockets (the host's) and what messages mean (core/clients/requests.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H
#define WS_TRANSPORT_WEBSOCKET_WEBSOCKET_H

#include <assert.h>
#include <stddef.h>

#include "core/transport/transport_side.h"
#include "transport/websocket/endpoint.h"
#include "transport/websocket/frame_reader.h"
#include "transport/websocket/output_queue.h"
#include "transport/websocket/request.h"

/* The answers to what the client sent take their place in the loop's inbox, and so does the end of a
 * connection, behind them: the middle three states last from the moment when the end is posted until
 * it is carried out. */
enum websocket_state {
    WEBSOCKET_HANDSHAKE,
    WEBSOCKET_OPEN,
    WEBSOCKET_FAILED,      /* the peer broke a rule: our close is to come, and the end */
    WEBSOCKET_PEER_CLOSED, /* the peer's close came: our answer is to come */
    WEBSOCKET_EOF,         /* the peer sends no more, and said no close: none is to come */
    WEBSOCKET_CLOSING,     /* our close frame is queued; the peer's is awaited */
    WEBSOCKET_CLOSED       /* nothing more is read; it has ended once the queue is written */
};

/* All that an idle connection costs in the transport and the core, its user and the places in its
 * rooms aside. What is only needed for a moment is borrowed. */
struct ws_websocket {
    struct connection connection; /* the core's part; its loop is set from the beginning */

    ws_endpoint *endpoint; /* one reference */
    void *user_data;
    struct output_queue queue;
    struct output_node output;
    uint32_t flood_place;    /* in the loop's table (floods.h) */
    uint8_t state : 5;       /* enum websocket_state */
    bool eof : 1;            /* the client sends no more */
    bool paused : 1;         /* the host was told to stop reading */
    bool resumed : 1;        /* and is to be told that it may go on */
    uint8_t busy;            /* depth of calls that use it and may call back */
    bool ping_proceeded : 1; /* some of those were, since the timer was started */
    bool has_request : 1;
    bool registered : 1;     /* with the manager, which has not let go of it */
    bool head_unsent : 1;    /* the answer to the handshake is first in the queue */
    bool too_slow : 1;       /* a message was dropped because of what is queued */
    bool awaiting_pong : 1;  /* a ping is on its way and nothing was heard since */
    bool queue_high : 1;     /* the application was told so */
    bool blocked : 1;        /* the socket is full, the host waits for it to be writable */
    bool aborted : 1;        /* nothing is to be written any more */
    bool freed : 1;          /* by the host; what it holds goes when `busy` is over */
    bool emptied : 1;        /* the memory follows when no list and no command has it */
    bool released : 1;       /* the core has no use for the memory */
    uint8_t window_bits : 4; /* of what the client can inflate; 0: nothing was agreed on */

    union {
        struct request *request;     /* has_request: a head is coming in */
        struct frame_reader *reader; /* while a frame or message is unfinished */
    };
    /* Its `owners`: messages to be written up to and with a ping behind others; or 0. */
    struct timer timer;
};

static_assert(sizeof(ws_websocket) <= 168, "an idle WebSocket does not grow unnoticed");
static_assert(offsetof(ws_websocket, request) - offsetof(struct connection, loop) <= 64,
              "what a delivery touches is as long as a cache line");

/* Around whatever may call back, so that the host can free the websocket there.
 * websocket_leave() returns WS_ERR_CLOSED if it has ended or was freed. */
void websocket_enter(ws_websocket *websocket);
int websocket_leave(ws_websocket *websocket);

/* Whether so much waits for the client, or something for it and too much for all of the loop's
 * clients, that nothing more is queued that can be left out. */
bool websocket_is_full(const ws_websocket *websocket);

/* Queues bytes of ours, whole frames or an HTTP answer; when memory runs out the connection is
 * aborted. */
void websocket_push(ws_websocket *websocket, const void *bytes, size_t length);

/* Queues a close frame (code 1005: an empty one) and goes to a state. */
void websocket_push_close(ws_websocket *websocket, uint16_t code, const char *reason,
                          size_t length, enum websocket_state state);

/* Posts the end of an open connection: state is one of the middle three; `code` and `reason` are
 * what on_disconnect gets, and our close frame if one is to come. */
void websocket_finish(ws_websocket *websocket, uint16_t code, const char *reason, size_t length,
                      enum websocket_state state);

/* Nothing more is read or queued: it has ended when the queue is written, and the host is to look
 * at it. */
void websocket_close_for_good(ws_websocket *websocket);

/* Ends it without another byte; the host is told by the output list. */
void websocket_abort(ws_websocket *websocket);

/* Starts the timer that the state wants. */
void websocket_start_timer(ws_websocket *websocket);

/* How the manager reaches it. */
extern const struct inner_transport websocket_transport;

#endif
