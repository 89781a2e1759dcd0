/* router.c: finds the handler that answers a request. */
#include "router.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "guard.h"
#include "http_method.h"
#include "server/parts/text.h"

enum {
    PARAMETER_BYTES = SKU_MAX_BYTES + 1, /* ids are shorter, and names of rooms and users */
    SHORT_LIST = 64,         /* rows: of some 250 bytes each, a connection's share of a turn */
    SHORT_ORDER_BYTES = 256, /* a few lines, of some 30 bytes each, cost as much */
    SHORT_BODY_BYTES = 4096  /* of which each value costs up to 100 ns to parse */
};

/* A "*" in a pattern stands for one segment, which the handler gets as its parameter. */
static const struct route {
    const char *pattern;
    const char *method;
    bool is_status; /* with --admin-listen, served there only */
    api_handler *handler;
    /* Of a list without a limit in the request, or written by a change; 0: few; INT64_MAX: unknown
     * even with a limit, as each order has up to a hundred lines. */
    int64_t rows;
} routes[] = {
    {"/api/orders", "GET", false, api_list_orders, INT64_MAX},
    {"/api/orders", "POST", false, api_create_order, 0},
    {"/api/orders/*", "GET", false, api_get_order, 0},
    {"/api/orders/*", "PUT", false, api_update_order, INT64_MAX},
    {"/api/orders/*/status", "PATCH", false, api_set_order_status, INT64_MAX},
    {"/api/clients", "GET", false, api_list_clients, API_MOST_CLIENTS},
    {"/api/clients", "POST", false, api_create_client, 0},
    {"/api/clients/*", "PUT", false, api_update_client, 0},
    {"/api/inventory", "GET", false, api_list_inventory, API_MOST_ITEMS},
    {"/api/inventory/*", "PATCH", false, api_update_item, 0},
    {"/api/notifications", "POST", false, api_send_notification, 0},
    {"/api/presence", "GET", false, api_get_presence, 0},
    {"/api/presence/*", "GET", false, api_get_presence, 0},
    {"/api/users/*/disconnect", "POST", false, api_disconnect_user, 0},
    {"/healthz", "GET", true, api_get_health, 0},
    {"/metrics", "GET", true, api_get_metrics, 0},
    {"/ws/stats", "GET", true, api_get_stats, 0},
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

static void add_method(char *allowed, size_t size, const char *method)
{
    size_t length = strlen(allowed);

    snprintf(allowed + length, size - length, "%s%s", length > 0 ? ", " : "",
             strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
}

/* While stopping, no client would receive the event of a change. */
static void answer_stopping(struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                   "the server restarts");
    http_response_add_field(response, "Retry-After", "1");
}

/* A path that is not in the table is that of a file, or of nothing. */
static void answer_file(struct app *app, const ws_server_request *request,
                        struct http_response *response)
{
    if (strncmp(ws_server_request_path(request), "/api/", strlen("/api/")) == 0) {
        answer_not_found(response);
        return;
    }
    static_files_serve(&app->static_files, request, response);
    if (!http_method_is_read(request) && response->status < HTTP_STATUS_BAD_REQUEST) {
        http_response_free(response);
        http_response_init(response);
        answer_not_allowed(response, "GET, HEAD");
    }
}

static bool is_served(const struct app *app, const struct route *route, bool is_admin)
{
    bool has_admin = app->options->admin != NULL;

    return is_admin ? route->is_status : !route->is_status || !has_admin;
}

/* Answers a request at /ws that is not a handshake, or whose listener has no WebSocket. */
static void answer_no_websocket(bool is_admin, struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_NOT_FOUND,
                                   is_admin ? "this listener has no WebSocket endpoint"
                                            : "this path has no WebSocket endpoint; use /ws");
}

static bool is_admitted(const struct app *app, const ws_server_request *request, bool is_admin,
                        struct http_response *response)
{
    const char *upgrade = ws_server_request_header(request, "Upgrade");

    if (upgrade != NULL && strcasecmp(upgrade, "websocket") == 0) {
        answer_no_websocket(is_admin, response);
        return false;
    }
    return (is_admin ? guard_admits_admin : guard_admits)(app, request, response);
}

