/* proxy_header.h: the header of the PROXY protocol, versions 1 and 2, by which a proxy names its
 * client before anything else (HAProxy's proxy-protocol.txt). Which peers are trusted, and
 * reading from the socket, is in connection_proxy.c. */
#ifndef WS_SERVER_PROXY_HEADER_H
#define WS_SERVER_PROXY_HEADER_H

#include <netinet/in.h>
#include <stddef.h>

/* The longest header that is accepted: version 2 may carry more about the client. */
enum { PROXY_HEADER_MAX_BYTES = 2048 };

enum proxy_header_result {
    PROXY_HEADER_NONE,    /* the bytes are something else */
    PROXY_HEADER_PARTIAL, /* call again with more bytes */
    PROXY_HEADER_BAD,
    PROXY_HEADER_CLIENT,  /* it names this client */
    PROXY_HEADER_UNKNOWN, /* it has a client, but not its address */
    PROXY_HEADER_LOCAL    /* the proxy itself connected, for example for a health check */
};

struct proxy_header {
    size_t length; /* of the whole header */
    struct in6_addr client;
};

/* Parses what was received since the connection's first byte. */
enum proxy_header_result proxy_header_read(struct proxy_header *header, const void *bytes,
                                           size_t length);

#endif
