/* status.c: answers about the server itself: its health and its metrics. */
#include "server/parts/status.h"

#include <string.h>

#include <http_parser.h>

#include "base/metrics.h"

static void answer_health(const struct ws_server *server, struct response *response)
{
    bool is_stopping = atomic_load(&server->stopping);
    const char *text = is_stopping ? "{\"status\":\"draining\"}" : "{\"status\":\"ok\"}";

    response_set_text(response, is_stopping ? HTTP_STATUS_SERVICE_UNAVAILABLE : HTTP_STATUS_OK,
                      "application/json; charset=utf-8", text, strlen(text));
}

/* The server's own figures, then those of the library, which end with "# EOF". */
static bool join(struct ws_server *server, const char *library, size_t length,
                 struct byte_buffer *joined)
{
    static const char prefix[] = "ws_server_";
    ws_allocator memory;
    struct buffer own;
    bool is_joined;

    memory_allocator_init(&memory);
    buffer_init(&own, &memory);
    metrics_add_gauge(&own, prefix, "sockets",
                      "Connections of clients, including those that are not WebSockets",
                      atomic_load(&server->n_sockets));
    metrics_add_counter(&own, prefix, "addresses_refused",
                        "Connections refused because their address had too many",
                        address_table_refused(&server->addresses));
    is_joined = !own.failed && byte_buffer_append(joined, own.data, own.length) &&
                byte_buffer_append(joined, library, length);
    buffer_free(&own);
    return is_joined;
}

static void answer_metrics(struct ws_server *server, struct response *response)
{
    struct byte_buffer joined = {0};
    size_t length;
    char *text;

    if (ws_manager_get_metrics(server->manager, &text, &length) != WS_OK) {
        response_set_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        return;
    }
    if (join(server, text, length, &joined))
        response_set_text(response, HTTP_STATUS_OK,
                          "application/openmetrics-text; version=1.0.0; charset=utf-8",
                          byte_buffer_bytes(&joined), byte_buffer_length(&joined));
    else
        response_set_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    byte_buffer_free(&joined);
    ws_manager_free_text(server->manager, text);
}

/* `own`: the path of an answer; "" if there is none. */
static bool is_for(const struct ws_server *server, const ws_server_request *request,
                   const char *own)
{
    unsigned method = request->http->parser.method;

    return (server->admin.kind == LISTEN_NONE || request->is_admin) &&
           (method == HTTP_GET || method == HTTP_HEAD) && own[0] != '\0' &&
           strcmp(own, ws_server_request_path(request)) == 0;
}

bool status_answer_health(const struct ws_server *server, const ws_server_request *request,
                          struct response *response)
{
    if (!is_for(server, request, server->health_path))
        return false;
    answer_health(server, response);
    return true;
}

bool status_answer_metrics(struct ws_server *server, const ws_server_request *request,
                           struct response *response)
{
    if (!is_for(server, request, server->metrics_path))
        return false;
    answer_metrics(server, response);
    return true;
}
