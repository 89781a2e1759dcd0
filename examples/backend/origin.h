/* origin.h: whether a browser's page may talk to this server (RFC 6454, RFC 6455 §10.2), also one
 * whose name was made to lead here (DNS rebinding). Who the user is, is not asked here. */
#ifndef BACKEND_ORIGIN_H
#define BACKEND_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORIGIN_SCHEME_BYTES = 32, ORIGIN_HOST_BYTES = 256, ORIGIN_MOST_ALLOWED = 64 };

/* In one form, so that equal origins have equal bytes. */
struct origin {
    char scheme[ORIGIN_SCHEME_BYTES]; /* lower case */
    /* A name in lower case without a last dot, or an address as inet_ntop() writes it, IPv6 in
     * brackets. */
    char host[ORIGIN_HOST_BYTES];
    uint16_t port; /* also where it is the scheme's; 0: neither text nor scheme has one */
    bool
        is_local; /* the host is an address or "localhost": nobody else can make it lead here */
};

/* What --allow-origin says. */
struct origin_rules {
    struct origin allowed[ORIGIN_MOST_ALLOWED];
    size_t n_allowed;
    bool allows_all;
};

/* What a request says. */
struct origin_request {
    const char *origin; /* the header "Origin"; NULL: none, so no page sent it that may not read
                           the answer, or it is no browser */
    const char *host;   /* the header "Host"; NULL: none */
    const char *scheme; /* "http" or "https", as the client's connection is; NULL: unknown */
};

/* Reads scheme://host or scheme://host:port. False for anything else, and for a host that no
 * browser writes so: of other characters than letters, digits, hyphens, dots and underscores, or
 * with a last part of digits that is no address. */
bool origin_parse(const char *text, struct origin *origin);

/* Adds what a --allow-origin names: an origin, or "*". NULL, or what is wrong with it. */
const char *origin_rules_add(struct origin_rules *rules, const char *text);

/* Reads the header "Host" alone: the port is 0 where it names none. False as above. */
bool origin_parse_host(const char *host, struct origin *origin);

/* Whether the header "Host" names this server in a way that a stranger's name can't: by an address,
 * as localhost, or by the name of an allowed origin. Without that header it is no browser. */
bool origin_host_is_ours(const struct origin_rules *rules, const char *host);

/* Whether the page may go on: there is none, its origin is allowed, or it came from the host and
 * port that it talks to, by HTTP or HTTPS. With `only_ours` that host must be ours, too. */
bool origin_is_allowed(const struct origin_rules *rules, const struct origin_request *request,
                       bool only_ours);

#endif
