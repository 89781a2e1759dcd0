/* deflate.h: compresses a message's payload for permessage-deflate (RFC 7692 §7.2.1). Not here:
 * negotiation (extension.h) and the frame around it (frame.h). */
#ifndef WS_TRANSPORT_SHARED_DEFLATE_H
#define WS_TRANSPORT_SHARED_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/websocket.h>

/* zlib's state: a quarter of a megabyte, allocated at the first use and reused for every
 * payload, and up to as much for each smaller window that a long payload needs. One thread at a
 * time. */
struct deflater;

/* NULL if memory ran out. */
struct deflater *deflater_new(const ws_allocator *memory);

/* NULL does nothing. */
void deflater_free(struct deflater *deflater);

/* Whether a payload of so many bytes is compressed for clients that want that. */
static inline bool deflate_pays(const ws_endpoint_options *options, size_t bytes)
{
    return bytes >= options->deflate_min_bytes;
}

/* Compresses a payload into `to`, which has room for `room` bytes, so that a client with a
 * window of 2^window_bits bytes (8 to 15) can inflate it, independent of earlier messages.
 * Returns the compressed length. 0: send the payload uncompressed, because the compressed one
 * and the 4 bytes that are cut off its end need all of the room or more (so room = length
 * means: only if it is smaller), because memory ran out, or because of a window of 2^8 (see
 * below).
 *
 * A payload of at most 2^window_bits bytes gives the same bytes as with 15, as nothing in it
 * can refer further back: one compression serves all clients whose window it fits into. With a
 * window of 2^8, only such payloads are compressed, because zlib cannot make that window (it
 * uses 2^9 instead). */
size_t deflate_payload(struct deflater *deflater, int window_bits, const void *data,
                       size_t length, void *to, size_t room);

#endif
