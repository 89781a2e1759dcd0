/* error_response.c: answers a request with an error, in plain text. */
#include "transport/http/error_response.h"

#include "transport/shared/status.h"

/* Adds the fields that belong to a status, and those of the text. */
static void add_fields(struct response *response)
{
    switch (response->status) {
    case 401:
        response_add(response, "WWW-Authenticate", "Bearer");
        break;
    case 405:
        response_add(response, "Allow", HTTP_METHODS);
        break;
    case 429:
        response_add(response, "Retry-After", "1");
        break;
    case 503:
        response_add(response, "Retry-After", "5");
        break;
    default:
        break;
    }
    response_add(response, "Content-Type", "text/plain; charset=utf-8");
    response_add(response, "Cache-Control", "no-store");
}

static void answer(ws_http *http, struct response *response, const char *reason,
                   const char *advice)
{
    struct buffer text;

    buffer_init(&text, http_memory(http));
    buffer_add_text(&text, reason != NULL ? reason : status_name(response->status));
    if (advice != NULL) {
        buffer_add_text(&text, "; ");
        buffer_add_text(&text, advice);
    }
    buffer_add_text(&text, "\n");
    add_fields(response);
    response->fields.failed |= text.failed;
    response_send(response, http, text.data, text.length);
    buffer_free(&text);
}

void http_refuse(ws_http *http, struct response *response, const struct refusal *refusal,
                 const struct request *request)
{
    counter_add(&http->loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(http->loop, refusal->status, refusal->reason, request);
    response->status = refusal->status;
    answer(http, response, refusal->reason, refusal->advice);
}

void http_fail(ws_http *http, struct response *response, int status, const char *reason)
{
    counter_add(&http->loop->counters, COUNTER_client_errors, 1);
    response->status = status;
    answer(http, response, reason, NULL);
}
