/* forwarded.h: who a request came from, as the proxies on its way say: X-Forwarded-For and
 * X-Forwarded-Proto, or Forwarded (RFC 7239). What a PROXY header says is proxy_header.h. */
#ifndef BACKEND_FORWARDED_H
#define BACKEND_FORWARDED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "address.h"

enum { FORWARDED_MOST_PROXIES = 32 };

/* A way back through proxies: as long as who is reached is trusted, what he says of the one before
 * him is believed. */
struct forwarded_way {
    struct in6_addr reached;
    bool is_at_end; /* the one reached is not trusted, or does not say */
    bool is_given;
    size_t n_steps;
};

struct forwarded {
    const struct address_ranges *trusted;
    struct forwarded_way listed;   /* by X-Forwarded-For */
    struct forwarded_way elements; /* by Forwarded */
    const char *element_scheme;    /* what the last step by Forwarded says of it */
    const char *schemes[FORWARDED_MOST_PROXIES]; /* of X-Forwarded-Proto, the last one first */
    size_t n_schemes;
    bool is_unreadable; /* a quoted string of Forwarded has no end */
};

enum forwarded_result {
    FORWARDED_READ,
    FORWARDED_CONTRADICTED, /* both kinds of headers are there and name different clients */
    FORWARDED_UNREADABLE    /* a quoted string has no end: what a proxy added may be in it */
};

/* Begins with the peer of the connection, who must be trusted. */
void forwarded_begin(struct forwarded *forwarded, const struct address_ranges *trusted,
                     const struct in6_addr *peer);

/* Takes a request's header fields, the last one first; others than these three are passed over. */
void forwarded_take(struct forwarded *forwarded, const char *name, const char *value);

/* Who sent the request, and by which scheme: "http", "https", or NULL when the kind of headers that
 * names the client, X-Forwarded-* or Forwarded, does not say. A proxy writes one kind, and hands on
 * whatever its client puts into the other. */
enum forwarded_result forwarded_end(const struct forwarded *forwarded, struct in6_addr *client,
                                    const char **scheme);

#endif
