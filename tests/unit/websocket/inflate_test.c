/* inflate_test.c: messages compressed by permessage-deflate, in pieces of any size. Not here:
 * bounds, memory and hostile data (inflate_bounds_test.c). */
#include "transport/websocket/inflate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "support/suite.h"
#include "support/test_memory.h"
#include "transport/shared/deflate.h"
#include "websocket/payload.h"

enum { BOUND = 1 << 20, MAX_LENGTH = 200000 };

static struct test_memory memory;
static struct inflater *inflater;

static void begin(void)
{
    test_memory_init(&memory);
    inflater = inflater_new(&memory.allocator);
    ck_assert_ptr_nonnull(inflater);
}

static void end(void)
{
    inflater_free(inflater);
    ck_assert_int_eq(memory.n_blocks, 0);
}

/* The message in pieces of that size, each in a block of its own. */
static enum inflate_result inflate_in_pieces(const uint8_t *data, size_t length, size_t piece)
{
    enum inflate_result result = INFLATE_OK;

    inflater_reset(inflater);
    for (size_t at = 0; at < length && result == INFLATE_OK; at += piece) {
        size_t size = piece < length - at ? piece : length - at;
        uint8_t *block = malloc(size);

        memcpy(block, data + at, size);
        result = inflater_feed(inflater, block, size, BOUND);
        free(block);
    }
    return result == INFLATE_OK ? inflater_finish(inflater, BOUND) : result;
}

static void check_output(const void *expected, size_t length)
{
    size_t output_length;
    const uint8_t *output = inflater_output(inflater, &output_length);

    ck_assert_uint_eq(output_length, length);
    if (length > 0)
        ck_assert_mem_eq(output, expected, length);
}

static void check_message(const void *data, size_t length, const char *expected)
{
    for (size_t piece = 1; piece <= length + 1; piece++) {
        ck_assert_int_eq(inflate_in_pieces(data, length, piece), INFLATE_OK);
        check_output(expected, strlen(expected));
    }
}

static void check_corrupt(const void *data, size_t length)
{
    for (size_t piece = 1; piece <= length; piece++)
        ck_assert_int_eq(inflate_in_pieces(data, length, piece), INFLATE_CORRUPT);
}

#define CHECK_MESSAGE(bytes, expected) check_message(bytes, sizeof(bytes) - 1, expected)
#define CHECK_CORRUPT(bytes) check_corrupt(bytes, sizeof(bytes) - 1)

/* --- the RFC's examples ---------------------------------------------------------------------- */

