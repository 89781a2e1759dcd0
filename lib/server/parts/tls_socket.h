/* tls_socket.h: the socket as OpenSSL sees it: a BIO that reads a limited number of bytes per
 * call. OpenSSL's own BIO reads on for as long as a client sends records without data. */
#ifndef WS_SERVER_TLS_SOCKET_H
#define WS_SERVER_TLS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>

#include "server/parts/tls_hello.h"

struct tls_socket {
    int fd;
    size_t may_read; /* bytes; at 0 the socket looks empty until the limit is raised */
    bool eof;
    bool awaits_hello; /* what arrives is not encrypted, and may be a hello */
    struct tls_hello hello;
    const char *refused; /* why reading fails from now on; NULL: it does not */
};

/* The BIO's method. NULL when memory is short. */
BIO_METHOD *tls_socket_method(void);

/* A BIO on the socket, which outlives it. NULL when memory is short. */
BIO *tls_socket_bio(const BIO_METHOD *method, struct tls_socket *socket);

#endif
