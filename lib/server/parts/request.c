/* request.c: a request as the application sees it, and what it answers. */
#include "server/parts/request.h"

#include <stddef.h>
#include <string.h>

#include "server/parts/address.h"
#include "server/parts/answers.h"
#include "server/parts/response.h"

const char *ws_server_request_method(const ws_server_request *request)
{
    return http_method_str((enum http_method)request->http->parser.method);
}

const char *ws_server_request_target(const ws_server_request *request)
{
    return http_request_target(request->http);
}

const char *ws_server_request_path(const ws_server_request *request)
{
    return http_request_path(request->http);
}

const char *ws_server_request_query(const ws_server_request *request)
{
    return http_request_query(request->http);
}

const char *ws_server_request_header(const ws_server_request *request, const char *name)
{
    return http_request_header(request->http, name);
}

int ws_server_request_header_at(const ws_server_request *request, size_t index,
                                ws_header *header)
{
    if (index >= request->http->n_fields)
        return WS_ERR_NOT_FOUND;
    header->name = http_request_field_name(request->http, index);
    header->value = http_request_field_value(request->http, index);
    return WS_OK;
}

int ws_server_request_awaits_body(const ws_server_request *request)
{
    return request->http->state == HTTP_HEAD_DONE;
}

const char *ws_server_request_body(const ws_server_request *request, size_t *length)
{
    const struct byte_buffer *body = &request->http->body;

    if (length != NULL)
        *length = byte_buffer_length(body);
    return byte_buffer_length(body) > 0 ? byte_buffer_bytes(body) : "";
}

const char *ws_server_request_scheme(const ws_server_request *request)
{
    return request->http->scheme;
}

int ws_server_request_is_admin(const ws_server_request *request)
{
    return request->is_admin;
}

void ws_server_request_address(const ws_server_request *request, char *text, size_t size)
{
    address_write(request->client, text, size);
}

int ws_server_answer(ws_server_request *request, const ws_server_response *response)
{
    struct response *taken = request->response;
    struct response dropped;

    if (taken != NULL) {
        request->response = NULL;
        return response_take(taken, response);
    }
    response_init(&dropped);
    response_take(&dropped, response);
    response_free(&dropped);
    return WS_ERR_ALREADY;
}

int ws_server_defer(ws_server_request *request, ws_server_ticket **ticket)
{
    if (request->response == NULL || request->answers == NULL)
        return WS_ERR_ALREADY;
    request->ticket = answers_begin(request->answers);
    if (request->ticket == NULL)
        return WS_ERR_NO_MEMORY;
    request->response = NULL;
    *ticket = request->ticket;
    return WS_OK;
}
