/* output.c: queues a WebSocket's output within its limits, and gives it to the host. */
#include "transport/websocket/output.h"

#include <string.h>

#include "transport/shared/frame.h"
#include "transport/shared/queue_limit.h"
#include "transport/websocket/compress.h"

/* --- queueing ----------------------------------------------------------------------------- */

static bool push(ws_websocket *websocket, struct frames *frames)
{
    size_t bytes = output_queue_bytes(&websocket->queue);

    if (!output_queue_push(&websocket->queue, websocket_memory(websocket), frames))
        return false;
    queue_sums_update(websocket_loop(websocket), &websocket->queue, bytes);
    if (!websocket->blocked)
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
    return true;
}

void websocket_push(ws_websocket *websocket, const void *bytes, size_t length)
{
    struct frames *frames;

    if (websocket_is_aborted(websocket))
        return;
    frames = frames_new_own(websocket_memory(websocket), bytes, length);
    if (frames != NULL && push(websocket, frames))
        return;
    if (frames != NULL)
        frames_unref(frames);
    websocket_abort(websocket);
}

void websocket_push_queue(ws_websocket *websocket, struct output_queue *queue)
{
    size_t bytes = output_queue_bytes(&websocket->queue);
    bool is_moved = output_queue_move(&websocket->queue, websocket_memory(websocket), queue);

    queue_sums_update(websocket_loop(websocket), &websocket->queue, bytes);
    if (!is_moved) {
        output_queue_free(queue, websocket_memory(websocket));
        websocket_abort(websocket);
    } else if (!websocket->blocked) {
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
    }
}

void websocket_push_close(ws_websocket *websocket, uint16_t code, const char *reason,
                          size_t length, enum websocket_state state)
{
    uint8_t frame[FRAME_HEADER_MAX + FRAME_CONTROL_MAX];
    size_t payload = code == WS_CLOSE_NO_STATUS ? 0 : 2 + length;
    size_t at = frame_write_header(frame, WSLAY_CONNECTION_CLOSE, payload);

    if (payload > 0) {
        frame[at] = (uint8_t)(code >> 8);
        frame[at + 1] = (uint8_t)code;
        if (length > 0)
            memcpy(frame + at + 2, reason, length);
    }
    websocket_become(websocket, state);
    websocket_push(websocket, frame, at + payload);
    if (!websocket_is_aborted(websocket))
        websocket_start_timer(websocket);
}

/* Frames a copy of a message that was made before this transport existed. */
static struct frames *framed_copy(const ws_websocket *websocket, const ws_message *message)
{
    size_t length;
    const void *payload = ws_message_payload(message, &length);
    ws_message *copy =
        message_new_copy(websocket_memory(websocket), payload, length, message->is_text);

    if (copy == NULL)
        return NULL;
    message_frame(copy, frame_before_payload);
    return &copy->frames;
}

struct frames *websocket_form(const ws_websocket *websocket, ws_message *message,
                              struct frames *frames, int kind)
{
    if (websocket->window_bits == 0)
        return frames;
    return compress_form(websocket_loop(websocket), message, frames, kind,
                         websocket->window_bits, &websocket->endpoint->options);
}

/* Whether a queue of so many bytes accepts no further message. */
static bool is_full(const ws_websocket *websocket, size_t bytes)
{
    return queue_limit_is_exceeded(websocket_loop(websocket), &websocket->endpoint->options,
                                   &websocket->queue, bytes);
}

bool websocket_is_full(const ws_websocket *websocket)
{
    return is_full(websocket, output_queue_bytes(&websocket->queue));
}

/* Whether the message must be dropped. A message of any size is accepted when the queue is
 * within its limit, so that one message larger than the limit can be sent. */
static bool is_too_slow(const ws_websocket *websocket, const struct frames *form)
{
    return is_full(websocket, output_queue_bytes(&websocket->queue) + form->before_last);
}

static int push_within_limit(ws_websocket *websocket, struct frames *form)
{
    websocket->too_slow = is_too_slow(websocket, form);
    if (websocket->too_slow)
        return WS_ERR_DROPPED;
    if (!push(websocket, form))
        return WS_ERR_NO_MEMORY;
    if (output_queue_bytes(&websocket->queue) <= websocket->endpoint->options.queue_high_bytes)
        return WS_OK;
    if (!websocket->queue_high) {
        websocket->queue_high = true;
        if (websocket_session(websocket) != NULL)
            engineio_session_filled(websocket_session(websocket));
        else
            transport_filled(&websocket->connection);
    }
    return WS_ERR_BACKPRESSURE;
}

int websocket_send_form(ws_websocket *websocket, ws_message *message, struct frames *form,
                        bool is_new)
{
    int result;

    if (form == NULL)
        return WS_ERR_NO_MEMORY;
    if (frames_hold(&message->frames, form))
        return push_within_limit(websocket, form);
    if (!is_new)
        frames_ref_n(form, 1);
    result = push_within_limit(websocket, form);
    frames_unref(result == WS_OK || result == WS_ERR_BACKPRESSURE ? &message->frames : form);
    return result;
}

