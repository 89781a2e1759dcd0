/* http_input.c: the functions with which the host passes in what it read from the client: the
 * request's body, and its end. Not here: the request's head (http_new.c). */
#include "base/close_code.h"
#include "transport/http/http.h"

static ws_loop *begin_call(ws_http *http)
{
    http_enter(http);
    return transport_call_begin(http->loop);
}

static int end_call(ws_http *http, ws_loop *previous)
{
    transport_call_end(http->loop, previous);
    return http_leave(http);
}

int ws_http_wants_read(const ws_http *http)
{
    return http != NULL && !http->body_ended && http->state == EXCHANGE_REQUEST;
}

int ws_http_receive(ws_http *http, const void *data, size_t length)
{
    ws_loop *previous;

    if (http == NULL || (data == NULL && length > 0) || http->body_ended)
        return WS_ERR_INVALID;
    if (!checks_loop(http->loop, __func__))
        return WS_ERR_MISUSE;
    if (http->state >= EXCHANGE_FREED)
        return WS_ERR_CLOSED;
    previous = begin_call(http);
    if (http->use != NULL && http->use->body != NULL && length > 0)
        http->use->body(http, data, length);
    return end_call(http, previous);
}

int ws_http_end(ws_http *http)
{
    ws_loop *previous;

    if (http == NULL || http->body_ended)
        return WS_ERR_INVALID;
    if (!checks_loop(http->loop, __func__))
        return WS_ERR_MISUSE;
    if (http->state >= EXCHANGE_FREED)
        return WS_ERR_CLOSED;
    http->body_ended = true;
    previous = begin_call(http);
    if (http->use != NULL && http->use->body_ended != NULL)
        http->use->body_ended(http);
    return end_call(http, previous);
}

/* The response to a complete request can still be written: the client may only have shut down its
 * side. The client of a stream has gone, because a stream has no end that it could wait for, and so
 * has one whose request waits for an event (`ends_at_eof`). */
void ws_http_eof(ws_http *http)
{
    ws_loop *previous;
    bool is_awaited;

    if (http == NULL || !checks_loop(http->loop, __func__) || http_is_aborted(http))
        return;
    is_awaited =
        http->body_ended && http->state != EXCHANGE_STREAM &&
        !(http->state == EXCHANGE_REQUEST && http->use != NULL && http->use->ends_at_eof);
    previous = begin_call(http);
    http->keeps_alive = false;
    if (!is_awaited) {
        if (http->use != NULL)
            http->use->gone(http, WS_CLOSE_NO_STATUS);
        if (http->state < EXCHANGE_FREED)
            http_abort(http);
    }
    end_call(http, previous);
}

int ws_http_close(ws_http *http, uint16_t code, const char *reason)
{
    ws_loop *previous;
    int result;

    if (http == NULL || !close_code_valid(code) || !close_reason_valid(reason))
        return WS_ERR_INVALID;
    if (!checks_loop(http->loop, __func__))
        return WS_ERR_MISUSE;
    if (http->use == NULL || http->use->close == NULL || http->state != EXCHANGE_STREAM)
        return WS_ERR_CLOSED;
    previous = begin_call(http);
    result = http->use->close(http, code, reason);
    end_call(http, previous);
    return result;
}
