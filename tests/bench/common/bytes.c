/* bytes.c: a growing buffer of bytes.
 * Not here: the meaning of the bytes. */
#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL) {
        perror("malloc");
        exit(2);
    }
    return memory;
}

void bytes_append(struct bytes *bytes, const void *data, size_t length)
{
    if (bytes->length + length > bytes->capacity) {
        size_t capacity = 2 * (bytes->length + length);
        unsigned char *grown = must_allocate(capacity);

        if (bytes->length > 0)
            memcpy(grown, bytes->data, bytes->length);
        free(bytes->data);
        bytes->data = grown;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

void bytes_consume(struct bytes *bytes, size_t length)
{
    if (length < bytes->length) {
        memmove(bytes->data, bytes->data + length, bytes->length - length);
        bytes->length -= length;
        return;
    }
    free(bytes->data);
    *bytes = (struct bytes){0};
}
