/* shared_part.c: what the transports inside the library have in common for each loop. */
#include "transport/shared/shared_part.h"

#include "transport/shared/deflate.h"

static void free_part(ws_loop *loop)
{
    struct shared_part *part = shared_part_of(loop);

    deflater_free(part->deflater);
    memory_free(&loop->manager->memory, part);
}

bool shared_part_make(ws_loop *loop)
{
    if (loop->parts[PART_SHARED] != NULL)
        return true;
    loop->parts[PART_SHARED] =
        memory_zalloc(&loop->manager->memory, sizeof(struct shared_part));
    if (loop->parts[PART_SHARED] == NULL)
        return false;
    loop->free_part[PART_SHARED] = free_part;
    return true;
}

struct deflater *shared_part_deflater(ws_loop *loop)
{
    struct shared_part *part = shared_part_of(loop);

    if (part->deflater == NULL)
        part->deflater = deflater_new(&loop->manager->memory);
    return part->deflater;
}

/* The number of connections so far is multiplied with the golden ratio, which spreads those that
 * follow each other evenly; a loop's first one waits for the whole interval. */
uint32_t shared_part_first_interval(ws_loop *loop, uint32_t interval_ms)
{
    uint32_t part = shared_part_of(loop)->n_opened++ * UINT32_C(0x9e3779b9);

    return interval_ms - (uint32_t)((uint64_t)part * (interval_ms / 2) >> 32);
}
