/* receive.c: the functions with which the host passes in what it read from a client. Not here:
 * what becomes of it, in the opening handshake (handshake_input.c) and after it (input.c). */
#include "transport/websocket/handshake_input.h"
#include "transport/websocket/input.h"

/* The host runs the loop after these calls, so what they post needs no wake-up. */
static ws_loop *begin_call(ws_websocket *websocket)
{
    websocket_enter(websocket);
    return transport_call_begin(websocket_loop(websocket));
}

static int end_call(ws_websocket *websocket, ws_loop *previous)
{
    transport_call_end(websocket_loop(websocket), previous);
    return websocket_leave(websocket);
}

int ws_websocket_upgrade(ws_websocket *websocket, const char *method, uint32_t http_major,
                         uint32_t http_minor, const char *target, const ws_header *headers,
                         size_t n_headers)
{
    ws_loop *previous;

    if (websocket == NULL || method == NULL || target == NULL ||
        (headers == NULL && n_headers > 0) || websocket->state != WEBSOCKET_HANDSHAKE)
        return WS_ERR_INVALID;
    if (!checks_loop(websocket_loop(websocket), __func__))
        return WS_ERR_MISUSE;
    previous = begin_call(websocket);
    handshake_upgrade(websocket, method, http_major, http_minor, target, headers, n_headers);
    return end_call(websocket, previous);
}

int ws_websocket_receive(ws_websocket *websocket, const void *data, size_t length)
{
    const char *bytes = data;
    ws_loop *previous;

    if (websocket == NULL || (data == NULL && length > 0))
        return WS_ERR_INVALID;
    if (!checks_loop(websocket_loop(websocket), __func__))
        return WS_ERR_MISUSE;
    if (websocket->state >= WEBSOCKET_FREED)
        return WS_ERR_CLOSED;
    if (websocket_input_is_full(websocket))
        return WS_ERR_BACKPRESSURE;
    previous = begin_call(websocket);
    if (websocket->state <= WEBSOCKET_HEAD && length > 0) {
        size_t used = handshake_receive(websocket, bytes, length);

        bytes += used;
        length -= used;
    }
    if (length > 0)
        websocket_input_add(websocket, bytes, length);
    return end_call(websocket, previous);
}

void ws_websocket_eof(ws_websocket *websocket)
{
    ws_loop *previous;

    if (websocket == NULL || !checks_loop(websocket_loop(websocket), __func__) ||
        websocket->state >= WEBSOCKET_FREED)
        return;
    previous = begin_call(websocket);
    websocket_input_eof(websocket);
    end_call(websocket, previous);
}
