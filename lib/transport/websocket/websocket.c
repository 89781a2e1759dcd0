/* websocket.c: one WebSocket connection: its life, what it sends, its timers, its end. */
#include "transport/websocket/websocket.h"

#include <stddef.h>
#include <string.h>

#include "base/close_code.h"
#include "transport/websocket/compress.h"
#include "transport/websocket/frame.h"
#include "transport/websocket/loop_part.h"
#include "transport/websocket/refusal.h"

static const ws_allocator *memory_of(const ws_websocket *websocket)
{
    return &websocket->connection.loop->manager->memory;
}

/* --- life ------------------------------------------------------------------------------------ */

static ws_loop *loop_of(const ws_websocket *websocket)
{
    return websocket->connection.loop;
}

static void on_timer(struct timer *timer);

static ws_websocket *of_node(struct output_node *node)
{
    return (ws_websocket *)(uintptr_t)((char *)node - offsetof(ws_websocket, output));
}

static void free_if_unused(ws_websocket *websocket)
{
    bool in_core = websocket->connection.state != CONNECTION_NEW && !websocket->released;

    if (websocket->emptied && !in_core && websocket->output.next == NULL)
        memory_free(memory_of(websocket), websocket);
}

/* Those that the host has freed may still be listed for output. */
static void leave_loop(ws_loop *loop)
{
    struct output_node *node;

    while ((node = loop_next_output(loop)) != NULL)
        free_if_unused(of_node(node));
    frame_readers_free(loop);
    loop_part_free(loop);
}

/* The first WebSocket of a loop brings what all of them share. */
static bool join_loop(ws_loop *loop)
{
    if (loop->transport_part != NULL)
        return true;
    if (!loop_part_make(loop))
        return false;
    loop->free_transport_part = leave_loop;
    loop->timers.expired[TIMER_TRANSPORT] = on_timer;
    return true;
}

int ws_websocket_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                     ws_websocket **websocket)
{
    ws_websocket *made;

    if (loop == NULL || endpoint == NULL || endpoint->manager != loop->manager ||
        websocket == NULL)
        return WS_ERR_INVALID;
    if (!join_loop(loop))
        return WS_ERR_NO_MEMORY;
    made = memory_zalloc(&loop->manager->memory, sizeof *made);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->connection.loop = loop;
    made->endpoint = endpoint_ref(endpoint);
    made->user_data = user_data;
    made->timer.kind = TIMER_TRANSPORT;
    websocket_start_timer(made);
    *websocket = made;
    return WS_OK;
}

void *ws_websocket_user_data(const ws_websocket *websocket)
{
    return websocket->user_data;
}

ws_conn_id ws_websocket_id(const ws_websocket *websocket)
{
    return websocket->registered ? websocket->connection.id : 0;
}

/* The manager lets go of it, and on_disconnect is called. */
static void unregister(ws_websocket *websocket, uint16_t code)
{
    if (!websocket->registered)
        return;
    websocket->registered = false;
    transport_gone(&websocket->connection, code);
}

/* inner_transport's released. */
static void release(struct connection *connection)
{
    ws_websocket *websocket = (ws_websocket *)connection;

    websocket->released = true;
    free_if_unused(websocket);
}

static void destroy(ws_websocket *websocket)
{
    size_t bytes = output_queue_bytes(&websocket->queue);

    timer_stop(&websocket->timer);
    floods_forget(&loop_part_of(loop_of(websocket))->floods, websocket, websocket->flood_place);
    output_queue_free(&websocket->queue, memory_of(websocket));
    loop_part_of(loop_of(websocket))->queued_bytes -= bytes;
    if (websocket->has_request)
        request_free(websocket->request);
    else
        frame_reader_give_back(loop_of(websocket), websocket->reader);
    ws_endpoint_free(websocket->endpoint);
    websocket->emptied = true;
    free_if_unused(websocket);
}

void ws_websocket_free(ws_websocket *websocket)
{
    if (websocket == NULL || websocket->freed)
        return;
    websocket_enter(websocket);
    websocket->freed = true;
    websocket->aborted = true;
    websocket->state = WEBSOCKET_CLOSED;
    unregister(websocket, 1006);
    transport_call_left(loop_of(websocket));
    websocket_leave(websocket);
}

void websocket_enter(ws_websocket *websocket)
{
    websocket->busy++;
}

