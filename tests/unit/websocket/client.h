/* client.h: the client's side of RFC 6455 as bytes: requests, masked frames of any kind, and
 * parsing the server's frames, with every rule for a server's frames checked. */
#ifndef TEST_WEBSOCKET_CLIENT_H
#define TEST_WEBSOCKET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data; /* always followed by a NUL */
    size_t length;
    size_t capacity;
};

void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_add_text(struct bytes *bytes, const char *text);
void bytes_free(struct bytes *bytes);

/* The first byte of a frame is FIN | RSVn | opcode. */
enum {
    CONTINUATION = 0x0,
    TEXT = 0x1,
    BINARY = 0x2,
    CLOSE = 0x8,
    PING = 0x9,
    PONG = 0xa,
    RSV3 = 0x10,
    RSV2 = 0x20,
    RSV1 = 0x40,
    FIN = 0x80
};

#define CLIENT_KEY "dGhlIHNhbXBsZSBub25jZQ==" /* the RFC's example, section 1.3 */
#define CLIENT_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* A valid request; `headers` are whole lines, each with its CRLF, or "". */
void client_request(struct bytes *to, const char *target, const char *headers);

/* A masked frame with the shortest length encoding. The mask differs from frame to frame. */
void client_frame(struct bytes *to, unsigned first, const void *payload, size_t length);
void client_text(struct bytes *to, unsigned first, const char *text);

/* A header alone, of any form: the length in 0 (7 bits), 2 or 8 bytes; masked with zeros or not. */
void client_header(struct bytes *to, unsigned first, unsigned length_bytes, bool masked,
                   uint64_t length);

/* A close frame; with code 0 its payload is empty. */
void client_close(struct bytes *to, uint16_t code, const char *reason);

/* A frame from the server. */
struct frame {
    unsigned opcode;
    bool compressed; /* its first byte says so (RFC 7692) */
    const uint8_t *payload;
    size_t length;
};

/* Parses the frame at the front of the bytes; returns its length, or 0 if it is incomplete. Fails
 * the test on anything that a server must not send. */
size_t server_frame(const uint8_t *data, size_t length, struct frame *frame);

#endif
