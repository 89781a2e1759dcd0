/* inflate_bounds_test.c: what a compressed message may cost: its bound, compression bombs, failing
 * allocations, and hostile data. */
#include "transport/websocket/inflate.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"
#include "transport/shared/deflate.h"
#include "websocket/payload.h"

enum { ROOM = 1 << 20 };

static struct test_memory memory;
static size_t largest_block; /* the largest that was requested */

static void *measured_realloc(void *block, size_t bytes, void *user_data)
{
    if (bytes > largest_block)
        largest_block = bytes;
    return memory.allocator.realloc(block, bytes, user_data);
}

static void *measured_malloc(size_t bytes, void *user_data)
{
    if (bytes > largest_block)
        largest_block = bytes;
    return memory.allocator.malloc(bytes, user_data);
}

static struct inflater *begin(void)
{
    static ws_allocator measured;

    test_memory_init(&memory);
    measured = memory.allocator;
    measured.malloc = measured_malloc;
    measured.realloc = measured_realloc;
    return inflater_new(&measured);
}

static void end(struct inflater *inflater)
{
    inflater_free(inflater);
    ck_assert_int_eq(memory.n_blocks, 0);
}

/* A compressed payload; the caller frees it. */
static uint8_t *compressed_new(enum payload_kind kind, size_t length, size_t *compressed_length)
{
    uint8_t *payload = payload_new(kind, length);
    uint8_t *compressed = malloc(ROOM);
    struct test_memory other;
    struct deflater *deflater;

    test_memory_init(&other);
    deflater = deflater_new(&other.allocator);
    *compressed_length = deflate_payload(deflater, 15, payload, length, compressed, ROOM);
    ck_assert_uint_gt(*compressed_length, 0);
    deflater_free(deflater);
    free(payload);
    return compressed;
}

static enum inflate_result inflate_message(struct inflater *inflater, const uint8_t *data,
                                           size_t length, size_t piece, uint32_t max_bytes)
{
    enum inflate_result result = INFLATE_OK;

    for (size_t at = 0; at < length && result == INFLATE_OK; at += piece)
        result = inflater_feed(inflater, data + at, piece < length - at ? piece : length - at,
                               max_bytes);
    return result == INFLATE_OK ? inflater_finish(inflater, max_bytes) : result;
}

static size_t output_length(const struct inflater *inflater)
{
    size_t length;

    inflater_output(inflater, &length);
    return length;
}

/* --- the bound ------------------------------------------------------------------------------- */

START_TEST(the_bound_and_one_byte_more)
{
    static const uint32_t lengths[] = {1,    2,    5,    100,   1023, 1024,
                                       1025, 2048, 4096, 32768, 65536};
    static const size_t pieces[] = {1, 100, ROOM};
    struct inflater *inflater = begin();

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++) {
            size_t size;
            uint8_t *data = compressed_new(kind, lengths[i], &size);

            for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
                ck_assert_int_eq(inflate_message(inflater, data, size, pieces[j], lengths[i]),
                                 INFLATE_OK);
                ck_assert_uint_eq(output_length(inflater), lengths[i]);
                inflater_reset(inflater);
                ck_assert_int_eq(
                    inflate_message(inflater, data, size, pieces[j], lengths[i] - 1),
                    INFLATE_TOO_BIG);
                ck_assert_uint_le(output_length(inflater), lengths[i] - 1);
                inflater_reset(inflater);
            }
            free(data);
        }
    end(inflater);
}
END_TEST

START_TEST(a_bound_of_0)
{
    struct inflater *inflater = begin();

    ck_assert_int_eq(inflate_message(inflater, (const uint8_t *)"", 1, 1, 0), INFLATE_OK);
    inflater_reset(inflater);
    ck_assert_int_eq(
        inflate_message(inflater, (const uint8_t *)"\xf2\x48\xcd\xc9\xc9\x07", 7, 7, 0),
        INFLATE_TOO_BIG);
    end(inflater);
}
END_TEST

START_TEST(a_bomb_costs_at_most_the_bound)
{
    enum { BOMB = 100 << 20, BOUND = 60000 };
    struct inflater *inflater;
    size_t size;
    uint8_t *bomb = compressed_new(PAYLOAD_ZEROS, BOMB, &size);

    ck_assert_uint_lt(size * 1000, BOMB);
    for (size_t piece = 1; piece <= size; piece *= 10) {
        largest_block = 0;
        inflater = begin();
        ck_assert_int_eq(inflate_message(inflater, bomb, size, piece, BOUND), INFLATE_TOO_BIG);
        ck_assert_uint_eq(output_length(inflater), BOUND);
        ck_assert_uint_eq(largest_block, BOUND);
        end(inflater);
    }
    free(bomb);
}
END_TEST

/* Blocks that contain nothing: they cost time by their length, and no memory. */
START_TEST(a_million_empty_blocks)
{
    enum { SIZE = 1 << 20 };
    static const char *const blocks[] = {"\x03\x00", "\x01\x00\x00\xff\xff",
                                         "\x00\x00\x00\xff\xff"};
    static const size_t lengths[] = {2, 5, 5};
    struct inflater *inflater = begin();
    uint8_t *data = malloc(SIZE);

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        size_t size = SIZE / lengths[i] * lengths[i];

        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)blocks[i][at % lengths[i]];
        ck_assert_int_eq(inflater_feed(inflater, data, size, 1000), INFLATE_OK);
        ck_assert_int_eq(inflater_feed(inflater, "", 1, 1000), INFLATE_OK);
        ck_assert_int_eq(inflater_finish(inflater, 1000), INFLATE_OK);
        ck_assert_uint_eq(output_length(inflater), 0);
        inflater_reset(inflater);
    }
    free(data);
    end(inflater);
}
END_TEST

