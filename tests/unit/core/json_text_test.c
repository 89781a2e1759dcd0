/* json_text_test.c: which texts are JSON by RFC 8259, and how deep they are nested; finding an
 * object's members; decoding the escapes of a string. */
#include "base/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/suite.h"
#include "support/test_memory.h"

static bool valid(const char *text)
{
    return json_valid(text, strlen(text), JSON_MAX_DEPTH);
}

START_TEST(texts_that_rfc_8259_allows_are_accepted)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "7",
        "10",
        "-12.50",
        "0.0",
        "1e5",
        "1E5",
        "1e+5",
        "1.25e-07",
        "123456789012345678901234567890",
        "\"\"",
        "\"a \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u00e9 \\uD83D\\ude9a\"",
        "\"\\u0000\"",
        "\"\x7f\xc2\x80\xe2\x80\xa8\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        " \t\r\n[1 , 2,[3],{\"a\":[]}] \n",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"b\":{\"c\":[true,false,null]}} , \"d\" : -1 }",
        "[[[[[[[[[[]]]]]]]]]]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(valid(texts[i]), "refused: %s", texts[i]);
}
END_TEST

START_TEST(texts_that_rfc_8259_does_not_allow_are_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        "01",
        "-01",
        "00",
        "1.",
        ".5",
        "-",
        "-.5",
        "+1",
        "1e",
        "1e+",
        "1.e5",
        "1e5.5",
        "0x10",
        "1 2",
        "NaN",
        "Infinity",
        "-Infinity",
        "True",
        "nul",
        "nulll",
        "truefalse",
        "undefined",
        "\"",
        "\"a",
        "\"a\\",
        "\"a\\\"",
        "'a'",
        "a",
        "\"\\x41\"",
        "\"\\a\"",
        "\"\\'\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\U1234\"",
        "\"\n\"",
        "\"\t\"",
        "\"\x01\"",
        "\"\x1f\"",
        "\"\\ud800\"",
        "\"\\udbff\"",
        "\"\\udc00\"",
        "\"\\udfff\\ud800\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ud83d\\u\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":}",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{1:1}",
        "{,}",
        "{\"a\":1]",
        "[1] 2",
        "{}{}",
        "[] x",
        "[1]]",
        "{}}",
        "1,",
        "// comment\n1",
        "/**/1",
        "\xef\xbb\xbf{}",
        "\v1",
        "\f1",
        "\xc2\xa0[]",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xed\xa0\x80\"",
        "{\"\xc0\x80\":1}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!valid(texts[i]), "accepted: %s", texts[i]);
}
END_TEST

START_TEST(zero_bytes_are_part_of_the_text)
{
    ck_assert(!json_valid("1\0", 2, 8));
    ck_assert(!json_valid("\"a\0b\"", 5, 8));
    ck_assert(!json_valid("\0", 1, 8));
    ck_assert(!json_valid("[\0]", 3, 8));
    ck_assert(!json_valid("\"\\\0\"", 4, 8));
}
END_TEST

/* A text that is cut anywhere is not valid, and nothing after its end is read (it is in a block of
 * its own, so that AddressSanitizer would notice). */
START_TEST(a_text_that_is_cut_is_refused)
{
    static const char text[] = "{\"a\":[1.5e+3,true,false,null,"
                               "\"\\u00e9\\ud83d\\ude9a\\n\xe2\x82\xac\"],\"b\":{\"c\":-0}}";

    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *piece = malloc(length + 1);

        memcpy(piece, text, length);
        piece = realloc(piece, length > 0 ? length : 1);
        ck_assert_msg(!json_valid(piece, length, 8), "cut after %zu", length);
        free(piece);
    }
    ck_assert(json_valid(text, sizeof text - 1, 8));
}
END_TEST

/* "[[…]]", or nested objects. */
static char *nested(size_t depth, bool objects)
{
    const char *open = objects ? "{\"a\":" : "[";
    size_t size = strlen(open);
    char *text = malloc(depth * (size + 1) + 2);
    size_t at = 0;

    for (size_t i = 0; i < depth; i++, at += size)
        memcpy(text + at, open, size);
    if (objects)
        text[at++] = '1';
    for (size_t i = 0; i < depth; i++)
        text[at++] = objects ? '}' : ']';
    text[at] = '\0';
    return text;
}

static void check_depth(size_t depth, size_t max_depth, bool expected)
{
    for (int objects = 0; objects < 2; objects++) {
        char *text = nested(depth, objects);

        ck_assert_int_eq(json_valid(text, strlen(text), max_depth), expected);
        free(text);
    }
}

