/* handshake.c: the server's side of the opening handshake (RFC 6455 §4.2). */
#include "transport/websocket/handshake.h"

#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/http_text.h"
#include "base/utf8.h"
#include "transport/websocket/opening.h"
#include "transport/websocket/query.h"
#include "transport/websocket/websocket.h"

enum { ACCEPT_LENGTH = 28 };

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

bool handshake_judge(struct ws_handshake *handshake, ws_websocket *websocket,
                     const ws_endpoint *endpoint, const struct request *request)
{
    const ws_endpoint_options *options = &endpoint->options;
    int result = WS_OK;

    *handshake = (struct ws_handshake){
        .websocket = websocket,
        .request = request,
        .memory = &endpoint->manager->memory,
        .status = 101,
    };
    if (!split_target(handshake))
        return false;
    choose_subprotocol(handshake, endpoint);
    if (options->deflate)
        handshake->deflate = extension_negotiate(request);
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

uint16_t handshake_close_code(const struct ws_handshake *handshake)
{
    bool refused = handshake->status == 401 || handshake->status == 403;

    if (!refused || request_header(handshake->request, "Origin", 0) == NULL)
        return 0;
    return handshake->status == 401 ? WS_CLOSE_UNAUTHORIZED : WS_CLOSE_FORBIDDEN;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* Writes the value of Sec-WebSocket-Accept (§4.2.2 item 5.4). */
static void add_accept(struct buffer *buffer, const char *key, const EVP_MD *sha1)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char joined[OPENING_KEY_LENGTH + sizeof guid];
    unsigned char digest[SHA_DIGEST_LENGTH];
    unsigned char accept[ACCEPT_LENGTH + 1];

    memcpy(joined, key, OPENING_KEY_LENGTH);
    memcpy(joined + OPENING_KEY_LENGTH, guid, sizeof guid);
    if (EVP_Digest(joined, sizeof joined - 1, digest, NULL, sha1, NULL) != 1) {
        buffer->failed = true;
        return;
    }
    EVP_EncodeBlock(accept, digest, sizeof digest);
    buffer_add(buffer, accept, ACCEPT_LENGTH);
}

void handshake_write_answer(const struct ws_handshake *handshake, struct buffer *buffer)
{
    buffer_add_text(buffer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    add_accept(buffer, request_header(handshake->request, "Sec-WebSocket-Key", 0),
               handshake->websocket->endpoint->sha1);
    buffer_add_text(buffer, "\r\n");
    if (handshake->deflate.accepted) {
        buffer_add_text(buffer, "Sec-WebSocket-Extensions: ");
        extension_write(&handshake->deflate, buffer);
        buffer_add_text(buffer, "\r\n");
    }
    if (handshake->subprotocol != NULL) {
        buffer_add_text(buffer, "Sec-WebSocket-Protocol: ");
        buffer_add_text(buffer, handshake->subprotocol);
        buffer_add_text(buffer, "\r\n");
    }
    buffer_add_text(buffer, "\r\n");
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

const char *ws_handshake_header(ws_handshake *handshake, const char *name)
{
    if (handshake == NULL || name == NULL)
        return NULL;
    if (request_header(handshake->request, name, 1) != NULL)
        return join_headers(handshake, name);
    return request_header(handshake->request, name, 0);
}

int ws_handshake_query_parameter(ws_handshake *handshake, const char *name, const char **value,
                                 size_t *length)
{
    char *text;
    ptrdiff_t decoded;

    if (handshake == NULL || name == NULL || value == NULL)
        return WS_ERR_INVALID;
    text = new_text(handshake, strlen(handshake->query) + 1);
    if (text == NULL)
        return WS_ERR_NO_MEMORY;
    decoded = query_parameter(handshake->query, name, text);
    if (decoded < 0)
        return decoded == QUERY_ABSENT ? WS_ERR_NOT_FOUND : WS_ERR_INVALID;
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
    if (!http_token_valid(subprotocol) ||
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
        handshake->deflate.accepted = false;
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
