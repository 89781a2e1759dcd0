/* state.h: the state of the connections of an event-loop thread, and of the thread's loop. Not
 * here: what is done with it (the other files of this folder, and loop_run.h). */
#ifndef WS_SERVER_CONNECTION_STATE_H
#define WS_SERVER_CONNECTION_STATE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <ws_manager/ws_manager.h>

#include "server/parts/answers.h"
#include "server/parts/buffer.h"
#include "server/parts/http_request.h"
#include "server/parts/request.h"
#include "server/parts/server_state.h"
#include "server/parts/stream.h"
#include "server/parts/timer.h"

struct connection;

/* --- parts of both (http_turns.h, http_unread.h, arrivals.h) --------------------------------- */

/* Connections, the one that has waited longest first. */
struct http_queue {
    struct connection *first;
    struct connection *last;
    size_t count;
};

/* A member of struct http_exchange. All zero: not waiting. */
struct http_place {
    struct http_queue *queue; /* that it waits in; NULL: none */
    struct connection *next;
    struct connection *previous;
};

struct http_turns {
    struct http_queue light; /* took at most their share in their last turn */
    struct http_queue heavy; /* took more, or a costly request waits: one or more per turn */
    struct http_queue handshakes; /* wait to begin the handshake of TLS */
    struct http_queue later;      /* wait for an answer that is being made */
    size_t left;                  /* what is left of HTTP_TURN_COST */
};

/* A member of struct http_exchange. All zero: the client has read everything. */
struct http_unread {
    bool is_blocked; /* the socket takes no more, and the connection is listed */
    struct connection *next;
    struct connection *previous;
    size_t bytes;   /* this connection's part of the loop's sum */
    size_t written; /* bytes that the socket took since the timer was set */
};

/* Blocked connections, the one that has not read for longest first. */
struct http_blocked {
    struct connection *first;
    struct connection *last;
    size_t bytes; /* of all connections, also of those that are not blocked */
};

/* Behind a mutex, which is held for the time of a few assignments. */
struct arrivals {
    pthread_mutex_t mutex;
    struct connection *first; /* linked by their `next` */
    struct connection *last;
    size_t count;
    bool is_closed; /* the loop has ended */
};

/* --- a connection (connection.h) ------------------------------------------------------------- */

enum connection_phase {
    PHASE_HTTP,
    PHASE_WEBSOCKET,
    PHASE_EVENTS, /* a request that the library answers */
    PHASE_LINGER, /* everything is written; waiting for the client to close */
    PHASE_MOVING, /* on its way to another loop; of no loop's lists and queues */
    PHASE_DEAD    /* closed; its memory is freed at the end of the turn */
};

/* http_request.scheme in a byte. */
enum client_scheme { SCHEME_UNKNOWN, SCHEME_HTTP, SCHEME_HTTPS };

/* Which loop serves the current request. */
enum http_placing {
    PLACING_UNKNOWN,   /* its head is not complete */
    PLACING_HERE,      /* this one */
    PLACING_ELSEWHERE, /* `destination`, once the answers before it are written */
    PLACING_REFUSED    /* none: the one that must serve it cannot take the connection */
};

/* What only HTTP needs. Most connections are long-lived WebSockets, which do without it. */
struct http_exchange {
    struct http_request request;     /* being received */
    struct ws_server_request view;   /* of it, for the application */
    struct ws_server_ticket *ticket; /* the application answers later; else NULL */
    struct byte_buffer out;          /* responses */
    int file;                        /* body of a response, sent after `out`; -1: none */
    off_t file_offset;
    off_t file_left;
    struct byte_buffer held;   /* received, but not used before responses are written */
    struct http_unread unread; /* answers that the client does not read */
    struct http_place place;   /* its place among those that wait for their turn */
    size_t spent;              /* of HTTP_CONNECTION_COST, in this turn */
    size_t body_bytes;         /* this request's part of loop->body_bytes */
    size_t head_bytes;         /* and of loop->head_bytes */
    bool has_acted;            /* what the timer waits for has come since it was set */
    bool has_queued;           /* the current request has waited among the expensive ones */
    bool is_poll;     /* the library's response, to a GET for Socket.IO, may take long */
    bool has_arrived; /* it was received by another loop, and is to be used by this one */
    enum http_placing placing;
    struct loop *destination;
};

/* What only a connection from a trusted proxy has. */
struct proxied {
    bool awaits_header; /* it may begin with a PROXY header */
    bool is_identified; /* `client` is known for the current request */
    struct in6_addr client;
};

struct connection {
    /* What each WebSocket message touches, in one cache line. */
    struct loop *loop;
    ws_websocket *websocket; /* in PHASE_WEBSOCKET; else NULL */
    struct stream stream;
    uint32_t interest;  /* EPOLLIN, EPOLLOUT: what the connection waits for */
    uint32_t discarded; /* bytes, in PHASE_LINGER, and of a stream's client */
    enum connection_phase phase : 8;
    bool eof;           /* the client sends no more */
    bool last;          /* the connection ends once `out` is written */
    bool is_paced;      /* a WebSocket of WS_SERVER_WEBSOCKET_PACED */
    bool is_admin;      /* came in by admin_listen */
    bool is_refused;    /* any request is answered with 429 */
    bool is_unadmitted; /* a WebSocket or poll of Socket.IO whose client is not admitted here */
    enum client_scheme scheme : 8; /* of the WebSocket's request */

    ws_http *events; /* in PHASE_EVENTS; else NULL */
    /* In PHASE_HTTP, and in PHASE_EVENTS without a stream; else NULL. */
    struct http_exchange *http;
    struct connection *next; /* in the loop's connections, or in its dead ones */
    struct connection *previous;
    struct timer timer;
    void *data;                    /* the application's, of a WebSocket or a stream */
    struct address_count *address; /* where it is counted; NULL: nowhere */
    struct in6_addr peer;          /* the client's address, or that of a trusted proxy */
    struct proxied *proxied;       /* if the peer is a trusted proxy; else NULL */
};

/* --- a loop ---------------------------------------------------------------------------------- */

enum {
    LOOP_RECEIVE_BYTES = 64 * 1024,
    LOOP_IOVECS = 512,
    LOOP_MOST_HTTP = WS_SERVER_HTTP_MAX, /* connections other than admitted WebSockets */
    LOOP_BODY_BYTES = 16 * 1024 * 1024,  /* of bodies being received */
    LOOP_HEAD_BYTES = 16 * 1024 * 1024,  /* of heads, until their requests are answered */
    LOOP_HEAD_BYTES_WAITING = LOOP_HEAD_BYTES / 2 /* above it, no further request waits */
};

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

/* --- what follows from it ------------------------------------------------------------------- */

static inline struct connection *connection_of_timer(struct timer *timer)
{
    return (struct connection *)(void *)((char *)timer - offsetof(struct connection, timer));
}

/* The scheme by which clients reach this server, as far as it knows; NULL: a proxy may have ended
 * the TLS. */
static inline const char *connection_scheme(const struct connection *connection)
{
    return connection->loop->server->tls != NULL ? "https" : NULL;
}

/* Whether the connection no longer belongs to its loop. */
static inline bool connection_has_left(const struct connection *connection)
{
    return connection->phase == PHASE_DEAD || connection->phase == PHASE_MOVING;
}

/* The client of the current request, or of the connection. */
static inline const struct in6_addr *connection_client(const struct connection *connection)
{
    return connection->proxied != NULL && connection->proxied->is_identified
               ? &connection->proxied->client
               : &connection->peer;
}

#endif
