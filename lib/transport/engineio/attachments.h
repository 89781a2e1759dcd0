/* attachments.h: a packet of Socket.IO whose binary attachments are still arriving.
 * Not here: its limits (client_packets.c). */
#ifndef WS_TRANSPORT_ENGINEIO_ATTACHMENTS_H
#define WS_TRANSPORT_ENGINEIO_ATTACHMENTS_H

#include <ws_manager/socketio.h>

#include "base/memory.h"
#include "protocol/socketio/packet.h"

struct attachments {
    struct socketio_packet packet;  /* its slices are in `text` */
    char *text;                     /* a copy of the packet */
    size_t bytes;                   /* of the text and the attachments so far */
    uint32_t count;                 /* attachments that have arrived */
    ws_socketio_attachment items[]; /* packet.n_attachments; each block is owned */
};

/* Keeps a packet that was read from `text`; NULL if memory ran out. */
struct attachments *attachments_new(const ws_allocator *memory,
                                    const struct socketio_packet *packet, const char *text,
                                    size_t length);

/* Adds a copy of the next attachment. False if memory ran out. */
bool attachments_add(struct attachments *attachments, const ws_allocator *memory,
                     const void *data, size_t length);

/* NULL does nothing. */
void attachments_free(struct attachments *attachments, const ws_allocator *memory);

#endif
