/* expiry.h: deadlines at any distance; the next one is found at once.
 * Timeouts of equal length are timer.h. */
#ifndef BACKEND_EXPIRY_H
#define BACKEND_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member of what expires. All zero: in no heap. */
struct expiry {
    int64_t due_ms; /* since 1970-01-01 UTC */
    size_t place;   /* in the heap, from 1 on; 0: in none */
};

/* All zero is an empty heap. */
struct expiry_heap {
    struct expiry **items; /* a binary heap; items[0] belongs to place 1 */
    size_t count;
    size_t capacity;
};

/* Adds an expiry that is in no heap. False when memory is short. */
bool expiry_add(struct expiry_heap *heap, struct expiry *expiry, int64_t due_ms);

/* Changes the deadline of an expiry in the heap. */
void expiry_move(struct expiry_heap *heap, struct expiry *expiry, int64_t due_ms);

/* Removes an expiry; does nothing if it is not in the heap. */
void expiry_remove(struct expiry_heap *heap, struct expiry *expiry);

static inline bool expiry_is_set(const struct expiry *expiry)
{
    return expiry->place > 0;
}

/* The expiry that is due first; NULL if there is none. */
static inline struct expiry *expiry_first(const struct expiry_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

void expiry_heap_free(struct expiry_heap *heap);

#endif
