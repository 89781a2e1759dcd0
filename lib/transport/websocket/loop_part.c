/* loop_part.c: what the WebSocket transport keeps for each loop. */
#include "transport/websocket/loop_part.h"

#include "transport/websocket/deflate.h"
#include "transport/websocket/frame_reader.h"
#include "transport/websocket/inflate.h"
#include "transport/websocket/websocket.h"

static void free_part(ws_loop *loop)
{
    struct loop_part *part = loop_part_of(loop);

    websocket_free_listed(loop);
    frame_readers_free(loop);
    while (part->n_inflaters > 0)
        inflater_free(part->inflaters[--part->n_inflaters]);
    deflater_free(part->deflater);
    memory_free(&loop->manager->memory, loop->transport_part);
}

bool loop_part_make(ws_loop *loop)
{
    if (loop->transport_part != NULL)
        return true;
    loop->transport_part = memory_zalloc(&loop->manager->memory, sizeof(struct loop_part));
    if (loop->transport_part == NULL)
        return false;
    loop->free_transport_part = free_part;
    loop->timers.expired[TIMER_TRANSPORT] = websocket_on_timer;
    return true;
}

struct inflater *loop_part_take_inflater(ws_loop *loop)
{
    struct loop_part *part = loop_part_of(loop);

    return part->n_inflaters > 0 ? part->inflaters[--part->n_inflaters]
                                 : inflater_new(&loop->manager->memory);
}

void loop_part_give_inflater(ws_loop *loop, struct inflater *inflater)
{
    struct loop_part *part = loop_part_of(loop);

    if (inflater == NULL)
        return;
    if (part->n_inflaters == INFLATERS_MAX) {
        inflater_free(inflater);
        return;
    }
    inflater_reset(inflater);
    part->inflaters[part->n_inflaters++] = inflater;
}
