/* engineio_carrier.c: a WebSocket as the carrier of an Engine.IO session. */
#include "transport/websocket/engineio_carrier.h"

#include <string.h>

#include "transport/engineio/begin.h"
#include "transport/engineio/form.h"
#include "transport/engineio/upgrade.h"
#include "transport/shared/frame.h"
#include "transport/websocket/closing.h"
#include "transport/websocket/input.h"
#include "transport/websocket/output.h"

static int carrier_send(void *carrier, const struct engineio_socket *socket,
                        ws_message *message)
{
    ws_websocket *websocket = carrier;
    struct engineio_form form;

    if (message->is_volatile && output_queue_count(&websocket->queue) > 0) {
        counter_add(&websocket_loop(websocket)->counters, COUNTER_drop_slow_client, 1);
        ws_message_unref(message);
        return WS_OK;
    }
    form = engineio_form_of(websocket_loop(websocket), socket, message);
    if (!form.is_new && form.frames != NULL)
        form.frames = websocket_form(websocket, message, form.frames, form.kind);
    return websocket_send_form(websocket, message, form.frames, form.is_new);
}

/* Ends the session as the core ends a client for which a message has no room. It may be closing
 * already. */
static void end_slow_client(ws_websocket *websocket)
{
    static const char reason[] = "the client reads too slowly; its queue is full";

    counter_add(&websocket_loop(websocket)->counters, COUNTER_drop_slow_client, 1);
    if (!websocket_is_reading(websocket))
        return;
    websocket->too_slow = true;
    websocket_finish(websocket, WS_CLOSE_TRY_AGAIN_LATER, reason, sizeof reason - 1,
                     WEBSOCKET_FAILED);
}

static void carrier_push(void *carrier, const char *packet, size_t length)
{
    ws_websocket *websocket = carrier;
    uint8_t header[FRAME_HEADER_MAX];
    uint8_t size = frame_write_header(header, WSLAY_TEXT_FRAME, length);
    struct buffer frame;
    char bytes[512];

    /* A client that reads nothing may still connect sockets, again and again. */
    if (websocket_is_full(websocket)) {
        end_slow_client(websocket);
        return;
    }
    buffer_init_with(&frame, websocket_memory(websocket), bytes, sizeof bytes);
    buffer_add(&frame, header, size);
    buffer_add(&frame, packet, length);
    if (frame.failed)
        websocket_abort(websocket);
    else
        websocket_push(websocket, frame.data, frame.length);
    buffer_free(&frame);
}

/* Sessions fail from timers and from packets; the connection may be closing meanwhile. */
static void carrier_fail(void *carrier, uint16_t code, const char *text)
{
    if (websocket_is_reading(carrier))
        websocket_fail(carrier, code, text);
}

static void carrier_give_way(void *carrier)
{
    static const char reason[] = "too many clients without a socket";
    ws_websocket *websocket = carrier;

    if (websocket->state == WEBSOCKET_OPEN)
        websocket_finish(websocket, WS_CLOSE_TRY_AGAIN_LATER, reason, sizeof reason - 1,
                         WEBSOCKET_FAILED);
}

static void carrier_close(void *carrier, uint16_t code, const char *reason, size_t length)
{
    websocket_close(carrier, code, reason, length);
}

static void carrier_hold(void *carrier)
{
    websocket_enter(carrier);
}

static void carrier_let_go(void *carrier)
{
    websocket_leave(carrier);
}

static void *host_data(const void *carrier)
{
    return ws_websocket_user_data(carrier);
}

/* A session arrives from polling, with what waits for its client. */
static void take_over(void *carrier, struct engineio_session *session,
                      struct engineio_rest *rest)
{
    ws_websocket *websocket = carrier;
    uint32_t ahead;

    websocket_set_session(websocket, session);
    websocket->queue_high = rest->queue_high;
    websocket_push_queue(websocket, &rest->queue);
    if (websocket_is_aborted(websocket))
        return;
    if (!rest->awaits_pong) {
        /* The client counts from the last ping, whatever carried it. */
        timer_start(&websocket_loop(websocket)->timers, &websocket->timer, rest->ping_in_ms);
    } else {
        ahead = output_queue_count(&websocket->queue);
        websocket->ping = PING_SENT;
        websocket->timer.owners = (uint16_t)(ahead <= 1           ? 0
                                             : ahead < UINT16_MAX ? ahead
                                                                  : UINT16_MAX);
        websocket_start_timer(websocket);
    }
}

static const struct engineio_carrier websocket_carrier = {
    .is_websocket = true,
    .send = carrier_send,
    .push = carrier_push,
    .fail = carrier_fail,
    .close = carrier_close,
    .give_way = carrier_give_way,
    .hold = carrier_hold,
    .let_go = carrier_let_go,
    .host_data = host_data,
    .take_over = take_over,
};

struct engineio_session *engineio_carrier_probed(const ws_websocket *websocket,
                                                 struct ws_handshake *handshake,
                                                 enum named_sid *sid)
{
    struct engineio_session *session = NULL;
    bool is_ours = false;
    const char *text;
    size_t length;

    if (ws_handshake_query_parameter(handshake, "sid", &text, &length) != WS_OK) {
        *sid = SID_NONE;
        return NULL;
    }
    if (strlen(text) == length)
        session = engineio_upgrade_find(websocket_loop(websocket), websocket->endpoint, text,
                                        &is_ours);
    *sid = is_ours ? SID_OURS : SID_UNKNOWN;
    return session;
}

int engineio_carrier_probe(ws_websocket *websocket, struct engineio_session *session,
                           struct refusal *refusal)
{
    struct engineio_session *probe = engineio_session_new(
        websocket_loop(websocket), websocket->endpoint, &websocket_carrier, websocket);

    if (probe != NULL)
        websocket_set_session(websocket, probe);
    if (probe != NULL && engineio_probe_begin(probe, session))
        return WS_OK;
    *refusal = (struct refusal){.status = 503, .reason = "out of memory"};
    return WS_ERR_NO_MEMORY;
}

int engineio_carrier_attach(ws_websocket *websocket, const struct ws_handshake *handshake,
                            struct request **request, struct refusal *refusal)
{
    struct engineio_session *session = engineio_session_new(
        websocket_loop(websocket), websocket->endpoint, &websocket_carrier, websocket);

    if (session != NULL)
        websocket_set_session(websocket, session);
    return engineio_begin(session, handshake, request, refusal);
}
