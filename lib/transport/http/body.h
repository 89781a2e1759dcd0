/* body.h: the body of a request, kept while it arrives. It counts among what the loop's clients
 * have not completed (unfinished.h), until it is complete.
 * Not here: what is done with it (polling/requests.c, sse/post.c). */
#ifndef WS_TRANSPORT_HTTP_BODY_H
#define WS_TRANSPORT_HTTP_BODY_H

#include "base/buffer.h"
#include "transport/http/http.h"
#include "transport/shared/unfinished.h"

struct http_body {
    struct buffer bytes;
    struct unfinished unfinished; /* the thread of the request alone, until it is complete */
};

/* Why a body is not accepted. */
struct http_body_problem {
    int status;
    const char *reason;
};

/* `give_way` is called with the request when others need the memory: it answers the request and
 * drops the body. */
void http_body_init(struct http_body *body, ws_http *http, void (*give_way)(void *http));

/* Keeps a part. False after dropping the body, with *problem set. Others may give way to it. */
bool http_body_add(struct http_body *body, ws_http *http, const void *data, size_t length,
                   struct http_body_problem *problem);

/* The body is complete: it is no longer counted here. Where it waits to be carried out, it may be
 * counted again, on that thread. */
void http_body_complete(struct http_body *body, const ws_http *http);

/* Frees what has arrived; the request will not be carried out. */
void http_body_drop(struct http_body *body, const ws_http *http);

#endif
