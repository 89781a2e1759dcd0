/* tls_hello.h: whether a client's hello is one that OpenSSL should work on. Nothing is known about
 * the client yet, and what OpenSSL does with a hello is bounded by nothing else. */
#ifndef WS_SERVER_TLS_HELLO_H
#define WS_SERVER_TLS_HELLO_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Whether no list of a hello is too long. Call it in the callback of
 * SSL_CTX_set_client_hello_cb(), which OpenSSL calls for each hello before it uses the lists. */
bool tls_hello_has_short_lists(SSL *ssl);

#endif
