/* client_bytes.h: what a client writes and reads, as bytes: its request, a masked text, the
 * server's text. Not here: other frames; the unit tests' client, which knows them all, can't be
 * used without Check around it. */
#ifndef BENCH_CLIENT_BYTES_H
#define BENCH_CLIENT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#define CLIENT_KEY "dGhlIHNhbXBsZSBub25jZQ==" /* the example of RFC 6455, section 1.3 */

enum {
    CLIENT_REQUEST_MAX = 512,
    CLIENT_TEXT_MAX = 125, /* of the payload: the length fits the frame's second byte */
    CLIENT_FRAME_MAX = CLIENT_TEXT_MAX + 6
};

/* Writes an opening handshake; returns its length. */
size_t client_request(char to[CLIENT_REQUEST_MAX], const char *target);

/* Writes a text of at most CLIENT_TEXT_MAX bytes as a masked frame; returns its length. */
size_t client_text(uint8_t to[CLIENT_FRAME_MAX], const char *text);

/* Finds the payload of the server's text at the front; returns the length of the whole frame. Ends
 * the program if it is anything but a whole, unmasked text frame. */
size_t server_text(const uint8_t *bytes, size_t length, const char **text, size_t *text_length);

#endif
