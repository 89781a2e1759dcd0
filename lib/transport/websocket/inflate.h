/* inflate.h: a message that came compressed by permessage-deflate (RFC 7692 §7.2.2), inflated
 * with a bound. Not here: frames (frame_reader.h) and whether it was agreed on (extension.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_INFLATE_H
#define WS_TRANSPORT_WEBSOCKET_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

/* zlib's state (7 KiB, and 32 KiB more from the first use on) and the message so far. As nothing
 * is kept from message to message, it is needed only while a compressed one is unfinished. */
struct inflater;

/* After all but INFLATE_OK the inflater must be reset. */
enum inflate_result {
    INFLATE_OK,
    INFLATE_CORRUPT, /* close with 1007: the frames are in order, the data in them is not */
    INFLATE_TOO_BIG, /* close with 1009: more than max_bytes */
    INFLATE_NO_MEMORY
};

/* NULL if memory ran out. */
struct inflater *inflater_new(const ws_allocator *memory);

/* NULL does nothing. */
void inflater_free(struct inflater *inflater);

/* The next piece of the message, in any cut. Not more than max_bytes are allocated for what comes
 * out of all pieces; it must be the same for all of them. */
enum inflate_result inflater_feed(struct inflater *inflater, const void *data, size_t length,
                                  uint32_t max_bytes);

/* The message ends here. */
enum inflate_result inflater_finish(struct inflater *inflater, uint32_t max_bytes);

/* What has come out so far; NULL if nothing has. Valid until the next call. */
const uint8_t *inflater_output(const struct inflater *inflater, size_t *length);

/* How many blocks have ended since the last call: a block can be shorter than its cost, which is that
 * of two tables for its codes. */
uint32_t inflater_take_blocks(struct inflater *inflater);

/* Ready for another message: no trace of the last one is left, and its memory is freed. */
void inflater_reset(struct inflater *inflater);

#endif
