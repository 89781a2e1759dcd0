/* inner_transport.h: what the core asks of the transport of this library that is closest to it: its
 * connections hold the core's part in their own block of memory, and messages are framed ahead for
 * it. Others are reached by the public ws_transport. */
#ifndef WS_CORE_INNER_TRANSPORT_H
#define WS_CORE_INNER_TRANSPORT_H

#include <stdint.h>

#include "core/events/message.h"

struct connection;

struct inner_transport {
    message_framing *framing;

    /* As ws_transport's, but on WS_OK and WS_ERR_BACKPRESSURE one reference of the message is the
     * transport's. */
    int (*send)(struct connection *connection, ws_message *message);
    void (*close)(struct connection *connection, uint16_t code, const char *reason,
                  size_t length);

    /* The core has no use for the connection's memory any more. The manager's lock may be held. */
    void (*released)(struct connection *connection);
};

#endif
