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

struct ring;

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

/* Messages that wait. */
uint32_t output_queue_count(const struct output_queue *queue);

/* What they count for the limit: bytes of all that are not written whole. */
size_t output_queue_bytes(const struct output_queue *queue);

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
