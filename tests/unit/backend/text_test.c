/* text_test.c: which characters make a text unfit for a name, a field or a line of the log. Not
 * here: the rule itself, which is the library's (core/utf8_test.c). */
#include "text.h"

#include <string.h>

#include <ws_manager/types.h>

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

/* The log follows the same rule as names: the library's answer is compared. */
START_TEST(each_character_of_two_or_three_bytes_in_a_line)
{
    for (unsigned code = 0x80; code < 0x10000; code++) {
        char text[4] = "";
        char line[4];

        if (code < 0x800) {
            text[0] = (char)(0xC0 | code >> 6);
            text[1] = (char)(0x80 | (code & 0x3F));
        } else if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        } else {
            text[0] = (char)(0xE0 | code >> 12);
            text[1] = (char)(0x80 | (code >> 6 & 0x3F));
            text[2] = (char)(0x80 | (code & 0x3F));
        }
        strcpy(line, text);
        text_make_line(line);
        if (strcmp(line, ws_name_is_valid(text) ? text : "?") != 0)
            ck_abort_msg("U+%04X", code);
    }
}
END_TEST

START_TEST(any_bytes_become_a_line_of_the_log)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"GET /ws 200", "GET /ws 200"},
        {"a\r\nb\tc\x7F", "a??b?c?"},
        {"\xC2\x9B"
         "31m",
         "?31m"},
        {"\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6", "???"},
        {"\xFF\xFE\xC3", "???"},
        {"\xE2\x82 x", "?? x"},
        {"\xF0\x9F\x9A\x9A \xF0\x9F\x9A", "\xF0\x9F\x9A\x9A ???"},
        {"\xED\xA0\x80\xC0\x80", "?????"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[32];

        strcpy(line, cases[i][0]);
        text_make_line(line);
        ck_assert_str_eq(line, cases[i][1]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        control_characters_of_fields,
        each_character_of_two_or_three_bytes_in_a_line,
        any_bytes_become_a_line_of_the_log,
        NULL,
    };

    return suite_run("text", tests);
}
