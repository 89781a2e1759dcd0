/* unfinished.c: the bytes that a loop's clients have sent of what is not complete. */
#include "transport/shared/unfinished.h"

static void list(struct unfinished_list *all, struct unfinished *unfinished)
{
    unfinished->newer = NULL;
    unfinished->older = all->newest;
    *(all->newest != NULL ? &all->newest->newer : &all->oldest) = unfinished;
    all->newest = unfinished;
    all->count++;
}

static void unlist(struct unfinished_list *all, const struct unfinished *unfinished)
{
    *(unfinished->older != NULL ? &unfinished->older->newer : &all->oldest) = unfinished->newer;
    *(unfinished->newer != NULL ? &unfinished->newer->older : &all->newest) = unfinished->older;
    all->count--;
}

void unfinished_change(const ws_loop *loop, struct unfinished *unfinished, size_t bytes)
{
    struct unfinished_list *all = &shared_part_of(loop)->unfinished;

    if (unfinished->bytes == 0 && bytes > 0)
        list(all, unfinished);
    else if (unfinished->bytes > 0 && bytes == 0)
        unlist(all, unfinished);
    all->bytes += bytes;
    all->bytes -= unfinished->bytes;
    unfinished->bytes = bytes;
}

/* Those that have no more than an equal share are passed once, and then are the newest. */
static struct unfinished *oldest_above_share(struct unfinished_list *all, uint64_t most)
{
    for (unsigned left = all->count; left > 0; left--) {
        struct unfinished *oldest = all->oldest;

        if (oldest->bytes > most / all->count)
            return oldest;
        unlist(all, oldest);
        list(all, oldest);
    }
    return NULL;
}

struct unfinished *unfinished_excess(const ws_loop *loop, uint32_t max_message_bytes)
{
    struct unfinished_list *all = &shared_part_of(loop)->unfinished;
    uint64_t most = (uint64_t)max_message_bytes * UNFINISHED_LARGEST;

    if (most < UNFINISHED_BYTES)
        most = UNFINISHED_BYTES;
    return all->bytes > most ? oldest_above_share(all, most) : NULL;
}
