/* forwarded_test.c: the client's address, by the headers of proxies. Not here: which peers may send
 * these headers (e2e/test_proxies.py). */
#include "server/parts/forwarded.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { MOST_FIELDS = 4 };

struct field {
    const char *name;
    const char *value;
};

#define FOR "X-Forwarded-For"
#define PROTO "X-Forwarded-Proto"

static const char peer[] = "10.0.0.1";

/* NULL when the headers contradict each other or cannot be parsed. Proxies are 10.0.0.0/8 and
 * fd00::/8. */
static const char *client_of(const struct field *fields, const char **scheme)
{
    static char text[INET6_ADDRSTRLEN];
    struct address_ranges trusted = {0};
    struct forwarded forwarded;
    struct in6_addr address;
    size_t n_fields = 0;

    ck_assert_ptr_null(address_ranges_add(&trusted, "10.0.0.0/8"));
    ck_assert_ptr_null(address_ranges_add(&trusted, "fd00::/8"));
    ck_assert(address_parse(peer, strlen(peer), &address));
    forwarded_begin(&forwarded, &trusted, &address);
    while (n_fields < MOST_FIELDS && fields[n_fields].name != NULL)
        n_fields++;
    while (n_fields-- > 0)
        forwarded_take(&forwarded, fields[n_fields].name, fields[n_fields].value);
    if (forwarded_end(&forwarded, &address, scheme) != FORWARDED_READ)
        return NULL;
    address_format(&address, text);
    return text;
}

