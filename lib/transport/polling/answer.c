/* answer.c: the answers to requests of polling. */
#include "transport/polling/answer.h"

#include <string.h>

const char *polling_error_text(enum polling_error error)
{
    switch (error) {
    case POLLING_UNKNOWN_TRANSPORT:
        return "Transport unknown";
    case POLLING_UNKNOWN_SID:
        return "Session ID unknown";
    case POLLING_BAD_METHOD:
        return "Bad handshake method";
    case POLLING_FORBIDDEN:
        return "Forbidden";
    case POLLING_UNSUPPORTED_VERSION:
        return "Unsupported protocol version";
    case POLLING_BAD_REQUEST:
        break;
    }
    return "Bad request";
}

static void answer(ws_http *http, struct response *response, int status, const char *type,
                   const char *body, size_t length)
{
    response->status = status;
    response_add(response, "Content-Type", type);
    response_add(response, "Cache-Control", "no-store");
    response_send(response, http, body, length);
}

void polling_answer_error(ws_http *http, struct response *response, int status,
                          enum polling_error error, const char *text)
{
    struct buffer body;
    char bytes[256];

    buffer_init_with(&body, http_memory(http), bytes, sizeof bytes);
    buffer_add_text(&body, "{\"code\":");
    buffer_add_number(&body, error);
    buffer_add_text(&body, ",\"message\":");
    buffer_add_json_string(&body, text, strlen(text));
    buffer_add_text(&body, "}");
    response->fields.failed |= body.failed;
    answer(http, response, status, "application/json", body.data, body.length);
    buffer_free(&body);
}

void polling_answer_packets(ws_http *http, struct response *response,
                            const struct buffer *packets)
{
    response->fields.failed |= packets->failed;
    answer(http, response, 200, "text/plain; charset=UTF-8", packets->data, packets->length);
}

void polling_answer_ok(ws_http *http, struct response *response)
{
    answer(http, response, 200, "text/html", "ok", 2);
}
