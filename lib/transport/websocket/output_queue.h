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
#include "core/message.h"

struct output_queue {
    ws_message **ring; /* NULL: `only` holds the one message that there may be */
    ws_message *only;
    uint32_t capacity; /* of the ring: a power of two */
    uint32_t head;
    uint32_t count;
    uint32_t offered; /* messages that the host was last told to write */
    size_t written;   /* bytes of the first message that are written already */
    size_t bytes;     /* in all, of messages that are not written whole */
};

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
