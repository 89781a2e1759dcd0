/* http_output.c: queues the bytes of a response, and gives them to the host. */
#include "transport/http/http_output.h"

#include "transport/shared/queue_limit.h"

bool http_push(ws_http *http, struct frames *frames)
{
    size_t bytes = output_queue_bytes(&http->queue);
    bool was_empty = output_queue_count(&http->queue) == 0;

    if (!output_queue_push(&http->queue, http_memory(http), frames))
        return false;
    if (was_empty)
        http->stuck_since_ms = (uint32_t)http->loop->timers.now_ms;
    queue_sums_update(http->loop, &http->queue, bytes);
    if (!http->blocked)
        loop_list_output(http->loop, OUTPUT_HTTP, &http->output);
    return true;
}

void http_push_own(ws_http *http, struct frames *frames)
{
    if (frames != NULL && !http_is_aborted(http) && http_push(http, frames))
        return;
    if (frames != NULL)
        frames_unref(frames);
    if (!http_is_aborted(http))
        http_abort(http);
}

void http_drop_output(ws_http *http)
{
    size_t bytes = output_queue_bytes(&http->queue);

    output_queue_drop_rest(&http->queue);
    queue_sums_update(http->loop, &http->queue, bytes);
}

/* --- the host's writes -------------------------------------------------------------------- */

int ws_http_output(ws_http *http, struct iovec *iov, int max)
{
    if (http == NULL || iov == NULL || !checks_loop(http->loop, __func__) ||
        http_is_aborted(http))
        return 0;
    http->blocked = false;
    return output_queue_peek(&http->queue, iov, max);
}

/* Ends back-pressure. The application may free the request during the call. */
static int end_backpressure(ws_http *http)
{
    http->queue_high = false;
    http_enter(http);
    if (http->use != NULL && http->use->writable != NULL)
        http->use->writable(http);
    return http_leave(http);
}

/* Notes that the client took something. The loop's time is that of its last run, which may be long
 * ago, so the timer takes the time in the next run. */
static void note_progress(ws_http *http)
{
    if (http->progressed)
        return;
    http->progressed = true;
    http_start_timer(http, 1);
}

int ws_http_sent(ws_http *http, size_t n)
{
    uint32_t count;
    size_t bytes;
    uint32_t left;

    if (http == NULL)
        return WS_ERR_INVALID;
    if (!checks_loop(http->loop, __func__))
        return WS_ERR_MISUSE;
    if (http_is_aborted(http))
        return WS_ERR_CLOSED;
    count = output_queue_count(&http->queue);
    bytes = output_queue_bytes(&http->queue);
    if (!output_queue_written(&http->queue, http_memory(http), n))
        http->blocked = true;
    queue_sums_update(http->loop, &http->queue, bytes);
    left = output_queue_count(&http->queue);
    if (!http->blocked && left > 0)
        loop_list_output(http->loop, OUTPUT_HTTP, &http->output);
    if (left < count)
        http->head_unsent = false;
    if (n > 0 && left > 0 && http->state == EXCHANGE_STREAM)
        note_progress(http);
    if (left == 0 && http->state == EXCHANGE_COMPLETE && http->use != NULL &&
        http->use->written != NULL)
        http->use->written(http);
    if (http->queue_high &&
        output_queue_bytes(&http->queue) <= http->endpoint->options.queue_low_bytes)
        return end_backpressure(http);
    return ws_http_ended(http) ? WS_ERR_CLOSED : WS_OK;
}

/* Prefetches the next request, and the host's part of it, while the host writes this one. */
static void prefetch_next(const ws_loop *loop)
{
    struct output_node *next = loop->outputs[OUTPUT_HTTP].first;

    if (next == OUTPUT_END)
        return;
    __builtin_prefetch(http_of_output(next)->user_data);
    __builtin_prefetch(next->next);
}

/* Gives a request that waits for something its response, which lists it again. */
static void fill(ws_http *http)
{
    http_enter(http);
    http->use->fill(http);
    http_leave(http);
}

/* Skips requests that were freed, or whose socket became full, after they were listed. */
ws_http *ws_loop_next_http(ws_loop *loop)
{
    struct output_node *node;

    if (loop == NULL || !checks_loop(loop, __func__))
        return NULL;
    while ((node = loop_next_output(loop, OUTPUT_HTTP)) != NULL) {
        ws_http *http = http_of_output(node);

        if (http->state >= EXCHANGE_FREED)
            http_free_if_unused(http);
        else if (http->state == EXCHANGE_REQUEST && http->use != NULL &&
                 http->use->fill != NULL) {
            fill(http);
            /* One at a time: each response is a copy, which the host now writes. */
            if (http->state != EXCHANGE_REQUEST && !http->blocked)
                return http;
        } else if (!http->blocked || http_is_aborted(http)) {
            prefetch_next(loop);
            return http;
        }
    }
    return NULL;
}
