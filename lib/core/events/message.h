/* message.h: one message: its payload, after its frame header, and the connections that it
 * excludes; or a bundle of several messages.
 * Not here: sharing the bytes (frames.h), their content (encode.h) and their recipients
 * (send.h). */
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

/* What a payload is, for a transport that gives it another form. */
enum message_form {
    MESSAGE_EVENT, /* a JSON message of the library, text; or a bundle of events */
    MESSAGE_RAW,   /* the application's own text or bytes */
    MESSAGE_PACKET, /* Engine.IO packets for one socket, framed one by one: a text with the packet's
                     * digit, and its attachments */
    MESSAGE_GAP     /* a JSON message of the library, which says that events are missing */
};

struct ws_message {
    /* The payload, after its header once message_frame() has written that; in a bundle, the
     * framed messages. */
    struct frames frames;
    uint32_t payload_bytes;  /* of `frames`, without headers */
    uint32_t n_exclude : 26; /* ids at the front of bytes[], sorted */
    uint32_t form : 2;       /* enum message_form */
    bool is_volatile : 1;    /* dropped if anything waits to be written to the client */
    bool is_text : 1;
    bool is_foreign : 1; /* the excluded connections are of another process */
    /* The text has the id of a place in the order, the position's: an event begins with it, an
     * answer has it in its data. */
    bool has_id : 1;
    uint64_t position; /* position in the total order (a bundle's last); 0: none */
    uint8_t bytes[];   /* excluded ids, room for a header, payload; in a bundle the frames */
};

static_assert(sizeof(ws_message) <= 48, "every event has this header");

/* Makes a message with `length` bytes of payload, which the caller writes to message_payload().
 * message_prepend() can add `room` bytes before it. The ids in `exclude` are copied. NULL if
 * memory ran out. One reference is the caller's. */
ws_message *message_new(const ws_allocator *memory, size_t length, size_t room,
                        const ws_conn_id *exclude, size_t n_exclude);

/* Makes a message with a copy of these bytes. */
ws_message *message_new_copy(const ws_allocator *memory, const void *payload, size_t length,
                             bool is_text);

/* Makes an empty text for one connection alone: message_append() can add `capacity` bytes. */
ws_message *message_new_answer(const ws_allocator *memory, size_t capacity);

/* Makes an empty message for one socket, to which message_add_packet() adds up to `n` packets with
 * `length` bytes of payload together. */
ws_message *message_new_packets(const ws_allocator *memory, size_t length, size_t n);

/* Adds a packet, framed if there is a framing: a text, or a binary attachment. */
void message_add_packet(ws_message *message, message_framing *framing, const void *bytes,
                        size_t length, bool is_text);

/* Makes an empty bundle with room for `capacity` bytes of frames, at most UINT16_MAX. */
ws_message *message_new_bundle(const ws_allocator *memory, size_t capacity);

/* Adds a framed message without exclusions to a bundle. */
void message_bundle_add(ws_message *bundle, const ws_message *message);

/* The payload; not of a bundle. */
static inline uint8_t *message_payload(ws_message *message)
{
    return frames_end(&message->frames) - message->payload_bytes;
}

/* Extends the payload by `length` bytes at its beginning, within the room that message_new()
 * was given; returns where they are written. */
static inline uint8_t *message_prepend(ws_message *message, size_t length)
{
    message->frames.start -= (uint32_t)length;
    message->frames.length += (uint32_t)length;
    message->payload_bytes += (uint32_t)length;
    return message_payload(message);
}

/* Appends bytes to the payload of an answer. */
void message_append(ws_message *message, const void *bytes, size_t length);

/* Writes the frame header before the finished payload, once. */
void message_frame(ws_message *message, message_framing *framing);

/* Whether message_frame() was called. */
static inline bool message_is_framed(const ws_message *message)
{
    return message->frames.length > message->payload_bytes;
}

/* The excluded ids, n_exclude of them. */
const ws_conn_id *message_excluded(const ws_message *message);

/* Whether the message excludes this connection; `id` by message_exclusion() if the exclusions are
 * foreign. */
bool message_excludes(const ws_message *message, ws_conn_id id);

/* The number that identifies a connection of that name in a list of exclusions: its id, or a
 * hash of the name if it is not one of `process`. */
ws_conn_id message_exclusion(const char *process, const char *connection_name,
                             bool *is_foreign);

#endif
