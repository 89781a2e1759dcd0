/* text_test.c: which characters a field may not have, and how queries and paths are decoded. Not
 * here: UTF-8 and lines of the log, which are the library's (core/utf8_test.c). */
#include "text.h"

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

int main(void)
{
    const TTest *const tests[] = {
        control_characters_of_fields,
        percent_encoding_is_decoded_once,
        NULL,
    };

    return suite_run("text", tests);
}
