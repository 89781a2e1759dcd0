/* timers.c: handles the expiry of a WebSocket's timer. */
#include "transport/websocket/timers.h"

#include "transport/websocket/frame.h"
#include "transport/websocket/output.h"
#include "transport/websocket/refusal.h"

static void send_ping(ws_websocket *websocket)
{
    static const uint8_t ping[] = {0x80 | WSLAY_PING, 0};
    uint32_t ahead;

    websocket->ping = PING_SENT;
    websocket_push(websocket, ping, sizeof ping);
    ahead = output_queue_count(&websocket->queue);
    if (ahead <= 1)
        ahead = 0;
    websocket->timer.owners = (uint16_t)(ahead < UINT16_MAX ? ahead : UINT16_MAX);
    if (!websocket_is_aborted(websocket))
        websocket_start_timer(websocket);
}

static void log_unfinished_head(ws_websocket *websocket)
{
    struct request *request =
        websocket->state == WEBSOCKET_HEAD ? websocket_take_request(websocket) : NULL;

    refusal_log(websocket_loop(websocket), 0, "its head took too long", request);
    request_free(request);
}

static void time_out(ws_websocket *websocket)
{
    if (websocket->state < WEBSOCKET_OPEN)
        log_unfinished_head(websocket);
    counter_add(&websocket_loop(websocket)->counters, COUNTER_timeouts, 1);
    websocket_abort(websocket);
}

void websocket_timer_expired(struct timer *timer)
{
    ws_websocket *websocket =
        (ws_websocket *)(uintptr_t)((char *)timer - offsetof(ws_websocket, timer));

    websocket_enter(websocket);
    if (websocket->state == WEBSOCKET_OPEN && websocket->ping == PING_NONE) {
        send_ping(websocket);
    } else if (websocket->state == WEBSOCKET_OPEN &&
               (websocket->ping == PING_PROCEEDS || websocket->reading == READING_PAUSED)) {
        /* While the host's reading is paused, the pong may be among the unread bytes. */
        websocket->ping = PING_SENT;
        websocket_start_timer(websocket);
    } else {
        time_out(websocket);
    }
    if (websocket_is_aborted(websocket))
        websocket_unregister(websocket);
    websocket_leave(websocket);
}
