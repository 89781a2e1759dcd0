/* tls_hello.c: bounds a client's hello: its size, by which OpenSSL allocates memory, and its lists,
 * by which OpenSSL's work grows quadratically, or its memory to fifty times the list's. */
#include "server/parts/tls_hello.h"

#include <string.h>

enum {
    MOST_BYTES = 16 * 1024, /* of a hello; those of browsers have 2 KB */

    LENGTH_BYTES = 2, /* before each list */
    CODE_BYTES = 2,   /* of a cipher, a group or a signature algorithm */

    /* OpenSSL knows 158 ciphers, and less of the others. */
    CIPHERS_BYTES = 256 * CODE_BYTES,
    GROUPS_BYTES = LENGTH_BYTES + 64 * CODE_BYTES,
    ALGORITHMS_BYTES = LENGTH_BYTES + 128 * CODE_BYTES,

    /* A key of X25519MLKEM768 takes 1.2 KB, and a client sends one or two keys. */
    KEY_SHARE_BYTES = 8 * 1024,

    /* Hardly any client names an authority or a responder. */
    AUTHORITIES_BYTES = 512,
    STATUS_REQUEST_BYTES = 256
};

/* OpenSSL compares each cipher with all groups if the certificate's key is RSA, and in TLS 1.3 each
 * key with all groups: 16 KB of them take 60 ms, and 130 KB almost 4 s. Within these bounds they
 * take less than the rest of a handshake. Of the names of authorities and responders it keeps an
 * object each, as long as the connection: 16 KB of them take 770 KB. */
static const struct {
    unsigned extension;
    size_t most_bytes;
} bounds[] = {
    {TLSEXT_TYPE_supported_groups, GROUPS_BYTES},
    {TLSEXT_TYPE_signature_algorithms, ALGORITHMS_BYTES},
    {TLSEXT_TYPE_signature_algorithms_cert, ALGORITHMS_BYTES},
    {TLSEXT_TYPE_key_share, KEY_SHARE_BYTES},
    {TLSEXT_TYPE_certificate_authorities, AUTHORITIES_BYTES},
    {TLSEXT_TYPE_status_request, STATUS_REQUEST_BYTES},
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

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Returns how many of the bytes belong to the header. */
static size_t gather(struct tls_hello_header *header, size_t size, const unsigned char *bytes,
                     size_t length)
{
    size_t part = least(size - header->length, length);

    memcpy(header->bytes + header->length, bytes, part);
    header->length += part;
    return part;
}

/* Returns how many of the bytes belong to the record's header (RFC 8446 §5.1). */
static size_t read_record_header(struct tls_hello *hello, const unsigned char *bytes,
                                 size_t length)
{
    struct tls_hello_header *header = &hello->record;
    size_t part = gather(header, SSL3_RT_HEADER_LENGTH, bytes, length);

    if (header->length == SSL3_RT_HEADER_LENGTH) {
        hello->record_left = (size_t)header->bytes[3] << 8 | header->bytes[4];
        header->length = 0;
    }
    return part;
}

/* Returns how many of the bytes belong to a message's header, or to the message (RFC 8446 §4). */
static size_t read_message(struct tls_hello *hello, const unsigned char *bytes, size_t length)
{
    struct tls_hello_header *header = &hello->message;
    size_t part;

    if (hello->message_left > 0) {
        part = least(hello->message_left, length);
        hello->message_left -= part;
        return part;
    }
    part = gather(header, SSL3_HM_HEADER_LENGTH, bytes, length);
    if (header->length == SSL3_HM_HEADER_LENGTH) {
        hello->message_left =
            (size_t)header->bytes[1] << 16 | (size_t)header->bytes[2] << 8 | header->bytes[3];
        header->length = 0;
    }
    return part;
}

bool tls_hello_may_go_on(struct tls_hello *hello, const void *bytes, size_t length)
{
    const unsigned char *next = bytes;

    while (length > 0 && hello->message_left <= MOST_BYTES) {
        size_t part = least(hello->record_left, length);

        if (part == 0) {
            part = read_record_header(hello, next, length);
        } else {
            if (hello->record.bytes[0] == SSL3_RT_HANDSHAKE)
                part = read_message(hello, next, part);
            hello->record_left -= part;
        }
        next += part;
        length -= part;
    }
    return hello->message_left <= MOST_BYTES;
}
