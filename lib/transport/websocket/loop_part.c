/* loop_part.c: what the WebSocket transport keeps for each loop. */
#include "transport/websocket/loop_part.h"

#include "transport/websocket/frame_reader.h"
#include "transport/websocket/websocket.h"

static void free_part(ws_loop *loop)
{
    websocket_free_listed(loop);
    frame_readers_free(loop);
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
    loop->timers.expired[WEBSOCKET_TIMER] = websocket_on_timer;
    return true;
}
