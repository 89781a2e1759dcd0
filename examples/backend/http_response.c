/* http_response.c: an answer of the backend, until the server takes it. */
#include "http_response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <http_parser.h>

#include "server/parts/error_code.h"

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
    char *copy = response->values + response->values_length;
    size_t length = strlen(value) + 1;

    if (response->n_headers == HTTP_RESPONSE_HEADERS ||
        length > sizeof response->values - response->values_length)
        return;
    memcpy(copy, value, length);
    response->values_length += length;
    response->headers[response->n_headers++] = (ws_header){name, copy};
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

void http_response_set_status_error(struct http_response *response, int status,
                                    const char *message)
{
    http_response_set_error(response, status, error_code_of(status), message, NULL);
}

/* As the server takes it, which then has the file and the memory of the body. */
static ws_server_response hand_over(struct http_response *response)
{
    ws_server_response answer;

    ws_server_response_init(&answer);
    answer.status = response->status;
    answer.content_type = response->content_type;
    answer.headers = response->headers;
    answer.n_headers = response->n_headers;
    answer.body = response->body;
    answer.length = response->body_length;
    answer.free_body = response->owned_body != NULL ? free : NULL;
    answer.file = response->file;
    answer.file_length = response->file_length;
    answer.cost = response->cost < UINT32_MAX ? (uint32_t)response->cost : UINT32_MAX;
    response->body = NULL;
    response->owned_body = NULL;
    response->file = -1;
    return answer;
}

void http_response_send(struct http_response *response, ws_server_request *request)
{
    ws_server_response answer;

    if (response->is_deferred)
        return;
    answer = hand_over(response);
    ws_server_answer(request, &answer); /* which sends 500 or 503 if that fails */
}

void http_response_send_later(struct http_response *response, ws_server_ticket *ticket)
{
    ws_server_response answer = hand_over(response);

    ws_server_answer_later(ticket, &answer);
}
