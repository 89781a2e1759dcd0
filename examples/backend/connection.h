/* connection.h: one client's socket, from accept to close: first HTTP, then perhaps WebSocket.
 * connection.c has what both share, connection_http.c and connection_websocket.c the rest. */
#ifndef BACKEND_CONNECTION_H
#define BACKEND_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "buffer.h"
#include "http_request.h"
#include "loop.h"
#include "stream.h"

enum connection_phase {
    PHASE_HTTP,
    PHASE_WEBSOCKET,
    PHASE_LINGER, /* all is written; waiting for the client to close */
    PHASE_DEAD    /* closed; only its memory is left, until the turn's end */
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
    struct byte_buffer out; /* HTTP responses; a WebSocket's bytes come after them */

    struct byte_buffer held; /* received, but not to be parsed before responses have gone */
    struct http_request *request; /* in PHASE_HTTP; else NULL */
    off_t file_offset;
    off_t file_left;
    size_t discarded;        /* in PHASE_LINGER */
    struct connection *next; /* of the loop's connections, or of its dead ones */
    struct connection *previous;
    struct timer timer;
    struct session *session;       /* of a WebSocket that showed a token; else NULL */
    struct address_count *address; /* where it is counted; NULL: nowhere */
};

/* Takes over an accepted socket; closes it when memory is short. */
void connection_open(struct loop *loop, int fd, bool is_admin,
                     const struct sockaddr_storage *peer);

/* What epoll says about it. */
void connection_event(struct connection *connection, uint32_t events);

/* Closes at once. The memory goes at the turn's end. */
void connection_close(struct connection *connection);

/* --- between the connection's own files ---------------------------------------------- */

enum connection_write { WRITE_DONE, WRITE_BLOCKED, WRITE_BROKEN };

/* Do HTTP responses wait to be written? */
static inline bool connection_has_http(const struct connection *connection)
{
    return connection->file >= 0 || byte_buffer_length(&connection->out) > 0;
}

/* Writes HTTP responses, as much as the socket takes. */
enum connection_write connection_write_http(struct connection *connection, bool *progress);

/* Has the stream hand on what it has taken. */
enum connection_write connection_flush(struct connection *connection);

/* Waits for input (EPOLLIN), for room to write (EPOLLOUT) or both from now on. */
void connection_watch(struct connection *connection, uint32_t events);

/* Ends our side and waits a little for the client's, so that no RST overtakes the last bytes. */
void connection_linger(struct connection *connection);

/* Answers a connection that has not asked yet, and ends it. */
void connection_http_refuse(struct connection *connection, int status, const char *message);

void connection_http_readable(struct connection *connection);
void connection_http_writable(struct connection *connection);

/* Gives a request's head to the WebSocket endpoint of its path, then the bytes after it. False
 * when memory is short, and nothing has changed. */
bool connection_websocket_start(struct connection *connection, const char *rest, size_t length);
void connection_websocket_readable(struct connection *connection);

/* Writes what waits; also when the WebSocket has ended. */
void connection_websocket_write(struct connection *connection);

#endif
