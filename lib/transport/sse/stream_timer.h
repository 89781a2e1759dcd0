/* stream_timer.h: the heartbeats of an event stream, and clients that take nothing. Not here: the
 * time that a client has to read the end of a stream (stream_output.c). */
#ifndef WS_TRANSPORT_SSE_STREAM_TIMER_H
#define WS_TRANSPORT_SSE_STREAM_TIMER_H

#include "transport/sse/stream_state.h"

/* The timer of an open stream has expired: sends the heartbeat that is due, which may abort the
 * response, and starts the timer again. False: the client has taken nothing for
 * pong_timeout_ms. */
bool stream_timer_expired(struct stream *stream);

#endif
