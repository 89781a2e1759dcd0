/* floods.c: counts the frames with next to no payload, for the clients that sent some in this
 * second. */
#include "transport/websocket/floods.h"

#include <stdbool.h>

enum {
    FIRST = 16, /* places */
    KEPT = 256  /* places kept when the table was larger in one second */
};

void floods_free(struct floods *floods, const ws_allocator *memory)
{
    memory_free(memory, floods->items);
    *floods = (struct floods){0};
}

static void begin_second(struct floods *floods, const ws_allocator *memory, uint64_t second)
{
    if (floods->capacity > KEPT)
        floods_free(floods, memory);
    floods->count = 0;
    floods->second = second;
}

static bool has_place(const struct floods *floods, const void *client, uint32_t place)
{
    return place < floods->count && floods->items[place].client == client;
}

struct flood_counts *floods_of(struct floods *floods, const ws_allocator *memory,
                               const void *client, uint32_t *place, uint64_t now_ms)
{
    struct flood_counts *items;

    if (floods->second != now_ms / 1000)
        begin_second(floods, memory, now_ms / 1000);
    if (has_place(floods, client, *place))
        return &floods->items[*place];
    items = memory_grow(memory, floods->items, sizeof *items, floods->count, FIRST,
                        &floods->capacity);
    if (items == NULL)
        return NULL;
    floods->items = items;
    *place = (uint32_t)floods->count;
    items[floods->count] = (struct flood_counts){.client = client};
    return &items[floods->count++];
}

void floods_forget(struct floods *floods, const void *client, uint32_t place)
{
    if (has_place(floods, client, place))
        floods->items[place].client = NULL;
}
