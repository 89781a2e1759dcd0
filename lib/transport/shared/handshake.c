/* handshake.c: asks the application about a client's request. */
#include "transport/shared/handshake.h"

#include <string.h>
#include <strings.h>

#include "base/http_query.h"
#include "base/http_text.h"
#include "base/utf8.h"

struct handshake_text {
    struct handshake_text *next;
    char text[];
};

static bool split_target(struct ws_handshake *handshake)
{
    const char *path = request_path(handshake->request);
    char *query;

    handshake->target = memory_copy_text(handshake->memory, path, strcspn(path, "#"));
    if (handshake->target == NULL)
        return false;
    handshake->path = handshake->target;
    handshake->query = "";
    query = strchr(handshake->target, '?');
    if (query != NULL) {
        *query = '\0';
        handshake->query = query + 1;
    }
    if (*handshake->path == '\0')
        handshake->path = "/";
    return true;
}

/* --- the decision ------------------------------------------------------------------------- */

static void choose_subprotocol(struct ws_handshake *handshake, const ws_endpoint *endpoint)
{
    const ws_endpoint_options *options = &endpoint->options;

    for (size_t i = 0; i < options->n_subprotocols; i++) {
        if (request_header_lists(handshake->request, "Sec-WebSocket-Protocol",
                                 options->subprotocols[i], false)) {
            handshake->subprotocol = options->subprotocols[i];
            return;
        }
    }
}

bool handshake_begin(struct ws_handshake *handshake, ws_websocket *websocket, void *host_data,
                     const ws_endpoint *endpoint, const struct request *request)
{
    *handshake = (struct ws_handshake){
        .websocket = websocket,
        .host_data = host_data,
        .method = "GET",
        .request = request,
        .memory = &endpoint->manager->memory,
        .path = "",
        .query = "",
        .status = 101,
    };
    if (request == NULL)
        return true;
    if (!split_target(handshake))
        return false;
    choose_subprotocol(handshake, endpoint);
    return true;
}

bool handshake_ask(struct ws_handshake *handshake, const ws_endpoint *endpoint)
{
    const ws_endpoint_options *options = &endpoint->options;
    int result = WS_OK;

    if (options->accept_handshake != NULL)
        result = options->accept_handshake(handshake, options->user_data);
    if (result != WS_OK && handshake->status == 101)
        handshake->status = result == WS_ERR_NO_MEMORY ? 503 : 403;
    return !handshake->out_of_memory;
}

void handshake_free(struct ws_handshake *handshake)
{
    memory_free(handshake->memory, handshake->target);
    memory_free(handshake->memory, handshake->refusal);
    while (handshake->texts != NULL) {
        struct handshake_text *text = handshake->texts;

        handshake->texts = text->next;
        memory_free(handshake->memory, text);
    }
}

/* --- the application's accessors ---------------------------------------------------------- */

const char *ws_handshake_path(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->path : NULL;
}

const char *ws_handshake_query(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->query : NULL;
}

ws_websocket *ws_handshake_websocket(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->websocket : NULL;
}

void *ws_handshake_host_data(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->host_data : NULL;
}

const char *ws_handshake_method(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->method : NULL;
}

/* Allocates a text that lives as long as the handshake; NULL if memory ran out. */
static char *new_text(struct ws_handshake *handshake, size_t size)
{
    struct handshake_text *text = memory_alloc(handshake->memory, sizeof *text + size);

    if (text == NULL) {
        handshake->out_of_memory = true;
        return NULL;
    }
    text->next = handshake->texts;
    handshake->texts = text;
    return text->text;
}

static const char *join_headers(struct ws_handshake *handshake, const char *name)
{
    const struct request *request = handshake->request;
    char *joined = new_text(handshake, request->text.length + 2 * request->n_headers + 1);
    char *to = joined;
    bool first = true;

    if (joined == NULL)
        return NULL;
    for (size_t i = 0; i < request->n_headers; i++) {
        if (strcasecmp(request->text.data + request->headers[i].name, name) != 0)
            continue;
        if (!first)
            to = stpcpy(to, ", ");
        first = false;
        to = stpcpy(to, request->text.data + request->headers[i].value);
    }
    return joined;
}

