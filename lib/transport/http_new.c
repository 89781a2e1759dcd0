/* http_new.c: takes an HTTP request through its checks, asks the application, and begins what the
 * request is for. Not here: what pages of other origins may do (http/cors.h). */
#include <string.h>

#include <ws_manager/http.h>

#include "base/http_target.h"
#include "base/options.h"
#include "transport/http/cors.h"
#include "transport/http/error_response.h"
#include "transport/polling/requests.h"
#include "transport/shared/handshake.h"
#include "transport/sse/post.h"
#include "transport/sse/stream.h"

void ws_http_request_init_size(ws_http_request *request, size_t size)
{
    const ws_http_request defaults = {
        .size = sizeof defaults,
        .http_major = 1,
        .http_minor = 1,
    };

    options_init(request, size, &defaults, sizeof defaults);
}

/* --- checks ---------------------------------------------------------------------------------- */

static void set(struct refusal *refusal, int status, const char *reason, const char *advice)
{
    refusal->status = status;
    refusal->reason = reason;
    refusal->advice = advice;
}

static void explain(const struct request *request, enum request_result result,
                    struct refusal *refusal)
{
    if (result == REQUEST_TOO_LARGE)
        set(refusal, 431, "the head is too large or has too many headers",
            "a browser sends all cookies of the domain; they may be too large");
    else
        set(refusal, 400,
            request_problem(request) != NULL ? request_problem(request)
                                             : "the request is malformed",
            NULL);
}

static bool is_known_method(const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "OPTIONS"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0)
            return true;
    return false;
}

static bool is_engineio(const ws_http *http)
{
    return http->endpoint->options.protocol >= WS_PROTOCOL_SOCKETIO;
}

/* Sets refusal->status to 0 for a request that may be answered. A host that writes the response
 * itself may speak another version of HTTP, and has its own rules for Host. */
static void check(ws_http *http, const struct request *request, const ws_http_request *head,
                  struct refusal *refusal)
{
    const char *host = request_header(request, "Host", 0);
    bool is_ours = http->framing != FRAMING_HOST;

    if (is_ours && request_header_lists(request, "Connection", "close", true))
        http->keeps_alive = false;
    set(refusal, 0, NULL, NULL);
    if (is_ours && request->http_major != 1)
        set(refusal, 505, "the request is not HTTP/1.1", NULL);
    else if (is_ours && request->http_minor > 0 && host == NULL)
        set(refusal, 400, "the request lacks Host", NULL);
    else if (request_header(request, "Host", 1) != NULL)
        set(refusal, 400, "the request has several Host headers", NULL);
    else if (host != NULL && !http_host_valid(host))
        set(refusal, 400, "the Host header is not a valid host", NULL);
    else if (request_path(request) == NULL)
        set(refusal, 400,
            "the target is not a path, or names a host other than the Host header", NULL);
    else if (!is_engineio(http) && !is_known_method(head->method))
        set(refusal, 405, "the method is not one of " HTTP_METHODS, NULL);
}

/* --- the request ----------------------------------------------------------------------------- */

static void begin_use(ws_http *http, struct ws_handshake *handshake, struct response *response)
{
    if (strcmp(handshake->method, "POST") == 0)
        post_begin(http, handshake, response);
    else if (http->is_head)
        stream_describe(http, handshake, response);
    else
        stream_open(http, handshake, response);
}

/* Asks the application about the request, and answers or begins its use, which may take over the
 * head. */
static void ask(ws_http *http, struct ws_handshake *handshake, struct response *response,
                struct request **request)
{
    cors_allow_origin(handshake, http->endpoint, response);
    if (strcmp(handshake->method, "OPTIONS") == 0) {
        cors_answer_options(http, response);
        return;
    }
    if (is_engineio(http)) {
        polling_request(http, handshake, response, request);
        return;
    }
    handshake->after = stream_last_event_id(handshake->request);
    if (!handshake_ask(handshake, http->endpoint)) {
        buffer_free(&response->fields);
        http_abort(http);
    } else if (handshake->status != 101) {
        const struct refusal refusal = {.status = handshake->status,
                                        .reason = handshake->refusal};

        http_refuse(http, response, &refusal, handshake->request);
    } else {
        begin_use(http, handshake, response);
    }
}

/* Answers a request whose head is known, and frees the head. */
static void judge(ws_http *http, struct request *request, const ws_http_request *head,
                  enum request_result result)
{
    struct ws_handshake handshake;
    struct response response;
    struct refusal refusal;

    response_init(&response, http, 0);
    if (result == REQUEST_DONE)
        check(http, request, head, &refusal);
    else if (result != REQUEST_NO_MEMORY)
        explain(request, result, &refusal);
    if (result == REQUEST_NO_MEMORY) {
        buffer_free(&response.fields);
        http_abort(http);
    } else if (refusal.status != 0) {
        http_refuse(http, &response, &refusal, request);
    } else {
        if (handshake_begin(&handshake, NULL, http->user_data, http->endpoint, request)) {
            handshake.method = head->method;
            handshake.client = head->client;
            ask(http, &handshake, &response, &request);
        } else {
            buffer_free(&response.fields);
            http_abort(http);
        }
        handshake_free(&handshake);
    }
    request_free(request);
}

/* A text that is too long is not cut: two clients could become one. */
static bool client_valid(const char *client)
{
    return client == NULL || strnlen(client, CLIENT_TEXT_MAX + 1) <= CLIENT_TEXT_MAX;
}

static void set_version(ws_http *http, const ws_http_request *head)
{
    bool is_new = head->http_major == 1 && head->http_minor > 0;

    if (head->body_only != 0)
        http->framing = FRAMING_HOST;
    else
        http->framing = is_new ? FRAMING_CHUNKS : FRAMING_CONNECTION;
    http->is_head = strcmp(head->method, "HEAD") == 0;
    http->keeps_alive = http->framing != FRAMING_CONNECTION;
}

int ws_http_new(ws_loop *loop, ws_endpoint *endpoint, void *user_data,
                const ws_http_request *request, ws_http **http)
{
    enum request_result result;
    struct request *parsed;
    ws_http_request head;
    ws_loop *previous;
    ws_http *made;

    ws_http_request_init(&head);
    if (loop == NULL || endpoint == NULL || endpoint->manager != loop->manager ||
        http == NULL || request == NULL || !options_copy(&head, sizeof head, request) ||
        head.method == NULL || head.target == NULL ||
        (head.headers == NULL && head.n_headers > 0) || !client_valid(head.client) ||
        endpoint->options.protocol == WS_PROTOCOL_RAW)
        return WS_ERR_INVALID;
    if (!checks_loop(loop, __func__))
        return WS_ERR_MISUSE;
    parsed = request_new(&loop->manager->memory);
    made = parsed != NULL ? http_make(loop, endpoint, user_data) : NULL;
    if (made == NULL) {
        request_free(parsed);
        return WS_ERR_NO_MEMORY;
    }
    checks_count(loop, 1);
    http_enter(made);
    previous = transport_call_begin(loop);
    result = request_fill(parsed, head.method, head.http_major, head.http_minor, head.target,
                          head.headers, head.n_headers, endpoint->options.max_head_bytes);
    set_version(made, &head);
    judge(made, parsed, &head, result);
    transport_call_end(loop, previous);
    http_leave(made);
    *http = made;
    return WS_OK;
}
