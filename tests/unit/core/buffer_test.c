/* buffer_test.c: a text buffer that grows, its JSON strings, and its state when memory runs out;
 * arrays that grow. */
#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/suite.h"
#include "support/test_memory.h"

static struct test_memory memory;

static void begin(struct buffer *buffer)
{
    test_memory_init(&memory);
    buffer_init(buffer, &memory.allocator);
}

static void check_taken(struct buffer *buffer, const char *expected)
{
    size_t length;
    char *text = buffer_take(buffer, &length);

    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_ptr_null(buffer->data);
    memory_free(&memory.allocator, text);
    ck_assert_int_eq(memory.n_blocks, 0);
}

START_TEST(text_is_appended_in_order)
{
    struct buffer buffer;

    begin(&buffer);
    buffer_add_text(&buffer, "one");
    buffer_add(&buffer, "", 0);
    buffer_add(&buffer, " two", 4);
    buffer_add_text(&buffer, "");
    check_taken(&buffer, "one two");
    check_taken(&buffer, "");
}
END_TEST

START_TEST(numbers_of_the_full_range)
{
    static const uint64_t numbers[] = {0, 9, 10, 12345, UINT32_MAX, INT64_MAX, UINT64_MAX};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buffer buffer;
        char expected[32];

        begin(&buffer);
        buffer_add_number(&buffer, numbers[i]);
        snprintf(expected, sizeof expected, "%llu", (unsigned long long)numbers[i]);
        check_taken(&buffer, expected);
    }
}
END_TEST

