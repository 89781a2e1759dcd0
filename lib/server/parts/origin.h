/* origin.h: whether a browser's page may talk to this server (RFC 6454, RFC 6455 §10.2), also in
 * case of DNS rebinding. Users are authenticated elsewhere. */
#ifndef WS_SERVER_ORIGIN_H
#define WS_SERVER_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_SCHEME_BYTES = 32, ORIGIN_HOST_BYTES = 256, ORIGIN_MOST_ALLOWED = 64 };

/* Normalised: equal origins have equal members. */
struct origin {
    char scheme[ORIGIN_SCHEME_BYTES]; /* lower case */
    /* A name in lower case without a trailing dot, or an address as inet_ntop() writes it, IPv6
     * in brackets. */
    char host[ORIGIN_HOST_BYTES];
    uint16_t port; /* the scheme's default if the text has none; 0: unknown */
    bool is_local; /* the host is an address or "localhost", which nobody else can point here */
};

/* The origins of pages that may come from elsewhere. */
struct origin_rules {
    struct origin allowed[ORIGIN_MOST_ALLOWED];
    size_t n_allowed;
    bool allows_all;
};

/* The relevant headers of a request. */
struct origin_request {
    const char *origin; /* Origin header; NULL: no page, or one that may read the answer */
    const char *host;   /* Host header; NULL: none */
    const char *scheme; /* "http" or "https", as the client's connection is; NULL: unknown */
};

/* Parses scheme://host or scheme://host:port. False for anything else, and for a host that no
 * browser would write: one with characters other than letters, digits, hyphens, dots and
 * underscores, or whose last part is a number although it is not an address. */
bool origin_parse(const char *text, struct origin *origin);

/* Adds an origin, or "*". Returns NULL, or why it cannot be
 * added. */
const char *origin_rules_add(struct origin_rules *rules, const char *text);

/* Parses a Host header. Without a port in it, the port is 0. False for another
 * form, and for a host that no browser would write (origin_parse()). */
bool origin_parse_host(const char *host, struct origin *origin);

/* Whether a Host header names this server in a way that DNS rebinding cannot: by an address, as
 * localhost, or as the host of an allowed origin. True without the header, which browsers always
 * send. */
bool origin_host_is_ours(const struct origin_rules *rules, const char *host);

/* Whether the page is allowed: there is none, its origin is allowed, or it came from the host and
 * port that it talks to, by HTTP or HTTPS. With `only_ours`, that host must also be ours. */
bool origin_is_allowed(const struct origin_rules *rules, const struct origin_request *request,
                       bool only_ours);

#endif
