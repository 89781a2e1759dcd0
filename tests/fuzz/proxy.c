/* proxy.c: what proxies say about clients. A PROXY header has the same meaning in parts as in one
 * piece; by Forwarded and X-Forwarded-For only trusted proxies can name another client. Not here:
 * sockets. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/support/input.h"
#include "server/parts/address.h"
#include "server/parts/forwarded.h"
#include "server/parts/proxy_header.h"

static void read_header(struct fuzz_input *input)
{
    struct text text = input_rest(input);
    struct proxy_header whole;
    enum proxy_header_result result = proxy_header_read(&whole, text.bytes, text.length);

    for (size_t length = 0; length < text.length; length++) {
        char *part = malloc(length > 0 ? length : 1);
        struct proxy_header header;
        enum proxy_header_result so_far;

        ck_assert_ptr_nonnull(part);
        memcpy(part, text.bytes, length);
        so_far = proxy_header_read(&header, part, length);
        free(part);
        if (so_far != PROXY_HEADER_PARTIAL) {
            ck_assert_int_eq(so_far, result);
            break;
        }
        ck_assert_uint_lt(length, PROXY_HEADER_MAX_BYTES);
    }
    if (result >= PROXY_HEADER_CLIENT) {
        ck_assert_uint_le(whole.length, text.length);
        ck_assert_uint_le(whole.length, PROXY_HEADER_MAX_BYTES);
    }
    text_free(&text);
}

static struct in6_addr parsed(const char *text)
{
    struct in6_addr address;

    ck_assert(address_parse(text, strlen(text), &address));
    return address;
}

static bool is_same(const struct in6_addr *one, const struct in6_addr *other)
{
    return memcmp(one, other, sizeof *one) == 0;
}

/* A client's own headers, and after them those of its proxy: whatever the former are, the latter
 * count. */
static void lie(struct fuzz_input *input, const struct address_ranges *trusted)
{
    static const char *const names[] = {"X-Forwarded-For", "Forwarded"};
    static const char *const words[] = {"198.51.100.1", "for=198.51.100.1;proto=https"};
    struct in6_addr proxy = parsed("10.0.0.1");
    struct in6_addr client = parsed("198.51.100.1");
    unsigned which = input_below(input, 2);
    bool has_field_of_its_own = input_byte(input) % 2 == 0;
    struct text lies = input_string(input);
    struct text others = input_string(input);
    struct text scheme = input_string(input);
    size_t size = lies.length + 64;
    char *joined = malloc(size);
    struct in6_addr found;
    const char *found_scheme;
    struct forwarded forwarded;

    ck_assert_ptr_nonnull(joined);
    strcpy(joined, lies.bytes);
    strcat(joined, ", ");
    strcat(joined, words[which]);
    forwarded_begin(&forwarded, trusted, &proxy);
    forwarded_take(&forwarded, names[which], has_field_of_its_own ? words[which] : joined);
    forwarded_take(&forwarded, names[which], lies.bytes);
    forwarded_take(&forwarded, names[1 - which], others.bytes);
    forwarded_take(&forwarded, "X-Forwarded-Proto", scheme.bytes);
    if (forwarded_end(&forwarded, &found, &found_scheme) == FORWARDED_READ) {
        ck_assert(is_same(&found, &client));
        ck_assert(found_scheme == NULL || strncmp(found_scheme, "http", 4) == 0);
    }
    free(joined);
    text_free(&lies);
    text_free(&others);
    text_free(&scheme);
}

static void read_range(struct fuzz_input *input)
{
    struct address_ranges ranges = {0};
    struct text text = input_string(input);

    if (address_ranges_add(&ranges, text.bytes) == NULL)
        ck_assert(address_ranges_contain(&ranges, &ranges.list[0].first));
    text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct address_ranges trusted;
    struct fuzz_input input = {data, length};

    if (trusted.count == 0)
        ck_assert_ptr_null(address_ranges_add(&trusted, "10.0.0.0/8"));
    switch (input_below(&input, 3)) {
    case 0:
        read_header(&input);
        break;
    case 1:
        lie(&input, &trusted);
        break;
    default:
        read_range(&input);
        break;
    }
    return 0;
}