START_TEST(the_buffer_grows_through_many_sizes)
{
    struct buffer buffer;
    size_t length;
    char *text;

    begin(&buffer);
    for (int i = 0; i < 100000; i++)
        buffer_add(&buffer, &"0123456789"[i % 10], 1);
    text = buffer_take(&buffer, &length);
    ck_assert_uint_eq(length, 100000);
    for (int i = 0; i < 100000; i++)
        ck_assert_int_eq(text[i], '0' + i % 10);
    memory_free(&memory.allocator, text);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(json_strings_escape_quotes_backslashes_and_controls)
{
    struct buffer buffer;

    begin(&buffer);
    buffer_add_json_string(&buffer, "a\"b\\c/\n\t\r\x01\x1f\x7f\0z", 14);
    check_taken(&buffer, "\"a\\\"b\\\\c/\\n\\u0009\\u000d\\u0001\\u001f\x7f\\u0000z\"");
    begin(&buffer);
    buffer_add_json_string(&buffer, "\"\"", 2);
    check_taken(&buffer, "\"\\\"\\\"\"");
    begin(&buffer);
    buffer_add_json_string(&buffer, "", 0);
    check_taken(&buffer, "\"\"");
    begin(&buffer);
    buffer_add_json_string_or_null(&buffer, NULL);
    buffer_add_json_string_or_null(&buffer, "null");
    check_taken(&buffer, "null\"null\"");
}
END_TEST

START_TEST(every_character_survives_a_round_trip_through_cjson)
{
    for (int byte = 1; byte < 0x80; byte++) {
        const char text[] = {'<', (char)byte, '>', '\0'};
        struct buffer buffer;
        char *json;
        cJSON *tree;

        begin(&buffer);
        buffer_add_json_string(&buffer, text, 3);
        json = buffer_take(&buffer, NULL);
        tree = cJSON_Parse(json);
        ck_assert_str_eq(cJSON_GetStringValue(tree), text);
        cJSON_Delete(tree);
        memory_free(&memory.allocator, json);
    }
}
END_TEST

START_TEST(a_failed_allocation_is_remembered)
{
    for (long fail_at = 0;; fail_at++) {
        struct buffer buffer;
        char *text;

        begin(&buffer);
        test_memory_fail(&memory, fail_at, false);
        for (int i = 0; i < 200; i++)
            buffer_add_json_string(&buffer, "some\ntext", 9);
        ck_assert_int_eq(buffer.failed, memory.failed);
        text = buffer_take(&buffer, NULL);
        ck_assert_int_eq(text == NULL, memory.failed);
        memory_free(&memory.allocator, text);
        ck_assert_int_eq(memory.n_blocks, 0);
        if (!memory.failed)
            break;
    }
}
END_TEST

START_TEST(an_impossible_length_is_a_failed_allocation)
{
    struct buffer buffer;

    begin(&buffer);
    buffer_add_text(&buffer, "a");
    buffer_add(&buffer, "b", SIZE_MAX - 1);
    ck_assert(buffer.failed);
    buffer_free(&buffer);
    ck_assert_int_eq(memory.n_blocks, 0);
    ck_assert(!buffer.failed);
}
END_TEST

START_TEST(a_text_that_fits_in_borrowed_bytes_allocates_nothing)
{
    struct buffer buffer;
    char bytes[8];

    test_memory_init(&memory);
    buffer_init_with(&buffer, &memory.allocator, bytes, sizeof bytes);
    buffer_add_text(&buffer, "12345678");
    ck_assert_ptr_eq(buffer.data, bytes);
    ck_assert_int_eq(memory.n_requests, 0);
    buffer_add_text(&buffer, "9");
    ck_assert_ptr_ne(buffer.data, bytes);
    ck_assert_uint_eq(buffer.length, 9);
    ck_assert_int_eq(memcmp(buffer.data, "123456789", 9), 0);
    buffer_free(&buffer);
    buffer_init_with(&buffer, &memory.allocator, bytes, sizeof bytes);
    test_memory_fail(&memory, 0, true);
    buffer_add_text(&buffer, "123456789");
    ck_assert(buffer.failed);
    buffer_free(&buffer);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(arrays_grow_by_half_and_keep_their_elements)
{
    int *array = NULL;
    size_t capacity = 0;

    test_memory_init(&memory);
    for (size_t count = 0; count < 5000; count++) {
        size_t before = capacity;
        int *grown = memory_grow(&memory.allocator, array, sizeof *array, count, 4, &capacity);

        ck_assert_ptr_nonnull(grown);
        ck_assert_uint_gt(capacity, count);
        ck_assert(capacity == before || (capacity >= 4 && before == count));
        array = grown;
        array[count] = (int)count;
    }
    ck_assert_int_lt(memory.n_requests, 30);
    for (int i = 0; i < 5000; i++)
        ck_assert_int_eq(array[i], i);
    memory_free(&memory.allocator, array);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(an_array_that_cannot_grow_is_unchanged)
{
    size_t capacity = 0;
    size_t huge = SIZE_MAX / 16;
    int *array;

    test_memory_init(&memory);
    array = memory_grow(&memory.allocator, NULL, sizeof *array, 0, 4, &capacity);
    ck_assert_uint_eq(capacity, 4);
    array[3] = 7;
    test_memory_fail(&memory, 0, true);
    ck_assert_ptr_null(memory_grow(&memory.allocator, array, sizeof *array, 4, 4, &capacity));
    ck_assert_uint_eq(capacity, 4);
    ck_assert_int_eq(array[3], 7);
    test_memory_fail(&memory, NEVER_FAIL, false);
    ck_assert_ptr_null(memory_grow(&memory.allocator, array, 64, huge, 4, &huge));
    ck_assert_int_eq(memory.n_requests, 0);
    memory_free(&memory.allocator, array);
    memory_free(&memory.allocator, NULL);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        text_is_appended_in_order,
        numbers_of_the_full_range,
        the_buffer_grows_through_many_sizes,
        json_strings_escape_quotes_backslashes_and_controls,
        every_character_survives_a_round_trip_through_cjson,
        a_failed_allocation_is_remembered,
        an_impossible_length_is_a_failed_allocation,
        a_text_that_fits_in_borrowed_bytes_allocates_nothing,
        arrays_grow_by_half_and_keep_their_elements,
        an_array_that_cannot_grow_is_unchanged,
        NULL,
    };

    return suite_run("buffer", tests);
}
