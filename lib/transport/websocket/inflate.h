/* inflate.h: inflates a message compressed by permessage-deflate (RFC 7692 §7.2.2), with a
 * bound. Not here: frames (frame_reader.h) and negotiation (extension.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_INFLATE_H
#define WS_TRANSPORT_WEBSOCKET_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

/* zlib's state (7 KiB, and 32 KiB more after the first use) and the message so far. Nothing is
 * kept from message to message, so it is needed only while a compressed message is
 * unfinished. */
struct inflater;

/* After every result but INFLATE_OK the inflater must be reset. */
enum inflate_result {
    INFLATE_OK,
    INFLATE_CORRUPT, /* close with WS_CLOSE_INVALID_DATA: the frames are valid, the data in them
                        is not */
    INFLATE_TOO_BIG, /* close with WS_CLOSE_MESSAGE_TOO_BIG: more than max_bytes */
    INFLATE_NO_MEMORY
};

/* NULL if memory ran out. */
struct inflater *inflater_new(const ws_allocator *memory);

/* NULL does nothing. */
void inflater_free(struct inflater *inflater);

/* Inflates the next piece of the message, of any length. At most max_bytes are allocated for
 * the output of all pieces; pass the same max_bytes for each. */
enum inflate_result inflater_feed(struct inflater *inflater, const void *data, size_t length,
                                  uint32_t max_bytes);

/* Ends the message. */
enum inflate_result inflater_finish(struct inflater *inflater, uint32_t max_bytes);

/* Returns the output so far; NULL if there is none. Valid until the next call. */
uint8_t *inflater_output(const struct inflater *inflater, size_t *length);

/* Returns the number of blocks that have ended since the last call. A block can cost more than
 * its length suggests, because it has two code tables to build. */
uint32_t inflater_take_blocks(struct inflater *inflater);

/* Resets the inflater for another message: frees the output and discards all state of the last
 * one. */
void inflater_reset(struct inflater *inflater);

#endif
