/* loop_part.c: the WebSocket transport's state for each loop. */
#include "transport/websocket/loop_part.h"

#include "transport/websocket/inflate.h"

void loop_part_free(ws_loop *loop)
{
    struct loop_part *part = loop_part_of(loop);

    while (part->n_inflaters > 0)
        inflater_free(part->inflaters[--part->n_inflaters]);
    floods_free(&part->floods, &loop->manager->memory);
    memory_free(&loop->manager->memory, part);
}

bool loop_part_make(ws_loop *loop)
{
    loop->parts[PART_WEBSOCKET] =
        memory_zalloc(&loop->manager->memory, sizeof(struct loop_part));
    return loop->parts[PART_WEBSOCKET] != NULL;
}

struct inflater *loop_part_take_inflater(ws_loop *loop)
{
    struct loop_part *part = loop_part_of(loop);
    struct inflater *inflater = part->n_inflaters > 0 ? part->inflaters[--part->n_inflaters]
                                                      : inflater_new(&loop->manager->memory);

    part->n_inflating += inflater != NULL;
    return inflater;
}

void loop_part_give_inflater(ws_loop *loop, struct inflater *inflater)
{
    struct loop_part *part = loop_part_of(loop);

    if (inflater == NULL)
        return;
    part->n_inflating--;
    if (part->n_inflaters == INFLATERS_MAX) {
        inflater_free(inflater);
        return;
    }
    inflater_reset(inflater);
    part->inflaters[part->n_inflaters++] = inflater;
}
