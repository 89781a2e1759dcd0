/* proxy_header_test.c: headers of the PROXY protocol, whole and in parts. Not here: which peers may
 * send them (e2e/test_proxies.py). */
#include "server/parts/proxy_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/parts/address.h"
#include "support/suite.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V4_ADDRESSES "\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define V6_ADDRESSES                                                                           \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"     \
    "\x30\x39\x01\xbb"

struct sample {
    const char *bytes;
    size_t length;
    enum proxy_header_result result;
    const char *client;
};

/* Version 14 of clang-format takes the braces for a block. */
/* clang-format off */
#define SAMPLE(text, result, client) {text, sizeof text - 1, result, client}
/* clang-format on */

/* Each is complete; what follows it is the client's. */
static const struct sample wholes[] = {
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n", PROXY_HEADER_CLIENT, "192.0.2.1"),
    SAMPLE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", PROXY_HEADER_CLIENT,
           "255.255.255.255"),
    SAMPLE("PROXY TCP6 2001:db8::1 2001:db8::2 0 1\r\n", PROXY_HEADER_CLIENT, "2001:db8::1"),
    SAMPLE("PROXY UNKNOWN\r\n", PROXY_HEADER_UNKNOWN, NULL),
    SAMPLE("PROXY UNKNOWN ffff:f...f:ffff any thing at all\r\n", PROXY_HEADER_UNKNOWN, NULL),
    SAMPLE(V2 "\x20\x00\x00\x00", PROXY_HEADER_LOCAL, NULL),
    SAMPLE(V2 "\x20\x11\x00\x0c" V4_ADDRESSES, PROXY_HEADER_LOCAL, NULL),
    SAMPLE(V2 "\x21\x11\x00\x0c" V4_ADDRESSES, PROXY_HEADER_CLIENT, "192.0.2.1"),
    SAMPLE(V2 "\x21\x11\x00\x10" V4_ADDRESSES "\x04\x00\x01x", PROXY_HEADER_CLIENT,
           "192.0.2.1"),
    SAMPLE(V2 "\x21\x21\x00\x24" V6_ADDRESSES, PROXY_HEADER_CLIENT, "2001:db8::1"),
    SAMPLE(V2 "\x21\x00\x00\x00", PROXY_HEADER_UNKNOWN, NULL),
    SAMPLE(V2 "\x21\x31\x00\x02xx", PROXY_HEADER_UNKNOWN, NULL),
};

static const struct sample bad[] = {
    SAMPLE("PROXY \r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1 10.0.0.1 1 \r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE("PROXY TCP4 192.0.2.1\0 10.0.0.1 1 2\r\n", PROXY_HEADER_BAD, NULL),
    SAMPLE(V2 "\x11\x11\x00\x0c" V4_ADDRESSES, PROXY_HEADER_BAD, NULL),
    SAMPLE(V2 "\x22\x11\x00\x0c" V4_ADDRESSES, PROXY_HEADER_BAD, NULL),
    SAMPLE(V2 "\x21\x11\x00\x0b" V4_ADDRESSES, PROXY_HEADER_BAD, NULL),
    SAMPLE(V2 "\x21\x21\x00\x23" V6_ADDRESSES, PROXY_HEADER_BAD, NULL),
    SAMPLE(V2 "\x21\x11\xff\xff" V4_ADDRESSES, PROXY_HEADER_BAD, NULL),
};

/* Reads from a block that ends where the bytes do. */
static enum proxy_header_result read_copy(struct proxy_header *header, const char *bytes,
                                          size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    enum proxy_header_result result;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    result = proxy_header_read(header, copy, length);
    free(copy);
    return result;
}

START_TEST(whole_headers)
{
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        const struct sample *sample = &wholes[i];
        struct proxy_header header;
        char text[INET6_ADDRSTRLEN];
        char more[200];

        memcpy(more, sample->bytes, sample->length);
        memcpy(more + sample->length, "GET / HTTP/1.1\r\n", 16);
        for (size_t k = 0; k <= 16; k++) {
            ck_assert_int_eq(read_copy(&header, more, sample->length + k), sample->result);
            ck_assert_uint_eq(header.length, sample->length);
        }
        if (sample->client != NULL) {
            address_format(&header.client, text);
            ck_assert_str_eq(text, sample->client);
        }
    }
}
END_TEST

START_TEST(parts_of_headers)
{
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        for (size_t length = 0; length < wholes[i].length; length++) {
            struct proxy_header header;

            ck_assert_int_eq(read_copy(&header, wholes[i].bytes, length), PROXY_HEADER_PARTIAL);
        }
    }
}
END_TEST

START_TEST(invalid_headers)
{
    struct proxy_header header;
    char line[200];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_copy(&header, bad[i].bytes, bad[i].length) != PROXY_HEADER_BAD)
            ck_abort_msg("number %zu is accepted", i);
    memset(line, 'a', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    ck_assert_int_eq(read_copy(&header, line, 106), PROXY_HEADER_PARTIAL);
    ck_assert_int_eq(read_copy(&header, line, 107), PROXY_HEADER_BAD);
    memcpy(line + 105, "\r\n", 2);
    ck_assert_int_eq(read_copy(&header, line, 107), PROXY_HEADER_UNKNOWN);
}
END_TEST

START_TEST(the_longest_header)
{
    static char bytes[PROXY_HEADER_MAX_BYTES + 2] = V2 "\x21\x11";
    size_t rest = PROXY_HEADER_MAX_BYTES - 16;
    struct proxy_header header;

    bytes[14] = (char)(rest >> 8);
    bytes[15] = (char)rest;
    ck_assert_int_eq(read_copy(&header, bytes, sizeof bytes - 3), PROXY_HEADER_PARTIAL);
    ck_assert_int_eq(read_copy(&header, bytes, sizeof bytes - 2), PROXY_HEADER_CLIENT);
    ck_assert_uint_eq(header.length, PROXY_HEADER_MAX_BYTES);
    bytes[15]++;
    ck_assert_int_eq(read_copy(&header, bytes, sizeof bytes), PROXY_HEADER_BAD);
}
END_TEST

START_TEST(bytes_without_a_header)
{
    static const char *const others[] = {
        "GET / HTTP/1.1", "\x16\x03\x01", "PROPFIND /",  "PRI *",
        "PROXY/",         "\r\nGET /",    "proxy TCP4 ", "\n"};
    struct proxy_header header;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_int_eq(read_copy(&header, others[i], strlen(others[i])), PROXY_HEADER_NONE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {whole_headers,      parts_of_headers,       invalid_headers,
                                  the_longest_header, bytes_without_a_header, NULL};

    return suite_run("proxy-header", tests);
}
