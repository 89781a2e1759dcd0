/* inner_transport.h: the interface to the library's own WebSocket transport. Its connections
 * embed struct connection in their own block of memory, and messages are framed for it in
 * advance. Applications' transports are called through the public ws_transport. */
#ifndef WS_CORE_INNER_TRANSPORT_H
#define WS_CORE_INNER_TRANSPORT_H

#include <stdint.h>

#include "core/events/message.h"

struct connection;

struct inner_transport {
    message_framing *framing;

    /* As in ws_transport, except that on WS_OK and WS_ERR_BACKPRESSURE the transport takes over
     * one reference of the message. */
    int (*send)(struct connection *connection, ws_message *message);
    void (*close)(struct connection *connection, uint16_t code, const char *reason,
                  size_t length);

    /* The core no longer uses the connection's memory. The manager's lock may be held. */
    void (*released)(struct connection *connection);
};

#endif
