/* http_unread.h: what clients do not read of their answers: the memory of it, and who does not for how
 * long. How long one may is a timeout of the connection's. */
#ifndef BACKEND_HTTP_UNREAD_H
#define BACKEND_HTTP_UNREAD_H

#include <stdbool.h>
#include <stddef.h>

struct connection;
struct loop;

/* Of all connections of a loop: answers, and requests that wait behind them. */
enum { HTTP_UNREAD_BYTES = 64 * 1024 * 1024 };

/* Part of what a connection has for HTTP. All zero is one whose client has read everything. */
struct http_unread {
    bool is_blocked; /* and so listed: the socket takes no more */
    struct connection *next;
    struct connection *previous;
    size_t bytes;   /* what of the loop's sum is this connection's */
    size_t written; /* that the socket took, since its timer was set */
};

/* Connections that are blocked, the one that is for the longest first. */
struct http_blocked {
    struct connection *first;
    struct connection *last;
    size_t bytes; /* of all connections, also of those that are not blocked */
};

/* After writing: whether the client has all, and what is left. */
void http_unread_note(struct connection *connection, bool is_blocked);

/* It has no HTTP any more. */
void http_unread_forget(struct connection *connection);

/* Closes the one that is blocked for the longest, administrators' excepted. False if there is none. */
bool http_unread_close_longest(struct loop *loop, const char *reason);

/* Closes these until the sum is within its limit. */
void http_unread_limit(struct loop *loop);

#endif
