/* waiting_bytes.h: bytes that came in and were not looked at yet. Not here: how many there may be
 * (input.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_WAITING_BYTES_H
#define WS_TRANSPORT_WEBSOCKET_WAITING_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* All zero holds none. */
struct waiting_bytes {
    uint8_t *bytes; /* those that wait begin at `at` */
    size_t at;
    size_t length; /* of them */
    size_t capacity;
};

/* Adds a copy at the end; false if memory ran out. */
bool waiting_bytes_add(struct waiting_bytes *waiting, const ws_allocator *memory,
                       const void *data, size_t length);

/* Takes at most `length` bytes from the beginning; returns how many. */
size_t waiting_bytes_take(struct waiting_bytes *waiting, uint8_t *to, size_t length);

/* Of one that holds none: frees a block that is larger than the least. */
void waiting_bytes_trim(struct waiting_bytes *waiting, const ws_allocator *memory);

void waiting_bytes_free(struct waiting_bytes *waiting, const ws_allocator *memory);

#endif
