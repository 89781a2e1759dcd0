/* frame_rules.h: the rules for a client's frames: RFC 6455 §5, RFC 7692 §6, and the limits. */
#ifndef WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H
#define WS_TRANSPORT_WEBSOCKET_FRAME_RULES_H

#include "transport/websocket/floods.h"
#include "transport/websocket/partial_message.h"

/* So many bytes of payload pay for one frame of a message. Instructions, as counted by
 * `meson test -v costs-library` in an optimized build (x86-64): 15 for each byte of a large text
 * frame, some 1,200 for a fragment of 64 bytes, and 300 for a fragment of one byte. So a message in
 * fragments of 64 bytes costs a quarter more than in one frame, in fragments of one byte 20 times
 * as much. */
enum { FRAME_PAID_BYTES = 64 };

struct frame_limits {
    uint32_t max_message_bytes;
    uint32_t max_fragments; /* of a message, unless its bytes pay for more; 0: no limit */
    uint32_t max_continuation_frames; /* unpaid and empty ones, in a second; 0: no limit */
    /* Returns the client's counts of this second, which the rules increase; NULL if it cannot be
     * counted. */
    struct flood_counts *(*counts)(void *client);
    void *client;
    bool deflate; /* permessage-deflate was negotiated */
};

/* Whether a frame is allowed, by its header; if not, sets FRAME_ERROR. wslay has already checked
 * that the length has its shortest form, and that control frames are unfragmented and have at
 * most 125 bytes. */
bool frame_rules_allow(const struct partial_message *message,
                       const struct wslay_frame_iocb *frame, const struct frame_limits *limits,
                       struct frame_event *event);

#endif
