/* refusal.h: a request that does not become a WebSocket: the HTTP answer, and the log's line.
 * Not here: the reasons (opening.h, and the application's). */
#ifndef WS_TRANSPORT_WEBSOCKET_REFUSAL_H
#define WS_TRANSPORT_WEBSOCKET_REFUSAL_H

#include "base/buffer.h"
#include "core/transport/transport_side.h"
#include "transport/websocket/request.h"

struct refusal {
    int status;         /* of the HTTP answer; 101: the request is not refused */
    const char *reason; /* what is wrong; NULL: the status' name */
    const char *advice; /* what to do about it, for the answer alone; NULL: nothing */
    char
        composed[192]; /* where `reason` points if it is no constant: so this is never copied */
};

/* The HTTP answer. The request (NULL: none came) decides whether it has a body: an answer to HEAD
 * has none, only its length (RFC 9110 §9.3.2). */
void refusal_write(const struct refusal *refusal, const struct request *request,
                   struct buffer *buffer);

/* Logs a handshake that is refused at level info, because a browser shows its user nothing: ten lines
 * a second, then how many were left out. `code` is an HTTP status or a close code, or 0 when nothing
 * is answered; `reason` NULL: the status' name. Of the request (NULL: none came) the line names
 * method, path, Host, Origin and User-Agent, but never the query and other headers, where tokens are.
 * Of what does not begin like a request it gives the length: it may be anything. The loop's thread. */
void refusal_log(const ws_loop *loop, int code, const char *reason,
                 const struct request *request);

#endif
