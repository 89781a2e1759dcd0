/* frame_rules.c: which frames a client may send. */
#include "transport/websocket/frame_rules.h"

/* How many bytes may come for a message of at most `bytes`: what can't be compressed becomes a
 * little longer, by 5 bytes for each block, which a window of 2^9 makes as small as 512 bytes. */
static uint64_t most_compressed(uint32_t bytes)
{
    return (uint64_t)bytes + bytes / 32 + 64;
}

/* Of a whole message, as it comes. */
static uint64_t most_bytes(const struct partial_message *message,
                           const struct wslay_frame_iocb *frame,
                           const struct frame_limits *limits)
{
    bool compressed = frame->opcode == WSLAY_CONTINUATION_FRAME ? message->compressed
                                                                : frame->rsv != WSLAY_RSV_NONE;

    return compressed ? most_compressed(limits->max_message_bytes) : limits->max_message_bytes;
}

/* How many frames the message's bytes pay for, this frame's among them, and what came out of those
 * before it: a client may compress each piece for itself. */
static uint64_t paid_frames(const struct partial_message *message,
                            const struct wslay_frame_iocb *frame)
{
    return (message->received + frame->payload_length + partial_message_inflated(message)) /
           FRAME_PAID_BYTES;
}

static bool is_one_too_many(const struct partial_message *message,
                            const struct wslay_frame_iocb *frame,
                            const struct frame_limits *limits)
{
    return limits->max_fragments > 0 && message->fragments >= limits->max_fragments &&
           message->fragments >= paid_frames(message, frame);
}

/* A frame that costs as much as a message and brings none: an empty one, or one by which a message
 * has more frames behind its first than its bytes pay for. A message that had gone on before the
 * limit was reached may do so to its end, if that is bounded. */
static bool is_flood(const struct partial_message *message,
                     const struct wslay_frame_iocb *frame, const struct frame_limits *limits)
{
    struct flood_counts *counts;

    if (limits->max_continuation_frames == 0 ||
        (frame->opcode == WSLAY_CONTINUATION_FRAME
             ? message->fragments <= paid_frames(message, frame)
             : frame->payload_length > 0))
        return false;
    counts = limits->counts(limits->client);
    if (counts == NULL)
        return false;
    if (counts->continuation_frames >= limits->max_continuation_frames)
        return message->fragments < 2 || limits->max_fragments == 0;
    counts->continuation_frames++;
    return false;
}

struct frame_event frame_rules_check(const struct partial_message *message,
                                     const struct wslay_frame_iocb *frame,
                                     const struct frame_limits *limits)
{
    if (!frame->mask)
        return frame_error(1002, "frames must be masked"); /* §5.1 */
    /* §5.2; RFC 7692 §6: only the first frame of a message says that it is compressed. */
    if (frame->rsv != WSLAY_RSV_NONE &&
        (frame->rsv != WSLAY_RSV1_BIT || !limits->deflate ||
         (frame->opcode != WSLAY_TEXT_FRAME && frame->opcode != WSLAY_BINARY_FRAME)))
        return frame_error(1002, "reserved bit without an extension");
    switch (frame->opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
        return frame_nothing();
    case WSLAY_TEXT_FRAME:
    case WSLAY_BINARY_FRAME:
        if (!partial_message_is_none(message))
            return frame_error(1002, "new message within another"); /* §5.4 */
        break;
    case WSLAY_CONTINUATION_FRAME:
        if (partial_message_is_none(message))
            return frame_error(1002, "nothing to continue"); /* §5.4 */
        break;
    default:
        return frame_error(1002, "reserved opcode"); /* §5.2 */
    }
    if (frame->payload_length > most_bytes(message, frame, limits) - message->received)
        return frame_error(1009, "message too big"); /* §7.4.1 */
    if (is_one_too_many(message, frame, limits))
        return frame_error(1009, "too many fragments");
    if (is_flood(message, frame, limits))
        return frame_error(1008, "too many continuation or empty frames");
    return frame_nothing();
}
