/* forwarded.h: the client of a request according to the proxies on its way: X-Forwarded-For and
 * X-Forwarded-Proto, or Forwarded (RFC 7239). PROXY headers are proxy_header.h. */
#ifndef WS_SERVER_FORWARDED_H
#define WS_SERVER_FORWARDED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/parts/address.h"

enum { FORWARDED_MOST_PROXIES = 32 };

/* A way back through proxies: while the address reached is a trusted proxy's, the client that it
 * names is believed. */
struct forwarded_way {
    struct in6_addr reached;
    bool is_at_end; /* the address reached is not trusted, or names no client */
    bool is_given;
    size_t n_steps;
};

struct forwarded {
    const struct address_ranges *trusted;
    struct forwarded_way listed;   /* by X-Forwarded-For */
    struct forwarded_way elements; /* by Forwarded */
    const char *element_scheme;    /* the scheme that the last step by Forwarded names */
    const char *schemes[FORWARDED_MOST_PROXIES]; /* of X-Forwarded-Proto, the last one first */
    size_t n_schemes;
    bool is_unreadable; /* a quoted string of Forwarded is not terminated */
};

enum forwarded_result {
    FORWARDED_READ,
    FORWARDED_CONTRADICTED, /* both kinds of headers are present and name different clients */
    FORWARDED_UNREADABLE /* a quoted string is not terminated: what a proxy added may be in it */
};

/* Begins with the peer of the connection, which must be trusted. */
void forwarded_begin(struct forwarded *forwarded, const struct address_ranges *trusted,
                     const struct in6_addr *peer);

/* Takes a request's header fields, the last one first; ignores all others than these three. */
void forwarded_take(struct forwarded *forwarded, const char *name, const char *value);

/* The client that sent the request, and its scheme: "http", "https", or NULL if the kind of
 * headers that names the client, X-Forwarded-* or Forwarded, names none. A proxy writes one kind,
 * and passes on whatever its client put into the other. */
enum forwarded_result forwarded_end(const struct forwarded *forwarded, struct in6_addr *client,
                                    const char **scheme);

#endif
