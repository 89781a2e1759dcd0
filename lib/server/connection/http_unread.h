/* http_unread.h: bounds the memory of answers that clients do not read, by closing the
 * connections that have not read for longest. How long one may do so is a timeout of
 * connection.h. */
#ifndef WS_SERVER_HTTP_UNREAD_H
#define WS_SERVER_HTTP_UNREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "server/connection/state.h"

/* For all connections of a loop: answers, and requests that wait behind them. */
enum { HTTP_UNREAD_BYTES = 64 * 1024 * 1024 };

/* Call it whenever the socket has taken bytes. */
void http_unread_count(struct connection *connection, size_t written);

/* Call it after writing: `is_blocked` if the client has not read everything. */
void http_unread_note(struct connection *connection, bool is_blocked);

/* Forgets a connection that leaves HTTP. */
void http_unread_forget(struct connection *connection);

/* Closes the blocked connection that has not read for longest, except those of admin_listen. False
 * if there is none. */
bool http_unread_close_longest(struct loop *loop, const char *reason);

/* Closes that connection if the sum is above its limit. Call it again while it is true: the sum may
 * still be above the limit. */
bool http_unread_limit(struct loop *loop);

#endif
