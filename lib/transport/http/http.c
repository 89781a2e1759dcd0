/* http.c: one HTTP request and its response: states and memory. */
#include "transport/http/http.h"

#include "base/close_code.h"
#include "transport/shared/queue_limit.h"

/* --- a loop's part --------------------------------------------------------------------------- */

static void expired(struct timer *timer)
{
    ws_http *http = (ws_http *)(uintptr_t)((char *)timer - offsetof(ws_http, timer));

    http_enter(http);
    http->use->expired(http); /* without a use no timer runs */
    http_leave(http);
}

/* Requests that the host has freed may still be listed for output. */
static void leave_loop(ws_loop *loop)
{
    struct output_node *node;

    while ((node = loop_next_output(loop, OUTPUT_HTTP)) != NULL)
        http_free_if_unused(http_of_output(node));
}

static bool join_loop(ws_loop *loop)
{
    loop->free_part[PART_HTTP] = leave_loop;
    loop->timers.expired[TIMER_HTTP] = expired;
    return shared_part_make(loop);
}

/* --- states ---------------------------------------------------------------------------------- */

void http_become(ws_http *http, enum exchange_state state)
{
    assert(state > http->state);
    http->state = (uint8_t)state & 7;
}

int ws_http_ended(const ws_http *http)
{
    return http != NULL && (http_is_aborted(http) || (http->state == EXCHANGE_COMPLETE &&
                                                      output_queue_count(&http->queue) == 0));
}

int ws_http_keeps_alive(const ws_http *http)
{
    return http != NULL && !http_is_aborted(http) && ws_http_ended(http) && http->body_ended &&
           http->keeps_alive;
}

void http_abort(ws_http *http)
{
    if (!http_is_aborted(http))
        http_become(http, EXCHANGE_ABORTED);
    timer_stop(&http->timer);
    if (http->state < EXCHANGE_FREED)
        loop_list_output(http->loop, OUTPUT_HTTP, &http->output);
}

void http_start_timer(ws_http *http, uint32_t after_ms)
{
    if (after_ms > 0)
        timer_start(&http->loop->timers, &http->timer, after_ms);
    else
        timer_stop(&http->timer);
}

/* --- memory ---------------------------------------------------------------------------------- */

ws_http *http_make(ws_loop *loop, ws_endpoint *endpoint, void *user_data)
{
    ws_http *made;

    if (!join_loop(loop))
        return NULL;
    made = memory_zalloc(&loop->manager->memory, sizeof *made);
    if (made == NULL)
        return NULL;
    made->loop = loop;
    made->endpoint = endpoint_ref(endpoint);
    made->user_data = user_data;
    made->timer.kind = TIMER_HTTP;
    return made;
}

void http_free_if_unused(ws_http *http)
{
    if (http->state == EXCHANGE_EMPTIED && http->output.next == NULL)
        memory_free(http_memory(http), http);
}

static void empty(ws_http *http)
{
    size_t bytes = output_queue_bytes(&http->queue);

    timer_stop(&http->timer);
    if (http->use != NULL)
        http->use->detach(http);
    output_queue_free(&http->queue, http_memory(http));
    queue_sums_update(http->loop, &http->queue, bytes);
    memory_free(http_memory(http), http->head);
    ws_endpoint_free(http->endpoint);
    http_become(http, EXCHANGE_EMPTIED);
    http_free_if_unused(http);
}

void ws_http_free(ws_http *http)
{
    if (http == NULL || !checks_loop_unused(http->loop, __func__) ||
        http->state >= EXCHANGE_FREED)
        return;
    checks_count(http->loop, -1);
    http_enter(http);
    http_become(http, EXCHANGE_FREED);
    if (http->use != NULL)
        http->use->gone(http, WS_CLOSE_ABNORMAL);
    transport_call_left(http->loop);
    http_leave(http);
}

void http_enter(ws_http *http)
{
    http->busy++;
}

int http_leave(ws_http *http)
{
    if (--http->busy == 0 && http->state == EXCHANGE_FREED) {
        empty(http);
        return WS_ERR_CLOSED;
    }
    return ws_http_ended(http) ? WS_ERR_CLOSED : WS_OK;
}

/* --- accessors for the host --------------------------------------------------------------- */

ws_conn_id ws_http_id(const ws_http *http)
{
    return http != NULL && http->use != NULL && http->use->id != NULL ? http->use->id(http) : 0;
}

void *ws_http_user_data(const ws_http *http)
{
    return http != NULL ? http->user_data : NULL;
}
