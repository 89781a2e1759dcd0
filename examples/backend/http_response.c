/* http_response.c: an answer, and its bytes on the wire.
 * The connection decides when they are sent. */
#include "http_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <http_parser.h>

enum { HEAD_BYTES = 1664 };

static const char json_type[] = "application/json; charset=utf-8";

void http_response_init(struct http_response *response)
{
    memset(response, 0, sizeof *response);
    response->status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    response->content_type = json_type;
    response->file = -1;
}

static void drop_body(struct http_response *response)
{
    free(response->owned_body);
    response->owned_body = NULL;
    response->body = NULL;
    response->body_length = 0;
    if (response->file >= 0) {
        close(response->file);
        response->file = -1;
    }
}

void http_response_free(struct http_response *response)
{
    drop_body(response);
}

void http_response_add_field(struct http_response *response, const char *name,
                             const char *value)
{
    size_t room = sizeof response->fields - response->fields_length;
    int written =
        snprintf(response->fields + response->fields_length, room, "%s: %s\r\n", name, value);

    if (written > 0 && (size_t)written < room)
        response->fields_length += (size_t)written;
}

/* Needs no memory, so it cannot fail. */
static void set_out_of_memory(struct http_response *response)
{
    static const char body[] =
        "{\"error\":{\"code\":\"unavailable\",\"message\":\"out of memory\",\"field\":null}}";

    drop_body(response);
    response->status = HTTP_STATUS_SERVICE_UNAVAILABLE;
    response->content_type = json_type;
    response->body = body;
    response->body_length = sizeof body - 1;
}

void http_response_set_json(struct http_response *response, int status, const cJSON *json)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

    if (text == NULL) {
        set_out_of_memory(response);
        return;
    }
    drop_body(response);
    response->status = status;
    response->content_type = json_type;
    response->body = text;
    response->body_length = strlen(text);
    response->owned_body = text; /* from malloc(): cJSON has no hooks installed */
}

void http_response_set_text(struct http_response *response, int status,
                            const char *content_type, const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);

    if (copy == NULL) {
        set_out_of_memory(response);
        return;
    }
    memcpy(copy, text, length);
    drop_body(response);
    response->status = status;
    response->content_type = content_type;
    response->body = copy;
    response->body_length = length;
    response->owned_body = copy;
}

void http_response_set_error(struct http_response *response, int status, const char *code,
                             const char *message, const char *field)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(body, "error");
    bool complete = error != NULL && cJSON_AddStringToObject(error, "code", code) != NULL &&
                    cJSON_AddStringToObject(error, "message", message) != NULL;

    if (complete)
        complete = (field != NULL ? cJSON_AddStringToObject(error, "field", field)
                                  : cJSON_AddNullToObject(error, "field")) != NULL;
    http_response_set_json(response, status, complete ? body : NULL);
    cJSON_Delete(body);
}

static const char *usual_code(int status)
{
    switch (status) {
    case HTTP_STATUS_BAD_REQUEST:
        return "bad_request";
    case HTTP_STATUS_UNAUTHORIZED:
        return "unauthorized";
    case HTTP_STATUS_FORBIDDEN:
        return "forbidden";
    case HTTP_STATUS_NOT_FOUND:
        return "not_found";
    case HTTP_STATUS_METHOD_NOT_ALLOWED:
        return "method_not_allowed";
    case HTTP_STATUS_PAYLOAD_TOO_LARGE:
        return "payload_too_large";
    case HTTP_STATUS_EXPECTATION_FAILED:
        return "expectation_failed";
    case HTTP_STATUS_TOO_MANY_REQUESTS:
        return "too_many_connections";
    case HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE:
        return "head_too_large";
    case HTTP_STATUS_NOT_IMPLEMENTED:
        return "not_implemented";
    case HTTP_STATUS_SERVICE_UNAVAILABLE:
        return "unavailable";
    case HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED:
        return "version_not_supported";
    default:
        return "internal_error";
    }
}

void http_response_set_status_error(struct http_response *response, int status,
                                    const char *message)
{
    http_response_set_error(response, status, usual_code(status), message, NULL);
}

/* RFC 9110 §6.6.1; the names in it are English in any locale. */
static void format_date(char *date, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc) == NULL ||
        strftime(date, size, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        date[0] = '\0';
}

bool http_response_write(const struct http_response *response, bool is_head, bool keep_alive,
                         bool is_http_1_0, struct byte_buffer *out)
{
    const char *connection = "";
    char length[48] = "";
    char head[HEAD_BYTES];
    char date[32];
    size_t body_length = is_head || response->body == NULL ? 0 : response->body_length;
    int written;

    if (!keep_alive)
        connection = "Connection: close\r\n";
    else if (is_http_1_0)
        connection = "Connection: keep-alive\r\n";
    /* A 304's length would be that of the 200 (RFC 9110 §8.6); it is left out. */
    if (response->status != HTTP_STATUS_NOT_MODIFIED)
        snprintf(length, sizeof length, "Content-Length: %lld\r\n",
                 response->file >= 0 ? (long long)response->file_length
                                     : (long long)response->body_length);
    format_date(date, sizeof date);
    written = snprintf(head, sizeof head,
                       "HTTP/1.1 %d %s\r\n"
                       "Date: %s\r\n"
                       "Content-Type: %s\r\n"
                       "%s"
                       "X-Content-Type-Options: nosniff\r\n"
                       "%s%.*s%s\r\n",
                       response->status, http_status_str((enum http_status)response->status),
                       date, response->content_type, length,
                       response->cacheable ? "" : "Cache-Control: no-store\r\n",
                       (int)response->fields_length, response->fields, connection);
    if (written < 0 || (size_t)written >= sizeof head ||
        !byte_buffer_reserve(out, (size_t)written + body_length))
        return false;
    return byte_buffer_append(out, head, (size_t)written) &&
           byte_buffer_append(out, response->body, body_length);
}
