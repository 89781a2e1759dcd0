/* loop.h: one event-loop thread: its epoll, its listener, its connections and its ws_loop.
 * What a connection does with its bytes is connection.h; the loop's turns are loop_run.h. */
#ifndef WS_SERVER_LOOP_H
#define WS_SERVER_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <ws_manager/ws_manager.h>

#include "server/connection/arrivals.h"
#include "server/connection/http_turns.h"
#include "server/connection/http_unread.h"
#include "server/parts/answers.h"
#include "server/parts/server_state.h"
#include "server/parts/timer.h"

enum {
    LOOP_RECEIVE_BYTES = 64 * 1024,
    LOOP_IOVECS = 512,
    LOOP_MOST_HTTP = WS_SERVER_HTTP_MAX, /* connections other than admitted WebSockets */
    LOOP_BODY_BYTES = 16 * 1024 * 1024,  /* of bodies being received */
    LOOP_HEAD_BYTES = 16 * 1024 * 1024,  /* of heads, until their requests are answered */
    LOOP_HEAD_BYTES_WAITING = LOOP_HEAD_BYTES / 2 /* above it, no further request waits */
};

struct connection;

/* What a connection's timer waits for. */
enum timeout {
    TIMEOUT_FRESH,     /* accepted, no byte yet; or no request since the handshake of TLS */
    TIMEOUT_HANDSHAKE, /* of TLS: it has begun */
    TIMEOUT_HEAD,      /* a request's head is coming in */
    TIMEOUT_BODY,      /* a request's body is coming in */
    TIMEOUT_IDLE,      /* between two requests */
    TIMEOUT_TURN,      /* a complete request waits for its turn; the client has done its part */
    TIMEOUT_WRITE,     /* the client does not read */
    TIMEOUT_READ,      /* nor does it read an answer of the library, which may be long */
    TIMEOUT_LINGER,    /* the client does not close */

    /* A WebSocket or a poll of Socket.IO whose client is not admitted yet. The library ends it
     * earlier. */
    TIMEOUT_UNADMITTED,

    N_TIMEOUTS
};

enum listener_kind { LISTENER_PUBLIC, LISTENER_ADMIN, N_LISTENERS };

struct listener {
    int fd; /* -1: none, or stopping */
    enum listener_kind kind;
};

struct loop {
    struct ws_server *server;
    uint32_t thread; /* from 0 on */
    int epoll;
    int wake; /* eventfd, edge-triggered, so never read */
    struct listener listeners[N_LISTENERS];
    int application; /* the application's descriptor, of one loop; else -1 */
    ws_loop *ws;
    const ws_loop *identity;  /* `ws`, for other threads, which only compare it */
    uint64_t now_ms;          /* monotonic, of this turn */
    uint64_t accept_again_ms; /* 0: accepting */
    uint64_t stop_ms;         /* when stopping was seen; 0: not yet */
    uint64_t resumed_ms;      /* when a poll, or a POST of a session, was answered last */
    bool run_again;           /* something was done after this turn's ws_loop_run() */
    struct connection *first; /* all connections, by their `next` */
    size_t n_connections;
    _Atomic size_t n_published; /* n_connections, for other threads */
    size_t n_websockets; /* of these, once admitted, and requests that the library answers */
    size_t body_bytes;   /* memory of requests' bodies */
    size_t head_bytes;   /* memory of requests' heads */
    struct http_blocked blocked;
    struct http_turns turns;
    struct arrivals arrivals;     /* connections from other loops */
    struct connection *departing; /* those that go to other loops at the turn's end */
    struct connection *dead;      /* freed at the turn's end: events may point to them */
    struct answers *answers;      /* that other threads give */
    struct timer_queue timeouts[N_TIMEOUTS];
    struct iovec iov[LOOP_IOVECS];
    char received[LOOP_RECEIVE_BYTES];
};

/* Makes the loop look at what has changed, such as `stopping`. Any thread. */
void loop_notify(struct loop *loop);

#endif
