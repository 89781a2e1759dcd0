/* proxy_header.h: the header of the PROXY protocol, versions 1 and 2, by which a proxy says before
 * anything else who its client is (HAProxy's proxy-protocol.txt). Who is a proxy that may say so,
 * and reading from its socket, is in connection_proxy.c. */
#ifndef BACKEND_PROXY_HEADER_H
#define BACKEND_PROXY_HEADER_H

#include <netinet/in.h>
#include <stddef.h>

/* The longest that is taken: version 2 may carry more about the client. */
enum { PROXY_HEADER_MAX_BYTES = 2048 };

enum proxy_header_result {
    PROXY_HEADER_NONE,    /* the bytes are something else */
    PROXY_HEADER_PARTIAL, /* ask again with at least as many bytes as `length` says */
    PROXY_HEADER_BAD,
    PROXY_HEADER_CLIENT,  /* of this address */
    PROXY_HEADER_UNKNOWN, /* of a client whose address it does not say */
    PROXY_HEADER_LOCAL    /* the proxy speaks for itself, to see whether we are well */
};

struct proxy_header {
    size_t length; /* of the whole header, when its end is known */
    struct in6_addr client;
};

/* Looks at what has come from a connection's first byte on. */
enum proxy_header_result proxy_header_read(struct proxy_header *header, const void *bytes,
                                           size_t length);

#endif
