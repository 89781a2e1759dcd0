/* address.c: addresses of clients and ranges of them, IPv4 and IPv6 in one form.
 * How many connections an address has is in address_table.c. */
#include "server/parts/address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/parts/text.h"

enum { V4_OFFSET = 12, V4_BITS = 32, V6_BITS = 128, SUBNET_BYTES = 8 };

static struct in6_addr map(const void *v4)
{
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    memcpy(&address.s6_addr[V4_OFFSET], v4, sizeof(struct in_addr));
    return address;
}

struct in6_addr address_of_socket(const struct sockaddr_storage *socket)
{
    if (socket->ss_family == AF_INET)
        return map(&((const struct sockaddr_in *)socket)->sin_addr);
    if (socket->ss_family == AF_UNIX)
        return map(&(struct in_addr){htonl(INADDR_LOOPBACK)});
    return ((const struct sockaddr_in6 *)socket)->sin6_addr;
}

bool address_parse(const char *text, size_t length, struct in6_addr *address)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (length >= sizeof copy || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *address = map(&v4);
        return true;
    }
    return inet_pton(AF_INET6, copy, address) == 1;
}

void address_format(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
    if (IN6_IS_ADDR_V4MAPPED(address))
        inet_ntop(AF_INET, &address->s6_addr[V4_OFFSET], text, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

void address_write(const struct in6_addr *address, char *text, size_t size)
{
    char whole[INET6_ADDRSTRLEN];

    address_format(address, whole);
    if (size > 0)
        snprintf(text, size, "%s", whole);
}

struct in6_addr address_of_client(const struct in6_addr *address)
{
    struct in6_addr client = *address;

    if (!IN6_IS_ADDR_V4MAPPED(&client))
        memset(&client.s6_addr[SUBNET_BYTES], 0, sizeof client - SUBNET_BYTES);
    return client;
}

/* Whether the first `n_bits` bits are equal. */
static bool agree(const struct in6_addr *one, const struct in6_addr *other, unsigned n_bits)
{
    size_t n_bytes = n_bits / 8;
    unsigned mask = 0xff00U >> n_bits % 8;

    return memcmp(one, other, n_bytes) == 0 &&
           (n_bits % 8 == 0 ||
            ((one->s6_addr[n_bytes] ^ other->s6_addr[n_bytes]) & mask & 0xff) == 0);
}

static bool has_no_further_bits(const struct in6_addr *address, unsigned n_bits)
{
    struct in6_addr cut = {0};

    for (unsigned i = 0; i < n_bits; i++)
        cut.s6_addr[i / 8] |= address->s6_addr[i / 8] & (0x80U >> i % 8);
    return memcmp(&cut, address, sizeof cut) == 0;
}

const char *address_ranges_add(struct address_ranges *ranges, const char *text)
{
    size_t length = strcspn(text, "/");
    struct address_range range = {.n_bits = V6_BITS};
    int64_t n_bits = 0;

    if (ranges->count == ADDRESS_MOST_RANGES)
        return "exceeds the limit of 64 ranges";
    if (!address_parse(text, length, &range.first))
        return "is not an address or a range of addresses, like 10.0.0.0/8 or fd00::/8";
    if (text[length] == '/') {
        bool is_v4 = memchr(text, ':', length) == NULL;

        if (!text_parse_number(text + length + 1, 0, is_v4 ? V4_BITS : V6_BITS, &n_bits))
            return "needs a prefix length after its slash: 0 to 32, or up to 128 for IPv6";
        range.n_bits = (unsigned)n_bits + (is_v4 ? V6_BITS - V4_BITS : 0);
    }
    if (!has_no_further_bits(&range.first, range.n_bits))
        return "is not a range: its address has bits set after the prefix";
    ranges->list[ranges->count++] = range;
    return NULL;
}

bool address_ranges_contain(const struct address_ranges *ranges, const struct in6_addr *address)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (agree(&ranges->list[i].first, address, ranges->list[i].n_bits))
            return true;
    return false;
}
