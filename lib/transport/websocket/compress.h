/* compress.h: a message's frames in their compressed form, made once for all clients that get it.
 * Not here: what was agreed on (extension.h) and the work of zlib (deflate.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_COMPRESS_H
#define WS_TRANSPORT_WEBSOCKET_COMPRESS_H

#include "core/transport/transport_side.h"

/* The frames to send of a framed message to a client with a window of 2^window_bits bytes: their
 * compressed form, or themselves if that does not pay, or memory ran out. Payloads below `min_bytes`
 * stay as they are. They live as long as the message; no reference is taken. */
struct frames *compress_message(ws_loop *loop, ws_message *message, int window_bits,
                                uint32_t min_bytes);

#endif
