/* post.h: a POST request: one message from the client of an event stream. The stream may belong to
 * another loop's thread. Not here: what the message means (the core). */
#ifndef WS_TRANSPORT_SSE_POST_H
#define WS_TRANSPORT_SSE_POST_H

#include "transport/http/response.h"
#include "transport/shared/handshake.h"
#include "transport/sse/stream_state.h"

/* Begins an accepted POST request: its body is awaited, or it is refused. `response` has the fields
 * that every response of the endpoint has. */
void post_begin(ws_http *http, struct ws_handshake *handshake, struct response *response);

/* Answers the posts that wait at a stream that has ended. */
void posts_drop(struct stream *stream);

#endif
