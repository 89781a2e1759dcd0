/* builtin_transport.h: the interface to the library's own transports. Their connections embed
 * struct connection in their own block of memory. Applications' transports are called through
 * the public ws_transport. */
#ifndef WS_CORE_BUILTIN_TRANSPORT_H
#define WS_CORE_BUILTIN_TRANSPORT_H

#include <stdint.h>

#include "core/events/message.h"

struct connection;
struct waiting_ack;

/* What becomes of a client's wish to recover. */
enum recovery_event {
    RECOVERY_IS_REFUSED, /* before the client's rooms are joined: it is a new client */
    RECOVERY_BEGINS,     /* before the first event that it missed */
    RECOVERY_IS_LOST     /* events that it missed are no longer available */
};

/* What carries a connection. */
enum transport_kind {
    TRANSPORT_CUSTOM, /* the application's own; has no struct builtin_transport */
    TRANSPORT_WEBSOCKET,
    TRANSPORT_ENGINEIO,
    TRANSPORT_SSE,
    N_TRANSPORTS
};

struct builtin_transport {
    /* Of WebSocket alone: messages are framed for it in advance. Another transport makes its
     * own form of a framed message, once for all its connections (frames_add_variant()). */
    message_framing *framing;

    /* As in ws_transport, except that on WS_OK and WS_ERR_BACKPRESSURE the transport takes over
     * one reference of the message. WS_ERR_INVALID: the message is binary, which the transport
     * cannot carry; it is dropped. */
    int (*send)(struct connection *connection, ws_message *message);
    void (*close)(struct connection *connection, uint16_t code, const char *reason,
                  size_t length);

    /* Of Socket.IO alone, else NULL: the namespace of a registered connection. Any thread that
     * holds the manager's lock, and the loop's thread. */
    const char *(*name_space)(const struct connection *connection);

    /* Of Socket.IO alone: waits for an acknowledgement of the message that was just sent, and takes
     * it over. */
    void (*await_ack)(struct connection *connection, struct waiting_ack *ack);

    /* Of Socket.IO alone: its clients are not sent `recovered`, but what their transport makes of
     * these events, or of a message with the form MESSAGE_GAP. The transport may end the connection
     * by a command. */
    void (*recovery)(struct connection *connection, enum recovery_event event);

    /* Of Socket.IO alone, else NULL: the connection has entered or left a room. */
    void (*rooms_changed)(struct connection *connection);

    /* Of Socket.IO alone, else NULL: the connection is about to end with this code, and is still in
     * its rooms. Not called if its transport is lost. */
    void (*ending)(struct connection *connection, uint16_t code);

    /* The secret part of the session's id, which is in the client's welcome; NULL: the
     * transport's clients need none. */
    const char *(*secret)(const struct connection *connection);

    /* The core no longer uses the connection's memory. The manager's lock may be held. */
    void (*released)(struct connection *connection);
};

#endif
