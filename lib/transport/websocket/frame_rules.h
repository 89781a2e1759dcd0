/* frame_rules.h: which frames a client may send: RFC 6455 §5, RFC 7692 §6, and the limits. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H

#include "transport/websocket/floods.h"
#include "transport/websocket/partial_message.h"

/* So many bytes of payload pay for a frame of a message. A frame costs 18 ns beyond its bytes, of
 * which each costs 1.4 ns (masking, copying): in frames of 64 bytes a message costs a fifth more
 * than in one, in frames of one byte 12 times as much. */
enum { FRAME_PAID_BYTES = 64 };

struct frame_limits {
    uint32_t max_message_bytes;
    uint32_t max_fragments; /* of a message, and as many as its bytes pay for; 0: no limit */
    uint32_t
        max_continuation_frames; /* not paid for, and empty ones, in a second; 0: no limit */
    /* What the client has sent in this one; the rules count. NULL if it can't be counted. */
    struct flood_counts *(*counts)(void *client);
    void *client;
    bool deflate; /* permessage-deflate was agreed on */
};

/* Judges a frame by its header, beyond what wslay has checked: the shortest form of the length, and
 * control frames that are whole and of at most 125 bytes. FRAME_NOTHING, or FRAME_ERROR. */
struct frame_event frame_rules_check(const struct partial_message *message,
                                     const struct wslay_frame_iocb *frame,
                                     const struct frame_limits *limits);

#endif
