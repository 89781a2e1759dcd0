/* message.h: the text or binary of one message, right behind its frame header, and whom it leaves out;
 * or a bundle of several such messages. Not here: the sharing of the bytes (frames.h), what stands in
 * them (encode.h) and who gets them (send.h). */
#ifndef WS_CORE_EVENTS_MESSAGE_H
#define WS_CORE_EVENTS_MESSAGE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/transport.h>

#include "base/memory.h"
#include "core/events/frames.h"

enum {
    MESSAGE_FRAME_ROOM = 16, /* before the payload, for a transport's frame header */
    MESSAGE_MAX_BYTES = 1 << 30
};

/* Writes a transport's frame header so that it ends where the payload begins; returns its
 * length, 1 to MESSAGE_FRAME_ROOM. */
typedef uint8_t message_framing(uint8_t *payload, size_t length, bool is_text);

struct ws_message {
    /* The payload, behind its header once message_frame() has put that; of a bundle the framed
     * messages. */
    struct frames frames;
    uint32_t payload_bytes;  /* of that, without headers */
    uint32_t n_exclude : 30; /* ids at the front of bytes[], sorted */
    bool is_text : 1;
    bool is_foreign : 1; /* what it excludes are connections of another process */
    uint64_t position;   /* place in the total order, a bundle's last; 0: it has none */
    uint8_t bytes[];     /* excluded ids, frame room, payload; of a bundle the frames */
};

static_assert(sizeof(ws_message) <= 48, "the header of what every event costs");

/* A message of `length` bytes of payload, still to be written to message_payload(); `room`
 * further bytes before it can be taken by message_prepend(). The ids in `exclude` are copied.
 * NULL if memory ran out. One reference is the caller's. */
ws_message *message_new(const ws_allocator *memory, size_t length, size_t room,
                        const ws_conn_id *exclude, size_t n_exclude);

/* A copy of these bytes. */
ws_message *message_new_copy(const ws_allocator *memory, const void *payload, size_t length,
                             bool is_text);

/* A text for one connection alone, still empty: `capacity` bytes can be added by message_append(). */
ws_message *message_new_answer(const ws_allocator *memory, size_t capacity);

/* A bundle of no messages yet, whose frames will have `capacity` bytes, at most UINT16_MAX. */
ws_message *message_new_bundle(const ws_allocator *memory, size_t capacity);

/* Adds a framed message that excludes nobody. */
void message_bundle_add(ws_message *bundle, const ws_message *message);

/* Of one message. */
static inline uint8_t *message_payload(ws_message *message)
{
    return frames_end(&message->frames) - message->payload_bytes;
}

/* Takes `length` bytes before the payload, of the room that message_new() was given; returns where they
 * are to be written. */
static inline uint8_t *message_prepend(ws_message *message, size_t length)
{
    message->frames.start -= (uint32_t)length;
    message->frames.length += (uint32_t)length;
    message->payload_bytes += (uint32_t)length;
    return message_payload(message);
}

/* Puts bytes behind the payload of an answer. */
void message_append(ws_message *message, const void *bytes, size_t length);

/* Puts the frame header in front of the finished payload, once. */
void message_frame(ws_message *message, message_framing *framing);

/* Whether message_frame() has done so. */
static inline bool message_is_framed(const ws_message *message)
{
    return message->frames.length > message->payload_bytes;
}

/* The ids that it excludes, n_exclude of them. */
const ws_conn_id *message_excluded(const ws_message *message);

/* Whether it excludes this connection; `id` by message_exclusion() if they are foreign. */
bool message_excludes(const ws_message *message, ws_conn_id id);

/* What stands for a connection of that name among exclusions: its id, or a hash of the name when it
 * is not one of `process`. */
ws_conn_id message_exclusion(const char *process, const char *connection_name,
                             bool *is_foreign);

#endif
