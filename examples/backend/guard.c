/* guard.c: whether an HTTP request may reach its handler. The rules are in access.c. Checked in
 * admission.c are WebSocket handshakes, requests to /events that have no body, and the tokens of
 * Socket.IO. */
#include "guard.h"

#include <string.h>

#include "http_method.h"
#include "realtime.h"

static bool is_statistics(const char *path)
{
    return strcmp(path, "/metrics") == 0 || strcmp(path, "/ws/stats") == 0;
}

/* What needs no token: liveness, and the page itself, which must load before it can send one.
 * With --admin-listen there are no statistics here to protect. */
static bool is_open(const struct app *app, const char *path)
{
    return strncmp(path, "/api/", strlen("/api/")) != 0 && !realtime_serves_events(path) &&
           (!is_statistics(path) || app->options->admin != NULL);
}

/* A page of another origin must not use Socket.IO by GET either. */
static bool changes_nothing(const ws_server_request *request)
{
    if (realtime_serves_socketio(ws_server_request_path(request)))
        return http_method_is(request, "OPTIONS");
    return http_method_is_read(request) || http_method_is(request, "OPTIONS");
}

static enum token_result check_token(const struct access *access,
                                     const ws_server_request *request,
                                     struct token_claims *claims)
{
    struct credentials credentials;

    credentials_init(&credentials);
    credentials_add_request(&credentials, request);
    return access_check(access, &credentials, claims);
}

static void answer_bad_token(struct http_response *response, enum token_result result)
{
    if (result == TOKEN_NO_MEMORY) {
        http_response_set_status_error(response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       token_result_text(result));
        return;
    }
    http_response_set_status_error(response, HTTP_STATUS_UNAUTHORIZED,
                                   token_result_text(result));
    http_response_add_field(response, "WWW-Authenticate",
                            result == TOKEN_MISSING ? "Bearer"
                                                    : "Bearer error=\"invalid_token\"");
}

static bool begins_with(const char *path, const char *prefix)
{
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* The statistics name every room, and so every user who is online and what the staff does. Only the
 * staff may end other users' connections. */
static bool needs_staff(const char *path)
{
    return strcmp(path, "/ws/stats") == 0 || begins_with(path, "/api/presence") ||
           begins_with(path, "/api/users/");
}

/* Admits a request that needs a token. */
static bool admit_token(const struct app *app, const ws_server_request *request,
                        struct http_response *response)
{
    struct token_claims claims;
    enum token_result result = check_token(&app->access, request, &claims);

    if (result != TOKEN_OK) {
        answer_bad_token(response, result);
        return false;
    }
    if (!claims.is_staff && needs_staff(ws_server_request_path(request))) {
        http_response_set_status_error(response, HTTP_STATUS_FORBIDDEN,
                                       "this path requires a staff token");
        return false;
    }
    return true;
}

static void answer_unknown_host(struct http_response *response)
{
    http_response_set_status_error(
        response, HTTP_STATUS_FORBIDDEN,
        "this host name is not one of the server's; add it with --allow-origin");
}

bool guard_admits_admin(const struct app *app, const ws_server_request *request,
                        struct http_response *response)
{
    if (!is_statistics(ws_server_request_path(request)) ||
        origin_host_is_ours(&app->options->origins, ws_server_request_header(request, "Host")))
        return true;
    answer_unknown_host(response);
    return false;
}

/* As the library answers: a page of another origin cannot read an answer without these,
 * and so would not learn that its token has expired. */
static void share_answer(const struct access *access, const struct origin_request *page,
                         struct http_response *response)
{
    http_response_add_field(response, "Vary", "Origin");
    if (page->origin == NULL || !access_allows_page(access, page))
        return;
    http_response_add_field(response, "Access-Control-Allow-Origin", page->origin);
    http_response_add_field(response, "Access-Control-Allow-Credentials", "true");
}

/* False after answering a page that may not send this request. */
static bool admits_page(const struct app *app, const ws_server_request *request,
                        struct http_response *response)
{
    const struct origin_request page = {
        .origin = ws_server_request_header(request, "Origin"),
        .host = ws_server_request_header(request, "Host"),
        .scheme = ws_server_request_scheme(request),
    };

    if (realtime_serves_http(ws_server_request_path(request)))
        share_answer(&app->access, &page, response);
    if (!access_knows_host(&app->access, &page)) {
        answer_unknown_host(response);
        return false;
    }
    if (!changes_nothing(request) && !access_allows_page(&app->access, &page)) {
        http_response_set_status_error(response, HTTP_STATUS_FORBIDDEN,
                                       "pages of this origin may not change anything");
        return false;
    }
    return true;
}

bool guard_admits(const struct app *app, const ws_server_request *request,
                  struct http_response *response)
{
    const char *path = ws_server_request_path(request);
    bool is_socketio = realtime_serves_socketio(path); /* its token comes later */

    if (is_open(app, path) && !is_socketio)
        return true;
    return admits_page(app, request, response) &&
           (is_socketio || !access_needs_token(&app->access) ||
            admit_token(app, request, response));
}
