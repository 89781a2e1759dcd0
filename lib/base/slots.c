/* slots.c: a loop's connections, found by slot number. */
#include "base/slots.h"

enum { FIRST_CAPACITY = 64, WORD_BITS = 64 };

void slots_init(struct slots *slots)
{
    *slots = (struct slots){.first_free = SLOT_NONE};
}

void slots_free(struct slots *slots, const ws_allocator *memory)
{
    memory_free(memory, slots->items);
    memory_free(memory, slots->used);
    slots_init(slots);
}

/* Grows by a quarter: growing by half would allocate half a million unused slots at a million
 * connections. */
static size_t grown(size_t capacity)
{
    size_t wanted = capacity + capacity / 4;

    if (wanted < FIRST_CAPACITY)
        wanted = FIRST_CAPACITY;
    return (wanted + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
}

bool slots_reserve(struct slots *slots, const ws_allocator *memory)
{
    size_t capacity = grown(slots->capacity);
    union slot *items;
    uint64_t *used;

    if (slots->first_free != SLOT_NONE || slots->count < slots->capacity)
        return slots->count < SLOTS_MAX || slots->first_free != SLOT_NONE;
    items = memory_realloc(memory, slots->items, capacity * sizeof *items);
    if (items == NULL)
        return false;
    slots->items = items;
    used = memory_realloc(memory, slots->used, capacity / WORD_BITS * sizeof *used);
    if (used == NULL)
        return false;
    for (size_t word = slots->capacity / WORD_BITS; word < capacity / WORD_BITS; word++)
        used[word] = 0;
    slots->used = used;
    slots->capacity = capacity;
    return slots->count < SLOTS_MAX;
}

uint32_t slots_take(struct slots *slots, struct connection *connection)
{
    uint32_t number = slots->first_free;

    if (number == SLOT_NONE)
        number = (uint32_t)slots->count++;
    else
        slots->first_free = slots->items[number].next_free;
    slots->items[number].connection = connection;
    slots->used[number / WORD_BITS] |= UINT64_C(1) << (number % WORD_BITS);
    return number;
}

void slots_give_back(struct slots *slots, uint32_t number)
{
    slots->items[number].next_free = slots->first_free;
    slots->first_free = number;
    slots->used[number / WORD_BITS] &= ~(UINT64_C(1) << (number % WORD_BITS));
}

struct connection *slots_find(const struct slots *slots, uint32_t number)
{
    if (number >= slots->count ||
        (slots->used[number / WORD_BITS] >> (number % WORD_BITS) & 1) == 0)
        return NULL;
    return slots->items[number].connection;
}

uint32_t slots_below(const struct slots *slots, uint32_t number)
{
    size_t word = number / WORD_BITS;
    uint64_t bits;

    if (number > slots->count) {
        number = (uint32_t)slots->count;
        word = number / WORD_BITS;
    }
    /* If `number` is the first of its word, that word is not read: it may be past the end. */
    bits = number % WORD_BITS > 0
               ? slots->used[word] & ((UINT64_C(1) << (number % WORD_BITS)) - 1)
               : 0;
    while (bits == 0) {
        if (word == 0)
            return SLOT_NONE;
        bits = slots->used[--word];
    }
    return (uint32_t)(word * WORD_BITS) + 63 - (uint32_t)__builtin_clzll(bits);
}
