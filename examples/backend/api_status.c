/* api_status.c: health, statistics and metrics.
 * Most figures come from the library. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ws_manager/manager.h>
#include <ws_manager/presence.h>

#include "api.h"
#include "base/metrics.h"
#include "server/parts/buffer.h"

static const char json_type[] = "application/json; charset=utf-8";
static const char metrics_type[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/* A list takes a few hundred microseconds at most: max_presence_list. */
void api_get_presence(struct api_call *call)
{
    const char *room = *call->parameter != '\0' ? call->parameter : NULL;
    size_t length;
    char *text;
    int result = ws_manager_get_presence(call->app->realtime.manager, room, &text, &length);

    if (result == WS_OK) {
        http_response_set_text(call->response, HTTP_STATUS_OK, json_type, text, length);
        ws_manager_free_text(call->app->realtime.manager, text);
    } else if (result == WS_ERR_INVALID) {
        http_response_set_status_error(call->response, HTTP_STATUS_NOT_FOUND,
                                       "this is not a valid room name");
    } else {
        http_response_set_status_error(
            call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
            "the limit of users in rooms with presence is reached, or memory is short");
    }
}

void api_get_health(struct api_call *call)
{
    static const char healthy[] = "{\"status\":\"ok\"}";
    static const char draining[] = "{\"status\":\"draining\"}";

    if (ws_server_is_stopping(call->app->server))
        http_response_set_text(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE, json_type,
                               draining, strlen(draining));
    else
        http_response_set_text(call->response, HTTP_STATUS_OK, json_type, healthy,
                               strlen(healthy));
}

static void answer_out_of_memory(struct api_call *call)
{
    http_response_set_status_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                   "out of memory");
}

enum { COUNTER_BYTES = 1024, LONG_BYTES = 64 * 1024 };

/* Answers with the texts joined. A text that could not be made is NULL. */
static void answer_texts(struct api_call *call, const char *type, const char *const *texts,
                         size_t n_texts)
{
    struct byte_buffer joined = {0};
    bool complete = true;

    for (size_t i = 0; i < n_texts && complete; i++)
        complete = texts[i] != NULL && byte_buffer_append(&joined, texts[i], strlen(texts[i]));
    if (complete)
        http_response_set_text(call->response, HTTP_STATUS_OK, type, byte_buffer_bytes(&joined),
                               byte_buffer_length(&joined));
    else
        answer_out_of_memory(call);
    byte_buffer_free(&joined);
}

static ws_server_stats get_sockets(struct app *app)
{
    ws_server_stats stats = {.size = sizeof stats};

    ws_server_get_stats(app->server, &stats);
    return stats;
}

/* The figures of the library and of the backend; with Redis, also those of its client and of the
 * other processes. */
static char *make_stats(struct app *app, size_t max_rooms_bytes, size_t *length)
{
    ws_manager *manager = app->realtime.manager;
    struct byte_buffer joined = {0};
    ws_server_stats sockets = get_sockets(app);
    char ours[COUNTER_BYTES];
    char *cluster = NULL;
    bool is_whole;
    char *text;

    if (ws_manager_get_stats_within(manager, max_rooms_bytes, &text, length) != WS_OK)
        return NULL;
    snprintf(ours, sizeof ours,
             ",\"sockets\":%" PRIu64 ",\"addresses_refused\":%" PRIu64
             ",\"database_failures\":%" PRIu64,
             sockets.sockets, sockets.addresses_refused, store_failures(app->store));
    is_whole = byte_buffer_append(&joined, text, *length - 1) && /* without its closing brace */
               byte_buffer_append(&joined, ours, strlen(ours));
    ws_manager_free_text(manager, text);
    if (app->cluster.redis == NULL) {
        is_whole = is_whole && byte_buffer_append(&joined, "}", 1);
    } else {
        cluster = cluster_stats(&app->cluster);
        is_whole = is_whole && cluster != NULL && byte_buffer_append(&joined, ",", 1) &&
                   byte_buffer_append(&joined, cluster + 1, strlen(cluster + 1));
        cJSON_free(cluster);
    }
    if (!is_whole)
        byte_buffer_free(&joined);
    *length = byte_buffer_length(&joined);
    return joined.data;
}

char *api_stats_text(struct app *app, size_t *length)
{
    return make_stats(app, SIZE_MAX, length);
}

