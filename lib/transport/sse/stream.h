/* stream.h: the life of an event stream: its beginning, and its end. Not here: its struct
 * (stream_state.h), its messages (stream_output.h), its heartbeats (stream_timer.h), and what
 * a client missed (core/recovery/). */
#ifndef WS_TRANSPORT_SSE_STREAM_H
#define WS_TRANSPORT_SSE_STREAM_H

#include "transport/http/response.h"
#include "transport/shared/handshake.h"
#include "transport/sse/stream_state.h"

/* The id of the last event that a client has received, from its request's Last-Event-ID; NULL:
 * it names none. */
const char *stream_last_event_id(const struct request *request);

/* Opens the stream that an accepted GET request asks for, or refuses it. `response` has the fields
 * that every response of the endpoint has. */
void stream_open(ws_http *http, const struct ws_handshake *handshake,
                 struct response *response);

/* The answer to HEAD: the head that stream_open() would send. */
void stream_describe(ws_http *http, const struct ws_handshake *handshake,
                     struct response *response);

#endif
