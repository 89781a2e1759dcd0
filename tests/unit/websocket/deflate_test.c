/* deflate_test.c: payloads compressed for permessage-deflate, and inflated by zlib with exactly the
 * window that was requested. */
#include "transport/shared/deflate.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"
#include "websocket/payload.h"
#include "websocket/zlib_peer.h"

enum { AMPLE = 1 << 18, MAX_LENGTH = 100000 };

static struct test_memory memory;
static struct deflater *deflater;

static void begin(void)
{
    test_memory_init(&memory);
    deflater = deflater_new(&memory.allocator);
    ck_assert_ptr_nonnull(deflater);
}

static void end(void)
{
    deflater_free(deflater);
    ck_assert_int_eq(memory.n_blocks, 0);
}

static void check_inflated(int window_bits, const uint8_t *compressed, size_t compressed_length,
                           const uint8_t *payload, size_t length)
{
    uint8_t *inflated = malloc(length + 1);

    ck_assert_uint_eq(
        zlib_inflate(window_bits, compressed, compressed_length, inflated, length + 1), length);
    ck_assert(length == 0 || memcmp(inflated, payload, length) == 0);
    free(inflated);
}

static void check_round_trip(int window_bits, enum payload_kind kind, size_t length)
{
    uint8_t *payload = payload_new(kind, length);
    uint8_t *compressed = malloc(AMPLE);
    size_t compressed_length =
        deflate_payload(deflater, window_bits, payload, length, compressed, AMPLE);

    ck_assert_uint_gt(compressed_length, 0);
    check_inflated(window_bits, compressed, compressed_length, payload, length);
    free(compressed);
    free(payload);
}

static void check_bytes(const char *payload, const void *expected, size_t expected_length)
{
    uint8_t compressed[64];
    size_t length =
        deflate_payload(deflater, 15, payload, strlen(payload), compressed, sizeof compressed);

    ck_assert_uint_eq(length, expected_length);
    ck_assert_mem_eq(compressed, expected, length);
}

