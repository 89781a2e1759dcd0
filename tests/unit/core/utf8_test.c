/* utf8_test.c: which bytes are UTF-8 (RFC 3629), in one piece and in every two and three pieces;
 * which names are valid, and how any bytes become a line of the log. */
#include "base/utf8.h"

#include <string.h>

#include <ws_manager/manager.h>

#include "support/suite.h"

/* Version 14 of clang-format takes the braces for a block. */
/* clang-format off */
#define TEXT(literal) {literal, sizeof literal - 1}
/* clang-format on */

struct text {
    const char *bytes;
    size_t length;
};

static const struct text good[] = {
    TEXT(""),
    TEXT("a"),
    TEXT("\0"),
    TEXT("\x7f"),
    TEXT("eight ascii bytes, and more than that"),
    TEXT("\xc2\x80"),
    TEXT("\xdf\xbf"),
    TEXT("\xe0\xa0\x80"),
    TEXT("\xec\xbf\xbf"),
    TEXT("\xed\x9f\xbf"), /* the last character before the surrogates */
    TEXT("\xee\x80\x80"), /* the first character after them */
    TEXT("\xef\xbf\xbf"),
    TEXT("\xf0\x90\x80\x80"),
    TEXT("\xf3\xbf\xbf\xbf"),
    TEXT("\xf4\x8f\xbf\xbf"), /* U+10FFFF */
    TEXT("1234567\xc3\xa9"),
    TEXT("12345678\xc3\xa9 12345678 \xe2\x82\xac\xf0\x9f\x9a\x9a 12345678"),
};

static const struct text bad[] = {
    TEXT("\x80"), /* a continuation byte without a start */
    TEXT("\xbf"),
    TEXT("a\x80"),
    TEXT("12345678\x80"),
    TEXT("\xc3\xa9\xa9"),
    TEXT("\xc0\x80"), /* overlong */
    TEXT("\xc1\xbf"),
    TEXT("\xe0\x80\x80"),
    TEXT("\xe0\x9f\xbf"),
    TEXT("\xf0\x80\x80\x80"),
    TEXT("\xf0\x8f\xbf\xbf"),
    TEXT("\xed\xa0\x80"), /* surrogates */
    TEXT("\xed\xbf\xbf"),
    TEXT("\xf4\x90\x80\x80"), /* above U+10FFFF */
    TEXT("\xf5\x80\x80\x80"),
    TEXT("\xf8\x88\x80\x80\x80"),
    TEXT("\xfe"),
    TEXT("\xff"),
    TEXT("\xc3" /* another character instead of the rest */ "a"),
    TEXT("\xe2\x82"
         "a"),
    TEXT("\xf0\x9f\x9a"
         "a"),
    TEXT("\xc3\xc3\xa9"),
    TEXT("\xe2\x82\xc3\xa9"),
    TEXT("\xe2\x7f\x80"),
    TEXT("\xe2\xc0\x80"),
    TEXT("\xf1\x80\x7f\x80"),
    TEXT("\xf1\x80\x80\xc0"),
};

static const struct text unfinished[] = {
    TEXT("\xc2"),         TEXT("\xdf"),         TEXT("\xe0"),     TEXT("\xe0\xa0"),
    TEXT("\xed\x9f"),     TEXT("\xf0"),         TEXT("\xf0\x90"), TEXT("\xf0\x90\x80"),
    TEXT("\xf4\x8f\xbf"), TEXT("12345678\xe2"),
};

/* In three pieces, the middle one of at most one byte. */
static bool valid_in_pieces(struct text text, size_t first, size_t second)
{
    struct utf8_state state = {0};

    return utf8_feed(&state, text.bytes, first) &&
           utf8_feed(&state, text.bytes + first, second - first) &&
           utf8_feed(&state, text.bytes + second, text.length - second) &&
           utf8_complete(&state);
}

static void check_text(struct text text, bool expected)
{
    ck_assert_int_eq(utf8_valid(text.bytes, text.length), expected);
    for (size_t first = 0; first <= text.length; first++)
        for (size_t second = first; second <= text.length; second++)
            ck_assert_msg(valid_in_pieces(text, first, second) == expected,
                          "\"%s\" split at %zu and %zu", text.bytes, first, second);
}

START_TEST(valid_text_is_accepted_however_it_is_split)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check_text(good[i], true);
}
END_TEST

START_TEST(invalid_text_is_refused_however_it_is_split)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_text(bad[i], false);
}
END_TEST

START_TEST(unfinished_text_is_valid_but_not_complete)
{
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++) {
        struct utf8_state state = {0};

        ck_assert(utf8_feed(&state, unfinished[i].bytes, unfinished[i].length));
        ck_assert(!utf8_complete(&state));
        check_text(unfinished[i], false);
    }
}
END_TEST

