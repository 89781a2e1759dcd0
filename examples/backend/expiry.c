/* expiry.c: deadlines at any distance, in a binary heap.
 * Timeouts of equal length are in timer.h. */
#include "expiry.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static void put(struct expiry_heap *heap, size_t place, struct expiry *expiry)
{
    heap->items[place - 1] = expiry;
    expiry->place = place;
}

static void move_up(struct expiry_heap *heap, struct expiry *expiry)
{
    size_t place = expiry->place;

    while (place > 1 && heap->items[place / 2 - 1]->due_ms > expiry->due_ms) {
        put(heap, place, heap->items[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, expiry);
}

static void move_down(struct expiry_heap *heap, struct expiry *expiry)
{
    size_t place = expiry->place;

    while (2 * place <= heap->count) {
        size_t child = 2 * place;

        if (child < heap->count && heap->items[child]->due_ms < heap->items[child - 1]->due_ms)
            child++;
        if (heap->items[child - 1]->due_ms >= expiry->due_ms)
            break;
        put(heap, place, heap->items[child - 1]);
        place = child;
    }
    put(heap, place, expiry);
}

bool expiry_add(struct expiry_heap *heap, struct expiry *expiry, int64_t due_ms)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity > 0 ? 2 * heap->capacity : FIRST_CAPACITY;
        struct expiry **items = realloc(heap->items, capacity * sizeof *items);

        if (items == NULL)
            return false;
        heap->items = items;
        heap->capacity = capacity;
    }
    expiry->due_ms = due_ms;
    put(heap, ++heap->count, expiry);
    move_up(heap, expiry);
    return true;
}

void expiry_move(struct expiry_heap *heap, struct expiry *expiry, int64_t due_ms)
{
    expiry->due_ms = due_ms;
    move_up(heap, expiry);
    move_down(heap, expiry);
}

void expiry_remove(struct expiry_heap *heap, struct expiry *expiry)
{
    struct expiry *last;

    if (!expiry_is_set(expiry))
        return;
    last = heap->items[--heap->count];
    if (last != expiry) {
        put(heap, expiry->place, last);
        move_up(heap, last);
        move_down(heap, last);
    }
    expiry->place = 0;
}

void expiry_heap_free(struct expiry_heap *heap)
{
    free(heap->items);
    *heap = (struct expiry_heap){0};
}
