/* partial_message.h: assembles a client's message from its frames: inflates it, and checks that
 * text is UTF-8.
 * Not here: which frames are allowed (frame_rules.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_PARTIAL_MESSAGE_H
#define WS_TRANSPORT_WEBSOCKET_PARTIAL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wslay/wslay.h>

#include "base/utf8.h"
#include "transport/websocket/frame_event.h"
#include "transport/websocket/loop_part.h"

enum { PARTIAL_MESSAGE_NONE = 0xff /* as `opcode`: no message is unfinished */ };

struct partial_message {
    ws_loop *loop;
    uint8_t opcode;  /* of its first frame */
    bool compressed; /* only its first frame has the bit for compression */
    uint32_t fragments;
    uint64_t received;         /* payload bytes of its frames, before inflating */
    struct inflater *inflater; /* of a compressed message, until its event was used */
    struct utf8_state utf8;    /* of an uncompressed message */
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

void partial_message_init(struct partial_message *message, ws_loop *loop);
void partial_message_free(struct partial_message *message);

static inline bool partial_message_is_none(const struct partial_message *message)
{
    return message->opcode == PARTIAL_MESSAGE_NONE;
}

/* The inflated size so far of a compressed message; 0 for another. */
size_t partial_message_inflated(const struct partial_message *message);

/* Begins a frame, which frame_rules_check() has accepted. False if memory ran out. */
bool partial_message_begin_frame(struct partial_message *message,
                                 const struct wslay_frame_iocb *frame);

/* Adds the next piece of the payload; `complete`: the last one. Returns FRAME_NOTHING,
 * FRAME_MESSAGE (whose data is valid until the next call), FRAME_ERROR or FRAME_NO_MEMORY. Adds
 * the cost beyond that of its bytes to *cost. */
struct frame_event partial_message_add(struct partial_message *message, const uint8_t *data,
                                       size_t length, bool complete, uint32_t max_bytes,
                                       uint32_t *cost);

/* Frees the last message returned, which has been used. */
void partial_message_drop_used(struct partial_message *message);

/* Frees a large buffer before the reader goes to the pool. */
void partial_message_trim(struct partial_message *message);

#endif