/* A decoder written from the definition, to compare with: RFC 3629 §3 and §4. */
static bool sequence_valid(const uint8_t *bytes, size_t length)
{
    uint32_t code;

    if (length == 2 && (bytes[0] & 0xe0) == 0xc0)
        code = bytes[0] & 0x1f;
    else if (length == 3 && (bytes[0] & 0xf0) == 0xe0)
        code = bytes[0] & 0x0f;
    else if (length == 4 && (bytes[0] & 0xf8) == 0xf0)
        code = bytes[0] & 0x07;
    else
        return false;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
           code >= (length == 2   ? 0x80u
                    : length == 3 ? 0x800u
                                  : 0x10000u);
}

/* An ASCII third byte is a character of its own. */
static bool agrees(uint8_t first, uint8_t second, uint8_t third)
{
    const uint8_t bytes[4] = {first, second, third, 0xbf};
    bool two = sequence_valid(bytes, 2);

    return utf8_valid(bytes, 2) == two &&
           utf8_valid(bytes, 3) == (sequence_valid(bytes, 3) || (two && third < 0x80)) &&
           utf8_valid(bytes, 4) == sequence_valid(bytes, 4);
}

START_TEST(every_sequence_of_up_to_three_bytes_agrees_with_the_rfc)
{
    unsigned wrong = 0;

    for (unsigned first = 0x80; first < 0x100; first++)
        for (unsigned second = 0; second < 0x100; second++)
            for (unsigned third = 0x70; third < 0xc2; third++)
                wrong += !agrees((uint8_t)first, (uint8_t)second, (uint8_t)third);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(names_are_text_without_control_characters)
{
    char longest[WS_NAME_MAX + 2];

    ck_assert(name_text_valid("orders"));
    ck_assert(
        name_text_valid("a \"quoted\" \\ name/with=all sorts, \xe2\x82\xac \xf0\x9f\x9a\x9a"));
    ck_assert(name_text_valid("\xc2\xa0")); /* the first character after C1 */
    ck_assert(!name_text_valid(NULL));
    ck_assert(!name_text_valid(""));
    ck_assert(!name_text_valid("a\nb"));
    ck_assert(!name_text_valid("\x1f"));
    ck_assert(!name_text_valid("a\x7f"));
    ck_assert(!name_text_valid("\xc2\x80"));
    ck_assert(!name_text_valid("a\xc2\x9f"));
    ck_assert(!name_text_valid("\xff"));
    ck_assert(!name_text_valid("a\xc3"));
    ck_assert(!name_valid("a\0b", 3));
    memset(longest, 'x', sizeof longest);
    longest[WS_NAME_MAX] = '\0';
    ck_assert(name_text_valid(longest));
    longest[WS_NAME_MAX] = 'x';
    longest[WS_NAME_MAX + 1] = '\0';
    ck_assert(!name_text_valid(longest));
}
END_TEST

/* --- each character ------------------------------------------------------------------------ */

static void encode(uint32_t code, char *to)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    *to = '\0';
}

/* The rule of types.h for the characters of names. */
static bool may_stand_in_a_line(uint32_t code)
{
    return !(code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 ||
             code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
             (code >= 0x2066 && code <= 0x2069));
}

START_TEST(names_and_log_lines_follow_one_rule)
{
    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        char name[8] = "x";
        char line[8];
        bool fits = may_stand_in_a_line(code);

        if (code >= 0xd800 && code <= 0xdfff)
            continue; /* surrogates are no characters */
        encode(code, name + 1);
        strcat(name, "y");
        strcpy(line, name);
        utf8_make_line(line);
        if (ws_name_is_valid(name) != fits || strcmp(line, fits ? name : "x?y") != 0)
            ck_abort_msg("U+%04X", code);
    }
}
END_TEST

START_TEST(any_bytes_become_a_line)
{
    static const struct {
        const char *bytes;
        const char *line;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\r\nb\tc\x7f", "a??b?c?"},
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"\xe2\x80\xaegnp.exe", "?gnp.exe"},
        {"\xff\xfe", "??"},
        {"\xc3", "?"}, /* the end is missing */
        {"\xe2\x82", "??"},
        {"\xe2\x82 x", "?? x"},
        {"\xf0\x9f\x9a\x9a \xf0\x9f\x9a", "\xf0\x9f\x9a\x9a ???"},
        {"\xed\xa0\x80\xc0\x80", "?????"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[32];

        strcpy(line, cases[i].bytes);
        utf8_make_line(line);
        ck_assert_str_eq(line, cases[i].line);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        valid_text_is_accepted_however_it_is_split,
        invalid_text_is_refused_however_it_is_split,
        unfinished_text_is_valid_but_not_complete,
        every_sequence_of_up_to_three_bytes_agrees_with_the_rfc,
        names_are_text_without_control_characters,
        names_and_log_lines_follow_one_rule,
        any_bytes_become_a_line,
        NULL,
    };

    return suite_run("utf8", tests);
}
