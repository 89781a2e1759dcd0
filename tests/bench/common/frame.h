/* frame.h: WebSocket frames as bytes, for the load generator and the floor.
 * Masked frames have the key 0, which leaves the payload unchanged. No message is fragmented. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum { FRAME_TEXT = 1, FRAME_BINARY = 2, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };
enum { FRAME_MAX_HEAD = 14 };

struct frame {
    unsigned opcode;
    bool compressed; /* RSV1, which permessage-deflate defines */
    const unsigned char *payload;
    size_t length;
};

/* The key of every handshake, which is the example in RFC 6455, and the answer to it. */
#define HANDSHAKE_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define HANDSHAKE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Reads the first frame. Returns its length, or 0 if the frame is incomplete. */
size_t frame_read(const unsigned char *data, size_t length, struct frame *frame);

/* Writes the head of an unfragmented frame. Returns the head's length. */
size_t frame_write_head(unsigned char *out, unsigned opcode, bool masked, size_t length);

#endif