int websocket_leave(ws_websocket *websocket)
{
    if (--websocket->busy == 0 && websocket->freed) {
        destroy(websocket);
        return WS_ERR_CLOSED;
    }
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}

int ws_websocket_ended(const ws_websocket *websocket)
{
    return websocket->aborted ||
           (websocket->state == WEBSOCKET_CLOSED && output_queue_count(&websocket->queue) == 0);
}

void websocket_abort(ws_websocket *websocket)
{
    websocket->state = WEBSOCKET_CLOSED;
    websocket->aborted = true;
    timer_stop(&websocket->timer);
    if (!websocket->freed)
        loop_list_output(loop_of(websocket), &websocket->output);
}

void websocket_close_for_good(ws_websocket *websocket)
{
    websocket->state = WEBSOCKET_CLOSED;
    websocket_start_timer(websocket);
    if (!websocket->blocked)
        loop_list_output(loop_of(websocket), &websocket->output);
}

void websocket_finish(ws_websocket *websocket, uint16_t code, const char *reason, size_t length,
                      enum websocket_state state)
{
    websocket->state = (uint8_t)state;
    websocket_start_timer(websocket);
    transport_post_end(&websocket->connection, code, reason, length);
}

/* --- output ---------------------------------------------------------------------------------- */

static bool push(ws_websocket *websocket, ws_message *message)
{
    if (!output_queue_push(&websocket->queue, memory_of(websocket), message))
        return false;
    loop_part_of(loop_of(websocket))->queued_bytes += output_weight(message);
    if (!websocket->blocked)
        loop_list_output(loop_of(websocket), &websocket->output);
    return true;
}

void websocket_push(ws_websocket *websocket, const void *bytes, size_t length)
{
    ws_message *message;

    if (websocket->aborted)
        return;
    message = message_new_copy(memory_of(websocket), bytes, length, false);
    if (message != NULL && push(websocket, message))
        return;
    if (message != NULL)
        ws_message_unref(message);
    websocket_abort(websocket);
}

void websocket_push_close(ws_websocket *websocket, uint16_t code, const char *reason,
                          size_t length, enum websocket_state state)
{
    uint8_t frame[FRAME_HEADER_MAX + FRAME_CONTROL_MAX];
    size_t payload = code == 1005 ? 0 : 2 + length;
    size_t at = frame_write_header(frame, WSLAY_CONNECTION_CLOSE, payload);

    if (payload > 0) {
        frame[at] = (uint8_t)(code >> 8);
        frame[at + 1] = (uint8_t)code;
        if (length > 0)
            memcpy(frame + at + 2, reason, length);
    }
    websocket->state = (uint8_t)state;
    websocket_push(websocket, frame, at + payload);
    if (!websocket->aborted)
        websocket_start_timer(websocket);
}

/* A message that was made before this transport existed has no header yet: it gets a copy. */
static ws_message *framed_copy(const ws_websocket *websocket, const ws_message *message)
{
    ws_message *copy = message_new_copy(memory_of(websocket), message->bytes + message->start,
                                        message->length, message->is_text);

    if (copy != NULL)
        message_frame(copy, frame_before_payload);
    return copy;
}

/* Whenever anything was taken from a queue of so many bytes. */
static void queue_shrank(const ws_websocket *websocket, size_t bytes)
{
    loop_part_of(loop_of(websocket))->queued_bytes -=
        bytes - output_queue_bytes(&websocket->queue);
}

/* What the last message of a bundle finds waiting of the bundle itself. */
static size_t found_by_last(const ws_message *message)
{
    return message->n_messages > 1 ? message_frame_length(message) - message->last_frame : 0;
}

/* The form of a framed message that this client gets: the compressed one, if that was agreed on. */
static ws_message *form_for(const ws_websocket *websocket, ws_message *message)
{
    if (websocket->window_bits == 0)
        return message;
    return compress_message(loop_of(websocket), message, websocket->window_bits,
                            websocket->endpoint->options.deflate_min_bytes);
}

/* So many bytes of the queue, or of what is about to be queued, wait before the next message. */
static bool is_full(const ws_websocket *websocket, size_t bytes)
{
    const ws_endpoint_options *options = &websocket->endpoint->options;

    return bytes > options->max_queue_bytes ||
           (output_queue_bytes(&websocket->queue) > 0 && options->max_loop_queue_bytes > 0 &&
            loop_part_of(loop_of(websocket))->queued_bytes > options->max_loop_queue_bytes);
}

