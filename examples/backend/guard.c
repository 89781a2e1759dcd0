/* guard.c: whether an HTTP request may reach its handler.
 * The rules are in access.c; WebSocket handshakes are in admission.c. */
#include "guard.h"

#include <string.h>
#include <strings.h>

static bool is_statistics(const char *path)
{
    return strcmp(path, "/metrics") == 0 || strcmp(path, "/ws/stats") == 0;
}

/* What needs no token: liveness, and the page itself, which must load before it can send one.
 * With --admin-listen there are no statistics here to protect. */
static bool is_open(const struct app *app, const char *path)
{
    return strncmp(path, "/api/", strlen("/api/")) != 0 &&
           (!is_statistics(path) || app->options->admin.length > 0);
}

static bool changes_nothing(const struct http_request *request)
{
    return request->parser.method == HTTP_GET || request->parser.method == HTTP_HEAD ||
           request->parser.method == HTTP_OPTIONS;
}

static enum token_result check_token(const struct access *access,
                                     const struct http_request *request,
                                     struct token_claims *claims)
{
    struct credentials credentials;

    credentials_init(&credentials);
    for (size_t i = 0; i < request->n_fields; i++)
        if (strcasecmp(http_request_field_name(request, i), "Authorization") == 0)
            credentials_add_authorization(&credentials, http_request_field_value(request, i));
    credentials_add_query(&credentials, http_request_query(request));
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

/* Admits a request that needs a token. The statistics name every room, and so every user who is
 * online and what the staff does. */
static bool admit_token(const struct app *app, const struct http_request *request,
                        struct http_response *response)
{
    struct token_claims claims;
    enum token_result result = check_token(&app->access, request, &claims);

    if (result != TOKEN_OK) {
        answer_bad_token(response, result);
        return false;
    }
    if (!claims.is_staff && strcmp(http_request_path(request), "/ws/stats") == 0) {
        http_response_set_status_error(response, HTTP_STATUS_FORBIDDEN,
                                       "the statistics need a token of the staff");
        return false;
    }
    return true;
}

static void answer_unknown_host(struct http_response *response)
{
    http_response_set_status_error(response, HTTP_STATUS_FORBIDDEN,
                                   "this server has no such name; --allow-origin can add it");
}

bool guard_admits_admin(const struct app *app, const struct http_request *request,
                        struct http_response *response)
{
    if (!is_statistics(http_request_path(request)) ||
        origin_host_is_ours(&app->options->origins, http_request_header(request, "Host")))
        return true;
    answer_unknown_host(response);
    return false;
}

bool guard_admits(const struct app *app, const struct http_request *request,
                  struct http_response *response)
{
    const struct origin_request page = {
        .origin = http_request_header(request, "Origin"),
        .host = http_request_header(request, "Host"),
        .scheme = request->scheme,
    };

    if (is_open(app, http_request_path(request)))
        return true;
    if (!access_knows_host(&app->access, &page)) {
        answer_unknown_host(response);
        return false;
    }
    if (!changes_nothing(request) && !access_allows_page(&app->access, &page)) {
        http_response_set_status_error(response, HTTP_STATUS_FORBIDDEN,
                                       "pages of this origin may not change anything");
        return false;
    }
    return !access_needs_token(&app->access) || admit_token(app, request, response);
}
