/* message.h: the bytes of one message, made once and shared by every recipient's queue.
 * Not here: what stands in it (encode.h) and who gets it (send.h). */
#ifndef WS_CORE_EVENTS_MESSAGE_H
#define WS_CORE_EVENTS_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/transport.h>

#include "base/memory.h"

enum {
    MESSAGE_FRAME_ROOM = 16, /* before the payload, for a transport's frame header */
    MESSAGE_MAX_BYTES = 1 << 30
};

/* Writes a transport's frame header so that it ends where the payload begins; returns its
 * length, at most MESSAGE_FRAME_ROOM. */
typedef uint8_t message_framing(uint8_t *payload, size_t length, bool is_text);

/* Another form of a message: the same for a client that understands less, or more. */
struct message_variant {
    struct message_variant *next;
    ws_message
        *message; /* one reference; NULL: that form is no better than the message itself */
    int kind;     /* the transport's */
};

struct ws_message {
    const ws_allocator *memory; /* the manager's, which outlives its messages */
    _Atomic uint32_t refs;
    uint16_t n_messages;   /* 1, or more for a bundle of whole frames */
    uint16_t frame_header; /* bytes of the frame header before the payload; 0: not framed; of a
                              bundle: of all its headers, wherever they stand */
    uint16_t last_frame;   /* of a bundle: bytes of its last frame */
    bool is_text : 1;
    bool is_foreign : 1; /* what it excludes are connections of another process */
    bool is_single : 1;  /* for one connection alone */
    uint32_t start;      /* of the payload, in bytes[] */
    uint32_t length;     /* of the payload */
    uint32_t n_exclude;  /* ids at the front of bytes[], sorted */
    uint64_t position;   /* place in the total order; 0: it has none */
    _Atomic(struct message_variant *) variants;
    uint8_t bytes[]; /* excluded ids, frame room, payload */
};

/* A message of `length` bytes of payload, still to be written to message_payload(); `room`
 * further bytes before it can be taken by message_prepend(). The ids in `exclude` are copied.
 * NULL if memory ran out. One reference is the caller's. */
ws_message *message_new(const ws_allocator *memory, size_t length, size_t room,
                        const ws_conn_id *exclude, size_t n_exclude);

/* A copy of these bytes. */
ws_message *message_new_copy(const ws_allocator *memory, const void *payload, size_t length,
                             bool is_text);

static inline uint8_t *message_payload(ws_message *message)
{
    return message->bytes + message->start;
}

/* The bytes of a framed message: header and payload. */
static inline const uint8_t *message_frame_start(const ws_message *message)
{
    return message->bytes + message->start - message->frame_header;
}

static inline size_t message_frame_length(const ws_message *message)
{
    return (size_t)message->frame_header + message->length;
}

/* Puts bytes in front of the payload, within the room that message_new() was given. */
void message_prepend(ws_message *message, const void *bytes, size_t length);

/* Puts bytes behind the payload, whose length had been reduced to leave room for them. */
void message_append(ws_message *message, const void *bytes, size_t length);

/* Gives back the memory behind the payload of a message that nobody else has; returns it, moved or
 * not. */
ws_message *message_trim(ws_message *message);

/* Puts the frame header in front of the finished payload, once. */
void message_frame(ws_message *message, message_framing *framing);

/* `n` more references, in one step. */
static inline void message_ref_n(ws_message *message, uint32_t n)
{
    atomic_fetch_add_explicit(&message->refs, n, memory_order_relaxed);
}

/* Gives `n` references back, at least one of which is not the last. */
static inline void message_unref_n(ws_message *message, uint32_t n)
{
    atomic_fetch_sub_explicit(&message->refs, n, memory_order_release);
}

/* The variant of a kind, NULL if there is none yet. Any thread that holds a reference. */
struct message_variant *message_find_variant(const ws_message *message, int kind);

/* Adds a variant, whose reference (of `form`, which may be NULL) is used up, and returns it, or one
 * of the same kind that another thread has added meanwhile. NULL if memory ran out. */
struct message_variant *message_add_variant(ws_message *message, int kind, ws_message *form);

/* The ids that it excludes, n_exclude of them. */
const ws_conn_id *message_excluded(const ws_message *message);

/* Of a message with exclusions; `id` by message_exclusion() if they are foreign. */
bool message_excludes(const ws_message *message, ws_conn_id id);

/* What stands for a connection of that name among exclusions: its id, or a hash of the name when it
 * is not one of `process`. */
ws_conn_id message_exclusion(const char *process, const char *connection_name,
                             bool *is_foreign);

#endif
