/* partial_message.h: a client's message, put together from its frames: inflated, and checked to be
 * UTF-8 if it is text. Not here: which frames may come (frame_rules.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_PARTIAL_MESSAGE_H
#define WS_TRANSPORT_WEBSOCKET_PARTIAL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wslay/wslay.h>

#include "base/utf8.h"
#include "transport/websocket/frame_event.h"
#include "transport/websocket/loop_part.h"

enum { PARTIAL_MESSAGE_NONE = 0xff /* as `opcode`: none is unfinished */ };

struct partial_message {
    ws_loop *loop;
    uint8_t opcode;  /* of its first frame */
    bool compressed; /* of a compressed message: only its first frame says so */
    uint32_t fragments;
    uint64_t received;         /* payload bytes of its frames, as they came */
    struct inflater *inflater; /* of a compressed message, until it was told and used */
    struct utf8_state utf8;    /* of one that is not compressed */
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

/* What has come of it so far, inflated, if it is compressed; else 0. */
size_t partial_message_inflated(const struct partial_message *message);

/* A frame of it begins, which frame_rules_check() has let pass. False if memory ran out. */
bool partial_message_begin_frame(struct partial_message *message,
                                 const struct wslay_frame_iocb *frame);

/* The next piece of its payload; `complete`: it is the last one. The event is FRAME_NOTHING,
 * FRAME_MESSAGE, whose data is valid until the next call, FRAME_ERROR or FRAME_NO_MEMORY. What it
 * costs beyond its bytes is added to *cost. */
struct frame_event partial_message_add(struct partial_message *message, const uint8_t *data,
                                       size_t length, bool complete, uint32_t max_bytes,
                                       uint32_t *cost);

/* The message that was told last has been used. */
void partial_message_drop_used(struct partial_message *message);

/* Of a reader that goes to the pool: frees a large buffer. */
void partial_message_trim(struct partial_message *message);

#endif
