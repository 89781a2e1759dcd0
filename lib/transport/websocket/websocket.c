/* websocket.c: one WebSocket connection: its states and its memory. */
#include "transport/websocket/websocket.h"

#include "transport/shared/queue_limit.h"
#include "transport/websocket/loop_part.h"

/* Takes the request that is arriving, or has arrived; NULL if it was taken before. */
static struct request *take_request(ws_websocket *websocket)
{
    struct request *request = websocket->request;

    if (request != NULL)
        unfinished_count(websocket_loop(websocket), &request->unfinished, 0);
    websocket->request = NULL;
    return request;
}

/* --- states ---------------------------------------------------------------------------------- */

void websocket_become(ws_websocket *websocket, enum websocket_state state)
{
    assert(state > websocket->state);
    if (websocket->state == WEBSOCKET_HEAD) {
        request_free(take_request(websocket));
        websocket->reader = NULL;
    }
    websocket->state = (uint8_t)state & 0xf;
}

struct request *websocket_take_request(ws_websocket *websocket)
{
    struct request *request = take_request(websocket);

    assert(websocket->state == WEBSOCKET_HEAD);
    websocket_become(websocket, WEBSOCKET_JUDGED);
    return request;
}

int ws_websocket_ended(const ws_websocket *websocket)
{
    return websocket != NULL &&
           (websocket_is_aborted(websocket) || (websocket->state == WEBSOCKET_CLOSED &&
                                                output_queue_count(&websocket->queue) == 0));
}

void websocket_abort(ws_websocket *websocket)
{
    if (!websocket_is_aborted(websocket))
        websocket_become(websocket, WEBSOCKET_ABORTED);
    timer_stop(&websocket->timer);
    if (websocket->state < WEBSOCKET_FREED)
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
}

/* --- memory ---------------------------------------------------------------------------------- */

void websocket_free_if_unused(ws_websocket *websocket)
{
    bool in_core = websocket->connection.state != CONNECTION_NEW && !websocket->released;

    if (websocket->state == WEBSOCKET_EMPTIED && !in_core && websocket->output.next == NULL)
        memory_free(websocket_memory(websocket), websocket);
}

void websocket_unregister(ws_websocket *websocket)
{
    if (!websocket->registered)
        return;
    websocket->registered = false;
    if (websocket_session(websocket) != NULL)
        engineio_session_gone(websocket_session(websocket));
    else
        transport_gone(&websocket->connection, WS_CLOSE_ABNORMAL);
}

void websocket_released(struct connection *connection)
{
    ws_websocket *websocket = (ws_websocket *)connection;

    websocket->released = true;
    websocket_free_if_unused(websocket);
}

static void empty(ws_websocket *websocket)
{
    struct loop_part *part = loop_part_of(websocket_loop(websocket));
    size_t bytes = output_queue_bytes(&websocket->queue);

    timer_stop(&websocket->timer);
    floods_forget(&part->floods, websocket, websocket->flood_place);
    output_queue_free(&websocket->queue, websocket_memory(websocket));
    queue_sums_update(websocket_loop(websocket), &websocket->queue, bytes);
    frame_reader_give_back(websocket_loop(websocket), websocket->reader);
    engineio_session_free(websocket_session(websocket));
    ws_endpoint_free(websocket->endpoint);
    websocket_become(websocket, WEBSOCKET_EMPTIED);
    websocket_free_if_unused(websocket);
}

void ws_websocket_free(ws_websocket *websocket)
{
    if (websocket == NULL || !checks_loop_unused(websocket_loop(websocket), __func__) ||
        websocket->state >= WEBSOCKET_FREED)
        return;
    checks_count(websocket_loop(websocket), -1);
    websocket_enter(websocket);
    websocket_become(websocket, WEBSOCKET_FREED);
    websocket_unregister(websocket);
    transport_call_left(websocket_loop(websocket));
    websocket_leave(websocket);
}

void websocket_enter(ws_websocket *websocket)
{
    websocket->busy++;
}

int websocket_leave(ws_websocket *websocket)
{
    if (--websocket->busy == 0 && websocket->state == WEBSOCKET_FREED) {
        empty(websocket);
        return WS_ERR_CLOSED;
    }
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}

/* --- accessors for the host --------------------------------------------------------------- */

void *ws_websocket_user_data(const ws_websocket *websocket)
{
    return websocket != NULL ? websocket->user_data : NULL;
}

ws_conn_id ws_websocket_id(const ws_websocket *websocket)
{
    if (websocket == NULL || !websocket->registered)
        return 0;
    return websocket_session(websocket) != NULL
               ? engineio_session_id(websocket_session(websocket))
               : websocket->connection.id;
}