/* Where size_t has 32 bits no length is beyond it. */
#if SIZE_MAX > UINT_MAX
START_TEST(a_length_beyond_zlib_s_range_is_too_big)
{
    struct inflater *inflater = begin();

    ck_assert_int_eq(inflater_feed(inflater, "", SIZE_MAX, 1000), INFLATE_TOO_BIG);
    end(inflater);
}
END_TEST
#endif

/* --- after the end --------------------------------------------------------------------------- */

START_TEST(nothing_is_left_after_a_reset)
{
    static const uint8_t hello[] = {0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
    struct inflater *inflater = begin();
    long blocks_of_inflater;
    size_t size;
    uint8_t *data = compressed_new(PAYLOAD_REPEATS, 50000, &size);

    ck_assert_int_eq(inflate_message(inflater, hello, sizeof hello, 1, 5), INFLATE_OK);
    inflater_reset(inflater);
    blocks_of_inflater = memory.n_blocks;
    for (size_t length = 0; length < size; length += 1 + length / 8) {
        ck_assert_int_eq(inflater_feed(inflater, data, length, 60000), INFLATE_OK);
        inflater_reset(inflater);
        ck_assert_int_eq(memory.n_blocks, blocks_of_inflater);
        ck_assert_uint_eq(output_length(inflater), 0);
        ck_assert_int_eq(inflate_message(inflater, hello, sizeof hello, 1, 5), INFLATE_OK);
        ck_assert_mem_eq(inflater_output(inflater, &(size_t){0}), "Hello", 5);
        inflater_reset(inflater);
    }
    free(data);
    end(inflater);
}
END_TEST

START_TEST(every_allocation_fails_in_turn)
{
    size_t size;
    uint8_t *data = compressed_new(PAYLOAD_JSON, 30000, &size);

    for (int for_good = 0; for_good < 2; for_good++)
        for (long fail_at = 1;; fail_at++) {
            struct inflater *inflater = begin();
            enum inflate_result result;

            test_memory_fail(&memory, fail_at - 1, for_good);
            result = inflate_message(inflater, data, size, 500, 30000);
            ck_assert_int_eq(result, memory.failed ? INFLATE_NO_MEMORY : INFLATE_OK);
            test_memory_fail(&memory, NEVER_FAIL, false);
            inflater_reset(inflater);
            ck_assert_int_eq(inflate_message(inflater, data, size, 500, 30000), INFLATE_OK);
            ck_assert_uint_eq(output_length(inflater), 30000);
            end(inflater);
            if (result == INFLATE_OK)
                break;
            ck_assert_int_lt(fail_at, 100);
        }
    free(data);
}
END_TEST

START_TEST(without_memory_there_is_no_inflater)
{
    static const long n_requests = 2; /* ours and zlib's */

    for (long fail_at = 0; fail_at < n_requests; fail_at++) {
        test_memory_init(&memory);
        test_memory_fail(&memory, fail_at, false);
        ck_assert_ptr_null(inflater_new(&memory.allocator));
        ck_assert_int_eq(memory.n_blocks, 0);
    }
    inflater_free(NULL);
}
END_TEST

/* --- hostile data ---------------------------------------------------------------------------- */

static void check_survived(struct inflater *inflater, enum inflate_result result)
{
    ck_assert(result == INFLATE_OK || result == INFLATE_CORRUPT || result == INFLATE_TOO_BIG);
    ck_assert_uint_le(output_length(inflater), 5000);
    inflater_reset(inflater);
}

START_TEST(random_bytes)
{
    struct inflater *inflater = begin();
    uint32_t state = 4;
    unsigned corrupt = 0;

    for (int i = 0; i < 20000; i++) {
        uint8_t data[200];
        size_t length = payload_random(&state, sizeof data);
        enum inflate_result result;

        for (size_t at = 0; at < length; at++)
            data[at] = (uint8_t)payload_random(&state, 256);
        result = inflate_message(inflater, data, length, 1 + payload_random(&state, 50), 5000);
        corrupt += result == INFLATE_CORRUPT;
        check_survived(inflater, result);
    }
    ck_assert_uint_gt(corrupt, 15000);
    end(inflater);
}
END_TEST

START_TEST(valid_data_with_changed_bytes)
{
    struct inflater *inflater = begin();
    uint32_t state = 5;

    for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++) {
        size_t size;
        uint8_t *data = compressed_new(kind, 4000, &size);

        for (int i = 0; i < 5000; i++) {
            uint32_t at = payload_random(&state, (uint32_t)size);
            uint8_t before = data[at];

            data[at] ^= (uint8_t)(1u << payload_random(&state, 8));
            check_survived(inflater, inflate_message(inflater, data, size,
                                                     1 + payload_random(&state, 1000), 5000));
            data[at] = before;
        }
        free(data);
    }
    end(inflater);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_bound_and_one_byte_more,
        a_bound_of_0,
        a_bomb_costs_at_most_the_bound,
        a_million_empty_blocks,
#if SIZE_MAX > UINT_MAX
        a_length_beyond_zlib_s_range_is_too_big,
#endif
        nothing_is_left_after_a_reset,
        every_allocation_fails_in_turn,
        without_memory_there_is_no_inflater,
        random_bytes,
        valid_data_with_changed_bytes,
        NULL,
    };

    return suite_run("websocket-inflate-bounds", tests);
}