START_TEST(rfc7692_7_2_3_1_one_block)
{
    begin();
    check_bytes("Hello", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_2_no_payload_uses_an_earlier_one)
{
    begin();
    check_bytes("Hello", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    check_bytes("Hello", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    check_round_trip(15, PAYLOAD_JSON, MAX_LENGTH);
    check_bytes("Hello", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
    end();
}
END_TEST

START_TEST(rfc7692_7_2_3_6_empty_payload)
{
    uint8_t compressed[64];

    begin();
    check_bytes("", "\x00", 1);
    check_bytes("", "\x00", 1);
    ck_assert_uint_eq(deflate_payload(deflater, 15, NULL, 0, compressed, sizeof compressed), 1);
    end();
}
END_TEST

START_TEST(every_window_inflates_payloads_compressed_for_it)
{
    begin();
    for (int window_bits = 9; window_bits <= 15; window_bits++) {
        const size_t window = (size_t)1 << window_bits;
        const size_t lengths[] = {1,          2,          100,        window - 1,
                                  window,     window + 1, window * 2, window * 2 + 777,
                                  MAX_LENGTH, 0};

        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++)
                check_round_trip(window_bits, kind, lengths[i]);
    }
    end();
}
END_TEST

START_TEST(the_smallest_window_takes_payloads_that_fit_into_it)
{
    uint8_t to[1024];
    uint8_t *zeros = payload_new(PAYLOAD_ZEROS, 257);

    begin();
    for (size_t length = 0; length <= 256; length++)
        for (enum payload_kind kind = 0; kind < N_PAYLOAD_KINDS; kind++)
            check_round_trip(8, kind, length);
    ck_assert_uint_eq(deflate_payload(deflater, 8, zeros, 257, to, sizeof to), 0);
    end();
    free(zeros);
}
END_TEST

START_TEST(a_payload_within_the_window_is_the_same_for_all_windows)
{
    uint8_t *large = malloc(AMPLE);
    uint8_t *small = malloc(AMPLE);

    begin();
    for (int window_bits = 8; window_bits < 15; window_bits++) {
        size_t length = (size_t)1 << window_bits;
        uint8_t *payload = payload_new(PAYLOAD_REPEATS, length);
        size_t large_length = deflate_payload(deflater, 15, payload, length, large, AMPLE);
        size_t small_length =
            deflate_payload(deflater, window_bits, payload, length, small, AMPLE);

        ck_assert_uint_eq(large_length, small_length);
        ck_assert_mem_eq(large, small, small_length);
        free(payload);
    }
    end();
    free(small);
    free(large);
}
END_TEST

/* The output is a block of its own: nothing is written after its end. */
static size_t deflate_into(const uint8_t *payload, size_t length, size_t room)
{
    uint8_t *to = malloc(room > 0 ? room : 1);
    size_t compressed_length = deflate_payload(deflater, 15, payload, length, to, room);

    if (compressed_length > 0)
        check_inflated(15, to, compressed_length, payload, length);
    free(to);
    return compressed_length;
}

START_TEST(an_incompressible_payload_stays_plain)
{
    static const size_t lengths[] = {1, 2, 10, 100, 1000, MAX_LENGTH};

    begin();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint8_t *random = payload_new(PAYLOAD_RANDOM, lengths[i]);

        ck_assert_uint_eq(deflate_into(random, lengths[i], lengths[i]), 0);
        free(random);
    }
    ck_assert_uint_eq(deflate_into((const uint8_t *)"Hello", 5, 5), 0);
    ck_assert_uint_eq(deflate_into((const uint8_t *)"HelloHelloHello", 15, 15), 10);
    end();
}
END_TEST

START_TEST(the_output_must_have_room_for_the_tail)
{
    uint8_t *payload = payload_new(PAYLOAD_JSON, 600);
    size_t needed;

    begin();
    needed = deflate_into(payload, 600, 600);
    ck_assert_uint_gt(needed, 0);
    for (size_t room = 0; room <= 600; room++)
        ck_assert_uint_eq(deflate_into(payload, 600, room), room > needed + 4 ? needed : 0);
    end();
    free(payload);
}
END_TEST

/* Where size_t has 32 bits no length is beyond it. */
#if SIZE_MAX > UINT_MAX
START_TEST(a_length_beyond_zlib_s_range_stays_plain)
{
    uint8_t to[8];

    begin();
    ck_assert_uint_eq(deflate_payload(deflater, 15, "", SIZE_MAX, to, sizeof to), 0);
    ck_assert_uint_eq(deflate_payload(deflater, 15, "", 1, to, SIZE_MAX), 0);
    end();
}
END_TEST
#endif

START_TEST(state_is_allocated_once_for_each_window)
{
    long requests;

    begin();
    for (int window_bits = 9; window_bits <= 15; window_bits++)
        check_round_trip(window_bits, PAYLOAD_JSON, MAX_LENGTH);
    requests = memory.n_requests;
    for (int window_bits = 9; window_bits <= 15; window_bits++)
        check_round_trip(window_bits, PAYLOAD_JSON, MAX_LENGTH);
    ck_assert_int_eq(memory.n_requests, requests);
    end();
}
END_TEST

START_TEST(without_memory_a_payload_stays_plain)
{
    uint8_t *payload = payload_new(PAYLOAD_JSON, 600);

    for (long fail_at = 0;; fail_at++) {
        size_t length;

        begin();
        test_memory_fail(&memory, fail_at, true);
        length = deflate_into(payload, 600, 600);
        ck_assert_int_eq(length == 0, memory.failed);
        test_memory_fail(&memory, NEVER_FAIL, false);
        ck_assert_uint_gt(deflate_into(payload, 600, 600), 0);
        end();
        if (length > 0)
            break;
    }
    test_memory_fail(&memory, 0, true);
    ck_assert_ptr_null(deflater_new(&memory.allocator));
    deflater_free(NULL);
    free(payload);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        rfc7692_7_2_3_1_one_block,
        rfc7692_7_2_3_2_no_payload_uses_an_earlier_one,
        rfc7692_7_2_3_6_empty_payload,
        every_window_inflates_payloads_compressed_for_it,
        the_smallest_window_takes_payloads_that_fit_into_it,
        a_payload_within_the_window_is_the_same_for_all_windows,
        an_incompressible_payload_stays_plain,
        the_output_must_have_room_for_the_tail,
#if SIZE_MAX > UINT_MAX
        a_length_beyond_zlib_s_range_stays_plain,
#endif
        state_is_allocated_once_for_each_window,
        without_memory_a_payload_stays_plain,
        NULL,
    };

    return suite_run("websocket-deflate", tests);
}
