/* tls_hello.h: whether a client's hello is one that OpenSSL should work on. Nothing is known about
 * the client yet, and what OpenSSL does with a hello is bounded by nothing else. */
#ifndef WS_SERVER_TLS_HELLO_H
#define WS_SERVER_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

struct tls_hello_header {
    unsigned char bytes[SSL3_RT_HEADER_LENGTH]; /* the longer one: of a record */
    size_t length;                              /* of these that have arrived */
};

/* Where the bytes of a client that have arrived end. All zero: there are none. */
struct tls_hello {
    struct tls_hello_header record;
    struct tls_hello_header message;
    size_t record_left; /* bytes that are still to come */
    size_t message_left;
};

/* Whether a hello may go on with these bytes: false once its header says that it is too large. Call
 * it for all bytes of a client before OpenSSL reads them: when OpenSSL has read the header, it
 * allocates memory for the whole hello, up to 128 KB. */
bool tls_hello_may_go_on(struct tls_hello *hello, const void *bytes, size_t length);

/* Whether no list of a hello is too long. Call it in the callback of
 * SSL_CTX_set_client_hello_cb(), which OpenSSL calls for each hello before it uses the lists. */
bool tls_hello_has_short_lists(SSL *ssl);

#endif
