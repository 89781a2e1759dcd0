/* response.c: composes a response: its head, and a short body. */
#include "transport/http/response.h"

#include <string.h>

#include "base/options.h"
#include "transport/http/http_output.h"
#include "transport/shared/status.h"

void response_init(struct response *response, const ws_http *http, int status)
{
    *response = (struct response){.status = status};
    buffer_init(&response->fields, http_memory(http));
}

void response_add(struct response *response, const char *name, const char *value)
{
    buffer_add(&response->fields, name, strlen(name) + 1);
    buffer_add(&response->fields, value, strlen(value) + 1);
    response->n_fields++;
}

static bool keep_head(const struct response *response, ws_http *http)
{
    size_t length = response->fields.length;
    struct response_head *head = memory_alloc(
        http_memory(http), sizeof *head + response->n_fields * sizeof *head->headers + length);
    char *text;

    if (head == NULL)
        return false;
    *head = (struct response_head){response->status, response->n_fields};
    text = (char *)(head->headers + head->n_headers);
    if (length > 0)
        memcpy(text, response->fields.data, length);
    for (size_t i = 0; i < head->n_headers; i++) {
        head->headers[i].name = text;
        text += strlen(text) + 1;
        head->headers[i].value = text;
        text += strlen(text) + 1;
    }
    http->head = head;
    return true;
}

void ws_http_response_head_init_size(ws_http_response_head *head, size_t size)
{
    const ws_http_response_head empty = {.size = sizeof empty};

    options_init(head, size, &empty, sizeof empty);
}

int ws_http_response(const ws_http *http, ws_http_response_head *head)
{
    ws_http_response_head values = {.size = sizeof values};

    if (http == NULL || head == NULL || http->framing != FRAMING_HOST)
        return WS_ERR_INVALID;
    if (http->head == NULL)
        return WS_ERR_NOT_FOUND;
    values.status = http->head->status;
    values.headers = http->head->headers;
    values.n_headers = http->head->n_headers;
    return options_fill(head, &values, sizeof values) ? WS_OK : WS_ERR_INVALID;
}

/* Writes the head. `length` is that of the body, or SIZE_MAX for a stream. */
static void write_head(const struct response *response, const ws_http *http, size_t length,
                       struct buffer *buffer)
{
    const char *at = response->fields.data;
    bool is_stream = length == SIZE_MAX;

    buffer_add_text(buffer, "HTTP/1.1 ");
    buffer_add_number(buffer, (uint64_t)response->status);
    buffer_add_text(buffer, " ");
    buffer_add_text(buffer, status_name(response->status));
    buffer_add_text(buffer, http->keeps_alive ? "\r\n" : "\r\nConnection: close\r\n");
    for (size_t i = 0; i < response->n_fields; i++) {
        buffer_add_text(buffer, at);
        buffer_add_text(buffer, ": ");
        at += strlen(at) + 1;
        buffer_add_text(buffer, at);
        buffer_add_text(buffer, "\r\n");
        at += strlen(at) + 1;
    }
    if (is_stream && http->framing == FRAMING_CHUNKS) {
        buffer_add_text(buffer, "Transfer-Encoding: chunked\r\n");
    } else if (!is_stream && response->status != 204) { /* RFC 9110 §8.6 */
        buffer_add_text(buffer, "Content-Length: ");
        buffer_add_number(buffer, length);
        buffer_add_text(buffer, "\r\n");
    }
    buffer_add_text(buffer, "\r\n");
}

/* Queues the head, or keeps it for the host, and the body. */
static void queue(const struct response *response, ws_http *http, const void *body,
                  size_t length)
{
    struct buffer buffer;

    buffer_init(&buffer, http_memory(http));
    if (response->fields.failed ||
        (http->framing == FRAMING_HOST && !keep_head(response, http)))
        buffer.failed = true;
    else if (http->framing != FRAMING_HOST)
        write_head(response, http, length, &buffer);
    if (length != SIZE_MAX && !http->is_head)
        buffer_add(&buffer, body, length);
    if (buffer.failed)
        http_abort(http);
    else if (buffer.length > 0)
        http_push_own(http, frames_new_own(http_memory(http), buffer.data, buffer.length));
    else
        loop_list_output(http->loop, OUTPUT_HTTP, &http->output);
    buffer_free(&buffer);
}

void response_send(struct response *response, ws_http *http, const void *body, size_t length)
{
    if (http->state == EXCHANGE_REQUEST) {
        http_become(http, EXCHANGE_COMPLETE);
        queue(response, http, body, length);
        if (!http_is_aborted(http))
            http_start_timer(http, 0);
    }
    buffer_free(&response->fields);
}

void response_stream(struct response *response, ws_http *http)
{
    http->keeps_alive = http->framing == FRAMING_HOST; /* the host decides */
    http->head_unsent = http->framing != FRAMING_HOST;
    http_become(http, EXCHANGE_STREAM);
    queue(response, http, NULL, SIZE_MAX);
    buffer_free(&response->fields);
}
