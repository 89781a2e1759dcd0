/* text_test.c: which characters a field may not have, and how queries and paths are decoded. Not
 * here: UTF-8 and lines of the log, which are the library's (core/utf8_test.c). */
#include "server/parts/text.h"

#include <string.h>

#include "support/suite.h"

START_TEST(control_characters_of_fields)
{
    static const char *const bad[] = {"\x01",      "a\x1f",     "a\rb",    "\x7f",
                                      "a\xC2\x80", "\xC2\x9F.", "\xC2\x85"};
    static const char *const good[] = {"",         "a b",          "\xC2\xA0",
                                       "\xC3\x80", "\xE2\x82\xAC", "\xF0\x9F\x9A\x9A"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(text_has_control(bad[i], false), "%zu", i);
        ck_assert_msg(text_has_control(bad[i], true), "%zu", i);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(!text_has_control(good[i], false), "%zu", i);
    ck_assert(text_has_control("a\n\tb", false));
    ck_assert(!text_has_control("a\n\tb", true));
}
END_TEST

START_TEST(percent_encoding_is_decoded_once)
{
    static const char *const good[][2] = {
        {"", ""}, {"a%20b", "a b"}, {"%2f%2F+", "//+"}, {"%2541", "%41"}};
    static const char *const bad[] = {"%", "%4", "a%4", "%4g", "%g4", "%%", "%00", "12345678"};
    char decoded[8];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert(text_percent_decode(good[i][0], strlen(good[i][0]), decoded, sizeof decoded));
        ck_assert_str_eq(decoded, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!text_percent_decode(bad[i], strlen(bad[i]), decoded, sizeof decoded),
                      "%s", bad[i]);
    ck_assert_msg(!text_percent_decode("%41", 2, decoded, sizeof decoded), "beyond the length");
}
END_TEST

/* As URLSearchParams of a browser writes and reads a query. */
START_TEST(queries_are_decoded_as_in_the_library)
{
    static const struct {
        const char *query;
        enum text_parameter result;
        const char *value;
    } cases[] = {
        {"q=a+b", TEXT_PARAMETER_FOUND, "a b"},
        {"q=a%2Bb", TEXT_PARAMETER_FOUND, "a+b"},
        {"q=a%20b", TEXT_PARAMETER_FOUND, "a b"},
        {"x=1&q=", TEXT_PARAMETER_FOUND, ""},
        {"x=1&q", TEXT_PARAMETER_FOUND, ""},
        {"%71=a", TEXT_PARAMETER_FOUND, "a"},
        {"&&q=a&q=b", TEXT_PARAMETER_FOUND, "a"},
        {"%=1&q=a", TEXT_PARAMETER_FOUND, "a"},
        {"q=a=b", TEXT_PARAMETER_FOUND, "a=b"},
        {"q=1234567", TEXT_PARAMETER_FOUND, "1234567"},
        {"q=%zz", TEXT_PARAMETER_BAD, NULL},
        {"q=%00", TEXT_PARAMETER_BAD, NULL},
        {"q=12345678", TEXT_PARAMETER_BAD, NULL},
        {"", TEXT_PARAMETER_ABSENT, NULL},
        {"qq=1&Q=1", TEXT_PARAMETER_ABSENT, NULL},
        {"x=q=1", TEXT_PARAMETER_ABSENT, NULL},
        {"q%00=1&q+=1", TEXT_PARAMETER_ABSENT, NULL},
    };
    char value[8];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *query = cases[i].query;

        ck_assert_msg(text_next_parameter(&query, "q", value, sizeof value) == cases[i].result,
                      "%s", cases[i].query);
        if (cases[i].value != NULL)
            ck_assert_str_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(each_parameter_of_a_name_is_found)
{
    const char *query = "q=1&x=2&q=%zz&q=3&x";
    char value[8];

    ck_assert_int_eq(text_next_parameter(&query, "q", value, sizeof value),
                     TEXT_PARAMETER_FOUND);
    ck_assert_str_eq(value, "1");
    ck_assert_int_eq(text_next_parameter(&query, "q", value, sizeof value), TEXT_PARAMETER_BAD);
    ck_assert_int_eq(text_next_parameter(&query, "q", value, sizeof value),
                     TEXT_PARAMETER_FOUND);
    ck_assert_str_eq(value, "3");
    ck_assert_int_eq(text_next_parameter(&query, "q", value, sizeof value),
                     TEXT_PARAMETER_ABSENT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        control_characters_of_fields,
        percent_encoding_is_decoded_once,
        queries_are_decoded_as_in_the_library,
        each_parameter_of_a_name_is_found,
        NULL,
    };

    return suite_run("text", tests);
}
