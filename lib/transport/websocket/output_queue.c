/* output_queue.c: what waits to be written to one client. */
#include "transport/websocket/output_queue.h"

enum { FIRST_CAPACITY = 8 };

static ws_message **slot(struct output_queue *queue, uint32_t at)
{
    return queue->ring != NULL ? &queue->ring[(queue->head + at) & (queue->capacity - 1)]
                               : &queue->only;
}

static const uint8_t *frame_start(const ws_message *message)
{
    return message->bytes + message->start - message->frame_header;
}

static size_t frame_length(const ws_message *message)
{
    return (size_t)message->frame_header + message->length;
}

/* What a message counts in `bytes`. Frames of our own, which have no header before their payload,
 * are shared with nobody and often tiny: they count with the memory that they cost, so that a flood
 * of pings is worth no more than its limit. */
static size_t weight(const ws_message *message)
{
    size_t own = message->frame_header == 0 ? sizeof *message + sizeof message : 0;

    return frame_length(message) + own;
}

static bool grow(struct output_queue *queue, const ws_allocator *memory)
{
    uint32_t capacity = queue->ring != NULL ? 2 * queue->capacity : FIRST_CAPACITY;
    ws_message **ring;

    if (capacity > UINT32_MAX / 2)
        return false;
    ring = memory_alloc(memory, capacity * sizeof *ring);
    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < queue->count; i++)
        ring[i] = *slot(queue, i);
    memory_free(memory, queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->head = 0;
    return true;
}

bool output_queue_push(struct output_queue *queue, const ws_allocator *memory,
                       ws_message *message)
{
    uint32_t room = queue->ring != NULL ? queue->capacity : 1;

    if (queue->count == room && !grow(queue, memory))
        return false;
    *slot(queue, queue->count++) = message;
    queue->bytes += weight(message);
    return true;
}

int output_queue_peek(struct output_queue *queue, struct iovec *iov, int max)
{
    uint32_t count = 0;

    while (count < queue->count && count < (uint32_t)(max > 0 ? max : 0)) {
        const ws_message *message = *slot(queue, count);

        iov[count].iov_base = (void *)(uintptr_t)frame_start(message);
        iov[count].iov_len = frame_length(message);
        count++;
    }
    if (count > 0) {
        iov[0].iov_base = (uint8_t *)iov[0].iov_base + queue->written;
        iov[0].iov_len -= queue->written;
    }
    queue->offered = count;
    return (int)count;
}

bool output_queue_written(struct output_queue *queue, const ws_allocator *memory, size_t n)
{
    while (queue->offered > 0) {
        ws_message *message = *slot(queue, 0);
        size_t left = frame_length(message) - queue->written;

        if (n < left) {
            queue->written += n;
            queue->offered = 0;
            return false;
        }
        n -= left;
        queue->bytes -= weight(message);
        queue->written = 0;
        queue->head++;
        queue->count--;
        queue->offered--;
        ws_message_unref(message);
    }
    if (queue->count == 0) {
        memory_free(memory, queue->ring);
        *queue = (struct output_queue){.ring = NULL};
    }
    return true;
}

void output_queue_drop_rest(struct output_queue *queue)
{
    uint32_t kept = queue->offered > 0 ? queue->offered : queue->written > 0;

    while (queue->count > kept) {
        ws_message *message = *slot(queue, --queue->count);

        queue->bytes -= weight(message);
        ws_message_unref(message);
    }
}

void output_queue_free(struct output_queue *queue, const ws_allocator *memory)
{
    for (uint32_t i = 0; i < queue->count; i++)
        ws_message_unref(*slot(queue, i));
    memory_free(memory, queue->ring);
    *queue = (struct output_queue){.ring = NULL};
}
