/* waiting_bytes.c: the buffer of received bytes that were not parsed yet. */
#include "transport/websocket/waiting_bytes.h"

#include <string.h>

enum { CAPACITY_MIN = 512 };

/* Makes room for `length` more bytes. A block of the exact size is allocated for what a host
 * reads at once, and freed with the reader: for 40 clients that send as fast as they can, the
 * memory is what they sent. For small pieces the size doubles. */
static bool make_room(struct waiting_bytes *waiting, const ws_allocator *memory, size_t length)
{
    size_t needed = waiting->length + length;
    uint8_t *bytes;

    if (waiting->length > 0 && waiting->at > 0)
        memmove(waiting->bytes, waiting->bytes + waiting->at, waiting->length);
    waiting->at = 0;
    if (needed <= waiting->capacity)
        return true;
    if (needed < CAPACITY_MIN)
        needed = CAPACITY_MIN;
    if (waiting->length > 0 && needed < 2 * waiting->capacity)
        needed = 2 * waiting->capacity;
    bytes = memory_realloc(memory, waiting->bytes, needed);
    if (bytes == NULL)
        return false;
    waiting->bytes = bytes;
    waiting->capacity = needed;
    return true;
}

bool waiting_bytes_add(struct waiting_bytes *waiting, const ws_allocator *memory,
                       const void *data, size_t length)
{
    size_t end = waiting->at + waiting->length;

    if (length > waiting->capacity - end) {
        if (!make_room(waiting, memory, length))
            return false;
        end = waiting->length;
    }
    memcpy(waiting->bytes + end, data, length);
    waiting->length += length;
    return true;
}

size_t waiting_bytes_take(struct waiting_bytes *waiting, uint8_t *to, size_t length)
{
    if (length > waiting->length)
        length = waiting->length;
    if (length == 0)
        return 0;
    memcpy(to, waiting->bytes + waiting->at, length);
    waiting->length -= length;
    waiting->at = waiting->length > 0 ? waiting->at + length : 0;
    return length;
}

void waiting_bytes_trim(struct waiting_bytes *waiting, const ws_allocator *memory)
{
    if (waiting->capacity > CAPACITY_MIN)
        waiting_bytes_free(waiting, memory);
}

void waiting_bytes_free(struct waiting_bytes *waiting, const ws_allocator *memory)
{
    memory_free(memory, waiting->bytes);
    *waiting = (struct waiting_bytes){0};
}
