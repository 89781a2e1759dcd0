/* output_queue.h: what waits to be written to one client: references to framed messages, shared
 * with other clients' queues, in the one order in which they go out.
 *
 * Nothing is allocated for a queue of one message, which is what a broadcast to a client that
 * keeps up makes. */
#ifndef WS_TRANSPORT_WEBSOCKET_OUTPUT_QUEUE_H
#define WS_TRANSPORT_WEBSOCKET_OUTPUT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/uio.h>

#include "base/memory.h"
#include "core/events/message.h"

struct ring {
    size_t bytes;
    uint32_t capacity; /* a power of two */
    uint32_t head;
    uint32_t count;
    ws_message *messages[];
};

/* All zero is an empty queue. */
struct output_queue {
    union {
        ws_message *only;  /* NULL: empty */
        struct ring *ring; /* of several messages */
    };
    uint32_t written; /* bytes of the first message that are written already */
    uint16_t offered; /* messages that the host was last told to write */
    bool has_ring;
};

/* What a message for one connection costs beyond its bytes: itself, room for an id that was not
 * used up, its place in the queue. */
enum { OUTPUT_OWN_BYTES = sizeof(ws_message) + sizeof(ws_message *) + 48 };

/* What a message counts for the limit. Pongs and closes, which have no header before their payload,
 * answers, and whatever else is for one connection, are shared with nobody and often tiny: they count
 * with the memory that they cost, so that a flood of pings is worth no more than its limit. */
static inline size_t output_weight(const ws_message *message)
{
    size_t own = message->frame_header == 0 || message->is_single ? OUTPUT_OWN_BYTES : 0;

    return message_frame_length(message) + own;
}

/* Messages that wait. */
static inline uint32_t output_queue_count(const struct output_queue *queue)
{
    return queue->has_ring ? queue->ring->count : queue->only != NULL;
}

/* What they count for the limit: bytes of all that are not written whole. */
static inline size_t output_queue_bytes(const struct output_queue *queue)
{
    if (queue->has_ring)
        return queue->ring->bytes;
    return queue->only != NULL ? output_weight(queue->only) : 0;
}

/* Adds a message at the end, whose reference the queue takes on success. False if memory ran
 * out. */
bool output_queue_push(struct output_queue *queue, const ws_allocator *memory,
                       ws_message *message);

/* Fills in at most `max` pieces; returns how many. */
int output_queue_peek(struct output_queue *queue, struct iovec *iov, int max);

/* Takes away n bytes that were written, at most what was offered. Returns true if that was all
 * that was offered. */
bool output_queue_written(struct output_queue *queue, const ws_allocator *memory, size_t n);

/* Drops what the host was not told to write yet, so that no frame is torn. */
void output_queue_drop_rest(struct output_queue *queue);

void output_queue_free(struct output_queue *queue, const ws_allocator *memory);

#endif
