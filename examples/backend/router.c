/* router.c: finds the handler that answers a request. */
#include "router.h"

#include <stdio.h>
#include <string.h>

#include "api.h"
#include "guard.h"
#include "refusal_log.h"
#include "text.h"

enum {
    PARAMETER_BYTES = SKU_MAX_BYTES + 1, /* ids are shorter, and names of rooms and users */
    SHORT_LIST = 64,        /* rows: of some 250 bytes each, a connection's share of a turn */
    SHORT_ORDER_BYTES = 256 /* a few lines, of some 30 bytes each, cost as much */
};

/* A "*" in a pattern stands for one segment, which the handler gets as its parameter. */
static const struct route {
    const char *pattern;
    enum http_method method;
    bool is_status; /* with --admin-listen, served there only */
    api_handler *handler;
    /* Of a list without a limit in the request; 0: not a list; INT64_MAX: unknown even with a
     * limit, as each order has up to a hundred lines. */
    int64_t rows;
} routes[] = {
    {"/api/orders", HTTP_GET, false, api_list_orders, INT64_MAX},
    {"/api/orders", HTTP_POST, false, api_create_order, 0},
    {"/api/orders/*", HTTP_GET, false, api_get_order, 0},
    {"/api/orders/*", HTTP_PUT, false, api_update_order, 0},
    {"/api/orders/*/status", HTTP_PATCH, false, api_set_order_status, 0},
    {"/api/clients", HTTP_GET, false, api_list_clients, API_MOST_CLIENTS},
    {"/api/clients", HTTP_POST, false, api_create_client, 0},
    {"/api/clients/*", HTTP_PUT, false, api_update_client, 0},
    {"/api/inventory", HTTP_GET, false, api_list_inventory, API_MOST_ITEMS},
    {"/api/inventory/*", HTTP_PATCH, false, api_update_item, 0},
    {"/api/notifications", HTTP_POST, false, api_send_notification, 0},
    {"/api/presence", HTTP_GET, false, api_get_presence, 0},
    {"/api/presence/*", HTTP_GET, false, api_get_presence, 0},
    {"/api/users/*/disconnect", HTTP_POST, false, api_disconnect_user, 0},
    {"/healthz", HTTP_GET, true, api_get_health, 0},
    {"/metrics", HTTP_GET, true, api_get_metrics, 0},
    {"/ws/stats", HTTP_GET, true, api_get_stats, 0},
};

/* Whether a path matches a pattern; the segment at the "*" is then decoded into `parameter`. */
static bool matches(const char *pattern, const char *path, char *parameter, size_t size)
{
    const char *star = strchr(pattern, '*');
    size_t before;
    size_t segment;

    parameter[0] = '\0';
    if (star == NULL)
        return strcmp(pattern, path) == 0;
    before = (size_t)(star - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    segment = strcspn(path + before, "/");
    return segment > 0 && strcmp(star + 1, path + before + segment) == 0 &&
           text_percent_decode(path + before, segment, parameter, size);
}

static void answer_not_found(struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_NOT_FOUND,
                                   "nothing exists at this path");
}

static void answer_not_allowed(struct http_response *response, const char *allowed)
{
    http_response_set_status_error(response, HTTP_STATUS_METHOD_NOT_ALLOWED,
                                   "this method is not allowed here");
    http_response_add_field(response, "Allow", allowed);
}

static void add_method(char *allowed, size_t size, enum http_method method)
{
    size_t length = strlen(allowed);

    snprintf(allowed + length, size - length, "%s%s", length > 0 ? ", " : "",
             method == HTTP_GET ? "GET, HEAD" : http_method_str(method));
}

/* While stopping, no client would receive the event of a change. */
static void answer_stopping(struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                   "the server restarts");
    http_response_add_field(response, "Retry-After", "1");
}

/* A path that is not in the table is that of a file, or of nothing. */
static void answer_file(struct app *app, const struct http_request *request,
                        enum http_method method, struct http_response *response)
{
    if (strncmp(http_request_path(request), "/api/", strlen("/api/")) == 0) {
        answer_not_found(response);
        return;
    }
    static_files_serve(&app->static_files, request, response);
    if (method != HTTP_GET && response->status < HTTP_STATUS_BAD_REQUEST) {
        http_response_free(response);
        http_response_init(response);
        answer_not_allowed(response, "GET, HEAD");
    }
}

