/* attachments.h: a packet of Socket.IO whose binary attachments are still arriving.
 * Not here: its limits (client_packets.c). */
#ifndef WS_TRANSPORT_ENGINEIO_ATTACHMENTS_H
#define WS_TRANSPORT_ENGINEIO_ATTACHMENTS_H

#include <ws_manager/socketio.h>

#include "protocol/socketio/packet.h"
#include "transport/shared/unfinished.h"

struct attachments {
    struct socketio_packet packet;  /* its slices are in `text` */
    char *text;                     /* a copy of the packet */
    size_t bytes;                   /* of the text and the attachments so far */
    struct unfinished unfinished;   /* the caller sets `owner` and `give_way` */
    uint32_t count;                 /* attachments that have arrived */
    ws_socketio_attachment items[]; /* packet.n_attachments; each block is owned */
};

/* Keeps a packet that was read from `text`; NULL if memory ran out. */
struct attachments *attachments_new(const ws_loop *loop, const struct socketio_packet *packet,
                                    const char *text, size_t length);

/* Adds a copy of the next attachment. False if memory ran out. */
bool attachments_add(const ws_loop *loop, struct attachments *attachments, const void *data,
                     size_t length);

/* The last attachment has come: nothing is unfinished any more. */
void attachments_complete(const ws_loop *loop, struct attachments *attachments);

/* NULL does nothing. */
void attachments_free(const ws_loop *loop, struct attachments *attachments);

#endif
