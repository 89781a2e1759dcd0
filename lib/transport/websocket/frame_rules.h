/* frame_rules.h: the rules for a client's frames: RFC 6455 §5, RFC 7692 §6, and the limits. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H

#include "transport/websocket/floods.h"
#include "transport/websocket/partial_message.h"

/* So many bytes of payload pay for one frame of a message. A frame costs 18 ns, and each byte
 * 1.4 ns (unmasking, copying): in frames of 64 bytes a message costs a fifth more than in one
 * frame, in frames of one byte 12 times as much. */
enum { FRAME_PAID_BYTES = 64 };

struct frame_limits {
    uint32_t max_message_bytes;
    uint32_t max_fragments; /* of a message, unless its bytes pay for more; 0: no limit */
    uint32_t max_continuation_frames; /* unpaid and empty ones, in a second; 0: no limit */
    /* Returns the client's counts of this second, which the rules increase; NULL if it can't be
     * counted. */
    struct flood_counts *(*counts)(void *client);
    void *client;
    bool deflate; /* permessage-deflate was negotiated */
};

/* Checks a frame by its header. wslay has already checked that the length has its shortest
 * form, and that control frames are unfragmented and have at most 125 bytes. Returns
 * FRAME_NOTHING or FRAME_ERROR. */
struct frame_event frame_rules_check(const struct partial_message *message,
                                     const struct wslay_frame_iocb *frame,
                                     const struct frame_limits *limits);

#endif
