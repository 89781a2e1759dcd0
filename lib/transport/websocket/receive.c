/* receive.c: handles the host's input: the opening handshake, then bytes for the frames
 * (input.c). */
#include <string.h>

#include "base/close_code.h"
#include "transport/websocket/handshake.h"
#include "transport/websocket/input.h"
#include "transport/websocket/opening.h"
#include "transport/websocket/output.h"
#include "transport/websocket/recovery_query.h"
#include "transport/websocket/refusal.h"
#include "transport/websocket/websocket.h"

/* --- the opening handshake ------------------------------------------------------------------- */

static void push_buffer(ws_websocket *websocket, struct buffer *buffer)
{
    if (buffer->failed)
        websocket_abort(websocket);
    else
        websocket_push(websocket, buffer->data, buffer->length);
    buffer_free(buffer);
}

static void count_refusal(ws_websocket *websocket, int code, const char *reason,
                          const struct request *request)
{
    ws_loop *loop = websocket_loop(websocket);

    counter_add(&loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(loop, code, reason, request);
}

/* Answers a request that does not open a WebSocket, and ends the connection. */
static void refuse(ws_websocket *websocket, const struct refusal *refusal,
                   const struct request *request)
{
    struct buffer buffer;

    count_refusal(websocket, refusal->status, refusal->reason, request);
    if (websocket_is_aborted(websocket)) /* the host has freed it, for the log's line */
        return;
    buffer_init(&buffer, websocket_memory(websocket));
    refusal_write(refusal, request, &buffer);
    websocket_become(websocket, WEBSOCKET_CLOSED);
    push_buffer(websocket, &buffer);
    if (!websocket_is_aborted(websocket))
        websocket_start_timer(websocket);
}

/* Ends the connection without an answer, because memory ran out. */
static void give_up(ws_websocket *websocket, const struct request *request)
{
    count_refusal(websocket, 0, "out of memory", request);
    websocket_abort(websocket);
}

/* The longest list of rooms in a query: the maximum number of rooms of a connection, or 1000 if
 * that is more. Rooms above the connection's maximum are then answered with one error each. */
static size_t max_rooms(const ws_manager_options *options)
{
    enum { LEAST = 1000 };
    uint32_t most = options->max_rooms_per_connection;

    if (most == 0)
        return SIZE_MAX;
    return most > LEAST ? most : LEAST;
}

static int register_connection(ws_websocket *websocket, const struct ws_handshake *handshake)
{
    const ws_endpoint_options *endpoint = &websocket->endpoint->options;
    ws_loop *loop = websocket_loop(websocket);
    struct recovery_query said;
    ws_connect_options options;
    int result;

    ws_connect_options_init(&options);
    options.user_id = handshake->has_user ? handshake->user_id : NULL;
    options.user_data = handshake->user_data;
    options.protocol = endpoint->protocol;
    options.ping_interval_ms = endpoint->ping_interval_ms;
    result = recovery_query_read(&said, &loop->manager->memory, handshake->query,
                                 max_rooms(&loop->manager->options), &options);
    if (result == WS_OK)
        result = transport_connect(&websocket->connection, loop, &options);
    recovery_query_free(&said);
    websocket->registered = result == WS_OK;
    return result;
}

static const char *unregistered_reason(int result)
{
    switch (result) {
    case WS_ERR_INVALID:
        return "the query is not valid percent-encoded UTF-8";
    case WS_ERR_TOO_MANY_ROOMS:
        return "the query names too many rooms";
    case WS_ERR_DRAINING:
        return "the server is draining";
    case WS_ERR_BACKPRESSURE:
        return "the server is opening too many connections at once";
    case WS_ERR_NO_MEMORY:
        return "out of memory";
    default:
        return "the server has reached max_connections";
    }
}

/* Writes the 101 and opens the connection, or refuses a browser with a close code. */
static void accept_handshake(ws_websocket *websocket, const struct ws_handshake *handshake)
{
    uint16_t code = handshake_close_code(handshake);
    struct buffer buffer;

    if (code == 0) {
        int result = register_connection(websocket, handshake);

        if (result != WS_OK) {
            bool is_bad = result == WS_ERR_INVALID || result == WS_ERR_TOO_MANY_ROOMS;
            const struct refusal refusal = {.status = is_bad ? 400 : 503,
                                            .reason = unregistered_reason(result)};

            refuse(websocket, &refusal, handshake->request);
            return;
        }
    } else {
        count_refusal(websocket, code, handshake->refusal, handshake->request);
    }
    if (code == 0)
        websocket_become(websocket, WEBSOCKET_OPEN);
    websocket->head_unsent = true;
    websocket->window_bits =
        handshake->deflate.accepted ? handshake->deflate.server_window_bits & 0xf : 0;
    buffer_init(&buffer, websocket_memory(websocket));
    handshake_write_answer(handshake, &buffer);
    push_buffer(websocket, &buffer);
    if (websocket_is_aborted(websocket))
        return;
    if (code != 0) {
        const char *text = handshake->refusal != NULL ? handshake->refusal : "";
        size_t length = strlen(text);

        websocket_push_close(websocket, code, text, length <= CLOSE_REASON_MAX ? length : 0,
                             WEBSOCKET_CLOSING);
    } else {
        websocket_start_timer(websocket);
    }
}

/* Asks the application whether to accept a valid request, and answers. */
static void ask_application(ws_websocket *websocket, const struct request *request)
{
    struct ws_handshake handshake;

    if (!handshake_judge(&handshake, websocket, websocket->endpoint, request))
        give_up(websocket, request);
    else if (websocket->state == WEBSOCKET_JUDGED) {
        if (handshake.status == 101 || handshake_close_code(&handshake) != 0) {
            accept_handshake(websocket, &handshake);
        } else {
            const struct refusal refusal = {.status = handshake.status,
                                            .reason = handshake.refusal};

            refuse(websocket, &refusal, request);
        }
    }
    handshake_free(&handshake);
}

/* Answers a request whose head is complete or invalid: `result` is that of request_feed() or
 * request_fill(). The host may end the connection from its callback, while the request is in
 * use. */
static void judge_request(ws_websocket *websocket, enum request_result result)
{
    struct request *request = websocket_take_request(websocket);
    struct refusal refusal;

    if (result == REQUEST_DONE)
        opening_check(request, &refusal);
    else if (result != REQUEST_NO_MEMORY)
        opening_explain(request, result, websocket->endpoint->options.max_head_bytes, &refusal);
    if (result == REQUEST_NO_MEMORY)
        give_up(websocket, request);
    else if (refusal.status == 101)
        ask_application(websocket, request);
    else
        refuse(websocket, &refusal, request);
    request_free(request);
}

static bool begin_request(ws_websocket *websocket)
{
    struct request *request = request_new(websocket_memory(websocket));

    if (request == NULL) {
        give_up(websocket, NULL);
        return false;
    }
    websocket_become(websocket, WEBSOCKET_HEAD);
    websocket->request = request;
    return true;
}

/* Feeds bytes to the request; returns how many of them belong to the head. */
static size_t receive_head(ws_websocket *websocket, const char *data, size_t length)
{
    enum request_result result;
    size_t used = 0;

    if (websocket->state == WEBSOCKET_HANDSHAKE && !begin_request(websocket))
        return 0;
    result = request_feed(websocket->request, data, length,
                          websocket->endpoint->options.max_head_bytes, &used);
    if (result != REQUEST_MORE)
        judge_request(websocket, result);
    return used;
}

/* --- the host's calls ------------------------------------------------------------------------ */

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

int ws_websocket_upgrade(ws_websocket *websocket, const char *method, unsigned http_major,
                         unsigned http_minor, const char *target, const ws_header *headers,
                         size_t n_headers)
{
    ws_loop *previous;

    if (websocket == NULL || method == NULL || target == NULL ||
        (headers == NULL && n_headers > 0) || websocket->state != WEBSOCKET_HANDSHAKE)
        return WS_ERR_INVALID;
    previous = begin_call(websocket);
    if (begin_request(websocket))
        judge_request(websocket, request_fill(websocket->request, method, http_major,
                                              http_minor, target, headers, n_headers,
                                              websocket->endpoint->options.max_head_bytes));
    return end_call(websocket, previous);
}

int ws_websocket_receive(ws_websocket *websocket, const void *data, size_t length)
{
    const char *bytes = data;
    ws_loop *previous;

    if (websocket == NULL || (data == NULL && length > 0))
        return WS_ERR_INVALID;
    if (websocket->state >= WEBSOCKET_FREED)
        return WS_ERR_CLOSED;
    if (websocket_input_is_full(websocket))
        return WS_ERR_BACKPRESSURE;
    previous = begin_call(websocket);
    if (websocket->state <= WEBSOCKET_HEAD && length > 0) {
        size_t used = receive_head(websocket, bytes, length);

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

    if (websocket == NULL || websocket->state >= WEBSOCKET_FREED)
        return;
    previous = begin_call(websocket);
    websocket_input_eof(websocket);
    end_call(websocket, previous);
}
