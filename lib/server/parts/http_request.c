/* http_request.c: one HTTP/1.x request: its parts, and the memory that they take.
 * Its bytes are taken by http_feed.c; answers are in response.c. */
#include "server/parts/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void begin(struct http_request *request)
{
    request->parser.data = request;
    http_parser_init(&request->parser, HTTP_REQUEST);
    http_head_begin(&request->head);
    http_chunks_begin(&request->chunks);
    request->head_bytes = 0;
}

void http_request_init(struct http_request *request,
                       bool (*hands_over)(const struct http_request *request, void *user_data),
                       void *user_data)
{
    *request = (struct http_request){.hands_over = hands_over, .user_data = user_data};
    begin(request);
}

void http_request_free(struct http_request *request)
{
    byte_buffer_free(&request->text);
    byte_buffer_free(&request->body);
    free(request->fields);
    request->fields = NULL;
    request->fields_capacity = 0;
    request->n_fields = 0;
}

void http_request_reset(struct http_request *request)
{
    http_request_free(request);
    request->state = HTTP_AWAITING;
    request->first_line = (struct first_line){0};
    request->path = 0;
    request->part = PART_NONE;
    request->keep_alive = false;
    request->is_admitted = false;
    request->expects_continue = false;
    begin(request);
}

/* The path is set at the end of the head, and is stored after the target. */
bool http_request_has_head(const struct http_request *request)
{
    return request->path > 0;
}

const char *http_request_target(const struct http_request *request)
{
    return request->text.data;
}

const char *http_request_path(const struct http_request *request)
{
    return request->text.data + request->path;
}

const char *http_request_query(const struct http_request *request)
{
    return request->text.data + request->query;
}

const char *http_request_field_name(const struct http_request *request, size_t index)
{
    return request->text.data + request->fields[index].name;
}

const char *http_request_field_value(const struct http_request *request, size_t index)
{
    return request->text.data + request->fields[index].value;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_fields; i++)
        if (strcasecmp(http_request_field_name(request, i), name) == 0)
            return http_request_field_value(request, i);
    return NULL;
}
