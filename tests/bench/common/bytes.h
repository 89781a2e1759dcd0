/* bytes.h: a growing run of bytes: what came without its end, or what waits to be sent.
 * Running out of memory ends the program: a benchmark has nothing better to do. */
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

/* Takes the first `length` bytes away; the memory is freed with the last one. */
void bytes_consume(struct bytes *bytes, size_t length);

#endif
