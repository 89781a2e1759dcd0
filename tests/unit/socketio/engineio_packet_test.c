/* engineio_packet_test.c: packets and payloads of Engine.IO 4. */
#include "transport/engineio/packet.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

START_TEST(packets_have_a_type_and_data)
{
    struct engineio_packet packet;
    char message[] = "4hello";
    char ping[] = "2probe";
    char empty[] = "6";

    ck_assert_ptr_null(engineio_packet_read(message, 6, &packet));
    ck_assert_int_eq(packet.type, ENGINEIO_MESSAGE);
    ck_assert_uint_eq(packet.length, 5);
    ck_assert_mem_eq(packet.data, "hello", 5);
    ck_assert_ptr_null(engineio_packet_read(ping, 6, &packet));
    ck_assert_int_eq(packet.type, ENGINEIO_PING);
    ck_assert_mem_eq(packet.data, "probe", 5);
    ck_assert_ptr_null(engineio_packet_read(empty, 1, &packet));
    ck_assert_int_eq(packet.type, ENGINEIO_NOOP);
    ck_assert_uint_eq(packet.length, 0);
}
END_TEST

START_TEST(packets_without_a_type_are_refused)
{
    static const char *const texts[] = {"", "7", "abc", "-1", " 4", "b", "bAQID"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct engineio_packet packet;
        char *text = strdup(texts[i]);

        ck_assert_ptr_nonnull(engineio_packet_read(text, strlen(text), &packet));
        free(text);
    }
}
END_TEST

START_TEST(a_payload_is_read_packet_by_packet)
{
    char text[] = "4hello\x1e"
                  "2\x1e"
                  "4\xe2\x82\xac\x1e"
                  "bAQIDBA==";
    struct engineio_payload payload;
    struct engineio_packet packet;

    engineio_payload_begin(&payload, text, strlen(text), 4);
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_mem_eq(packet.data, "hello", packet.length);
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_int_eq(packet.type, ENGINEIO_PING);
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_mem_eq(packet.data, "\xe2\x82\xac", packet.length);
    ck_assert(engineio_payload_has_more(&payload));
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_int_eq(packet.type, ENGINEIO_MESSAGE);
    ck_assert(packet.is_binary);
    ck_assert_uint_eq(packet.length, 4);
    ck_assert_mem_eq(packet.data, "\1\2\3\4", 4);
    ck_assert(!engineio_payload_has_more(&payload));
}
END_TEST

START_TEST(a_payload_with_a_bad_packet_is_not_read_further)
{
    static const char *const texts[] = {"", "abc", "bA", "\036", "9\0364x"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct engineio_payload payload;
        struct engineio_packet packet;
        char *text = strdup(texts[i]);

        engineio_payload_begin(&payload, text, strlen(text), 10);
        ck_assert_ptr_nonnull(engineio_payload_next(&payload, &packet));
        ck_assert(!engineio_payload_has_more(&payload));
        free(text);
    }
}
END_TEST

START_TEST(a_separator_at_the_end_is_an_empty_packet)
{
    char text[] = "4x\x1e";
    struct engineio_payload payload;
    struct engineio_packet packet;

    engineio_payload_begin(&payload, text, strlen(text), 10);
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert(engineio_payload_has_more(&payload));
    ck_assert_ptr_nonnull(engineio_payload_next(&payload, &packet));
}
END_TEST

START_TEST(a_payload_with_too_many_packets_is_refused)
{
    char text[] = "2\x1e"
                  "2\x1e"
                  "2";
    struct engineio_payload payload;
    struct engineio_packet packet;

    engineio_payload_begin(&payload, text, strlen(text), 2);
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_ptr_null(engineio_payload_next(&payload, &packet));
    ck_assert_str_eq(engineio_payload_next(&payload, &packet),
                     "the payload has too many packets");
    ck_assert(!engineio_payload_has_more(&payload));
}
END_TEST

START_TEST(a_payload_is_written)
{
    char bytes[] = "\1\2\3\4";
    char hello[] = "hello";
    const struct engineio_packet packets[] = {
        {.type = ENGINEIO_MESSAGE, .data = hello, .length = 5},
        {.type = ENGINEIO_PING, .data = hello, .length = 0},
        {.type = ENGINEIO_MESSAGE, .is_binary = true, .data = bytes, .length = 4},
    };
    struct buffer buffer;
    char *text;

    buffer_init(&buffer, &memory.allocator);
    for (size_t i = 0; i < 3; i++)
        engineio_payload_add(&buffer, i, &packets[i]);
    text = buffer_take(&buffer, NULL);
    ck_assert_str_eq(text, "4hello\x1e"
                           "2\x1e"
                           "bAQIDBA==");
    memory_free(&memory.allocator, text);
}
END_TEST

START_TEST(the_handshake_is_written)
{
    const struct engineio_open open = {"x-1", true, 25000, 20000, 1000000};
    struct buffer buffer;
    char *text;

    buffer_init(&buffer, &memory.allocator);
    engineio_open_write(&buffer, &open);
    text = buffer_take(&buffer, NULL);
    ck_assert_str_eq(text, "0{\"sid\":\"x-1\",\"upgrades\":[\"websocket\"],"
                           "\"pingInterval\":25000,\"pingTimeout\":20000,"
                           "\"maxPayload\":1000000}");
    memory_free(&memory.allocator, text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        packets_have_a_type_and_data,
        packets_without_a_type_are_refused,
        a_payload_is_read_packet_by_packet,
        a_payload_with_a_bad_packet_is_not_read_further,
        a_separator_at_the_end_is_an_empty_packet,
        a_payload_with_too_many_packets_is_refused,
        a_payload_is_written,
        the_handshake_is_written,
        NULL,
    };

    test_memory_init(&memory);
    return suite_run("engineio-packet", tests);
}
