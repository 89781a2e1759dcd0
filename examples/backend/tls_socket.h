/* tls_socket.h: the socket as OpenSSL sees it: at most so many bytes are read for one call.
 * OpenSSL's own goes on for as long as a client sends what brings no data. */
#ifndef BACKEND_TLS_SOCKET_H
#define BACKEND_TLS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>

struct tls_socket {
    int fd;
    size_t may_read; /* bytes; at 0 the socket looks empty until there are more */
    bool refused;    /* reading fails from now on */
    bool eof;
};

/* The kind of BIO. NULL when memory is short. */
BIO_METHOD *tls_socket_method(void);

/* A BIO on the socket, which outlives it. NULL when memory is short. */
BIO *tls_socket_bio(const BIO_METHOD *method, struct tls_socket *socket);

#endif
