/* handshake_input.c: takes a request through the opening handshake: reads and checks it, asks the
 * application, opens the connection or refuses it. */
#include "transport/websocket/handshake_input.h"

#include <string.h>

#include "base/close_code.h"
#include "transport/shared/refusal.h"
#include "transport/shared/registration.h"
#include "transport/websocket/engineio_carrier.h"
#include "transport/websocket/handshake_answer.h"
#include "transport/websocket/handshake_check.h"
#include "transport/websocket/output.h"

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

static bool is_engineio(const ws_websocket *websocket)
{
    return websocket->endpoint->options.protocol >= WS_PROTOCOL_SOCKETIO;
}

/* Begins the session of a client of Engine.IO, which takes over the request, or the upgrade of one
 * that it has. */
static int begin_session(ws_websocket *websocket, struct ws_handshake *handshake,
                         struct request **request, struct refusal *refusal)
{
    enum named_sid sid;
    struct engineio_session *session = engineio_carrier_probed(websocket, handshake, &sid);

    return session != NULL ? engineio_carrier_probe(websocket, session, refusal)
                           : engineio_carrier_attach(websocket, handshake, request, refusal);
}

/* Registers the client, or makes its session. */
static int register_client(ws_websocket *websocket, struct ws_handshake *handshake,
                           struct request **request, struct refusal *refusal)
{
    int result = is_engineio(websocket)
                     ? begin_session(websocket, handshake, request, refusal)
                     : registration_make(&websocket->connection, websocket->endpoint, handshake,
                                         refusal);

    websocket->registered = result == WS_OK;
    return result;
}

/* Writes the 101 and opens the connection, or refuses a browser with a close code. */
static void accept_handshake(ws_websocket *websocket, struct ws_handshake *handshake,
                             struct request **request)
{
    uint16_t code = handshake_close_code(handshake);
    struct permessage_deflate deflate;
    struct buffer buffer;

    if (code == 0) {
        struct refusal refusal;
        int result = register_client(websocket, handshake, request, &refusal);

        if (result != WS_OK) {
            refuse(websocket, &refusal, handshake->request);
            return;
        }
    } else {
        count_refusal(websocket, code, handshake->refusal, handshake->request);
    }
    if (code == 0)
        websocket_become(websocket, WEBSOCKET_OPEN);
    websocket->head_unsent = true;
    deflate = handshake_deflate(handshake, websocket->endpoint);
    websocket->window_bits = deflate.accepted ? deflate.server_window_bits & 0xf : 0;
    buffer_init(&buffer, websocket_memory(websocket));
    handshake_write_answer(handshake, websocket->endpoint, &deflate, &buffer);
    push_buffer(websocket, &buffer);
    if (websocket_is_aborted(websocket))
        return;
    if (code != 0) {
        const char *text = handshake->refusal != NULL ? handshake->refusal : "";
        size_t length = strlen(text);

        websocket_push_close(websocket, code, text, length <= CLOSE_REASON_MAX ? length : 0,
                             WEBSOCKET_CLOSING);
    } else {
        if (websocket_is_probe(websocket))
            websocket_start_timer(websocket);
        else
            websocket_start_first_interval(websocket);
        if (is_engineio(websocket) && !websocket_is_probe(websocket))
            engineio_session_open(websocket_session(websocket), NULL, false);
    }
}

/* Whether the query is that of a client of Engine.IO 4 that opens a session on a WebSocket. */
static bool opens_session(struct ws_handshake *handshake)
{
    const char *version;
    const char *transport;

    return ws_handshake_query_parameter(handshake, "EIO", &version, NULL) == WS_OK &&
           strcmp(version, "4") == 0 &&
           ws_handshake_query_parameter(handshake, "transport", &transport, NULL) == WS_OK &&
           strcmp(transport, "websocket") == 0;
}

/* Refuses an upgrade. A client that has its session from here knows the protocol: it gets its
 * WebSocket, and a close code that scripts can read. */
static bool refuse_probe(struct ws_handshake *handshake, enum named_sid sid)
{
    static const char reason[] = "the session that sid names cannot be upgraded here";

    handshake->close_code = sid == SID_OURS ? WS_CLOSE_PROTOCOL_ERROR : 0;
    return ws_handshake_refuse(handshake, 400, reason) == WS_OK;
}