bool websocket_is_full(const ws_websocket *websocket)
{
    return is_full(websocket, output_queue_bytes(&websocket->queue));
}

/* A message is taken whatever its size if it finds the queue within its limit: so one message
 * larger than the limit can still be sent. */
static bool is_too_slow(const ws_websocket *websocket, const ws_message *form)
{
    return is_full(websocket, output_queue_bytes(&websocket->queue) + found_by_last(form));
}

static int push_within_limit(ws_websocket *websocket, ws_message *form)
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
        transport_filled(&websocket->connection);
    }
    return WS_ERR_BACKPRESSURE;
}

/* inner_transport's send. */
static int queue_message(struct connection *connection, ws_message *message)
{
    ws_websocket *websocket = (ws_websocket *)connection;
    ws_message *form = message->frame_header > 0 ? form_for(websocket, message)
                                                 : framed_copy(websocket, message);
    int result;

    if (form == NULL)
        return WS_ERR_NO_MEMORY;
    if (form == message)
        return push_within_limit(websocket, message);
    if (message->frame_header > 0)
        ws_message_ref(form);
    result = push_within_limit(websocket, form);
    ws_message_unref(result == WS_OK || result == WS_ERR_BACKPRESSURE ? message : form);
    return result;
}

/* inner_transport's close: the connection has left the manager. */
static void close_connection(struct connection *connection, uint16_t code, const char *reason,
                             size_t length)
{
    ws_websocket *websocket = (ws_websocket *)connection;
    size_t bytes = output_queue_bytes(&websocket->queue);

    websocket->registered = false;
    /* A client that was too slow for what is queued won't get it before the close either: it
     * comes back and starts anew. */
    if (websocket->too_slow && !websocket->head_unsent) {
        output_queue_drop_rest(&websocket->queue);
        queue_shrank(websocket, bytes);
    }
    switch ((enum websocket_state)websocket->state) {
    case WEBSOCKET_OPEN:
        websocket_push_close(websocket, code, reason, length, WEBSOCKET_CLOSING);
        break;
    case WEBSOCKET_FAILED: /* §7.1.7: nothing more is read, not even an answer */
        websocket_push_close(websocket, code, reason, length, WEBSOCKET_CLOSED);
        break;
    case WEBSOCKET_PEER_CLOSED: /* §5.5.1: with the code that came */
        websocket_push_close(websocket, code, NULL, 0, WEBSOCKET_CLOSED);
        break;
    case WEBSOCKET_EOF:
        websocket_close_for_good(websocket);
        break;
    case WEBSOCKET_HANDSHAKE:
    case WEBSOCKET_CLOSING:
    case WEBSOCKET_CLOSED:
        break;
    }
}

const struct inner_transport websocket_transport = {
    .framing = frame_before_payload,
    .send = queue_message,
    .close = close_connection,
    .released = release,
};

int ws_websocket_output(ws_websocket *websocket, struct iovec *iov, int max)
{
    if (websocket->aborted)
        return 0;
    websocket->blocked = false;
    return output_queue_peek(&websocket->queue, iov, max);
}

/* The peer can't answer a ping that stands behind a long queue: as long as that is being written,
 * on_timer() grants more time. */
static void ping_proceeds(ws_websocket *websocket, uint32_t messages, size_t bytes)
{
    if (websocket->timer.owners == 0 || bytes == 0)
        return;
    if (messages > websocket->timer.owners)
        messages = websocket->timer.owners;
    websocket->timer.owners = (uint16_t)(websocket->timer.owners - messages);
    websocket->ping_proceeded = true;
}

/* The application may free it there. */
static int end_backpressure(ws_websocket *websocket)
{
    websocket->queue_high = false;
    websocket_enter(websocket);
    transport_writable(&websocket->connection);
    return websocket_leave(websocket);
}

