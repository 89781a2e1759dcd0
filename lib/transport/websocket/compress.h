/* compress.h: compresses a message's frames once for all clients that get them compressed.
 * Not here: negotiation (extension.h) and the use of zlib (deflate.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_COMPRESS_H
#define WS_TRANSPORT_WEBSOCKET_COMPRESS_H

#include <ws_manager/websocket.h>

#include "core/transport/transport_side.h"

/* Returns the frames of a framed message for a client with a window of 2^window_bits bytes:
 * compressed, or as they are if that is not smaller, or memory ran out. Payloads below
 * deflate_min_bytes are not compressed. The frames live as long as the message; no reference is
 * taken. */
struct frames *compress_message(ws_loop *loop, ws_message *message, int window_bits,
                                const ws_endpoint_options *options);

/* Returns compressed frames like compress_message(), made from `plain`: the frames of another form
 * of the message, of `kind` (FORM_…), whose payloads are no shorter than the message's. */
struct frames *compress_form(ws_loop *loop, ws_message *message, struct frames *plain, int kind,
                             int window_bits, const ws_endpoint_options *options);

#endif
