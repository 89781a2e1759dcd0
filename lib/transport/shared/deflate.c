/* deflate.c: compresses a message's payload for permessage-deflate (RFC 7692 §7.2.1). */
#include "transport/shared/deflate.h"

#include <limits.h>

#include "transport/shared/zlib_memory.h"

/* Measured with zlib 1.2.13 on events of an order, 311 bytes on average, and on lists of orders,
 * 4170 bytes (microseconds a payload, compressed size):
 *
 *   level  memLevel    event           list
 *     1       8        8.0   73.4 %    24.2   26.4 %
 *     3       8        8.1   73.2 %    25.8   25.5 %
 *     6       1       12.9   80.7 %    88.1   27.0 %
 *     6       5        8.5   73.2 %    36.9   23.8 %
 *     6       8        8.6   73.2 %    33.5   23.8 %
 *     6       9        9.0   73.2 %    34.8   23.8 %
 *     9       8        8.6   73.2 %    38.0   23.5 %
 *
 * The time is spent once, the bytes are sent to every recipient. Hence level 6, above which
 * almost nothing is gained, and the memLevel that is fastest with it. */
enum { LEVEL = 6, MEM_LEVEL = 8 };

enum {
    ZLIB_WINDOW_BITS_MIN = 9, /* of zlib's raw format */
    ZLIB_WINDOW_BITS_MAX = 15,
    TAIL_BYTES = 4 /* 00 00 ff ff, which the recipient appends again */
};

struct deflater {
    const ws_allocator *memory;
    z_stream streams[ZLIB_WINDOW_BITS_MAX - ZLIB_WINDOW_BITS_MIN + 1]; /* by window bits */
};

struct deflater *deflater_new(const ws_allocator *memory)
{
    struct deflater *deflater = memory_zalloc(memory, sizeof *deflater);

    if (deflater != NULL)
        deflater->memory = memory;
    return deflater;
}

void deflater_free(struct deflater *deflater)
{
    if (deflater == NULL)
        return;
    for (size_t i = 0; i < sizeof deflater->streams / sizeof *deflater->streams; i++)
        deflateEnd(&deflater->streams[i]);
    memory_free(deflater->memory, deflater);
}

/* Returns a stream without history; NULL if memory ran out. */
static z_stream *fresh_stream(struct deflater *deflater, int window_bits)
{
    z_stream *stream = &deflater->streams[window_bits - ZLIB_WINDOW_BITS_MIN];

    /* deflateReset() fails for a stream that was not initialized. */
    if (deflateReset(stream) == Z_OK)
        return stream;
    zlib_memory_use(stream, &deflater->memory);
    if (deflateInit2(stream, LEVEL, Z_DEFLATED, -window_bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return NULL;
    return stream;
}

size_t deflate_payload(struct deflater *deflater, int window_bits, const void *data,
                       size_t length, void *to, size_t room)
{
    z_stream *stream;

    if (length <= (size_t)1 << window_bits)
        window_bits = ZLIB_WINDOW_BITS_MAX;
    if (window_bits < ZLIB_WINDOW_BITS_MIN || length > UINT_MAX || room > UINT_MAX)
        return 0;
    stream = fresh_stream(deflater, window_bits);
    if (stream == NULL)
        return 0;
    stream->next_in = data;
    stream->avail_in = (unsigned)length;
    stream->next_out = to;
    stream->avail_out = (unsigned)room;
    /* If no room is left, zlib may not have written everything. */
    if (deflate(stream, Z_SYNC_FLUSH) != Z_OK || stream->avail_out == 0)
        return 0;
    return room - stream->avail_out - TAIL_BYTES;
}
