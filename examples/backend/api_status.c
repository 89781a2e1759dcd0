/* api_status.c: how the server is: health, statistics, metrics.
 * The numbers are the library's. */
#include <string.h>

#include <ws_manager/manager.h>

#include "api.h"
#include "buffer.h"

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

static void answer_out_of_memory(struct api_call *call)
{
    http_response_set_status_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                   "out of memory");
}

/* Two texts, one after the other; a text that could not be made is NULL. */
static void answer_texts(struct api_call *call, const char *type, const char *first,
                         const char *second)
{
    struct byte_buffer joined = {0};

    if (first != NULL && second != NULL && byte_buffer_append(&joined, first, strlen(first)) &&
        byte_buffer_append(&joined, second, strlen(second))) {
        http_response_set_text(call->response, HTTP_STATUS_OK, type, byte_buffer_bytes(&joined),
                               byte_buffer_length(&joined));
    } else {
        answer_out_of_memory(call);
    }
    byte_buffer_free(&joined);
}

/* With Redis, how that is and who else is there are further members. */
void api_get_stats(struct api_call *call)
{
    const struct cluster *cluster = &call->app->cluster;
    ws_manager *manager = call->app->realtime.manager;
    char *more = NULL;
    char *text;
    size_t length;

    if (ws_manager_get_stats(manager, &text, &length) != WS_OK) {
        answer_out_of_memory(call);
        return;
    }
    if (cluster->redis != NULL) {
        more = cluster_stats(cluster);
        text[length - 1] = ','; /* instead of its brace, and more's */
    }
    answer_texts(call, json_type, text,
                 cluster->redis == NULL ? "" : (more != NULL ? more + 1 : NULL));
    cJSON_free(more);
    ws_manager_free_text(manager, text);
}

void api_get_metrics(struct api_call *call)
{
    const struct cluster *cluster = &call->app->cluster;
    ws_manager *manager = call->app->realtime.manager;
    char *redis = NULL;
    char *text;

    if (ws_manager_get_metrics(manager, &text, NULL) != WS_OK) {
        answer_out_of_memory(call);
        return;
    }
    if (cluster->redis != NULL && ws_redis_get_metrics(cluster->redis, &redis, NULL) != WS_OK) {
        redis = NULL;
    }
    answer_texts(call, metrics_type, cluster->redis != NULL ? redis : "", text);
    if (redis != NULL) {
        ws_redis_free_text(cluster->redis, redis);
    }
    ws_manager_free_text(manager, text);
}
