/* frame_rules.c: which frames a client may send. */
#include "transport/websocket/frame_rules.h"

/* The most bytes that a compressed message of at most `bytes` can have: data that cannot be
 * compressed becomes longer by 5 bytes for each block, and with a window of 2^9 a block is as
 * small as 512 bytes. */
static uint64_t most_compressed(uint32_t bytes)
{
    return (uint64_t)bytes + bytes / 32 + 64;
}

/* The most bytes of all payloads of the frame's message. */
static uint64_t most_bytes(const struct partial_message *message,
                           const struct wslay_frame_iocb *frame,
                           const struct frame_limits *limits)
{
    bool compressed = frame->opcode == WSLAY_CONTINUATION_FRAME ? message->compressed
                                                                : frame->rsv != WSLAY_RSV_NONE;

    return compressed ? most_compressed(limits->max_message_bytes) : limits->max_message_bytes;
}

/* The number of frames that the message's bytes pay for: those of this frame and the ones
 * before it. */
static uint64_t paid_frames(const struct partial_message *message,
                            const struct wslay_frame_iocb *frame)
{
    return (message->received + frame->payload_length) / FRAME_PAID_BYTES;
}

static bool is_one_too_many(const struct partial_message *message,
                            const struct wslay_frame_iocb *frame,
                            const struct frame_limits *limits)
{
    return limits->max_fragments > 0 && message->fragments >= limits->max_fragments &&
           message->fragments >= paid_frames(message, frame);
}

/* Whether a frame is one too many of those that cost as much as a message but bring none: an
 * empty frame, or a continuation frame beyond those that the message's bytes pay for. If the
 * limit is reached within a message, the message may still be completed, provided that its
 * fragments are limited. */
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

/* RFC 7692 §6: only the first frame of a message has the bit for compression. */
static bool may_be_compressed(const struct wslay_frame_iocb *frame,
                              const struct frame_limits *limits)
{
    return frame->rsv == WSLAY_RSV1_BIT && limits->deflate &&
           (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME);
}

bool frame_rules_allow(const struct partial_message *message,
                       const struct wslay_frame_iocb *frame, const struct frame_limits *limits,
                       struct frame_event *event)
{
    if (!frame->mask) /* §5.1 */
        return frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR, "frames must be masked");
    if (frame->rsv != WSLAY_RSV_NONE && !may_be_compressed(frame, limits)) /* §5.2 */
        return frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR,
                                 "reserved bit without an extension");
    switch (frame->opcode) {
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
        return true;
    case WSLAY_TEXT_FRAME:
    case WSLAY_BINARY_FRAME:
        if (!partial_message_is_none(message)) /* §5.4 */
            return frame_event_error(
                event, WS_CLOSE_PROTOCOL_ERROR,
                "new message before the last fragment of the previous one");
        break;
    case WSLAY_CONTINUATION_FRAME:
        if (partial_message_is_none(message)) /* §5.4 */
            return frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR,
                                     "continuation frame without a message");
        break;
    default: /* §5.2 */
        return frame_event_error(event, WS_CLOSE_PROTOCOL_ERROR, "reserved opcode");
    }
    if (frame->payload_length > most_bytes(message, frame, limits) - message->received)
        return frame_event_error(event, WS_CLOSE_MESSAGE_TOO_BIG,
                                 "the message is longer than max_message_bytes"); /* §7.4.1 */
    if (is_one_too_many(message, frame, limits))
        return frame_event_error(event, WS_CLOSE_MESSAGE_TOO_BIG, "too many fragments");
    if (is_flood(message, frame, limits))
        return frame_event_error(event, WS_CLOSE_POLICY_VIOLATION,
                                 "too many continuation or empty frames");
    return true;
}