START_TEST(the_client_s_address)
{
    static const struct {
        struct field fields[MOST_FIELDS];
        const char *client;
    } cases[] = {
        {{{"Host", "x"}}, peer},
        {{{FOR, "192.0.2.1"}}, "192.0.2.1"},
        {{{"x-forwarded-for", " 192.0.2.1\t"}}, "192.0.2.1"},
        /* Of the untrusted addresses, only the last one was written by a trusted proxy. */
        {{{FOR, "198.51.100.1, 192.0.2.1"}}, "192.0.2.1"},
        {{{FOR, "198.51.100.1"}, {FOR, "192.0.2.1"}}, "192.0.2.1"},
        {{{FOR, "198.51.100.1,192.0.2.1,10.0.0.2"}}, "192.0.2.1"},
        {{{FOR, "192.0.2.1"}, {FOR, "10.0.0.3, fd00::2"}}, "192.0.2.1"},
        {{{FOR, "10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
        {{{FOR, "198.51.100.1, unknown, 10.0.0.2"}}, "10.0.0.2"},
        {{{FOR, "198.51.100.1, 300.1.1.1"}}, peer},
        {{{FOR, "198.51.100.1"}, {FOR, "junk"}}, peer},
        {{{FOR, ""}}, peer},
        {{{FOR, ", ,192.0.2.1, ,"}}, "192.0.2.1"},
        {{{FOR, "192.0.2.1:4711"}}, "192.0.2.1"},
        {{{FOR, "[2001:db8::1]:4711"}}, "2001:db8::1"},
        {{{FOR, "[2001:db8::1]"}}, "2001:db8::1"},
        {{{FOR, "2001:db8::1"}}, "2001:db8::1"},
        {{{FOR, "::ffff:192.0.2.1"}}, "192.0.2.1"},
        {{{FOR, "192.0.2.1:"}}, peer},
        {{{FOR, "192.0.2.1:65536"}}, peer},
        {{{FOR, "192.0.2.1:x"}}, peer},
        {{{FOR, "[2001:db8::1"}}, peer},
        {{{FOR, "[2001:db8::1]x"}}, peer},
        {{{FOR, "[192.0.2.1]"}}, peer},
        {{{FOR, "\"192.0.2.1\""}}, peer},
        {{{FOR, "198.51.100.1 192.0.2.1"}}, peer},
        {{{"Forwarded", "for=192.0.2.1"}}, "192.0.2.1"},
        {{{"forwarded", "For=\"[2001:db8::1]:4711\"; proto=http"}}, "2001:db8::1"},
        {{{"Forwarded", "for=198.51.100.1, proto=http;for=192.0.2.1;by=10.0.0.1"}},
         "192.0.2.1"},
        {{{"Forwarded", "for=192.0.2.1, for=10.0.0.2"}, {"Forwarded", "for=10.0.0.3"}},
         "192.0.2.1"},
        {{{"Forwarded", "for=198.51.100.1, for=unknown"}}, peer},
        {{{"Forwarded", "for=198.51.100.1, for=_hidden, for=10.0.0.2"}}, "10.0.0.2"},
        {{{"Forwarded", "for=198.51.100.1, by=10.0.0.2"}}, peer},
        {{{"Forwarded", "for=198.51.100.1, for=1.1.1.1;for=2.2.2.2"}}, peer},
        /* Quoted text from a client stays in its quotes. */
        {{{"Forwarded", "for=\"x, for=198.51.100.1\", for=192.0.2.1"}}, "192.0.2.1"},
        {{{"Forwarded", "x=\"\\\", for=198.51.100.1\", for=192.0.2.1"}}, "192.0.2.1"},
        {{{"Forwarded", "x=\"a;for=198.51.100.1\";for=192.0.2.1"}}, "192.0.2.1"},
        /* An open quote must not swallow what the proxy adds. */
        {{{"Forwarded", "for=198.51.100.1, x=\"for=192.0.2.1"}}, NULL},
        {{{"Forwarded", "for=198.51.100.1;x=\", for=192.0.2.1"}}, NULL},
        {{{"Forwarded", "for=198.51.100.1;x=\"\\, for=192.0.2.1"}}, NULL},
        {{{"Forwarded", "for=198.51.100.1;x=\", for=\"[2001:db8::1]\""}}, NULL},
        {{{"Forwarded", "x=\""}, {"Forwarded", "for=192.0.2.1"}}, NULL},
        {{{FOR, "\", 192.0.2.1"}}, "192.0.2.1"},
        {{{FOR, "\"198.51.100.1, 192.0.2.1"}}, "192.0.2.1"},
        {{{"Forwarded", "for=\"1\\92.0.2.1\""}}, peer},
        {{{"Forwarded", "for"}}, peer},
        {{{"Forwarded", "for=192.0.2.1"}, {FOR, "192.0.2.1"}}, "192.0.2.1"},
        {{{"Forwarded", "for=198.51.100.1"}, {FOR, "192.0.2.1"}}, NULL},
        {{{"Forwarded", "for=unknown"}, {FOR, "192.0.2.1"}}, NULL},
        {{{FOR, "198.51.100.1"}, {"Forwarded", "for=192.0.2.1"}}, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *scheme;
        const char *client = client_of(cases[i].fields, &scheme);

        if (client == NULL || cases[i].client == NULL ? client != cases[i].client
                                                      : strcmp(client, cases[i].client) != 0)
            ck_abort_msg("'%s' is from %s, not %s", cases[i].fields[0].value, client,
                         cases[i].client);
    }
}
END_TEST

START_TEST(the_scheme)
{
    static const struct {
        struct field fields[MOST_FIELDS];
        const char *scheme;
    } cases[] = {
        {{{FOR, "192.0.2.1"}}, NULL},
        {{{PROTO, "https"}}, "https"},
        {{{PROTO, "HTTP"}, {FOR, "192.0.2.1"}}, "http"},
        {{{PROTO, "ftp"}}, NULL},
        {{{PROTO, "https"}, {FOR, "192.0.2.1, 10.0.0.2"}}, "https"},
        {{{PROTO, "https, http"}, {FOR, "192.0.2.1, 10.0.0.2"}}, "https"},
        {{{PROTO, "http, https, http"}, {FOR, "198.51.100.1, 192.0.2.1, 10.0.0.2"}}, "https"},
        {{{PROTO, "https, http"}, {FOR, "198.51.100.1, 192.0.2.1"}}, "http"},
        {{{PROTO, "https"}, {PROTO, "http"}, {FOR, "192.0.2.1, 10.0.0.2"}}, "https"},
        {{{"Forwarded", "for=192.0.2.1;proto=https"}}, "https"},
        {{{"Forwarded", "for=192.0.2.1;proto=\"HTTPS\", for=10.0.0.2;proto=http"}}, "https"},
        {{{"Forwarded", "for=198.51.100.1;proto=https, for=192.0.2.1;proto=http"}}, "http"},
        {{{"Forwarded", "for=unknown;proto=https"}}, "https"},
        {{{PROTO, "\", https"}, {FOR, "192.0.2.1"}}, "https"},
        /* From the same kind of headers that names the client. */
        {{{"Forwarded", "for=192.0.2.1"}, {PROTO, "https"}}, NULL},
        {{{"Forwarded", "for=192.0.2.1;proto=http"}, {PROTO, "https"}}, "http"},
        {{{"Forwarded", "for=192.0.2.1;proto=http"}, {PROTO, "https"}, {FOR, "192.0.2.1"}},
         "https"},
        {{{"Forwarded", "for=192.0.2.1;proto=http"}, {FOR, "192.0.2.1"}}, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *scheme;

        ck_assert_ptr_nonnull(client_of(cases[i].fields, &scheme));
        ck_assert_pstr_eq(scheme, cases[i].scheme);
    }
}
END_TEST

START_TEST(a_very_long_list)
{
    static char value[16 * 1024];
    const struct field fields[MOST_FIELDS] = {
        {FOR, value}, {"Forwarded", value}, {PROTO, value}};
    const char *scheme;

    for (size_t i = 0; i + 10 < sizeof value; i += 10)
        memcpy(value + i, "10.0.0.2, ", 11);
    ck_assert_pstr_eq(client_of(fields, &scheme), NULL);
    ck_assert_pstr_eq(client_of((struct field[MOST_FIELDS]){{FOR, value}}, &scheme),
                      "10.0.0.2");
    memset(value, ',', sizeof value - 1);
    ck_assert_pstr_eq(client_of(fields, &scheme), peer);
    memset(value, '"', sizeof value - 1);
    ck_assert_pstr_eq(client_of(fields, &scheme), NULL);
    value[sizeof value - 2] = ' ';
    ck_assert_pstr_eq(client_of(fields, &scheme), peer);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_client_s_address, the_scheme, a_very_long_list, NULL};

    return suite_run("forwarded", tests);
}
