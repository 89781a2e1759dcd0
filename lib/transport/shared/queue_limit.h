/* queue_limit.h: the limits of what waits for a client, and for all clients of a loop, and the sums
 * that the latter needs. Not here: the queues (output_queue.h). */
#ifndef WS_TRANSPORT_SHARED_QUEUE_LIMIT_H
#define WS_TRANSPORT_SHARED_QUEUE_LIMIT_H

#include "transport/shared/endpoint.h"
#include "transport/shared/output_queue.h"
#include "transport/shared/shared_part.h"

/* Updates the loop's sums after a queue, which had `bytes` before, has changed. */
static inline void queue_sums_update(const ws_loop *loop, const struct output_queue *queue,
                                     size_t bytes)
{
    struct shared_part *part = shared_part_of(loop);
    size_t now = output_queue_bytes(queue);

    part->queued_bytes += now;
    part->queued_bytes -= bytes;
    part->n_queues += now > 0;
    part->n_queues -= bytes > 0;
}

/* Whether the queues of the loop are too long together, and this one has more than an equal share
 * of what they may have. A client that reads has less: those that do not read, and stay just below
 * the limit, do not take its place. */
static inline bool queue_exceeds_share(const ws_loop *loop, const ws_endpoint_options *options,
                                       const struct output_queue *queue)
{
    const struct shared_part *part = shared_part_of(loop);
    uint64_t most = options->max_loop_queue_bytes;
    size_t own = output_queue_bytes(queue);

    return most > 0 && own > 0 && part->queued_bytes > most && own > most / part->n_queues;
}

/* Whether a queue accepts no further message when it has so many bytes. A message of any size is
 * accepted when the queue is within its limit, so that one message larger than the limit can be
 * sent. */
static inline bool queue_limit_is_exceeded(const ws_loop *loop,
                                           const ws_endpoint_options *options,
                                           const struct output_queue *queue, size_t bytes)
{
    return bytes > options->max_queue_bytes || queue_exceeds_share(loop, options, queue);
}

#endif
