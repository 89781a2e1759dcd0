/* zlib_peer.h: the other side of permessage-deflate, by zlib itself: what a client sends, and how
 * it inflates what it receives. Not here: frames (client.h). */
#ifndef TEST_WEBSOCKET_ZLIB_PEER_H
#define TEST_WEBSOCKET_ZLIB_PEER_H

#include <stddef.h>
#include <stdint.h>

/* Compresses a message as a client sends it, without the four bytes of its tail, with a window of
 * 2^9 to 2^15 bytes and level 0 to 9 (0: only stored). Returns its length. */
size_t zlib_deflate(int window_bits, int level, const void *data, size_t length, uint8_t *to,
                    size_t room);

/* Inflates a received message with a window of exactly 2^window_bits bytes; returns its length.
 * Fails the test if the message is incomplete or has more than `room` bytes. */
size_t zlib_inflate(int window_bits, const void *data, size_t length, uint8_t *to, size_t room);

#endif
