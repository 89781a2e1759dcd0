/* inflate.c: compressed messages, cut anywhere, inflate to the same as with zlib in one piece,
 * within their bound; and deflated bytes inflate to the original. Not here: frames
 * (websocket.c). */
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/memory.h"
#include "fuzz/support/input.h"
#include "transport/shared/deflate.h"
#include "transport/websocket/inflate.h"
#include "websocket/zlib_peer.h"

enum { BOUND = 20000, WHOLE = 1 << 16 };

static ws_allocator memory;

/* zlib's output for a piece; after a final block a new stream begins. */
static int inflate_piece(z_stream *stream, const char *data, size_t length)
{
    int result;

    stream->next_in = (const uint8_t *)data;
    stream->avail_in = (unsigned)length;
    do {
        result = inflate(stream, Z_SYNC_FLUSH);
        if (result == Z_STREAM_END)
            inflateReset2(stream, -15);
    } while ((result == Z_OK || result == Z_STREAM_END) && stream->avail_in > 0);
    return result;
}

/* The length of the whole output, with the tail that the sender has cut off; -1 when the input is
 * corrupt. */
static long whole_message(struct text packed, uint8_t *to)
{
    static const char tail[] = {0x00, 0x00, '\xff', '\xff'};
    z_stream stream = {.next_out = to, .avail_out = WHOLE};
    int result;

    ck_assert_int_eq(inflateInit2(&stream, -15), Z_OK);
    result = inflate_piece(&stream, packed.bytes, packed.length);
    if (result != Z_DATA_ERROR)
        result = inflate_piece(&stream, tail, sizeof tail);
    inflateEnd(&stream);
    return result == Z_DATA_ERROR ? -1 : (long)(stream.next_out - to);
}

static enum inflate_result feed_in_pieces(struct inflater *inflater, struct fuzz_input *cuts,
                                          struct text packed)
{
    enum inflate_result result = INFLATE_OK;

    for (size_t at = 0; at < packed.length && result == INFLATE_OK;) {
        size_t piece = 1 + input_byte(cuts);

        piece = piece < packed.length - at ? piece : packed.length - at;
        result = inflater_feed(inflater, packed.bytes + at, piece, BOUND);
        at += piece;
    }
    return result == INFLATE_OK ? inflater_finish(inflater, BOUND) : result;
}

static void inflate_message(struct inflater *inflater, struct fuzz_input *cuts,
                            struct text packed)
{
    uint8_t *wanted = malloc(WHOLE);
    long wanted_length = whole_message(packed, wanted);
    enum inflate_result result = feed_in_pieces(inflater, cuts, packed);
    size_t length = 0;
    const uint8_t *output = inflater_output(inflater, &length);

    ck_assert_uint_le(length, BOUND);
    ck_assert_int_ne(result, INFLATE_NO_MEMORY);
    if (result == INFLATE_TOO_BIG)
        ck_assert(wanted_length > BOUND || wanted_length == -1);
    if (result == INFLATE_OK) {
        ck_assert_int_eq(wanted_length, (long)length);
        ck_assert(length == 0 || memcmp(output, wanted, length) == 0);
    }
    inflater_reset(inflater);
    free(wanted);
}

static void deflate_message(struct deflater *deflater, int window_bits, struct text text)
{
    uint8_t *packed = malloc(text.length + 1);
    uint8_t *back = malloc(text.length + 1);
    size_t length =
        deflate_payload(deflater, window_bits, text.bytes, text.length, packed, text.length);

    if (length > 0) {
        ck_assert_uint_eq(zlib_inflate(window_bits, packed, length, back, text.length + 1),
                          text.length);
        ck_assert_mem_eq(back, text.bytes, text.length);
    }
    free(packed);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct deflater *deflater;
    struct fuzz_input input = {data, length};
    struct inflater *inflater;
    struct text cuts = input_bytes(&input);
    struct fuzz_input cut_input = {(const uint8_t *)cuts.bytes, cuts.length};
    int window_bits = 8 + (int)input_below(&input, 8);
    struct text text = input_rest(&input);

    memory_allocator_init(&memory);
    if (deflater == NULL)
        deflater = deflater_new(&memory);
    inflater = inflater_new(&memory);
    ck_assert_ptr_nonnull(deflater);
    ck_assert_ptr_nonnull(inflater);
    inflate_message(inflater, &cut_input, text);
    inflate_message(inflater, &cut_input, text);
    deflate_message(deflater, window_bits, text);
    inflater_free(inflater);
    text_free(&cuts);
    text_free(&text);
    return 0;
}
