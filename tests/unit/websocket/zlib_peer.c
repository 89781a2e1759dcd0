/* zlib_peer.c: the other side of permessage-deflate, by zlib itself. */
#include "websocket/zlib_peer.h"

#include <stdbool.h>

#include <check.h>

#define ZLIB_CONST
#include <zlib.h>

static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff}; /* RFC 7692 section 7.2.1 */

size_t zlib_deflate(int window_bits, int level, const void *data, size_t length, uint8_t *to,
                    size_t room)
{
    z_stream stream = {.next_in = data,
                       .avail_in = (unsigned)length,
                       .next_out = to,
                       .avail_out = (unsigned)room};

    ck_assert_int_eq(
        deflateInit2(&stream, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
    ck_assert_uint_gt(stream.avail_out, 0);
    length = stream.total_out - sizeof tail;
    ck_assert_mem_eq(to + length, tail, sizeof tail);
    deflateEnd(&stream);
    return length;
}

/* With its output taken byte by byte, zlib has only its window to copy from. */
static void inflate_piece(z_stream *stream, const void *data, size_t length, size_t room)
{
    int result;

    stream->next_in = data;
    stream->avail_in = (unsigned)length;
    do {
        stream->avail_out = stream->total_out < room;
        result = inflate(stream, Z_SYNC_FLUSH);
    } while (result == Z_OK);
    ck_assert_int_eq(result, Z_BUF_ERROR);
    ck_assert_uint_eq(stream->avail_in, 0);
}

size_t zlib_inflate(int window_bits, const void *data, size_t length, uint8_t *to, size_t room)
{
    z_stream stream = {.next_out = to};

    ck_assert_int_eq(inflateInit2(&stream, -window_bits), Z_OK);
    inflate_piece(&stream, data, length, room);
    inflate_piece(&stream, tail, sizeof tail, room);
    inflateEnd(&stream);
    return stream.total_out;
}
