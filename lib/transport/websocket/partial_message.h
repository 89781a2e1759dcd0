/* partial_message.h: assembles a client's message from its frames: inflates it, and checks that
 * text is UTF-8.
 * Not here: which frames are allowed (frame_rules.h).
 *
 * A compressed message is inflated when its last byte has arrived, so an unfinished one has no more
 * memory than its client has sent: a few bytes would else take an inflater and a whole message. */
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
    bool is_received;          /* all of it; it is compressed, and not inflated yet */
    uint64_t received;         /* payload bytes of its frames, before inflating */
    struct inflater *inflater; /* of one that is being inflated, until its event was used */
    struct utf8_state utf8;    /* of an uncompressed text; a whole one leaves it as it began */
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    size_t n_fed; /* of these, to the inflater */
};

void partial_message_init(struct partial_message *message, ws_loop *loop);
void partial_message_free(struct partial_message *message);

static inline bool partial_message_is_none(const struct partial_message *message)
{
    return message->opcode == PARTIAL_MESSAGE_NONE;
}

/* Gives it back, if there is one. */
void partial_message_give_back_inflater(struct partial_message *message);

/* Begins a frame, which frame_rules_allow() has accepted. */
static inline void partial_message_begin_frame(struct partial_message *message,
                                               const struct wslay_frame_iocb *frame)
{
    message->fragments++;
    message->received += frame->payload_length;
    if (frame->opcode == WSLAY_CONTINUATION_FRAME)
        return;
    message->opcode = frame->opcode;
    message->compressed = frame->rsv != WSLAY_RSV_NONE;
}

/* Adds the next piece of an uncompressed message; `complete`: the last one. Sets FRAME_MESSAGE
 * (whose data is valid until the next call), FRAME_ERROR or FRAME_NO_MEMORY, or leaves
 * FRAME_NOTHING. */
void partial_message_add(struct partial_message *message, const struct wslay_frame_iocb *piece,
                         bool complete, struct frame_event *event);

/* partial_message_add() for a compressed message. If it becomes is_received,
 * partial_message_inflate() follows; else returns the cost beyond that of the piece's bytes. */
uint32_t partial_message_add_compressed(struct partial_message *message,
                                        const struct wslay_frame_iocb *piece, bool complete,
                                        uint32_t max_bytes, struct frame_event *event);

/* Inflates the next part of a message that is_received, or sets FRAME_WAITS. Returns the cost. */
uint32_t partial_message_inflate(struct partial_message *message, uint32_t max_bytes,
                                 struct frame_event *event);

/* Whether a frame that begins is a message that needs no assembling: a single uncompressed frame
 * whose bytes are all there. Most messages are. */
static inline bool partial_message_is_whole(const struct wslay_frame_iocb *frame)
{
    return (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME) &&
           frame->fin && frame->rsv == WSLAY_RSV_NONE &&
           frame->data_length == frame->payload_length;
}

/* Sets FRAME_MESSAGE for a frame that is a whole message, without a copy, or FRAME_ERROR. */
void partial_message_pass_whole(struct partial_message *message,
                                const struct wslay_frame_iocb *frame,
                                struct frame_event *event);

/* Frees the last message returned, which has been used. */
static inline void partial_message_drop_used(struct partial_message *message)
{
    if (message->inflater != NULL && partial_message_is_none(message))
        partial_message_give_back_inflater(message);
}

/* Frees the buffer of a message that was used. */
void partial_message_free_bytes(struct partial_message *message);

/* Frees a large buffer before the reader goes to the pool. */
void partial_message_trim(struct partial_message *message);

#endif
