/* origin_test.c: which pages may connect to the server. Not here: how a refusal is answered
 * (e2e/test_access.py). */
#include "server/parts/origin.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct origin_rules rules_of(const char *first, const char *second)
{
    struct origin_rules rules = {0};

    ck_assert_ptr_null(first != NULL ? origin_rules_add(&rules, first) : NULL);
    ck_assert_ptr_null(second != NULL ? origin_rules_add(&rules, second) : NULL);
    return rules;
}

static bool is_allowed(const struct origin_rules *rules, const char *origin, const char *host,
                       const char *scheme, bool only_ours)
{
    struct origin_request request = {origin, host, scheme};

    return origin_is_allowed(rules, &request, only_ours);
}

static const struct origin_rules no_rules;

START_TEST(the_server_s_own_pages)
{
    static const char *const pairs[][2] = {
        {"http://example.com", "example.com"},
        {"http://example.com", "example.com:80"},
        {"http://example.com:80", "example.com"},
        {"https://example.com", "example.com"},
        {"https://example.com", "example.com:443"},
        {"https://example.com:443", "example.com"},
        {"https://example.com:8443", "example.com:8443"},
        {"http://Example.com", "EXAMPLE.com"},
        {"HTTP://example.com", "example.com"},
        {"http://example.com.", "example.com"},
        {"http://example.com", "example.com.:80"},
        {"http://[::1]:80", "[::1]"},
        {"http://[0:0::1]:8080", "[::1]:8080"},
        {"http://[2001:DB8::1]", "[2001:db8:0::1]"},
        {"http://127.0.0.1:8080", "127.0.0.1:8080"},
        {"http://a_b-c.example", "a_b-c.example"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!is_allowed(&no_rules, pairs[i][0], pairs[i][1], NULL, false))
            ck_abort_msg("'%s' at '%s' is refused", pairs[i][0], pairs[i][1]);
    ck_assert(is_allowed(&no_rules, NULL, "example.com", NULL, true));
}
END_TEST

START_TEST(pages_of_other_servers)
{
    static const char *const origins[] = {
        "http://evil.com",
        "http://example.com.evil.com",
        "http://evil.com/example.com",
        "http://example.com@e.com",
        "http://example.com:8080",
        "http://example.com:443",
        "https://example.com:80",
        "http://example.co",
        "http://sub.example.com",
        "http://example.com..",
        "http://.example.com",
        "http://.",
        "ftp://example.com",
        "ws://example.com",
        "file://example.com",
        "example.com",
        "//example.com",
        "null",
        "",
        "http://",
        "http://example.com ",
        "http://example.com/",
        "http://example.com:",
        "http://example.com:80:80",
        "http://a.b://example.com",
        "http://[example.com]",
    };

    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (is_allowed(&no_rules, origins[i], "example.com", NULL, false))
            ck_abort_msg("'%s' is allowed", origins[i]);
    ck_assert(!is_allowed(&no_rules, "http://example.com", NULL, NULL, false));
    ck_assert(!is_allowed(&no_rules, "http://127.1", "127.1", NULL, false));
    ck_assert(!is_allowed(&no_rules, "http://[::1%lo]", "[::1%lo]", NULL, false));
}
END_TEST

START_TEST(the_scheme_is_compared_if_it_is_known)
{
    ck_assert(is_allowed(&no_rules, "https://a.com", "a.com", "https", false));
    ck_assert(is_allowed(&no_rules, "https://a.com", "a.com:443", "https", false));
    ck_assert(is_allowed(&no_rules, "http://a.com:443", "a.com:443", "http", false));
    ck_assert(!is_allowed(&no_rules, "http://a.com", "a.com", "https", false));
    ck_assert(!is_allowed(&no_rules, "http://a.com:443", "a.com:443", "https", false));
    ck_assert(!is_allowed(&no_rules, "https://a.com", "a.com", "http", false));
}
END_TEST

START_TEST(pages_that_an_option_allows)
{
    struct origin_rules rules = rules_of("HTTPS://A.com:443", "https://b.com.:8443");
    struct origin_rules all = rules_of("*", NULL);

    ck_assert(is_allowed(&rules, "https://a.com", "x", NULL, true));
    ck_assert(is_allowed(&rules, "https://a.com:443", "x", "http", true));
    ck_assert(is_allowed(&rules, "https://b.com:8443", "x", NULL, true));
    ck_assert(!is_allowed(&rules, "http://a.com", "x", NULL, false));
    ck_assert(!is_allowed(&rules, "https://a.com:444", "x", NULL, false));
    ck_assert(!is_allowed(&rules, "https://b.com", "x", NULL, false));
    ck_assert(!is_allowed(&rules, "https://a.com.evil.com", "x", NULL, false));
    ck_assert(is_allowed(&all, "null", "x", NULL, true));
    ck_assert(is_allowed(&all, "http://evil.com", NULL, NULL, true));

    rules = rules_of("app://a", "chrome-extension://abcdef");
    ck_assert(is_allowed(&rules, "app://A", "x", NULL, true));
    ck_assert(!is_allowed(&rules, "http://a", "x", NULL, true));
    ck_assert(!is_allowed(&rules, "app://a:80", "x", NULL, true));
}
END_TEST

/* DNS rebinding: the name evil.com leads here, so its page seems to belong to this server. */
START_TEST(names_that_resolve_to_this_server)
{
    static const char *const ours[] = {"127.0.0.1",  "127.0.0.1:8080", "[::1]:8080", "10.1.2.3",
                                       "localhost",  "LocalHost:80",   "localhost.", "shop.com",
                                       "SHOP.com:1", "shop.com."};
    static const char *const others[] = {"evil.com",
                                         "evil.com:8080",
                                         "localhost.evil.com",
                                         "127.0.0.1.com",
                                         "evil.localhost",
                                         "127.1",
                                         "shop.com.evil",
                                         "",
                                         "1.2.3.4.5",
                                         "0x7f.0.0.0x1",
                                         "[::1",
                                         "::1"};
    struct origin_rules rules = rules_of("https://shop.com", NULL);
    char origin[64];

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        snprintf(origin, sizeof origin, "http://%s", ours[i]);
        if (!origin_host_is_ours(&rules, ours[i]) ||
            !is_allowed(&rules, origin, ours[i], NULL, true))
            ck_abort_msg("'%s' is refused", ours[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(origin, sizeof origin, "http://%s", others[i]);
        if (origin_host_is_ours(&rules, others[i]) ||
            is_allowed(&rules, origin, others[i], NULL, true))
            ck_abort_msg("'%s' is ours", others[i]);
    }
    ck_assert(origin_host_is_ours(&rules, NULL));
    rules = rules_of("*", NULL);
    ck_assert(origin_host_is_ours(&rules, "evil.com"));
}
END_TEST

START_TEST(valid_and_invalid_options)
{
    static const char *const good[] = {"*",
                                       "http://a",
                                       "https://a.b.com:8443",
                                       "app://a",
                                       "http://[::1]:80",
                                       "http://[::1]",
                                       "http://1.2.3.4",
                                       "HTTP://A.",
                                       "a+b-c.1://a"};
    static const char *const bad[] = {"",
                                      "a.com",
                                      "http://",
                                      "://a",
                                      "http://a/",
                                      "http://a:",
                                      "http://a:0",
                                      "http://a:b",
                                      "http://a:65536",
                                      "http://a b",
                                      "http://u@a",
                                      "http://[::1",
                                      "http://:80",
                                      "http://[::1]x",
                                      "http://*.a.com",
                                      "http://a\n",
                                      "http://[]",
                                      "null",
                                      "ws://a",
                                      "wss://a:1",
                                      "1a://a",
                                      "a b://c",
                                      "http://1.2.3",
                                      "http://a..b",
                                      "http://\xc3\xa4.com",
                                      "http://a?b",
                                      "http://a#b",
                                      "http://1.2.3.4.5",
                                      "http://-/"};
    struct origin_rules rules = {0};
    char text[400] = "http://";

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (origin_rules_add(&rules, good[i]) != NULL)
            ck_abort_msg("'%s' is refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (origin_rules_add(&rules, bad[i]) == NULL)
            ck_abort_msg("'%s' is accepted", bad[i]);
    for (size_t length = 1; length < 300; length++) {
        strcat(text, "a");
        rules.n_allowed = 0;
        ck_assert_int_eq(origin_rules_add(&rules, text) == NULL, length < ORIGIN_HOST_BYTES);
    }
    for (rules.n_allowed = 0; rules.n_allowed < ORIGIN_MOST_ALLOWED;)
        ck_assert_ptr_null(origin_rules_add(&rules, "http://a"));
    ck_assert_ptr_nonnull(origin_rules_add(&rules, "http://a"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_server_s_own_pages,
        pages_of_other_servers,
        the_scheme_is_compared_if_it_is_known,
        pages_that_an_option_allows,
        names_that_resolve_to_this_server,
        valid_and_invalid_options,
        NULL,
    };

    return suite_run("origin", tests);
}
