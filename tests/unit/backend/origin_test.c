/* origin_test.c: which pages may talk to the server.
 * How a refusal is told is tested end to end. */
#include "origin.h"

#include "support/suite.h"

START_TEST(the_servers_own_pages)
{
    ck_assert(origin_is_allowed("http://example.com", "example.com", NULL, 0));
    ck_assert(origin_is_allowed("https://example.com:8443", "example.com:8443", NULL, 0));
    ck_assert(origin_is_allowed("http://Example.com", "EXAMPLE.com", NULL, 0));
    ck_assert(origin_is_allowed("http://[::1]:80", "[::1]:80", NULL, 0));
}
END_TEST

START_TEST(pages_of_others)
{
    static const char *const origins[] = {
        "http://evil.com",
        "http://example.com.evil.com",
        "http://evil.com/example.com",
        "http://example.com@e.com",
        "http://example.com:8080",
        "http://example.co",
        "http://sub.example.com",
        "example.com",
        "null",
        "",
        "http://",
        "http://example.com ",
        "http://a.b://example.com",
    };

    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (origin_is_allowed(origins[i], "example.com", NULL, 0))
            ck_abort_msg("'%s' is allowed", origins[i]);
    ck_assert(!origin_is_allowed("http://example.com", NULL, NULL, 0));
}
END_TEST

START_TEST(pages_that_are_allowed)
{
    static const char *const allowed[] = {"https://a.com", "https://b.com:8443"};
    static const char *const all[] = {"*"};

    ck_assert(origin_is_allowed("https://a.com", "x", allowed, 2));
    ck_assert(origin_is_allowed("https://b.com:8443", "x", allowed, 2));
    ck_assert(!origin_is_allowed("http://a.com", "x", allowed, 2));
    ck_assert(!origin_is_allowed("https://a.com:443", "x", allowed, 2));
    ck_assert(!origin_is_allowed("https://b.com", "x", allowed, 2));
    ck_assert(!origin_is_allowed("https://a.com.evil.com", "x", allowed, 2));
    ck_assert(origin_is_allowed("null", "x", all, 1));
    ck_assert(origin_is_allowed("http://evil.com", NULL, all, 1));
}
END_TEST

START_TEST(what_an_option_may_say)
{
    static const char *const good[] = {"*",       "http://a",        "https://a.b.com:8443",
                                       "app://a", "http://[::1]:80", "http://[::1]"};
    static const char *const bad[] = {"",           "a.com",          "http://",
                                      "://a",       "http://a/",      "http://a:",
                                      "http://a:0", "http://a:65536", "http://a:b",
                                      "http://a b", "http://[::1",    "http://[::1]x",
                                      "http://u@a", "http://:80",     "http://*.a.com",
                                      "**",         "null",           "http://a,http://b"};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!origin_is_valid(good[i]))
            ck_abort_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (origin_is_valid(bad[i]))
            ck_abort_msg("'%s' is valid", bad[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_servers_own_pages,
        pages_of_others,
        pages_that_are_allowed,
        what_an_option_may_say,
        NULL,
    };

    return suite_run("origin", tests);
}
