/* address.h: addresses of clients and ranges of them, IPv4 and IPv6 in one form.
 * How many connections an address has is address_table.h. */
#ifndef WS_SERVER_ADDRESS_H
#define WS_SERVER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_MOST_RANGES = 64 };

/* Here and below, an IPv4 address is represented as IPv4-mapped IPv6. The peer at a Unix socket has
 * the address 127.0.0.1. */
struct in6_addr address_of_socket(const struct sockaddr_storage *socket);

/* Parses an address of IPv4, or of IPv6 without brackets. */
bool address_parse(const char *text, size_t length, struct in6_addr *address);

/* Writes an IPv4-mapped address as IPv4. */
void address_format(const struct in6_addr *address, char text[INET6_ADDRSTRLEN]);

/* Writes the address as far as it fits. */
void address_write(const struct in6_addr *address, char *text, size_t size);

/* Returns the address under which a client counts against limits: that of IPv4, or the first of the
 * /64 of IPv6, because such a client usually has a whole /64. */
struct in6_addr address_of_client(const struct in6_addr *address);

struct address_range {
    struct in6_addr first;
    unsigned n_bits; /* of the common prefix */
};

struct address_ranges {
    struct address_range list[ADDRESS_MOST_RANGES];
    size_t count;
};

/* Adds a range such as "10.0.0.0/8", or a single address. Returns NULL, or why it cannot be
 * added. */
const char *address_ranges_add(struct address_ranges *ranges, const char *text);

bool address_ranges_contain(const struct address_ranges *ranges,
                            const struct in6_addr *address);

#endif
