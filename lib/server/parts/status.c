/* status.c: answers about the server itself: its health and its metrics. */
#include "server/parts/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <http_parser.h>

enum { COUNTERS_BYTES = 512 };

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
    char counters[COUNTERS_BYTES];

    snprintf(counters, sizeof counters,
             "# TYPE ws_server_sockets gauge\n"
             "# HELP ws_server_sockets Connections of clients, including those that are not "
             "WebSockets\n"
             "ws_server_sockets %zu\n"
             "# TYPE ws_server_addresses_refused counter\n"
             "# HELP ws_server_addresses_refused Connections refused because their address had "
             "too many\n"
             "ws_server_addresses_refused_total %" PRIu64 "\n",
             atomic_load(&server->n_sockets), address_table_refused(&server->addresses));
    return byte_buffer_append(joined, counters, strlen(counters)) &&
           byte_buffer_append(joined, library, length);
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