/* Not inlined, so that websocket_send() saves no registers for it. */
__attribute__((noinline)) static int send_unframed(ws_websocket *websocket, ws_message *message)
{
    return websocket_send_form(websocket, message, framed_copy(websocket, message), true);
}

int websocket_send(struct connection *connection, ws_message *message)
{
    ws_websocket *websocket = (ws_websocket *)connection;

    if (!message_is_framed(message))
        return send_unframed(websocket, message);
    return websocket_send_form(
        websocket, message,
        websocket_form(websocket, message, &message->frames, FORM_COMPRESSED), false);
}

void websocket_drop_output(ws_websocket *websocket)
{
    size_t bytes = output_queue_bytes(&websocket->queue);

    output_queue_drop_rest(&websocket->queue);
    queue_sums_update(websocket_loop(websocket), &websocket->queue, bytes);
}

/* --- the host's writes -------------------------------------------------------------------- */

int ws_websocket_output(ws_websocket *websocket, struct iovec *iov, int max)
{
    if (websocket == NULL || iov == NULL || !checks_loop(websocket_loop(websocket), __func__) ||
        websocket_is_aborted(websocket))
        return 0;
    websocket->blocked = false;
    return output_queue_peek(&websocket->queue, iov, max);
}

/* Records progress of the bytes before a ping. The peer cannot answer a ping behind a long
 * queue: websocket_timer_expired() grants more time while that is being written. */
static void ping_proceeds(ws_websocket *websocket, uint32_t messages, size_t bytes)
{
    if (websocket->timer.owners == 0 || bytes == 0)
        return;
    if (messages > websocket->timer.owners)
        messages = websocket->timer.owners;
    websocket->timer.owners = (uint16_t)(websocket->timer.owners - messages);
    if (websocket->ping == PING_SENT)
        websocket->ping = PING_PROCEEDS;
}

/* Ends back-pressure. The application may free the websocket during the call. */
static int end_backpressure(ws_websocket *websocket)
{
    websocket->queue_high = false;
    websocket_enter(websocket);
    if (websocket_session(websocket) != NULL)
        engineio_session_writable(websocket_session(websocket));
    else
        transport_writable(&websocket->connection);
    return websocket_leave(websocket);
}

int ws_websocket_sent(ws_websocket *websocket, size_t n)
{
    uint32_t count;
    size_t bytes;
    uint32_t left;

    if (websocket == NULL)
        return WS_ERR_INVALID;
    if (!checks_loop(websocket_loop(websocket), __func__))
        return WS_ERR_MISUSE;
    if (websocket_is_aborted(websocket))
        return WS_ERR_CLOSED;
    count = output_queue_count(&websocket->queue);
    bytes = output_queue_bytes(&websocket->queue);
    if (!output_queue_written(&websocket->queue, websocket_memory(websocket), n))
        websocket->blocked = true;
    queue_sums_update(websocket_loop(websocket), &websocket->queue, bytes);
    left = output_queue_count(&websocket->queue);
    if (!websocket->blocked && left > 0)
        loop_list_output(websocket_loop(websocket), OUTPUT_WEBSOCKET, &websocket->output);
    if (left < count)
        websocket->head_unsent = false;
    ping_proceeds(websocket, count - left, n);
    if (websocket->queue_high &&
        output_queue_bytes(&websocket->queue) <= websocket->endpoint->options.queue_low_bytes)
        return end_backpressure(websocket);
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}

/* Prefetches the next websocket, and the host's part of it, while the host writes this one: the
 * kernel evicts the cache with each write. */
static void prefetch_next(const ws_loop *loop)
{
    struct output_node *next = loop->outputs[OUTPUT_WEBSOCKET].first;

    if (next == OUTPUT_END)
        return;
    __builtin_prefetch(websocket_of_output(next)->user_data);
    __builtin_prefetch(next->next);
}

/* Skips websockets that were freed, or whose socket became full, after they were listed. */
ws_websocket *ws_loop_next_output(ws_loop *loop)
{
    struct output_node *node;

    if (loop == NULL || !checks_loop(loop, __func__))
        return NULL;
    while ((node = loop_next_output(loop, OUTPUT_WEBSOCKET)) != NULL) {
        ws_websocket *websocket = websocket_of_output(node);

        if (websocket->state >= WEBSOCKET_FREED)
            websocket_free_if_unused(websocket);
        else if (!websocket->blocked || websocket_is_aborted(websocket) ||
                 websocket->reading == READING_RESUMED) {
            if (websocket->reading == READING_RESUMED)
                websocket->reading = READING_ON;
            prefetch_next(loop);
            return websocket;
        }
    }
    return NULL;
}
