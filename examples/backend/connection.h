/* connection.h: one client's socket, from accept to close: first HTTP, then perhaps WebSocket.
 * connection.c has what both share, connection_http.c and connection_websocket.c the rest.
 *
 * Each deadline has one owner at any time. In PHASE_HTTP it is `timer`, in the queue of what the
 * client must do next: send a request, continue a head or a body, read an answer. The timer keeps
 * running while the connection waits for its turn. A WebSocket begins when the answers before it
 * are written. Then the library has the deadlines (ping, pong, close, queue) until
 * ws_websocket_ended(), and `timer` is stopped. In PHASE_LINGER it is `timer` again, to the end. */
#ifndef BACKEND_CONNECTION_H
#define BACKEND_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "buffer.h"
#include "http_request.h"
#include "http_turns.h"
#include "http_unread.h"
#include "loop.h"
#include "stream.h"

enum connection_phase {
    PHASE_HTTP,
    PHASE_WEBSOCKET,
    PHASE_LINGER, /* everything is written; waiting for the client to close */
    PHASE_DEAD    /* closed; its memory is freed at the end of the turn */
};

/* What only HTTP needs. Most connections are long-lived WebSockets, which do without it. */
struct http_exchange {
    struct http_request request; /* being received */
    struct byte_buffer held;     /* received, but not used before responses are written */
    struct http_unread unread;   /* answers that the client does not read */
    struct http_place place;     /* its place among those that wait for their turn */
    size_t spent;                /* of HTTP_CONNECTION_COST, in this turn */
    size_t body_bytes;           /* this request's part of loop->body_bytes */
    bool answered;               /* a request was answered since the timer was set */
    bool has_queued;             /* the current request has waited among the expensive ones */
};

/* What only a connection from a trusted proxy has. */
struct proxied {
    bool awaits_header; /* it may begin with a PROXY header */
    bool is_identified; /* `client` is known for the current request */
    size_t needed;      /* bytes of that header before it is parsed again */
    struct in6_addr client;
};

struct connection {
    /* What each WebSocket message touches, in one cache line. */
    struct loop *loop;
    ws_websocket *websocket; /* in PHASE_WEBSOCKET; else NULL */
    struct stream stream;
    int file;          /* body of a response, sent after `out`; -1: none */
    uint32_t interest; /* EPOLLIN, EPOLLOUT: what the connection waits for */
    enum connection_phase phase : 8;
    bool eof;               /* the client sends no more */
    bool last;              /* the connection ends once `out` is written */
    bool is_echo;           /* a WebSocket of /echo */
    bool is_admin;          /* came in by --admin-listen */
    bool is_refused;        /* any request is answered with 429 */
    struct byte_buffer out; /* HTTP responses */

    struct http_exchange *http; /* in PHASE_HTTP; else NULL */
    off_t file_offset;
    off_t file_left;
    size_t discarded;        /* in PHASE_LINGER */
    struct connection *next; /* in the loop's connections, or in its dead ones */
    struct connection *previous;
    struct timer timer;
    struct session *session;       /* of a WebSocket with a token; else NULL */
    struct address_count *address; /* where it is counted; NULL: nowhere */
    struct in6_addr peer;          /* the client's address, or that of a trusted proxy */
    struct proxied *proxied;       /* if the peer is a trusted proxy; else NULL */
};

static inline struct connection *connection_of_timer(struct timer *timer)
{
    return (struct connection *)(void *)((char *)timer - offsetof(struct connection, timer));
}

/* The scheme by which clients reach this server, as far as it knows; NULL: a proxy may have ended
 * the TLS. */
static inline const char *connection_scheme(const struct connection *connection)
{
    return connection->loop->app->tls != NULL ? "https" : NULL;
}

/* The client of the current request, or of the connection. */
static inline const struct in6_addr *connection_client(const struct connection *connection)
{
    return connection->proxied != NULL && connection->proxied->is_identified
               ? &connection->proxied->client
               : &connection->peer;
}

/* Takes over an accepted socket; closes it when memory is short. */
void connection_open(struct loop *loop, int fd, bool is_admin,
                     const struct sockaddr_storage *peer);

/* The reason of a refusal by --max-per-address. */
extern const char connection_refusal[];

/* Handles what epoll reported. */
void connection_event(struct connection *connection, uint32_t events);

/* Closes at once. The memory is freed at the end of the turn. */
void connection_close(struct connection *connection);

/* Call it when TIMEOUT_WRITE has passed. False if the client has read too little of its answers;
 * else the timeout starts again. */
bool connection_http_reads_on(struct connection *connection);

/* --- between the connection's own files ---------------------------------------------- */

enum connection_write { WRITE_DONE, WRITE_BLOCKED, WRITE_BROKEN };

/* Writes HTTP responses, as much as the socket takes. */
enum connection_write connection_write_http(struct connection *connection);

/* Writes what the stream has buffered. */
enum connection_write connection_flush(struct connection *connection);

/* Waits for input (EPOLLIN), for room to write (EPOLLOUT) or both from now on. */
void connection_watch(struct connection *connection, uint32_t events);

/* Shuts down our side and waits a little for the client's, so that no RST overtakes the last
 * bytes. */
void connection_linger(struct connection *connection);

/* Answers a connection that is sending a body or has sent no request, and ends it. */
void connection_http_refuse(struct connection *connection, int status, const char *message);

/* With --max-per-address, counts the connection for its peer, and refuses it if there are too
 * many. */
void connection_count(struct connection *connection);

/* --- connection_proxy.c: who the client is --- */

/* Prepares a connection whose peer is a trusted proxy. False when memory is short. */
bool connection_proxy_open(struct connection *connection);
void connection_proxy_close(struct connection *connection);

/* Looks for a PROXY header. True if there is none: what was received is the client's. */
bool connection_proxy_receive(struct connection *connection);

enum client_result {
    CLIENT_KNOWN,
    CLIENT_CONTRADICTED, /* the headers name two different clients */
    CLIENT_UNREADABLE,   /* a header is broken where it may hold what a proxy wrote */
    CLIENT_HAS_TOO_MANY, /* connections, by --max-per-address */
    CLIENT_NO_MEMORY
};

/* Call it once a request's head is complete: determines the client and counts the connection for
 * it, until connection_forget_client() when the request is answered. */
enum client_result connection_identify(struct connection *connection);
void connection_forget_client(struct connection *connection);

void connection_http_readable(struct connection *connection);
void connection_http_writable(struct connection *connection);

/* Continues a connection whose turn has come. It has left the queue. */
void connection_http_go_on(struct connection *connection);

/* Drops the request, what was received of the next one, and the place in the queue. */
void connection_http_end(struct connection *connection);

/* Hands a request's head to the WebSocket endpoint of its path, then the bytes received after it.
 * No answers may be left to write. False when memory is short; then nothing has changed. */
bool connection_websocket_start(struct connection *connection);
void connection_websocket_readable(struct connection *connection);

/* Writes what the library has queued, even if the WebSocket has ended. */
void connection_websocket_write(struct connection *connection);

#endif