int ws_websocket_sent(ws_websocket *websocket, size_t n)
{
    uint32_t count = output_queue_count(&websocket->queue);
    size_t bytes = output_queue_bytes(&websocket->queue);
    uint32_t left;

    if (websocket->aborted)
        return WS_ERR_CLOSED;
    if (!output_queue_written(&websocket->queue, memory_of(websocket), n))
        websocket->blocked = true;
    queue_shrank(websocket, bytes);
    left = output_queue_count(&websocket->queue);
    if (!websocket->blocked && left > 0)
        loop_list_output(loop_of(websocket), &websocket->output);
    if (left < count)
        websocket->head_unsent = false;
    ping_proceeds(websocket, count - left, n);
    if (websocket->queue_high &&
        output_queue_bytes(&websocket->queue) <= websocket->endpoint->options.queue_low_bytes)
        return end_backpressure(websocket);
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}

/* While the host writes one, the next one and the host's part of it come into the cache, which the
 * kernel empties with each write. */
static void prefetch_next(const ws_loop *loop)
{
    struct output_node *next = loop->output_first;

    if (next == OUTPUT_END)
        return;
    __builtin_prefetch(of_node(next)->user_data);
    __builtin_prefetch(next->next);
}

/* One that was freed, or whose socket was found to be full, since it was listed is passed over. */
ws_websocket *ws_loop_next_output(ws_loop *loop)
{
    struct output_node *node;

    while ((node = loop_next_output(loop)) != NULL) {
        ws_websocket *websocket = of_node(node);

        if (websocket->freed)
            free_if_unused(websocket);
        else if (!websocket->blocked || websocket->aborted || websocket->resumed) {
            websocket->resumed = false;
            prefetch_next(loop);
            return websocket;
        }
    }
    return NULL;
}

int ws_websocket_close(ws_websocket *websocket, uint16_t code, const char *reason)
{
    int result;

    if (!close_code_valid(code) || !close_reason_valid(reason))
        return WS_ERR_INVALID;
    if (websocket->state == WEBSOCKET_HANDSHAKE) {
        websocket_abort(websocket);
        return WS_OK;
    }
    if (!websocket->registered || websocket->connection.state == CONNECTION_GONE)
        return WS_ERR_CLOSED;
    websocket_enter(websocket);
    transport_end(&websocket->connection, code, reason);
    result = websocket_leave(websocket);
    return result == WS_ERR_CLOSED ? WS_OK : result;
}

/* --- timers ---------------------------------------------------------------------------------- */

void websocket_start_timer(ws_websocket *websocket)
{
    const ws_endpoint_options *options = &websocket->endpoint->options;
    uint32_t after_ms = options->close_timeout_ms;

    if (websocket->state == WEBSOCKET_HANDSHAKE)
        after_ms = options->handshake_timeout_ms;
    else if (websocket->state == WEBSOCKET_OPEN)
        after_ms =
            websocket->awaiting_pong ? options->pong_timeout_ms : options->ping_interval_ms;
    if (after_ms > 0)
        timer_start(&loop_of(websocket)->timers, &websocket->timer, after_ms);
    else
        timer_stop(&websocket->timer);
}

static void on_timer(struct timer *timer)
{
    static const uint8_t ping[] = {0x80 | WSLAY_PING, 0};
    ws_websocket *websocket =
        (ws_websocket *)(uintptr_t)((char *)timer - offsetof(ws_websocket, timer));
    uint32_t ahead;

    websocket_enter(websocket);
    if (websocket->state == WEBSOCKET_OPEN && !websocket->awaiting_pong) {
        websocket->awaiting_pong = true;
        websocket_push(websocket, ping, sizeof ping);
        ahead = output_queue_count(&websocket->queue);
        websocket->timer.owners = (uint16_t)(ahead <= 1           ? 0
                                             : ahead < UINT16_MAX ? ahead
                                                                  : UINT16_MAX);
        websocket->ping_proceeded = false;
        if (!websocket->aborted)
            websocket_start_timer(websocket);
    } else if (websocket->state == WEBSOCKET_OPEN &&
               (websocket->ping_proceeded || websocket->paused)) {
        /* While the host was told not to read, the pong may be among what it did not read. */
        websocket->ping_proceeded = false;
        websocket_start_timer(websocket);
    } else {
        if (websocket->state == WEBSOCKET_HANDSHAKE)
            refusal_log(loop_of(websocket), 0, "its head took too long",
                        websocket->has_request ? websocket->request : NULL);
        counter_add(&loop_of(websocket)->counters, COUNTER_timeouts, 1);
        websocket_abort(websocket);
    }
    if (websocket->aborted)
        unregister(websocket, 1006);
    websocket_leave(websocket);
}
