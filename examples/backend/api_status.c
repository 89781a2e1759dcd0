/* api_status.c: how the server is: health, statistics, metrics.
 * The numbers are the library's. */
#include <string.h>

#include <ws_manager/manager.h>

#include "api.h"

static const char json_type[] = "application/json; charset=utf-8";
static const char metrics_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

void api_get_health(struct api_call *call)
{
    static const char healthy[] = "{\"status\":\"ok\"}";
    static const char draining[] = "{\"status\":\"draining\"}";

    if (atomic_load(&call->app->stopping)) {
        http_response_set_text(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE, json_type,
                               draining, strlen(draining));
    } else {
        http_response_set_text(call->response, HTTP_STATUS_OK, json_type, healthy,
                               strlen(healthy));
    }
}

typedef int get_text(ws_manager *manager, char **text, size_t *length);

static void answer_text(struct api_call *call, get_text *get, const char *content_type)
{
    ws_manager *manager = call->app->realtime.manager;
    char *text;
    size_t length;

    if (get(manager, &text, &length) != WS_OK) {
        http_response_set_status_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       "out of memory");
        return;
    }
    http_response_set_text(call->response, HTTP_STATUS_OK, content_type, text, length);
    ws_manager_free_text(manager, text);
}

void api_get_stats(struct api_call *call)
{
    answer_text(call, ws_manager_get_stats, json_type);
}

void api_get_metrics(struct api_call *call)
{
    answer_text(call, ws_manager_get_metrics, metrics_type);
}
