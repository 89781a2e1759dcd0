/* refusal.h: the HTTP answer to a request that does not open a WebSocket, and the log line for any
 * refused request. Not here: the reasons (handshake_check.h, http_new.c, and the application's),
 * the answer to a plain HTTP request (http/error_response.h). */
#ifndef WS_TRANSPORT_SHARED_REFUSAL_H
#define WS_TRANSPORT_SHARED_REFUSAL_H

#include "base/buffer.h"
#include "core/transport/transport_side.h"
#include "transport/shared/request.h"

struct refusal {
    int status;         /* of the HTTP answer; 101: the request is not refused */
    const char *reason; /* what is wrong; NULL: the status' name */
    const char *advice; /* what to do about it, for the answer only; NULL: nothing */
    char composed[192]; /* holds a composed `reason`, so the struct must not be copied */
};

/* Writes the HTTP answer. The request (NULL: none came) decides whether it has a body: an
 * answer to HEAD has only the body's length (RFC 9110 §9.3.2). */
void refusal_write(const struct refusal *refusal, const struct request *request,
                   struct buffer *buffer);

/* Logs a refused handshake at level info, because a browser shows its user nothing: at most ten
 * lines a second, then how many were left out. `code` is an HTTP status or a close code, or 0
 * if nothing is answered; `reason` NULL: the status' name. From the request (NULL: none came)
 * the line has the method, path, Host, Origin and User-Agent, but never the query or other
 * headers, which may contain tokens. For bytes that do not begin like a request it gives only
 * their length, because they may be anything. The loop's thread. */
void refusal_log(const ws_loop *loop, int code, const char *reason,
                 const struct request *request);

#endif
