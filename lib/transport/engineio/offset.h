/* offset.h: the offset in events of the application.
 *
 * Stock clients that have a pid take the last argument of each event for the offset from which
 * they recover, if it is a string: also one that the application sends to one socket, which has
 * no id. Such an event gets as a further argument the id of the newest event up to which its
 * client has been served. */
#ifndef WS_TRANSPORT_ENGINEIO_OFFSET_H
#define WS_TRANSPORT_ENGINEIO_OFFSET_H

#include "transport/engineio/state.h"

/* Whether the client would take the last argument of this packet, a text of Engine.IO, for an
 * offset. */
bool offset_is_wanted(const struct engineio_socket *socket, const char *packet, size_t length);

enum { OFFSET_MAX = EVENT_ID_SIZE + 3 };

/* Writes what goes before the packet's last character, at most OFFSET_MAX bytes; returns the
 * length. */
size_t offset_write(const struct engineio_socket *socket, char text[OFFSET_MAX]);

#endif
