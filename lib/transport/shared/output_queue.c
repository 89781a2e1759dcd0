/* output_queue.c: the queue of messages to be written to one client. */
#include "transport/shared/output_queue.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

static struct frames **slot(struct output_queue *queue, uint32_t at)
{
    struct ring *ring = queue->ring;

    return queue->has_ring ? &ring->entries[(ring->head + at) & (ring->capacity - 1)]
                           : &queue->only;
}

static const struct frames *entry(const struct output_queue *queue, uint32_t at)
{
    const struct ring *ring = queue->ring;

    return queue->has_ring ? ring->entries[(ring->head + at) & (ring->capacity - 1)]
                           : queue->only;
}

/* Moves the messages to a ring, or to one of twice the size. */
static bool grow(struct output_queue *queue, const ws_allocator *memory)
{
    uint32_t count = output_queue_count(queue);
    uint32_t capacity = queue->has_ring ? 2 * queue->ring->capacity : FIRST_CAPACITY;
    struct ring *ring;

    if (capacity > UINT32_MAX / 2)
        return false;
    ring = memory_alloc(memory, sizeof *ring + capacity * sizeof *ring->entries);
    if (ring == NULL)
        return false;
    ring->bytes = output_queue_bytes(queue);
    ring->capacity = capacity;
    ring->head = 0;
    ring->count = count;
    for (uint32_t i = 0; i < count; i++)
        ring->entries[i] = *slot(queue, i);
    if (queue->has_ring)
        memory_free(memory, queue->ring);
    queue->ring = ring;
    queue->has_ring = true;
    return true;
}

bool output_queue_push(struct output_queue *queue, const ws_allocator *memory,
                       struct frames *frames)
{
    if (!queue->has_ring && queue->only == NULL) {
        queue->only = frames;
        return true;
    }
    if ((!queue->has_ring || queue->ring->count == queue->ring->capacity) &&
        !grow(queue, memory))
        return false;
    *slot(queue, queue->ring->count++) = frames;
    queue->ring->bytes += output_weight(frames);
    return true;
}

static void take_first(struct output_queue *queue)
{
    struct frames *frames = *slot(queue, 0);

    queue->written = 0;
    queue->offered--;
    if (queue->has_ring) {
        queue->ring->bytes -= output_weight(frames);
        queue->ring->head++;
        queue->ring->count--;
    } else {
        queue->only = NULL;
    }
    frames_unref(frames);
}

bool output_queue_move(struct output_queue *queue, const ws_allocator *memory,
                       struct output_queue *from)
{
    while (output_queue_count(from) > 0) {
        struct frames *frames = *slot(from, 0);

        if (!output_queue_push(queue, memory, frames))
            return false;
        frames_ref_n(frames, 1);
        from->offered = 1;
        take_first(from);
    }
    output_queue_free(from, memory);
    return true;
}

bool output_queue_holds(const struct output_queue *queue, const void *bytes, size_t length)
{
    uint32_t count = output_queue_count(queue);
    uint32_t most = count < OUTPUT_LOOKED_AT ? count : OUTPUT_LOOKED_AT;

    for (uint32_t i = 1; i <= most; i++) {
        const struct frames *frames = entry(queue, count - i);

        if (frames->is_own && frames->length == length &&
            memcmp(frames_bytes(frames), bytes, length) == 0)
            return true;
    }
    return false;
}

int output_queue_peek(struct output_queue *queue, struct iovec *iov, int max)
{
    uint32_t count = output_queue_count(queue);
    uint32_t most = max > 0 ? (uint32_t)max : 0;

    if (most > UINT16_MAX)
        most = UINT16_MAX;
    if (count > most)
        count = most;
    for (uint32_t at = 0; at < count; at++) {
        const struct frames *frames = *slot(queue, at);

        iov[at].iov_base = (void *)(uintptr_t)frames_bytes(frames);
        iov[at].iov_len = frames->length;
    }
    if (count > 0) {
        iov[0].iov_base = (uint8_t *)iov[0].iov_base + queue->written;
        iov[0].iov_len -= queue->written;
    }
    queue->offered = (uint16_t)count;
    return (int)count;
}

bool output_queue_written(struct output_queue *queue, const ws_allocator *memory, size_t n)
{
    while (queue->offered > 0) {
        size_t left = (*slot(queue, 0))->length - queue->written;

        if (n < left) {
            queue->written += (uint32_t)n;
            queue->offered = 0;
            return false;
        }
        n -= left;
        take_first(queue);
    }
    if (queue->has_ring && queue->ring->count == 0)
        output_queue_free(queue, memory);
    return true;
}

void output_queue_drop_rest(struct output_queue *queue)
{
    uint32_t kept = queue->offered > 0 ? queue->offered : queue->written > 0;

    while (output_queue_count(queue) > kept) {
        struct frames *frames = *slot(queue, output_queue_count(queue) - 1);

        if (queue->has_ring) {
            queue->ring->bytes -= output_weight(frames);
            queue->ring->count--;
        } else {
            queue->only = NULL;
        }
        frames_unref(frames);
    }
}

void output_queue_free(struct output_queue *queue, const ws_allocator *memory)
{
    uint32_t count = output_queue_count(queue);

    for (uint32_t i = 0; i < count; i++)
        frames_unref(*slot(queue, i));
    if (queue->has_ring)
        memory_free(memory, queue->ring);
    *queue = (struct output_queue){.only = NULL};
}