/* Only the beginning is searched: the rooms come before anything that is long. */
static bool has_no_rooms(const char *text, size_t length)
{
    static const char none[] = "\"rooms\":null";

    return memmem(text, length < COUNTER_BYTES ? length : COUNTER_BYTES, none, strlen(none)) !=
           NULL;
}

static void answer_text_file(struct http_response *response)
{
    response->status = HTTP_STATUS_OK;
    response->content_type = json_type;
}

static void answer_no_stats(struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                   "the list of rooms cannot be made now; try again");
    http_response_add_field(response, "Retry-After", "1");
}

void api_answer_stats(struct app *app, ws_server_ticket *ticket)
{
    struct http_response response;

    http_response_init(&response);
    if (stats_cache_get(&app->stats_cache, &response.file, &response.file_length) ==
        STATS_CACHE_FOUND)
        answer_text_file(&response);
    else
        answer_no_stats(&response);
    http_response_send_later(&response, ticket);
}

/* Answers when the text that is being made is complete. */
static void wait_for_stats(struct api_call *call)
{
    ws_server_ticket *ticket;

    if (ws_server_defer(call->request, &ticket) != WS_OK) {
        answer_out_of_memory(call);
        return;
    }
    call->response->is_deferred = true;
    stats_cache_wait(&call->app->stats_cache, ticket);
}

/* A short text is made for each request. A long one would block the loop, so another thread makes
 * it, and its readers share it. */
void api_get_stats(struct api_call *call)
{
    struct stats_cache *cache = &call->app->stats_cache;
    struct http_response *response = call->response;
    size_t length;
    char *text;

    switch (stats_cache_get(cache, &response->file, &response->file_length)) {
    case STATS_CACHE_FOUND:
        answer_text_file(response);
        return;
    case STATS_CACHE_MAKING:
        wait_for_stats(call);
        return;
    case STATS_CACHE_FAILED:
        answer_no_stats(response);
        return;
    case STATS_CACHE_EMPTY:
        break;
    }
    text = make_stats(call->app, LONG_BYTES, &length);
    if (text == NULL) {
        answer_out_of_memory(call);
        return;
    }
    if (!has_no_rooms(text, length)) {
        if (length > LONG_BYTES)
            (void)stats_cache_put(cache, text, length); /* this answer is unaffected */
        http_response_set_text(response, HTTP_STATUS_OK, json_type, text, length);
    } else if (stats_cache_make(cache)) {
        wait_for_stats(call);
    } else {
        answer_out_of_memory(call);
    }
    free(text);
}

/* As one text. */
static void add_own_metrics(struct app *app, struct buffer *own)
{
    static const char prefix[] = "orders_";
    ws_server_stats sockets = get_sockets(app);

    metrics_add_gauge(own, prefix, "sockets",
                      "Connections of clients, including those that are not WebSockets",
                      sockets.sockets);
    metrics_add_counter(own, prefix, "addresses_refused",
                        "Connections refused because their address had too many",
                        sockets.addresses_refused);
    metrics_add_counter(
        own, prefix, "database_failures",
        "Calls to the database that failed, including those that found it locked "
        "or full",
        store_failures(app->store));
    buffer_add(own, "", 1);
}

void api_get_metrics(struct api_call *call)
{
    struct app *app = call->app;
    ws_manager *manager = app->realtime.manager;
    ws_allocator memory;
    struct buffer own;
    const char *ours;
    char *redis = NULL;
    char *text;

    memory_allocator_init(&memory);
    if (ws_manager_get_metrics(manager, &text, NULL) != WS_OK) {
        answer_out_of_memory(call);
        return;
    }
    buffer_init(&own, &memory);
    add_own_metrics(app, &own);
    ours = own.failed ? NULL : own.data;
    if (app->cluster.redis == NULL) {
        answer_texts(call, metrics_type, (const char *[]){ours, text}, 2);
    } else if (ws_redis_get_metrics(app->cluster.redis, &redis, NULL) == WS_OK) {
        answer_texts(call, metrics_type, (const char *[]){ours, redis, text}, 3);
        ws_redis_free_text(app->cluster.redis, redis);
    } else {
        answer_out_of_memory(call);
    }
    buffer_free(&own);
    ws_manager_free_text(manager, text);
}
