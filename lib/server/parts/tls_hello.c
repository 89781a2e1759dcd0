/* tls_hello.c: bounds a client's hello, by whose lists OpenSSL's work grows quadratically. */
#include "server/parts/tls_hello.h"

#include <stddef.h>

enum {
    LENGTH_BYTES = 2, /* before each list */
    CODE_BYTES = 2,   /* of a cipher, a group or a signature algorithm */

    /* OpenSSL knows 158 ciphers, and less of the others. */
    CIPHERS_BYTES = 256 * CODE_BYTES,
    GROUPS_BYTES = LENGTH_BYTES + 64 * CODE_BYTES,
    ALGORITHMS_BYTES = LENGTH_BYTES + 128 * CODE_BYTES,

    /* A key of X25519MLKEM768 takes 1.2 KB, and a client sends one or two keys. */
    KEY_SHARE_BYTES = 8 * 1024
};

/* OpenSSL compares each cipher with all groups if the certificate's key is RSA, and in TLS 1.3 each
 * key with all groups: 16 KB of them take 60 ms, and 130 KB almost 4 s. Within these bounds they
 * take less than the rest of a handshake. */
static const struct {
    unsigned extension;
    size_t most_bytes;
} bounds[] = {
    {TLSEXT_TYPE_supported_groups, GROUPS_BYTES},
    {TLSEXT_TYPE_signature_algorithms, ALGORITHMS_BYTES},
    {TLSEXT_TYPE_signature_algorithms_cert, ALGORITHMS_BYTES},
    {TLSEXT_TYPE_key_share, KEY_SHARE_BYTES},
};

bool tls_hello_has_short_lists(SSL *ssl)
{
    const unsigned char *bytes;
    size_t length;

    if (SSL_client_hello_get0_ciphers(ssl, &bytes) > CIPHERS_BYTES)
        return false;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        if (SSL_client_hello_get0_ext(ssl, bounds[i].extension, &bytes, &length) == 1 &&
            length > bounds[i].most_bytes)
            return false;
    return true;
}
