/* loop_view.c: what a loop counts. */
#include "polling/loop_view.h"

#include "transport/engineio/unconnected.h"

uint32_t view_most_unconnected(void)
{
    return UNCONNECTED_POLLING_MAX;
}

uint32_t view_unconnected(const ws_loop *loop)
{
    return shared_part_of(loop)->unconnected[0].count;
}

size_t view_most_head_bytes(void)
{
    return HEADS_BYTES;
}

size_t view_head_bytes(const ws_loop *loop)
{
    return shared_part_of(loop)->heads.bytes;
}

void view_set_head_bytes(const ws_loop *loop, size_t bytes)
{
    shared_part_of(loop)->heads.bytes = bytes;
}
