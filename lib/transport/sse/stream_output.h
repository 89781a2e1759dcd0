/* stream_output.h: what an event stream sends. Not here: when it sends a heartbeat
 * (stream_timer.h), and the bytes of a message (form.h). */
#ifndef WS_TRANSPORT_SSE_STREAM_OUTPUT_H
#define WS_TRANSPORT_SSE_STREAM_OUTPUT_H

#include "transport/sse/stream_state.h"

/* `send` of struct builtin_transport. */
int stream_send(struct connection *connection, ws_message *message);

/* Queues lines for this client alone. `is_first`: they are the first bytes of the stream. */
void stream_push_lines(struct stream *stream, const char *lines, size_t length, bool is_first);

/* Queues the event `close` and the end of the stream. */
void stream_push_close(struct stream *stream, uint16_t code, const char *reason, size_t length);

#endif
