/* extension.h: negotiates permessage-deflate in the opening handshake (RFC 7692 §7.1), from
 * Sec-WebSocket-Extensions. Not here: compressing (deflate.h) and inflating (inflate.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_EXTENSION_H
#define WS_TRANSPORT_WEBSOCKET_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "transport/shared/request.h"

/* The negotiated parameters. Both sides reset their compression after each message: each
 * message is compressed once and shared, and no per-client compression state is kept. */
struct permessage_deflate {
    bool accepted;
    bool limits_server_window;  /* requested by the client; the answer must confirm it */
    uint8_t server_window_bits; /* 8 to 15: log2 of the window of what the server sends */
};

/* Finds the first acceptable offer in all headers of a request. */
struct permessage_deflate extension_negotiate(const struct request *request);

/* Finds the first acceptable offer in one header's text. An offer that is not acceptable is
 * declined, and the next one is checked (RFC 7692 §5.1).
 *
 * A text that violates the grammar of RFC 6455 §9.1 counts as no offer. That section wants the
 * handshake to fail, but an endpoint without compression never reads the header, and a client
 * that it serves must not be refused because compression was switched on. The client gets the
 * same as there: a connection without extensions. */
struct permessage_deflate extension_accept(const char *header);

/* Writes the value of the answer's Sec-WebSocket-Extensions for an accepted offer. */
void extension_write(const struct permessage_deflate *deflate, struct buffer *buffer);

#endif
