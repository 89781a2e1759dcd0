/* timers.c: handles the expiry of a WebSocket's timer. */
#include "transport/websocket/timers.h"

#include "transport/engineio/session.h"
#include "transport/shared/frame.h"
#include "transport/shared/refusal.h"
#include "transport/websocket/output.h"

/* Pings the client. A ping that still waits to be written, among the newest messages, serves for
 * this one as well: a client that sends a byte now and then but reads nothing does not get one
 * more in each interval, unless its queue grows anyway, which has a limit. The pong is not due
 * before everything that waits now is written. */
static void send_ping(ws_websocket *websocket)
{
    static const uint8_t ping[] = {0x80 | WSLAY_PING, 0};
    static const uint8_t engineio_ping[] = {0x80 | WSLAY_TEXT_FRAME, 1, '2'};
    bool is_plain = websocket_session(websocket) == NULL;
    const uint8_t *bytes = is_plain ? ping : engineio_ping;
    size_t length = is_plain ? sizeof ping : sizeof engineio_ping;
    bool waits = output_queue_holds(&websocket->queue, bytes, length);
    uint32_t ahead;

    websocket->ping = PING_SENT;
    if (!waits)
        websocket_push(websocket, bytes, length);
    ahead = output_queue_count(&websocket->queue);
    if (!waits && ahead <= 1)
        ahead = 0;
    websocket->timer.owners = (uint16_t)(ahead < UINT16_MAX ? ahead : UINT16_MAX);
    if (!websocket_is_aborted(websocket))
        websocket_start_timer(websocket);
}

static void log_unfinished_head(ws_websocket *websocket)
{
    struct request *request =
        websocket->state == WEBSOCKET_HEAD ? websocket_take_request(websocket) : NULL;

    refusal_log(websocket_loop(websocket), 0, "its head did not arrive in time", request);
    request_free(request);
}

static void time_out(ws_websocket *websocket)
{
    if (websocket->state < WEBSOCKET_OPEN)
        log_unfinished_head(websocket);
    counter_add(&websocket_loop(websocket)->counters, COUNTER_timeouts, 1);
    websocket_abort(websocket);
}

/* Whether the client's bytes wait until it has read what rooms keep for it. */
static bool awaits_client(const ws_websocket *websocket)
{
    return websocket_session(websocket) != NULL
               ? engineio_session_awaits_client(websocket_session(websocket))
               : connection_pending_values(&websocket->connection) > 0;
}

/* Whether a pong may be missing. While the host's reading is paused, it may be among the unread
 * bytes; but a client that has to read before its bytes are processed must read. */
static bool is_excused(const ws_websocket *websocket)
{
    return websocket->ping == PING_PROCEEDS ||
           (websocket->reading == READING_PAUSED && !awaits_client(websocket));
}

/* The ping may have been written already: whatever is queued now counts as well. */
static void await_pong_anew(ws_websocket *websocket)
{
    uint32_t ahead = output_queue_count(&websocket->queue);

    websocket->ping = PING_SENT;
    if (websocket->reading == READING_PAUSED)
        websocket->timer.owners = (uint16_t)(ahead < UINT16_MAX ? ahead : UINT16_MAX);
    websocket_start_timer(websocket);
}

void websocket_timer_expired(struct timer *timer)
{
    ws_websocket *websocket =
        (ws_websocket *)(uintptr_t)((char *)timer - offsetof(ws_websocket, timer));
    bool has_heartbeat = websocket->state == WEBSOCKET_OPEN && !websocket_is_probe(websocket);

    websocket_enter(websocket);
    if (has_heartbeat && websocket->ping == PING_NONE) {
        send_ping(websocket);
    } else if (has_heartbeat && is_excused(websocket)) {
        await_pong_anew(websocket);
    } else {
        time_out(websocket);
    }
    if (websocket_is_aborted(websocket))
        websocket_unregister(websocket);
    websocket_leave(websocket);
}