/* The application is asked about a client of Socket.IO when that connects a socket, and was asked
 * about a client whose session is to be upgraded. */
static bool judge(struct ws_handshake *handshake, ws_websocket *websocket,
                  const struct request *request)
{
    const ws_endpoint *endpoint = websocket->endpoint;
    struct engineio_session *session;
    enum named_sid sid = SID_NONE;

    if (!handshake_begin(handshake, websocket, websocket->user_data, endpoint, request))
        return false;
    if (is_engineio(websocket) && !opens_session(handshake))
        return !handshake->out_of_memory &&
               ws_handshake_refuse(handshake, 400,
                                   "the query of Engine.IO must have EIO=4 and "
                                   "transport=websocket") == WS_OK;
    session =
        is_engineio(websocket) ? engineio_carrier_probed(websocket, handshake, &sid) : NULL;
    if (handshake->out_of_memory)
        return false;
    if (sid != SID_NONE && session == NULL)
        return refuse_probe(handshake, sid);
    return sid != SID_NONE || endpoint->options.protocol == WS_PROTOCOL_SOCKETIO ||
           handshake_ask(handshake, endpoint);
}

/* Asks the application whether to accept a valid request, and answers. A session takes over the
 * request. */
static void ask_application(ws_websocket *websocket, struct request **request)
{
    struct ws_handshake handshake;

    if (!judge(&handshake, websocket, *request))
        give_up(websocket, *request);
    else if (websocket->state == WEBSOCKET_JUDGED) {
        if (handshake.status == 101 || handshake_close_code(&handshake) != 0) {
            accept_handshake(websocket, &handshake, request);
        } else {
            const struct refusal refusal = {.status = handshake.status,
                                            .reason = handshake.refusal};

            refuse(websocket, &refusal, *request);
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
        handshake_check(request, &refusal);
    else if (result != REQUEST_NO_MEMORY)
        handshake_explain(request, result, websocket->endpoint->options.max_head_bytes,
                          &refusal);
    if (result == REQUEST_NO_MEMORY)
        give_up(websocket, request);
    else if (refusal.status == 101)
        ask_application(websocket, &request);
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

/* The head that is arriving gives way to what others send. */
static void give_way(void *owner)
{
    ws_websocket *websocket = owner;
    struct request *request;
    struct refusal refusal = {.status = 503, .reason = UNFINISHED_TOO_MANY};

    websocket_enter(websocket);
    request = websocket_take_request(websocket);
    refuse(websocket, &refusal, request);
    request_free(request);
    websocket_leave(websocket);
}

/* Bounds the memory of what all clients of the loop have not completed. */
static void note_unfinished(ws_websocket *websocket)
{
    const ws_loop *loop = websocket_loop(websocket);
    struct unfinished *own = &websocket->request->unfinished;
    const struct unfinished *ending;

    own->owner = websocket;
    own->give_way = give_way;
    unfinished_count(loop, own, request_bytes(websocket->request));
    ending = unfinished_excess(loop, websocket->endpoint->options.max_message_bytes);
    if (ending != NULL)
        ending->give_way(ending->owner);
}

size_t handshake_receive(ws_websocket *websocket, const char *data, size_t length)
{
    enum request_result result;
    size_t used = 0;

    if (websocket->state == WEBSOCKET_HANDSHAKE && !begin_request(websocket))
        return 0;
    result = request_feed(websocket->request, data, length,
                          websocket->endpoint->options.max_head_bytes, &used);
    if (result == REQUEST_MORE)
        note_unfinished(websocket);
    else
        judge_request(websocket, result);
    return used;
}

void handshake_upgrade(ws_websocket *websocket, const char *method, uint32_t http_major,
                       uint32_t http_minor, const char *target, const ws_header *headers,
                       size_t n_headers)
{
    if (begin_request(websocket))
        judge_request(websocket, request_fill(websocket->request, method, http_major,
                                              http_minor, target, headers, n_headers,
                                              websocket->endpoint->options.max_head_bytes));
}
