/* client_bytes.h: the bytes that a client writes and reads: its request, a masked text, the
 * server's text. Not here: other frames. The unit tests' client has them all, but needs Check. */
#ifndef BENCH_CLIENT_BYTES_H
#define BENCH_CLIENT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define CLIENT_KEY "dGhlIHNhbXBsZSBub25jZQ==" /* the example of RFC 6455, section 1.3 */

enum {
    CLIENT_REQUEST_MAX = 512,
    CLIENT_TEXT_MAX = 125, /* bytes of payload: the length fits into the frame's second byte */
    CLIENT_FRAME_MAX = CLIENT_TEXT_MAX + 6
};

/* Writes an opening handshake. Returns its length. */
size_t client_request(char to[CLIENT_REQUEST_MAX], const char *target);

/* Writes a text of at most CLIENT_TEXT_MAX bytes as a masked frame. Returns the frame's length. */
size_t client_text(uint8_t to[CLIENT_FRAME_MAX], const char *text);

/* Finds the payload of the server's first frame. Returns the length of the whole frame. Exits if it
 * is not a complete, unmasked text frame. */
size_t server_text(const uint8_t *bytes, size_t length, const char **text, size_t *text_length);

#endif