bool handshake_judge_connect(struct ws_handshake *handshake, ws_websocket *websocket,
                             void *host_data, const ws_endpoint *endpoint,
                             const struct request *request, const char *name_space,
                             struct json_slice auth)
{
    char *copy;

    if (!handshake_begin(handshake, websocket, host_data, endpoint, request))
        return false;
    handshake->name_space = name_space;
    handshake->auth = "{}";
    if (auth.text != NULL) {
        copy = new_text(handshake, auth.length + 1);
        if (copy == NULL)
            return false;
        memcpy(copy, auth.text, auth.length);
        copy[auth.length] = '\0';
        handshake->auth = copy;
    }
    return handshake_ask(handshake, endpoint);
}

const char *ws_handshake_auth(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->auth : NULL;
}

const char *ws_handshake_namespace(const ws_handshake *handshake)
{
    return handshake != NULL ? handshake->name_space : NULL;
}

const char *ws_handshake_header(ws_handshake *handshake, const char *name)
{
    if (handshake == NULL || name == NULL || handshake->request == NULL)
        return NULL;
    if (request_header(handshake->request, name, 1) != NULL)
        return join_headers(handshake, name);
    return request_header(handshake->request, name, 0);
}

int ws_handshake_query_parameter(ws_handshake *handshake, const char *name, const char **value,
                                 size_t *length)
{
    const char *query;
    char *text;
    ptrdiff_t decoded;

    if (handshake == NULL || name == NULL || value == NULL)
        return WS_ERR_INVALID;
    query = handshake->query;
    text = new_text(handshake, strlen(query) + 1);
    if (text == NULL)
        return WS_ERR_NO_MEMORY;
    decoded = http_query_next(&query, name, text, strlen(query) + 1);
    if (decoded < 0)
        return decoded == HTTP_QUERY_ABSENT ? WS_ERR_NOT_FOUND : WS_ERR_INVALID;
    *value = text;
    if (length != NULL)
        *length = (size_t)decoded;
    return WS_OK;
}

int ws_handshake_set_user_id(ws_handshake *handshake, const char *user_id)
{
    if (handshake == NULL || !name_text_valid(user_id))
        return WS_ERR_INVALID;
    memcpy(handshake->user_id, user_id, strlen(user_id) + 1);
    handshake->has_user = true;
    return WS_OK;
}

void ws_handshake_set_user_data(ws_handshake *handshake, void *user_data)
{
    if (handshake != NULL)
        handshake->user_data = user_data;
}

int ws_handshake_set_subprotocol(ws_handshake *handshake, const char *subprotocol)
{
    char *copy;

    if (handshake == NULL)
        return WS_ERR_INVALID;
    if (subprotocol == NULL) {
        handshake->subprotocol = NULL;
        return WS_OK;
    }
    if (!http_token_valid(subprotocol) || handshake->request == NULL ||
        !request_header_lists(handshake->request, "Sec-WebSocket-Protocol", subprotocol, false))
        return WS_ERR_INVALID;
    copy = new_text(handshake, strlen(subprotocol) + 1);
    if (copy == NULL)
        return WS_ERR_NO_MEMORY;
    handshake->subprotocol = strcpy(copy, subprotocol);
    return WS_OK;
}

void ws_handshake_decline_deflate(ws_handshake *handshake)
{
    if (handshake != NULL)
        handshake->declines_deflate = true;
}

int ws_handshake_refuse(ws_handshake *handshake, int status, const char *text)
{
    char *copy = NULL;

    if (handshake == NULL || status < 400 || status > 599 ||
        (text != NULL && !utf8_valid(text, strlen(text))))
        return WS_ERR_INVALID;
    if (text != NULL) {
        copy = memory_copy_text(handshake->memory, text, strlen(text));
        if (copy == NULL)
            return WS_ERR_NO_MEMORY;
    }
    memory_free(handshake->memory, handshake->refusal);
    handshake->refusal = copy;
    handshake->status = status;
    return WS_OK;
}
