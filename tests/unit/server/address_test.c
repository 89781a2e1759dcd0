/* address_test.c: addresses as text, and ranges of addresses. Not here: counting by address
 * (address_table_test.c). */
#include "server/parts/address.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct in6_addr parsed(const char *text)
{
    struct in6_addr address;

    ck_assert_msg(address_parse(text, strlen(text), &address), "'%s'", text);
    return address;
}

START_TEST(addresses_as_text)
{
    static const char *const pairs[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"2001:DB8:0:0::1", "2001:db8::1"},
        {"::", "::"},
    };
    static const char *const bad[] = {"",         "1.2.3",  "1.2.3.4.5", "[::1]",
                                      "1.2.3.4 ", "::1%lo", "localhost", "01.2.3.4"};
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        address = parsed(pairs[i][0]);
        address_format(&address, text);
        ck_assert_str_eq(text, pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_parse(bad[i], strlen(bad[i]), &address))
            ck_abort_msg("'%s' is accepted", bad[i]);
    ck_assert(!address_parse("::1\0", 4, &address));
}
END_TEST

START_TEST(addresses_in_a_range)
{
    static const struct {
        const char *range;
        const char *inside[2];
        const char *outside[2];
    } ranges[] = {
        {"10.0.0.0/8", {"10.255.1.2", "::ffff:10.0.0.1"}, {"11.0.0.0", "::10.0.0.1"}},
        {"192.0.2.128/25", {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127", "192.0.3.128"}},
        {"192.0.2.1", {"192.0.2.1", "192.0.2.1"}, {"192.0.2.0", "192.0.2.2"}},
        {"192.0.2.1/32", {"192.0.2.1", "192.0.2.1"}, {"192.0.2.0", "192.0.2.2"}},
        {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255"}, {"::1", "2001:db8::"}},
        {"fd00::/8", {"fd12::1", "fdff::"}, {"fe00::", "10.0.0.1"}},
        {"2001:db8::/33",
         {"2001:db8:7fff::", "2001:db8::1"},
         {"2001:db8:8000::", "2001:db9::"}},
        {"::1", {"::1", "::1"}, {"::", "127.0.0.1"}},
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct address_ranges list = {0};

        ck_assert_ptr_null(address_ranges_add(&list, "198.51.100.7"));
        ck_assert_ptr_null(address_ranges_add(&list, ranges[i].range));
        for (size_t k = 0; k < 2; k++) {
            struct in6_addr inside = parsed(ranges[i].inside[k]);
            struct in6_addr outside = parsed(ranges[i].outside[k]);

            ck_assert_msg(address_ranges_contain(&list, &inside), "%s in %s",
                          ranges[i].inside[k], ranges[i].range);
            ck_assert_msg(!address_ranges_contain(&list, &outside), "%s in %s",
                          ranges[i].outside[k], ranges[i].range);
        }
    }
}
END_TEST

START_TEST(invalid_ranges_are_refused)
{
    static const char *const bad[] = {"",           "10.0.0.0/",    "10.0.0.0/33",
                                      "10.0.0.1/8", "::/129",       "::1/64",
                                      "/8",         "10.0.0.0/a",   "10/8",
                                      "localhost",  "10.0.0.0/8 ",  "10.0.0.0/-1",
                                      "[::1]",      "10.0.0.0/8/8", "*"};
    struct address_ranges ranges = {0};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_ranges_add(&ranges, bad[i]) == NULL)
            ck_abort_msg("'%s' is accepted", bad[i]);
    ck_assert_uint_eq(ranges.count, 0);
    for (size_t i = 0; i < ADDRESS_MOST_RANGES; i++)
        ck_assert_ptr_null(address_ranges_add(&ranges, "::1"));
    ck_assert_ptr_nonnull(address_ranges_add(&ranges, "::1"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {addresses_as_text, addresses_in_a_range,
                                  invalid_ranges_are_refused, NULL};

    return suite_run("address", tests);
}
