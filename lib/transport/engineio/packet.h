/* packet.h: reads and writes the packets of the Engine.IO protocol, version 4, without I/O, for
 * both of its transports: one packet in each WebSocket message, and several in the payload of
 * an HTTP request or response.
 * Not here: when they are sent, and what their messages mean.
 *
 * A packet is a digit for its type, and its data. A binary message has no digit: over WebSocket it
 * is a binary frame, and in a payload it is 'b' and its base64. */
#ifndef WS_TRANSPORT_ENGINEIO_PACKET_H
#define WS_TRANSPORT_ENGINEIO_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum engineio_type {
    ENGINEIO_OPEN, /* of the server only */
    ENGINEIO_CLOSE,
    ENGINEIO_PING,
    ENGINEIO_PONG,
    ENGINEIO_MESSAGE,
    ENGINEIO_UPGRADE,
    ENGINEIO_NOOP
};

struct engineio_packet {
    enum engineio_type type;
    bool is_binary; /* of a message */
    char *data;     /* in the text that was read; not NUL-terminated */
    size_t length;
};

/* Reads the packet in a text message. Returns NULL, or in English what is wrong with it. */
const char *engineio_packet_read(char *text, size_t length, struct engineio_packet *packet);

/* --- payloads -------------------------------------------------------------------------------- */

enum { ENGINEIO_SEPARATOR = 0x1e };

struct engineio_payload {
    char *at; /* NULL: all was read */
    char *end;
    size_t n_left; /* packets that may still come */
};

/* Begins to read a payload, which may have at most max_packets packets. */
void engineio_payload_begin(struct engineio_payload *payload, char *text, size_t length,
                            size_t max_packets);

/* Whether another packet follows. */
static inline bool engineio_payload_has_more(const struct engineio_payload *payload)
{
    return payload->at != NULL;
}

/* Reads the next packet; base64 is decoded in place. Returns NULL, or in English what is wrong
 * with it; then no more is read. */
const char *engineio_payload_next(struct engineio_payload *payload,
                                  struct engineio_packet *packet);

/* Adds a packet to a payload; n_before packets are in it. */
void engineio_payload_add(struct buffer *payload, size_t n_before,
                          const struct engineio_packet *packet);

/* --- the handshake --------------------------------------------------------------------------- */

struct engineio_open {
    const char *sid;
    bool can_upgrade; /* to WebSocket */
    uint32_t ping_interval_ms;
    uint32_t ping_timeout_ms;
    uint32_t max_payload; /* bytes */
};

/* Adds the packet that opens a session. */
void engineio_open_write(struct buffer *buffer, const struct engineio_open *open);

#endif
