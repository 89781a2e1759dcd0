/* deflate.h: compressing a message's payload for permessage-deflate (RFC 7692 §7.2.1).
 * Not here: who gets it compressed (extension.h) and the frame around it (frame.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_DEFLATE_H
#define WS_TRANSPORT_WEBSOCKET_DEFLATE_H

#include <stddef.h>

#include <ws_manager/types.h>

/* zlib's state, a quarter of a megabyte that is allocated at the first use and used again for
 * every payload; likewise up to that much for each smaller window that a long payload needs. For
 * one thread at a time. */
struct deflater;

/* NULL if memory ran out. */
struct deflater *deflater_new(const ws_allocator *memory);

/* NULL does nothing. */
void deflater_free(struct deflater *deflater);

/* Compresses a payload into `to`, which has room for `room` bytes, so that a client with a window
 * of 2^window_bits bytes (8 to 15) can inflate it, whatever it got before. Returns the compressed
 * length. 0: the payload is to be sent as it is, because the compressed one and the 4 bytes that
 * are cut off its end need all of the room or more (so room = length asks for what pays), because
 * memory ran out, or because of its window of 2^8 (see below).
 *
 * A payload of at most 2^window_bits bytes gives the same bytes as with 15, as nothing in it can
 * reach back further: one compression serves all clients whose window it fits into. That is also
 * all that is done for a window of 2^8, which zlib can't make (it makes 2^9 of it). */
size_t deflate_payload(struct deflater *deflater, int window_bits, const void *data,
                       size_t length, void *to, size_t room);

#endif
