/* first_line_test.c: what is known of a request before its head is parsed. */
#include "server/parts/first_line.h"

#include <string.h>

#include "support/suite.h"

static struct first_line line;

/* In pieces of so many bytes. */
static void come(const char *bytes, size_t length, size_t piece)
{
    line = (struct first_line){0};
    for (size_t at = 0; at < length; at += piece)
        first_line_add(&line, bytes + at, piece < length - at ? piece : length - at);
}

static void expect_shown(const char *text)
{
    ck_assert_int_eq(first_line_shown(&line), (int)strlen(text));
    ck_assert_mem_eq(line.text, text, strlen(text));
}

START_TEST(method_and_path_are_shown_without_the_query)
{
    static const char *const cases[][2] = {
        {"GET /ws HTTP/1.1\r\nHost: x\r\n", "GET /ws"},
        {"GET /ws?token=secret HTTP/1.1\r\n", "GET /ws"},
        {"GET /ws#a HTTP/1.1\r\n", "GET /ws"},
        {"\r\n\r\nGET /a/b", "GET /a/b"},
        {"GET /a?b HTTP/1.1", "GET /a"},
        {"hello\nworld\n", ""},
        {"eyJhbGciOiJIUzI1NiJ9.e30.c2ln HTTP/1.1\r\n", ""},
        {"{\"password\": \"secret\"}GET /a HTTP/1.1\r\n", ""},
        {"SECRET", ""},
        {" GET /a", ""},
        {"\r\n", ""},
        {"\r\rGET /a HTTP/1.1\r\n", ""}, /* no empty line: the request is refused there */
        {"\nGET /a HTTP/1.1\r\n", ""},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece < 30; piece++) {
            come(cases[i][0], strlen(cases[i][0]), piece);
            expect_shown(cases[i][1]);
        }
    }
}
END_TEST

START_TEST(only_the_start_is_kept)
{
    char long_line[1000];

    memset(long_line, 'x', sizeof long_line);
    memcpy(long_line, "GET ", 4);
    come(long_line, sizeof long_line, 77);
    ck_assert_uint_eq(line.length, FIRST_LINE_KEPT);
    ck_assert_int_eq(first_line_shown(&line), FIRST_LINE_KEPT);
    come("GET a\0b\r\n", 9, 9);
    ck_assert_uint_eq(line.length, 7);
    expect_shown("GET a");
}
END_TEST

START_TEST(rfc9110_9_3_2_head_is_known_after_its_space)
{
    come("HEAD", 4, 4);
    ck_assert(!first_line_is_head(&line));
    come("HEAD ", 5, 1);
    ck_assert(first_line_is_head(&line));
    come("\r\nHEAD /ws HTTP/1.1\r\n", 21, 21);
    ck_assert(first_line_is_head(&line));
    come("HEADS /", 7, 7);
    ck_assert(!first_line_is_head(&line));
    come("GET HEAD ", 9, 9);
    ck_assert(!first_line_is_head(&line));
}
END_TEST

START_TEST(other_protocols_are_recognized_by_their_first_bytes)
{
    come("\x16\x03\x01", 3, 1);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_TLS);
    come("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, 24);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_HTTP_2);
    come("PRI * HTTP/1.1", 14, 14);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_OTHER);
    come("PRINT / HTTP/1.1", 16, 16);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_OTHER);
    come("GET / HTTP/1.1", 14, 14);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_OTHER);
    come("", 0, 1);
    ck_assert_int_eq(first_line_protocol(&line), FIRST_LINE_OTHER);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        method_and_path_are_shown_without_the_query,
        only_the_start_is_kept,
        rfc9110_9_3_2_head_is_known_after_its_space,
        other_protocols_are_recognized_by_their_first_bytes,
        NULL,
    };

    return suite_run("first-line", tests);
}
