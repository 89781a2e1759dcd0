/* closing.c: the orderly end of a WebSocket (RFC 6455 §7). */
#include "transport/websocket/closing.h"

#include "base/close_code.h"
#include "transport/websocket/output.h"

void websocket_finish(ws_websocket *websocket, uint16_t code, const char *reason, size_t length,
                      enum websocket_state state)
{
    websocket_become(websocket, state);
    websocket_start_timer(websocket);
    if (websocket_session(websocket) != NULL)
        engineio_session_finish(websocket_session(websocket), code, reason, length);
    else
        transport_post_end(&websocket->connection, code, reason, length);
}

void websocket_close_for_good(ws_websocket *websocket)
{
    websocket_become(websocket, WEBSOCKET_CLOSED);
    websocket_start_timer(websocket);
    if (!websocket->blocked)
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
}

void websocket_close(ws_websocket *websocket, uint16_t code, const char *reason, size_t length)
{
    websocket->registered = false;
    /* A client that was too slow for its queue will not get the queue before the close either:
     * it reconnects and recovers. */
    if (websocket->too_slow && !websocket->head_unsent)
        websocket_drop_output(websocket);
    switch ((enum websocket_state)websocket->state) {
    case WEBSOCKET_OPEN:
        websocket_push_close(websocket, code, reason, length, WEBSOCKET_CLOSING);
        break;
    case WEBSOCKET_FAILED: /* §7.1.7: nothing more is read, not even an answer */
        websocket_push_close(websocket, code, reason, length, WEBSOCKET_CLOSED);
        break;
    case WEBSOCKET_PEER_CLOSED: /* §5.5.1: with the peer's code */
        websocket_push_close(websocket, code, NULL, 0, WEBSOCKET_CLOSED);
        break;
    case WEBSOCKET_EOF:
        websocket_close_for_good(websocket);
        break;
    case WEBSOCKET_HANDSHAKE:
    case WEBSOCKET_HEAD:
    case WEBSOCKET_JUDGED:
    case WEBSOCKET_CLOSING:
    case WEBSOCKET_CLOSED:
    case WEBSOCKET_ABORTED:
    case WEBSOCKET_FREED:
    case WEBSOCKET_EMPTIED:
        break;
    }
}

void websocket_closed_by_core(struct connection *connection, uint16_t code, const char *reason,
                              size_t length)
{
    websocket_close((ws_websocket *)connection, code, reason, length);
}

int ws_websocket_close(ws_websocket *websocket, uint16_t code, const char *reason)
{
    int result;

    if (websocket == NULL || !close_code_valid(code) || !close_reason_valid(reason))
        return WS_ERR_INVALID;
    if (!checks_loop(websocket_loop(websocket), __func__))
        return WS_ERR_MISUSE;
    if (websocket->state < WEBSOCKET_OPEN) {
        websocket_abort(websocket);
        return WS_OK;
    }
    if (!websocket->registered || websocket->connection.state == CONNECTION_GONE)
        return WS_ERR_CLOSED;
    websocket_enter(websocket);
    if (websocket_session(websocket) != NULL)
        engineio_session_end(websocket_session(websocket), code, reason);
    else
        transport_end(&websocket->connection, code, reason);
    result = websocket_leave(websocket);
    return result == WS_ERR_CLOSED ? WS_OK : result;
}
