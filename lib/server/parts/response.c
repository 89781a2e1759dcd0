/* response.c: an answer, and its bytes on the wire.
 * The connection decides when they are sent. */
#include "server/parts/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <http_parser.h>

#include "base/options.h"
#include "server/parts/error_code.h"

enum { HEAD_BYTES = 1792, ERROR_BYTES = 512 };

static const char json_type[] = "application/json; charset=utf-8";

static const ws_server_response defaults = {
    .size = sizeof defaults, .status = 200, .content_type = json_type, .file = -1};

void ws_server_response_init_size(ws_server_response *response, size_t size)
{
    options_init(response, size, &defaults, sizeof defaults);
}

void response_begin(struct response *response)
{
    memset(response, 0, sizeof *response);
    response->status = HTTP_STATUS_INTERNAL_SERVER_ERROR;
    memcpy(response->content_type, json_type, sizeof json_type);
    response->file = -1;
}

void response_free(struct response *response)
{
    if (response->free_body != NULL)
        response->free_body(response->body);
    response->free_body = NULL;
    response->body = NULL;
    response->body_length = 0;
    if (response->file >= 0)
        close(response->file);
    response->file = -1;
}

/* A status alone; other members are those of response_begin(). */
static void reset(struct response *response, int status)
{
    response_free(response);
    response_begin(response);
    response->status = status;
}

/* Needs no memory, so it cannot fail. */
static void set_out_of_memory(struct response *response)
{
    static char body[] =
        "{\"error\":{\"code\":\"unavailable\",\"message\":\"out of memory\",\"field\":null}}";

    reset(response, HTTP_STATUS_SERVICE_UNAVAILABLE);
    response->body = body;
    response->body_length = sizeof body - 1;
}

static void set_body(struct response *response, char *text, size_t length)
{
    response->body = text;
    response->body_length = length;
    response->free_body = free;
}

void response_set_text(struct response *response, int status, const char *content_type,
                       const char *text, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);

    if (copy == NULL) {
        set_out_of_memory(response);
        return;
    }
    memcpy(copy, text, length);
    reset(response, status);
    snprintf(response->content_type, sizeof response->content_type, "%s", content_type);
    set_body(response, copy, length);
}

/* The message is a text of the server's or of http-parser's, without quotes and backslashes. */
void response_set_error(struct response *response, int status, const char *message)
{
    char text[ERROR_BYTES];
    int length = snprintf(text, sizeof text,
                          "{\"error\":{\"code\":\"%s\",\"message\":\"%s\",\"field\":null}}",
                          error_code_of(status), message);

    response_set_text(response, status, json_type, text, (size_t)length);
}

/* --- what the application answers ---------------------------------------------------- */

/* A header that ended a line would forge the next one. */
static bool is_field_text(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7F)
            return false;
    return true;
}

/* Headers that say where an answer ends: the server's. */
static bool is_framing(const char *name)
{
    static const char *const names[] = {"Content-Length", "Transfer-Encoding", "Connection"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

static bool add_field(struct response *response, const ws_header *header)
{
    size_t room = sizeof response->fields - response->fields_length;
    int written;

    if (header->name == NULL || header->value == NULL || header->name[0] == '\0' ||
        header->name[strcspn(header->name, " \t:")] != '\0' || !is_field_text(header->name) ||
        !is_field_text(header->value) || is_framing(header->name))
        return false;
    written = snprintf(response->fields + response->fields_length, room, "%s: %s\r\n",
                       header->name, header->value);
    if (written < 0 || (size_t)written >= room)
        return false;
    response->fields_length += (size_t)written;
    response->has_cache_control |= strcasecmp(header->name, "Cache-Control") == 0;
    return true;
}

static bool take_head(struct response *response, const ws_server_response *answer)
{
    const char *type = answer->content_type;

    if (answer->status < 200 || answer->status > 599 || type == NULL ||
        strlen(type) >= sizeof response->content_type || !is_field_text(type) ||
        (answer->n_headers > 0 && answer->headers == NULL) ||
        (answer->length > 0 && (answer->body == NULL || answer->file >= 0)) ||
        answer->file_length < 0)
        return false;
    response->status = answer->status;
    memcpy(response->content_type, type, strlen(type) + 1);
    for (size_t i = 0; i < answer->n_headers; i++)
        if (!add_field(response, &answer->headers[i]))
            return false;
    return true;
}

/* Takes over what the caller no longer frees and closes. */
static void own(struct response *response, const ws_server_response *answer)
{
    response->file = answer->file;
    response->file_length = (off_t)answer->file_length;
    if (answer->free_body == NULL)
        return;
    memcpy(&response->body, &answer->body, sizeof response->body);
    response->body_length = answer->length;
    response->free_body = answer->free_body;
}

static bool copy_body(struct response *response, const ws_server_response *answer)
{
    char *copy;

    if (answer->length == 0 || answer->free_body != NULL)
        return true;
    copy = malloc(answer->length);
    if (copy == NULL)
        return false;
    memcpy(copy, answer->body, answer->length);
    set_body(response, copy, answer->length);
    return true;
}

/* Such an answer ends with its head (RFC 9112 §6.3). */
static bool has_content(int status)
{
    return status != HTTP_STATUS_NO_CONTENT && status != HTTP_STATUS_NOT_MODIFIED;
}

static int refuse(struct response *response, int result)
{
    response_set_error(response, HTTP_STATUS_INTERNAL_SERVER_ERROR,
                       "the server could not send the response");
    return result;
}

int response_take(struct response *response, const ws_server_response *answer)
{
    ws_server_response given = defaults;

    if (!options_copy(&given, sizeof given, answer)) {
        /* Of a newer version's struct the known part is there. */
        if (answer->size > sizeof given && answer->size <= OPTIONS_LARGEST)
            own(response, answer);
        return refuse(response, WS_ERR_INVALID);
    }
    own(response, &given);
    if (!take_head(response, &given))
        return refuse(response, WS_ERR_INVALID);
    if (given.length > WS_SERVER_ANSWER_MAX)
        return refuse(response, WS_ERR_TOO_BIG);
    response->cost = given.cost;
    if (!has_content(given.status)) {
        response_free(response);
        return WS_OK;
    }
    if (!copy_body(response, &given)) {
        set_out_of_memory(response);
        return WS_ERR_NO_MEMORY;
    }
    return WS_OK;
}

/* --- the bytes ----------------------------------------------------------------------- */

/* RFC 9110 §6.6.1; the names in it are English in any locale. */
static void format_date(char *date, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc) == NULL ||
        strftime(date, size, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        date[0] = '\0';
}

bool response_write(const struct response *response, bool is_head, bool keep_alive,
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
    if (has_content(response->status))
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
                       response->has_cache_control ? "" : "Cache-Control: no-store\r\n",
                       (int)response->fields_length, response->fields, connection);
    if (written < 0 || (size_t)written >= sizeof head ||
        !byte_buffer_reserve(out, (size_t)written + body_length))
        return false;
    return byte_buffer_append(out, head, (size_t)written) &&
           byte_buffer_append(out, response->body, body_length);
}
