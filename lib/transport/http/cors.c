/* cors.c: lets pages of other origins use an endpoint (Fetch, "CORS protocol"). */
#include "transport/http/cors.h"

void cors_allow_origin(struct ws_handshake *handshake, const ws_endpoint *endpoint,
                       struct response *response)
{
    const ws_endpoint_options *options = &endpoint->options;
    const char *origin = request_header(handshake->request, "Origin", 0);

    if (options->allow_origin == NULL)
        return;
    response_add(response, "Vary", "Origin");
    if (origin == NULL || options->allow_origin(handshake, options->user_data) != WS_OK)
        return;
    response_add(response, "Access-Control-Allow-Origin", origin);
    response_add(response, "Access-Control-Allow-Credentials", "true");
}

/* The headers that a page may send. */
static void add_headers(const ws_http *http, struct response *response)
{
    static const char always[] = "Authorization, Cache-Control, Content-Type, Last-Event-ID";
    const ws_endpoint_options *options = &http->endpoint->options;
    struct buffer value;
    char text[512];

    buffer_init_with(&value, http_memory(http), text, sizeof text);
    buffer_add(&value, always, sizeof always - 1);
    for (size_t i = 0; i < options->n_allowed_headers; i++) {
        buffer_add_text(&value, ", ");
        buffer_add_text(&value, options->allowed_headers[i]);
    }
    buffer_add(&value, "", 1);
    response_add(response, "Access-Control-Allow-Headers", value.failed ? always : value.data);
    buffer_free(&value);
}

void cors_answer_options(ws_http *http, struct response *response)
{
    response->status = 204;
    response_add(response, "Allow", HTTP_METHODS);
    if (http->endpoint->options.allow_origin != NULL) {
        response_add(response, "Access-Control-Allow-Methods", "GET, POST");
        add_headers(http, response);
        response_add(response, "Access-Control-Max-Age", "600");
    }
    response_send(response, http, NULL, 0);
}