START_TEST(rfc7692_7_2_3_1_one_block)
{
    begin();
    CHECK_MESSAGE("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_2_no_message_uses_an_earlier_window)
{
    begin();
    CHECK_MESSAGE("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    CHECK_CORRUPT("\xf2\x00\x11\x00\x00");
    CHECK_MESSAGE("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_3_block_without_compression)
{
    begin();
    CHECK_MESSAGE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello");
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_4_final_block)
{
    begin();
    CHECK_MESSAGE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello");
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_5_two_blocks)
{
    begin();
    CHECK_MESSAGE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello");
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_6_empty_payload)
{
    begin();
    CHECK_MESSAGE("\x00", "");
    end();
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------ */

START_TEST(more_data_after_a_final_block)
{
    begin();
    CHECK_MESSAGE("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "HelloHello");
    CHECK_MESSAGE("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "HelloHello");
    CHECK_MESSAGE("\x03\x00\x03\x00\x03\x00\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
    /* It is a new stream, which cannot refer back to the one before. */
    CHECK_CORRUPT("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00");
    end();
}
END_TEST

START_TEST(a_final_block_without_data_after_it)
{
    begin();
    CHECK_MESSAGE("\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello");
    CHECK_MESSAGE("\x03\x00", "");
    CHECK_MESSAGE("\x01", "");
    CHECK_MESSAGE("\x01\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f", "Hello");
    end();
}
END_TEST

START_TEST(an_empty_message)
{
    begin();
    CHECK_MESSAGE("", "");
    ck_assert_int_eq(inflater_feed(inflater, NULL, 0, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_finish(inflater, BOUND), INFLATE_OK);
    check_output("", 0);
    end();
}
END_TEST

START_TEST(empty_pieces_are_ignored)
{
    begin();
    ck_assert_int_eq(inflater_feed(inflater, "\xf2\x48\xcd", 3, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_feed(inflater, "", 0, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_feed(inflater, "\xc9\xc9\x07\x00", 4, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_feed(inflater, NULL, 0, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_finish(inflater, BOUND), INFLATE_OK);
    check_output("Hello", 5);
    inflater_reset(inflater);
    ck_assert_int_eq(inflater_feed(inflater, "\xf3\x48\xcd\xc9\xc9\x07\x00", 7, BOUND),
                     INFLATE_OK);
    ck_assert_int_eq(inflater_feed(inflater, "", 0, BOUND), INFLATE_OK);
    ck_assert_int_eq(inflater_finish(inflater, BOUND), INFLATE_OK);
    check_output("Hello", 5);
    end();
}
END_TEST

START_TEST(a_truncated_message_is_corrupt)
{
    static const char bytes[] = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    /* Nothing has arrived, or just the first byte of an empty block. */
    static const bool complete[sizeof bytes] = {[0] = true, [4] = true, [13] = true};

    begin();
    for (size_t length = 0; length < sizeof bytes; length++)
        ck_assert_int_eq(inflate_in_pieces((const uint8_t *)bytes, length, 1),
                         complete[length] ? INFLATE_OK : INFLATE_CORRUPT);
    CHECK_CORRUPT("\xf2");
    CHECK_CORRUPT("\x00\x04\x00\xfb\xff");
    CHECK_CORRUPT("\x00\x05\x00\xfa\xff\x48");
    CHECK_CORRUPT("\x01\x05\x00\xfa\xff\x48");
    CHECK_CORRUPT("\x00\x05\x00\xfa\xff\x48\x65");
    /* The end that the sender should have cut off is still there. */
    CHECK_CORRUPT("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff");
    end();
}
END_TEST

START_TEST(corrupt_data)
{
    begin();
    CHECK_CORRUPT("\x06");                     /* invalid block type */
    CHECK_CORRUPT("\x00\x00\x00\xff\xff\x06"); /* the same after another block */
    CHECK_CORRUPT("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"); /* lengths that differ */
    CHECK_CORRUPT("\xf2\x48\xcd\xc9\xc9\x07\x06");             /* a distance beyond the start */
    CHECK_CORRUPT("\xfc\xff\xff\xff\xff\xff");                 /* too many codes */
    CHECK_CORRUPT("Hello");                                    /* not compressed */
    CHECK_CORRUPT("\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00");     /* zlib's format */
    CHECK_CORRUPT("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"); /* gzip's */
    end();
}
END_TEST

/* --- round trips ----------------------------------------------------------------------------- */

static void check_inflates_in_pieces(const uint8_t *compressed, size_t compressed_length,
                                     const uint8_t *payload, size_t length)
{
    static const size_t pieces[] = {1, 7, 1000, 4096, SIZE_MAX / 2};

    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        ck_assert_int_eq(inflate_in_pieces(compressed, compressed_length, pieces[i]),
                         INFLATE_OK);
        check_output(payload, length);
    }
}

START_TEST(payloads_compressed_by_the_library)
{
    static const size_t lengths[] = {0, 1, 1023, 1024, 1025, 2048, 32768, 65536, MAX_LENGTH};
    uint8_t *compressed = malloc(BOUND);
    struct deflater *deflater;

    begin();
    deflater = deflater_new(&memory.allocator);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++) {
            uint8_t *payload = payload_new(kind, lengths[i]);
            size_t length = deflate_payload(deflater, i % 2 ? 15 : 9, payload, lengths[i],
                                            compressed, BOUND);

            ck_assert_uint_gt(length, 0);
            check_inflates_in_pieces(compressed, length, payload, lengths[i]);
            free(payload);
        }
    deflater_free(deflater);
    end();
    free(compressed);
}
END_TEST

/* The last bytes of input contain the copy of up to 258 bytes: wherever the output has to grow
 * during that copy, all bytes come out before the end. */
START_TEST(output_that_grows_after_the_last_input)
{
    uint8_t *zeros = payload_new(PAYLOAD_ZEROS, MAX_LENGTH);
    uint8_t *compressed = malloc(BOUND);
    struct deflater *deflater;

    begin();
    deflater = deflater_new(&memory.allocator);
    for (size_t length = 65500; length <= 65800; length++) {
        size_t compressed_length =
            deflate_payload(deflater, 15, zeros, length, compressed, BOUND);

        check_inflates_in_pieces(compressed, compressed_length, zeros, length);
    }
    deflater_free(deflater);
    end();
    free(compressed);
    free(zeros);
}
END_TEST

/* As another zlib compresses, with the end of the empty block cut off, or with a final block. */
static size_t compress_by(int level, int strategy, int flush, const uint8_t *payload,
                          size_t length, uint8_t *to)
{
    z_stream stream = {.avail_in = (unsigned)length, .next_out = to, .avail_out = BOUND};
    uint8_t *copy = malloc(length);

    stream.next_in = memcpy(copy, payload, length);
    ck_assert_int_eq(deflateInit2(&stream, level, Z_DEFLATED, -15, 9, strategy), Z_OK);
    deflate(&stream, flush);
    ck_assert_uint_eq(stream.avail_in, 0);
    deflateEnd(&stream);
    free(copy);
    if (flush == Z_FINISH) {
        *stream.next_out = 0x00;
        return stream.total_out + 1;
    }
    return stream.total_out - 4;
}

START_TEST(payloads_compressed_by_other_settings)
{
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    uint8_t *payload = payload_new(PAYLOAD_REPEATS, MAX_LENGTH);
    uint8_t *compressed = malloc(BOUND);

    begin();
    for (int level = 0; level <= 9; level += 3)
        for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++)
            for (int finish = 0; finish < 2; finish++) {
                int flush = finish ? Z_FINISH : Z_SYNC_FLUSH;
                size_t length =
                    compress_by(level, strategies[i], flush, payload, MAX_LENGTH, compressed);

                check_inflates_in_pieces(compressed, length, payload, MAX_LENGTH);
            }
    end();
    free(compressed);
    free(payload);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rfc7692_7_2_3_1_one_block,
        rfc7692_7_2_3_2_no_message_uses_an_earlier_window,
        rfc7692_7_2_3_3_block_without_compression,
        rfc7692_7_2_3_4_final_block,
        rfc7692_7_2_3_5_two_blocks,
        rfc7692_7_2_3_6_empty_payload,
        more_data_after_a_final_block,
        a_final_block_without_data_after_it,
        an_empty_message,
        empty_pieces_are_ignored,
        a_truncated_message_is_corrupt,
        corrupt_data,
        payloads_compressed_by_the_library,
        output_that_grows_after_the_last_input,
        payloads_compressed_by_other_settings,
        NULL,
    };

    return suite_run("websocket-inflate", tests);
}
