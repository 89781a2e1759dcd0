/* bytes.h: a growing buffer of bytes, for an incomplete message or for output that waits.
 * The program exits when memory runs out: a benchmark could not continue. */
#ifndef BENCH_BYTES_H
#define BENCH_BYTES_H

#include <stddef.h>

struct bytes {
    unsigned char *data;
    size_t length;
    size_t capacity;
};

/* malloc() that never returns NULL. */
void *must_allocate(size_t size);

void bytes_append(struct bytes *bytes, const void *data, size_t length);

/* Removes the first `length` bytes. The memory is freed when no byte is left. */
void bytes_consume(struct bytes *bytes, size_t length);

#endif
