/* form.h: the form of a message for a socket of Engine.IO: packets, each in a frame of a WebSocket,
 * by WebSocket or by polling.
 *
 * An event of the manager is turned into a packet once for all sockets of the default namespace.
 * A message for one socket is turned into packets for that socket. */
#ifndef WS_TRANSPORT_ENGINEIO_FORM_H
#define WS_TRANSPORT_ENGINEIO_FORM_H

#include "transport/engineio/state.h"

struct engineio_form {
    struct frames *frames; /* NULL: memory ran out */
    bool is_new; /* one reference is the caller's; else they live as long as the message */
    int kind;    /* FORM_…, by which a form that is not new may be compressed for all */
};

struct engineio_form engineio_form_of(ws_loop *loop, const struct engineio_socket *socket,
                                      ws_message *message);

#endif
