/* deadlines.c: the deadline of a WebSocket in each of its states: handshake, probe, ping, pong,
 * close. Not here: what happens when one has passed (timers.c). */
#include "transport/shared/shared_part.h"
#include "transport/websocket/websocket.h"

void websocket_start_timer(ws_websocket *websocket)
{
    const ws_endpoint_options *options = &websocket->endpoint->options;
    uint32_t after_ms = options->close_timeout_ms;

    if (websocket->state < WEBSOCKET_OPEN ||
        (websocket->state == WEBSOCKET_OPEN && websocket_is_probe(websocket)))
        after_ms = options->handshake_timeout_ms;
    else if (websocket->state == WEBSOCKET_OPEN)
        after_ms =
            websocket->ping == PING_NONE ? options->ping_interval_ms : options->pong_timeout_ms;
    if (after_ms > 0)
        timer_start(&websocket_loop(websocket)->timers, &websocket->timer, after_ms);
    else
        timer_stop(&websocket->timer);
}

void websocket_start_first_interval(ws_websocket *websocket)
{
    ws_loop *loop = websocket_loop(websocket);
    uint32_t interval_ms = websocket->endpoint->options.ping_interval_ms;

    if (interval_ms == 0)
        timer_stop(&websocket->timer);
    else
        timer_start(&loop->timers, &websocket->timer,
                    shared_part_first_interval(loop, interval_ms));
}
