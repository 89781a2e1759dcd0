/* extension.h: agreeing on permessage-deflate in the opening handshake (RFC 7692 §7.1), from
 * Sec-WebSocket-Extensions. Not here: compressing (deflate.h) and its opposite (inflate.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_EXTENSION_H
#define WS_TRANSPORT_WEBSOCKET_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "transport/websocket/request.h"

/* What was agreed on. Neither side's compression reaches back beyond the message: a message is
 * compressed once for all clients, and nothing is kept for a client between its messages. */
struct permessage_deflate {
    bool accepted;
    bool limits_server_window;  /* the client asked for it, and the answer must say it */
    uint8_t server_window_bits; /* 8 to 15: how far what we send may reach back, as log2 */
};

/* The first acceptable offer of all headers of a request. */
struct permessage_deflate extension_negotiate(const struct request *request);

/* The first acceptable offer of one header's text. An offer that is not acceptable is declined,
 * and the next one is looked at (RFC 7692 §5.1).
 *
 * A text that is not written as RFC 6455 §9.1 says offers nothing. That section wants the
 * handshake to fail; but an endpoint that doesn't compress never reads the header, and a client
 * that it serves is not to be turned away because compression was switched on. It gets what it
 * would get there: a connection without extensions. */
struct permessage_deflate extension_accept(const char *header);

/* The value of the answer's Sec-WebSocket-Extensions for an accepted offer. */
void extension_write(const struct permessage_deflate *deflate, struct buffer *buffer);

#endif