START_TEST(nesting_is_accepted_up_to_the_limit)
{
    for (size_t depth = 1; depth <= 40; depth++) {
        check_depth(depth, depth, true);
        check_depth(depth, depth - 1, false);
    }
    check_depth(JSON_MAX_DEPTH, JSON_MAX_DEPTH, true);
    check_depth(JSON_MAX_DEPTH + 1, JSON_MAX_DEPTH, false);
    check_depth(JSON_LEVELS, SIZE_MAX,
                true); /* the data of an event, and the event around it */
    check_depth(JSON_LEVELS + 1, SIZE_MAX, false);
    check_depth(1000000, JSON_MAX_DEPTH, false);
    ck_assert(json_valid("1", 1, 0));
    /* Siblings are not deeper. */
    ck_assert(json_valid("[[],[],{},[{}],[]]", 18, 3));
    ck_assert(!json_valid("[[],[],{},[{}],[]]", 18, 2));
    /* Brackets and braces at different levels are not mixed up. */
    ck_assert(!json_valid("[{\"a\":[1,2}]]", 13, 8));
    ck_assert(!json_valid("{\"a\":[{\"b\":1]}}", 15, 8));
}
END_TEST

/* Every text over an alphabet of the significant characters, up to a length: what the checker
 * accepts, cJSON, which is laxer, accepts too; and, with the known exceptions, the other way
 * round. */
START_TEST(short_texts_agree_with_cjson)
{
    static const char alphabet[] = "01-.e[]{}\",:a ";
    enum { N = sizeof alphabet - 1, LENGTH = 5 };
    char text[LENGTH + 1];
    unsigned taken = 0;

    for (unsigned number = 0; number < N * N * N * N * N; number++) {
        unsigned rest = number;

        for (size_t i = 0; i < LENGTH; i++, rest /= N)
            text[i] = alphabet[rest % N];
        text[LENGTH] = '\0';
        if (valid(text)) {
            cJSON *tree = cJSON_Parse(text);

            ck_assert_msg(tree != NULL, "accepted, but not by cJSON: %s", text);
            cJSON_Delete(tree);
            taken++;
        }
    }
    ck_assert_uint_gt(taken, 1000);
}
END_TEST

static bool slice_is(struct json_slice slice, const char *expected)
{
    return expected == NULL ? slice.text == NULL
                            : slice.text != NULL && slice.length == strlen(expected) &&
                                  memcmp(slice.text, expected, slice.length) == 0;
}

static void check_members(const char *text, const char *a, const char *b)
{
    static const char *const names[] = {"a", "bb"};
    struct json_slice values[2];

    ck_assert(valid(text));
    ck_assert(json_members(text, strlen(text), names, values, 2));
    ck_assert_msg(slice_is(values[0], a), "member a of %s", text);
    ck_assert_msg(slice_is(values[1], b), "member bb of %s", text);
}

START_TEST(members_are_found_by_name)
{
    static const char *const names[] = {"a"};
    struct json_slice value;

    check_members("{}", NULL, NULL);
    check_members(" { } ", NULL, NULL);
    check_members("{\"a\":1}", "1", NULL);
    check_members(" { \"bb\" : \"x\" , \"a\" : [ 1, {} ] } ", "[ 1, {} ]", "\"x\"");
    check_members("{\"b\":1,\"aa\":2,\"bbb\":3,\"\":4,\"A\":5}", NULL, NULL);
    check_members("{\"x\":{\"a\":1,\"bb\":2},\"bb\":{\"a\":3}}", NULL, "{\"a\":3}");
    check_members("{\"x\":[{\"a\":1}],\"y\":\"\\\"a\\\":2\",\"a\":null}", "null", NULL);
    check_members("{\"a\":-1.5e3,\"bb\":true}", "-1.5e3", "true");
    /* Of several members with the same name the last one counts, as in JSON.parse(). */
    check_members("{\"a\":1,\"bb\":2,\"a\":3,\"bb\":\"4\"}", "3", "\"4\"");
    /* A name matches however it is escaped. */
    check_members("{\"\\u0061\":1,\"b\\u0062\":2}", "1", "2");
    check_members("{\"\\u0161\":1,\"\\u0061\\u0000\":2,\"b\\u0062\\n\":3,\"\\\\a\":4}", NULL,
                  NULL);
    check_members("{\"\\ud83d\\ude00\":1,\"b\":2,\"b\\\"\":3}", NULL, NULL);
    ck_assert(!json_members("[1]", 3, names, &value, 1));
    ck_assert(!json_members("\"a\"", 3, names, &value, 1));
    ck_assert(!json_members("1", 1, names, &value, 1));
    ck_assert(!json_members("null", 4, names, &value, 1));
    ck_assert_ptr_null(value.text);
}
END_TEST