/* Lets the handler answer, or answers that there is none. */
static void dispatch(struct app *app, ws_server_request *request, bool is_admin,
                     struct http_response *response)
{
    bool is_read = http_method_is_read(request);
    const char *method = is_read ? "GET" : ws_server_request_method(request);
    char parameter[PARAMETER_BYTES];
    char allowed[64] = "";

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];

        if (!is_served(app, route, is_admin) ||
            !matches(route->pattern, ws_server_request_path(request), parameter,
                     sizeof parameter))
            continue;
        if (strcmp(route->method, method) == 0 && !is_read &&
            ws_server_is_stopping(app->server)) {
            answer_stopping(response);
            return;
        }
        if (strcmp(route->method, method) == 0) {
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
        answer_file(app, request, response);
}

/* A request that only reads must not have a body. */
static bool changes_something(const struct app *app, const ws_server_request *request,
                              bool is_admin)
{
    char parameter[PARAMETER_BYTES];

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        const struct route *route = &routes[i];

        if (http_method_is(request, route->method) && !http_method_is_read(request) &&
            is_served(app, route, is_admin) &&
            matches(route->pattern, ws_server_request_path(request), parameter,
                    sizeof parameter))
            return true;
    }
    return false;
}

static bool takes_body(struct app *app, ws_server_request *request, bool is_admin,
                       struct http_response *response)
{
    if (http_method_is_read(request)) {
        http_response_set_status_error(response, HTTP_STATUS_BAD_REQUEST,
                                       "this request must not have a body");
        return false;
    }
    if (!is_admin && realtime_serves_http(ws_server_request_path(request)))
        return true;
    if (!changes_something(app, request, is_admin)) {
        dispatch(app, request, is_admin, response);
        return false;
    }
    if (ws_server_is_stopping(app->server)) {
        answer_stopping(response);
        return false;
    }
    return true;
}

/* Requests for Socket.IO are answered by the library, which checks their tokens. */
bool router_accepts(struct app *app, ws_server_request *request, struct http_response *response)
{
    bool is_admin = ws_server_request_is_admin(request);

    if (!is_admin && realtime_serves_socketio(ws_server_request_path(request)) &&
        !ws_server_request_awaits_body(request))
        return guard_admits(app, request, response);
    return is_admitted(app, request, is_admin, response) &&
           (!ws_server_request_awaits_body(request) ||
            takes_body(app, request, is_admin, response));
}

void router_answer(struct app *app, ws_server_request *request, struct http_response *response)
{
    dispatch(app, request, ws_server_request_is_admin(request), response);
}

/* The route of a request, whether it is served or not; NULL: none. */
static const struct route *find_route(const ws_server_request *request)
{
    const char *method =
        http_method_is_read(request) ? "GET" : ws_server_request_method(request);
    char parameter[PARAMETER_BYTES];

    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(routes[i].method, method) == 0 &&
            matches(routes[i].pattern, ws_server_request_path(request), parameter,
                    sizeof parameter))
            return &routes[i];
    return NULL;
}

/* The most rows that a route reads or writes. */
static int64_t most_rows(const struct route *route, const ws_server_request *request)
{
    const char *query = ws_server_request_query(request);
    char limit[32];
    int64_t rows;

    if (route->rows > 0 && route->rows < INT64_MAX &&
        text_next_parameter(&query, "limit", limit, sizeof limit) == TEXT_PARAMETER_FOUND &&
        text_parse_number(limit, 0, INT64_MAX, &rows))
        return rows;
    return route->rows;
}

/* Whether a body takes long to parse, or may be an order of many lines. */
static bool has_long_body(const struct route *route, const ws_server_request *request)
{
    size_t length;

    ws_server_request_body(request, &length);
    return length > (route->handler == api_create_order ? SHORT_ORDER_BYTES : SHORT_BODY_BYTES);
}

bool router_is_costly(const ws_server_request *request)
{
    const struct route *route = find_route(request);

    return route != NULL &&
           (most_rows(route, request) > SHORT_LIST || has_long_body(route, request));
}
