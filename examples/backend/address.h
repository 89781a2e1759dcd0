/* address.h: addresses of clients and ranges of them, IPv4 and IPv6 in one form.
 * How many connections an address has is address_table.h. */
#ifndef BACKEND_ADDRESS_H
#define BACKEND_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_MOST_RANGES = 64 };

/* An address of IPv4 is the one that it is mapped to in IPv6, here and below. */
struct in6_addr address_of_socket(const struct sockaddr_storage *socket);

/* Reads an address of IPv4 or IPv6, the latter without brackets. */
bool address_parse(const char *text, size_t length, struct in6_addr *address);

/* Writes it as its own family does. */
void address_format(const struct in6_addr *address, char text[INET6_ADDRSTRLEN]);

struct address_range {
    struct in6_addr first;
    unsigned n_bits; /* that all have in common */
};

struct address_ranges {
    struct address_range list[ADDRESS_MOST_RANGES];
    size_t count;
};

/* Adds "10.0.0.0/8", or a single address. NULL, or what is wrong with it. */
const char *address_ranges_add(struct address_ranges *ranges, const char *text);

bool address_ranges_contain(const struct address_ranges *ranges,
                            const struct in6_addr *address);

#endif