static char *string_of(struct test_memory *memory, const char *json)
{
    char *text = NULL;

    ck_assert(valid(json));
    ck_assert(json_string(&memory->allocator, (struct json_slice){json, strlen(json)}, &text));
    return text;
}

static void check_string(const char *json, const char *expected)
{
    struct test_memory memory;
    char *text;

    test_memory_init(&memory);
    text = string_of(&memory, json);
    if (expected == NULL)
        ck_assert_ptr_null(text);
    else
        ck_assert_str_eq(text, expected);
    memory_free(&memory.allocator, text);
    ck_assert_int_eq(memory.n_blocks, 0);
}

START_TEST(strings_are_decoded)
{
    check_string("\"\"", "");
    check_string("\"orders\"", "orders");
    check_string("\"\xe2\x82\xac\"", "\xe2\x82\xac");
    check_string("\"a\\\"b\\\\c\\/d\"", "a\"b\\c/d");
    check_string("\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t");
    check_string("\"\\u0041\\u00e9\\u20ac\\ud83d\\ude9a\"",
                 "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x9a");
    check_string("\"\\u0000\"", NULL);
    check_string("\"a\\n\\u0000b\"", NULL);
    check_string("\"\\\\u0000\"", "\\u0000");
    check_string("\"\\\\\\u0000\"", NULL);
    check_string("\"\\u00001\"", NULL);
    check_string("1", NULL);
    check_string("null", NULL);
    check_string("{}", NULL);
    check_string("[\"a\"]", NULL);
}
END_TEST

START_TEST(decoding_reports_failed_allocations)
{
    struct test_memory memory;
    char *text = NULL;

    test_memory_init(&memory);
    test_memory_fail(&memory, 0, true);
    ck_assert(!json_string(&memory.allocator, (struct json_slice){"\"a\"", 3}, &text));
    ck_assert_ptr_null(text);
    ck_assert(!json_string(&memory.allocator, (struct json_slice){"\"\\n\"", 4}, &text));
    ck_assert_ptr_null(text);
    ck_assert(json_string(&memory.allocator, (struct json_slice){NULL, 0}, &text));
    ck_assert_ptr_null(text);
}
END_TEST

START_TEST(the_elements_of_an_array_are_found)
{
    static const char text[] = " [ 1 , \"a,b\",[2,[]], {\"c\":[3]} ,null ] ";
    static const char *const wanted[] = {"1", "\"a,b\"", "[2,[]]", "{\"c\":[3]}", "null"};
    struct json_walk walk;
    struct json_slice value;

    ck_assert(json_elements_begin(&walk, text, strlen(text)));
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        ck_assert(json_elements_next(&walk, &value));
        ck_assert_uint_eq(value.length, strlen(wanted[i]));
        ck_assert_mem_eq(value.text, wanted[i], value.length);
    }
    ck_assert(!json_elements_next(&walk, &value));
    ck_assert(json_elements_begin(&walk, "[]", 2));
    ck_assert(!json_elements_next(&walk, &value));
    ck_assert(!json_elements_begin(&walk, "{}", 2));
    ck_assert(!json_elements_begin(&walk, "1", 1));
}
END_TEST

static uint32_t count(const char *text)
{
    uint32_t n_tokens = UINT32_MAX;

    json_check(text, strlen(text), 8, &n_tokens);
    return n_tokens;
}

START_TEST(values_and_names_are_counted)
{
    ck_assert_uint_eq(count("1"), 1);
    ck_assert_uint_eq(count("\"[1,2,3]\""), 1);
    ck_assert_uint_eq(count("[]"), 1);
    ck_assert_uint_eq(count("[0,[],0]"), 4);
    ck_assert_uint_eq(count("{\"a\":1,\"b\":[true]}"), 6);
    ck_assert_uint_eq(count("[0,0,?"), 4);
    ck_assert_uint_eq(count(""), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        texts_that_rfc_8259_allows_are_accepted,
        texts_that_rfc_8259_does_not_allow_are_refused,
        zero_bytes_are_part_of_the_text,
        a_text_that_is_cut_is_refused,
        nesting_is_accepted_up_to_the_limit,
        short_texts_agree_with_cjson,
        members_are_found_by_name,
        strings_are_decoded,
        decoding_reports_failed_allocations,
        the_elements_of_an_array_are_found,
        values_and_names_are_counted,
        NULL,
    };

    return suite_run("json_text", tests);
}
