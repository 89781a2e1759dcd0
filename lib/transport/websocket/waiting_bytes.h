/* waiting_bytes.h: the buffer of received bytes that were not parsed yet.
 * Not here: its limit (input.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_WAITING_BYTES_H
#define WS_TRANSPORT_WEBSOCKET_WAITING_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* All zero is an empty buffer. */
struct waiting_bytes {
    uint8_t *bytes; /* unparsed bytes begin at `at` */
    size_t at;
    size_t length; /* of the unparsed bytes */
    size_t capacity;
};

/* Adds a copy at the end; false if memory ran out. */
bool waiting_bytes_add(struct waiting_bytes *waiting, const ws_allocator *memory,
                       const void *data, size_t length);

/* Removes and copies at most `length` bytes from the beginning; returns their number. */
size_t waiting_bytes_take(struct waiting_bytes *waiting, uint8_t *to, size_t length);

/* Frees an empty buffer's block if it is larger than the smallest. */
void waiting_bytes_trim(struct waiting_bytes *waiting, const ws_allocator *memory);

void waiting_bytes_free(struct waiting_bytes *waiting, const ws_allocator *memory);

#endif
