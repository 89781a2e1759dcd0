/* connection.h: one client's socket, from accept to close: first HTTP, then perhaps WebSocket.
 * connection.c has what both share, connection_http.c and connection_websocket.c the rest.
 *
 * Each deadline has one owner, at any time. In PHASE_HTTP it is `timer`, in the queue of what the
 * client is to do next: say something, go on with a head or a body, read an answer. What waits for
 * its turn waits for us, and the timer runs on. A WebSocket begins when the answers before it have
 * gone, and has the library's deadlines (ping, pong, close, queue) until ws_websocket_ended(); `timer`
 * is stopped. In PHASE_LINGER it is `timer` again, to the end. */
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
    PHASE_LINGER, /* all is written; waiting for the client to close */
    PHASE_DEAD    /* closed; only its memory is left, until the turn's end */
};

/* What only HTTP needs: most connections are WebSockets, which live long. */
struct http_exchange {
    struct http_request request; /* that comes in */
    struct byte_buffer held;     /* received, but not to be used before responses have gone */
    struct http_unread unread;   /* what the client does not read */
    struct http_place place;     /* where the connection waits for its turn */
    size_t spent;                /* of HTTP_CONNECTION_COST, in its turn */
    size_t body_bytes;           /* what of loop->body_bytes is this request's */
    bool answered;               /* a request, since the timer was set */
    bool has_queued;             /* the current request waited among those that ask for much */
};

/* What a connection has that comes from a trusted proxy. */
struct proxied {
    bool awaits_header; /* it may begin with a PROXY header */
    bool is_identified; /* `client` is the current request's */
    size_t needed;      /* bytes of that header, to look at it again */
    struct in6_addr client;
};

struct connection {
    /* What a WebSocket's message touches, in one cache line. */
    struct loop *loop;
    ws_websocket *websocket; /* in PHASE_WEBSOCKET; else NULL */
    struct stream stream;
    int file;          /* a response's body, after `out`; -1: none */
    uint32_t interest; /* EPOLLIN, EPOLLOUT: what the connection waits for */
    enum connection_phase phase : 8;
    bool eof;               /* the client sends no more */
    bool last;              /* the connection ends after what is in `out` */
    bool is_echo;           /* a WebSocket of /echo */
    bool is_admin;          /* came in by --admin-listen */
    bool is_refused;        /* its request is answered with 429, whatever it is */
    struct byte_buffer out; /* HTTP responses */

    struct http_exchange *http; /* in PHASE_HTTP; else NULL */
    off_t file_offset;
    off_t file_left;
    size_t discarded;        /* in PHASE_LINGER */
    struct connection *next; /* of the loop's connections, or of its dead ones */
    struct connection *previous;
    struct timer timer;
    struct session *session;       /* of a WebSocket that showed a token; else NULL */
    struct address_count *address; /* where it is counted; NULL: nowhere */
    struct in6_addr peer;          /* the client's address, or that of a trusted proxy */
    struct proxied *proxied;       /* with a trusted proxy; else NULL */
};

static inline struct connection *connection_of_timer(struct timer *timer)
{
    return (struct connection *)(void *)((char *)timer - offsetof(struct connection, timer));
}

/* By which scheme a client reaches this server as far as that knows; NULL: a proxy may know more. */
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

/* Why one of --max-per-address is refused. */
extern const char connection_refusal[];

/* What epoll says about it. */
void connection_event(struct connection *connection, uint32_t events);

/* Closes at once. The memory goes at the turn's end. */
void connection_close(struct connection *connection);

/* Its client has had the time of TIMEOUT_WRITE. False if it took too little of its answers; else it
 * has the same time again. */
bool connection_http_reads_on(struct connection *connection);

/* --- between the connection's own files ---------------------------------------------- */

enum connection_write { WRITE_DONE, WRITE_BLOCKED, WRITE_BROKEN };

/* Writes HTTP responses, as much as the socket takes. */
enum connection_write connection_write_http(struct connection *connection);

/* Has the stream hand on what it has taken. */
enum connection_write connection_flush(struct connection *connection);

/* Waits for input (EPOLLIN), for room to write (EPOLLOUT) or both from now on. */
void connection_watch(struct connection *connection, uint32_t events);

/* Ends our side and waits a little for the client's, so that no RST overtakes the last bytes. */
void connection_linger(struct connection *connection);

/* Answers a connection whose body comes in or that has not asked yet, and ends it. */
void connection_http_refuse(struct connection *connection, int status, const char *message);

/* With --max-per-address, counts the connection for its peer, and refuses one too many. */
void connection_count(struct connection *connection);

/* --- connection_proxy.c: who the client is --- */

/* What comes from a trusted address is another's. False when memory is short. */
bool connection_proxy_open(struct connection *connection);
void connection_proxy_close(struct connection *connection);

/* Looks whether a PROXY header comes; true when there is none, and what is there is the client's. */
bool connection_proxy_receive(struct connection *connection);

enum client_result {
    CLIENT_KNOWN,
    CLIENT_CONTRADICTED, /* the headers name two */
    CLIENT_UNREADABLE,   /* the header is broken where a proxy may have written */
    CLIENT_HAS_TOO_MANY, /* connections, by --max-per-address */
    CLIENT_NO_MEMORY
};

/* From a request's head on: finds out who its client is, and counts the connection for it; until it
 * is forgotten, when the request is answered. */
enum client_result connection_identify(struct connection *connection);
void connection_forget_client(struct connection *connection);

void connection_http_readable(struct connection *connection);
void connection_http_writable(struct connection *connection);

/* Its turn has come. It has left the queue. */
void connection_http_go_on(struct connection *connection);

/* Forgets the request and what was received of the next, and gives back the place in the queue. */
void connection_http_end(struct connection *connection);

/* Gives a request's head to the WebSocket endpoint of its path, then the bytes held after it; no
 * answers wait. False when memory is short, and nothing has changed. */
bool connection_websocket_start(struct connection *connection);
void connection_websocket_readable(struct connection *connection);

/* Writes what waits; also when the WebSocket has ended. */
void connection_websocket_write(struct connection *connection);

#endif