static bool is_served(const struct app *app, const struct route *route, bool is_admin)
{
    bool has_admin = app->options->admin.length > 0;

    return is_admin ? route->is_status : !route->is_status || !has_admin;
}

/* Answers a request at /ws that is not a handshake, or whose listener has no WebSocket. */
static void answer_no_websocket(bool is_admin, struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_NOT_FOUND,
                                   is_admin ? "this listener has no WebSocket"
                                            : "there is no WebSocket here; it is at /ws");
}

static bool is_admitted(const struct app *app, const struct http_request *request,
                        bool is_admin, struct http_response *response)
{
    if (refusal_is_handshake(request)) {
        answer_no_websocket(is_admin, response);
        return false;
    }
    return request->is_admitted ||
           (is_admin ? guard_admits_admin : guard_admits)(app, request, response);
}

/* Lets the handler answer, or answers that there is none. */
static void dispatch(struct app *app, const struct http_request *request, bool is_admin,
                     struct http_response *response)
{
    enum http_method method = (enum http_method)request->parser.method;
    char parameter[PARAMETER_BYTES];
    char allowed[64] = "";

    if (method == HTTP_HEAD)
        method = HTTP_GET;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];

        if (!is_served(app, route, is_admin) ||
            !matches(route->pattern, http_request_path(request), parameter, sizeof parameter))
            continue;
        if (route->method == method && method != HTTP_GET && atomic_load(&app->stopping)) {
            answer_stopping(response);
            return;
        }
        if (route->method == method) {
            struct api_call call = {app, request, response, parameter};

            route->handler(&call);
            return;
        }
        add_method(allowed, sizeof allowed, route->method);
    }
    if (allowed[0] != '\0')
        answer_not_allowed(response, allowed);
    else if (is_admin)
        answer_not_found(response);
    else
        answer_file(app, request, method, response);
}

/* A request that only reads must not have a body. */
static bool changes_something(const struct app *app, const struct http_request *request,
                              bool is_admin)
{
    char parameter[PARAMETER_BYTES];

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];

        if (route->method == (enum http_method)request->parser.method &&
            route->method != HTTP_GET && is_served(app, route, is_admin) &&
            matches(route->pattern, http_request_path(request), parameter, sizeof parameter))
            return true;
    }
    return false;
}

bool router_takes_body(struct app *app, const struct http_request *request, bool is_admin,
                       struct http_response *response)
{
    if (!is_admitted(app, request, is_admin, response))
        return false;
    if (request->parser.method == HTTP_GET || request->parser.method == HTTP_HEAD) {
        http_response_set_status_error(response, HTTP_STATUS_BAD_REQUEST,
                                       "this request must not have a body");
        return false;
    }
    if (!is_admin && realtime_serves_http(http_request_path(request)))
        return true;
    if (!changes_something(app, request, is_admin)) {
        dispatch(app, request, is_admin, response);
        return false;
    }
    if (atomic_load(&app->stopping)) {
        answer_stopping(response);
        return false;
    }
    return true;
}

void router_answer(struct app *app, const struct http_request *request, bool is_admin,
                   struct http_response *response)
{
    if (is_admitted(app, request, is_admin, response))
        dispatch(app, request, is_admin, response);
}

/* The most rows of the answer; 0: it is not a list. */
static int64_t most_rows(const struct http_request *request)
{
    const char *path = http_request_path(request);

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const char *query = http_request_query(request);
        char limit[32];
        int64_t rows;

        if (routes[i].rows == 0 || strcmp(routes[i].pattern, path) != 0)
            continue;
        if (routes[i].rows < INT64_MAX &&
            text_next_parameter(&query, "limit", limit, sizeof limit) == TEXT_PARAMETER_FOUND &&
            text_parse_number(limit, 0, INT64_MAX, &rows))
            return rows;
        return routes[i].rows;
    }
    return 0;
}

/* Whether the body may be an order of many lines. */
static bool is_long_order(const struct http_request *request)
{
    return byte_buffer_length(&request->body) > SHORT_ORDER_BYTES &&
           strncmp(http_request_path(request), "/api/orders", strlen("/api/orders")) == 0;
}

bool router_is_costly(const struct http_request *request)
{
    bool is_read = request->parser.method == HTTP_GET || request->parser.method == HTTP_HEAD;

    return is_read ? most_rows(request) > SHORT_LIST : is_long_order(request);
}
