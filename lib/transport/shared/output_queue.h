/* output_queue.h: the queue of frames to be written to one client, in order: references to struct
 * frames (a message, a bundle, a pong, a close), which are shared with other clients' queues.
 *
 * A queue of one entry needs no allocation; a broadcast to a client that keeps up makes no
 * other. */
#ifndef WS_TRANSPORT_SHARED_OUTPUT_QUEUE_H
#define WS_TRANSPORT_SHARED_OUTPUT_QUEUE_H

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
    struct frames *entries[];
};

/* All zero is an empty queue. */
struct output_queue {
    union {
        struct frames *only; /* NULL: empty */
        struct ring *ring;   /* more than one entry */
    };
    uint32_t written; /* bytes of the first entry already written */
    uint16_t offered; /* entries in the last output_queue_peek() */
    bool has_ring;
};

/* The memory that a message for one connection costs beyond its bytes: the struct, unused room
 * for an id, its place in the queue. */
enum { OUTPUT_OWN_BYTES = sizeof(ws_message) + sizeof(struct frames *) + 48 };

/* The size of an entry for the queue's limit. Frames for one connection alone (answers, pongs,
 * closes) are often tiny: they count with the memory that they cost, so that a flood of pings does
 * not use more memory than the limit. */
static inline size_t output_weight(const struct frames *frames)
{
    return (size_t)frames->length + (frames->is_own ? OUTPUT_OWN_BYTES : 0);
}

/* The number of entries in the queue. */
static inline uint32_t output_queue_count(const struct output_queue *queue)
{
    return queue->has_ring ? queue->ring->count : queue->only != NULL;
}

/* The size of the queue for its limit: of all messages that are not completely written. */
static inline size_t output_queue_bytes(const struct output_queue *queue)
{
    if (queue->has_ring)
        return queue->ring->bytes;
    return queue->only != NULL ? output_weight(queue->only) : 0;
}

/* Adds an entry at the end. The queue takes over the reference on success. False if memory ran
 * out. */
bool output_queue_push(struct output_queue *queue, const ws_allocator *memory,
                       struct frames *frames);

/* Moves all entries of another queue, of which nothing is written or offered, to the end. False if
 * memory ran out; the other queue keeps what was not moved. */
bool output_queue_move(struct output_queue *queue, const ws_allocator *memory,
                       struct output_queue *from);

/* Whether one of the newest entries is for this client alone, has just these bytes, and is not
 * completely written. A queue may hold ten thousand pongs, each in memory of its own, so only
 * OUTPUT_LOOKED_AT entries are examined. */
enum { OUTPUT_LOOKED_AT = 64 };
bool output_queue_holds(const struct output_queue *queue, const void *bytes, size_t length);

/* Fills in at most `max` pieces to write; returns their number. */
int output_queue_peek(struct output_queue *queue, struct iovec *iov, int max);

/* Removes n bytes that were written, at most those of the last output_queue_peek(). Returns
 * true if that was all of them. */
bool output_queue_written(struct output_queue *queue, const ws_allocator *memory, size_t n);

/* Drops the entries that the host was not given to write yet, so that no frame is cut. */
void output_queue_drop_rest(struct output_queue *queue);

void output_queue_free(struct output_queue *queue, const ws_allocator *memory);

#endif
