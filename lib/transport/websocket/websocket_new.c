/* websocket_new.c: registers the transport with the core, and creates WebSockets. */
#include "transport/websocket/websocket_new.h"

#include "transport/engineio/acks.h"
#include "transport/shared/frame.h"
#include "transport/shared/shared_part.h"
#include "transport/websocket/closing.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/output.h"
#include "transport/websocket/timers.h"

const struct builtin_transport websocket_transport = {
    .framing = frame_before_payload,
    .send = websocket_send,
    .close = websocket_closed_by_core,
    .released = websocket_released,
};

/* Frees the loop's part. WebSockets that the host has freed may still be listed for output. */
static void leave_loop(ws_loop *loop)
{
    struct output_node *node;

    while ((node = loop_next_output(loop, OUTPUT_WEBSOCKET)) != NULL)
        websocket_free_if_unused(websocket_of_output(node));
    frame_readers_free(loop);
    loop_part_free(loop);
}

/* Makes the loop's part when the first WebSocket of the loop is created. */
static bool join_loop(ws_loop *loop)
{
    if (loop->parts[PART_WEBSOCKET] != NULL)
        return true;
    if (!shared_part_make(loop) || !loop_part_make(loop))
        return false;
    loop->free_part[PART_WEBSOCKET] = leave_loop;
    loop->timers.expired[TIMER_WEBSOCKET] = websocket_timer_expired;
    loop->timers.expired[TIMER_ENGINEIO] = engineio_timer_expired;
    loop->timers.expired[TIMER_ACK] = acks_timer_expired;
    return true;
}

int ws_websocket_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                     ws_websocket **websocket)
{
    ws_websocket *made;

    if (loop == NULL || endpoint == NULL || endpoint->manager != loop->manager ||
        websocket == NULL)
        return WS_ERR_INVALID;
    if (!checks_loop(loop, __func__))
        return WS_ERR_MISUSE;
    if (!join_loop(loop))
        return WS_ERR_NO_MEMORY;
    made = memory_zalloc(&loop->manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->connection.loop = loop;
    made->connection.transport = TRANSPORT_WEBSOCKET;
    made->endpoint = endpoint_ref(endpoint);
    made->user_data = user_data;
    made->timer.kind = TIMER_WEBSOCKET;
    websocket_start_timer(made);
    checks_count(loop, 1);
    *websocket = made;
    return WS_OK;
}
