/* request.c: a request as the application sees it, and what it answers. */
#include "server/parts/request.h"

#include <stddef.h>
#include <string.h>

#include "server/parts/address.h"
#include "server/parts/answers.h"
#include "server/parts/response.h"

const char *ws_server_request_method(const ws_server_request *request)
{
    return request != NULL ? http_method_str((enum http_method)request->http->parser.method)
                           : NULL;
}

const char *ws_server_request_target(const ws_server_request *request)
{
    return request != NULL ? http_request_target(request->http) : NULL;
}

const char *ws_server_request_path(const ws_server_request *request)
{
    return request != NULL ? http_request_path(request->http) : NULL;
}

const char *ws_server_request_query(const ws_server_request *request)
{
    return request != NULL ? http_request_query(request->http) : NULL;
}

const char *ws_server_request_header(const ws_server_request *request, const char *name)
{
    return request != NULL && name != NULL ? http_request_header(request->http, name) : NULL;
}

int ws_server_request_header_at(const ws_server_request *request, size_t index,
                                ws_header *header)
{
    if (request == NULL || header == NULL)
        return WS_ERR_INVALID;
    if (index >= request->http->n_fields)
        return WS_ERR_NOT_FOUND;
    header->name = http_request_field_name(request->http, index);
    header->value = http_request_field_value(request->http, index);
    return WS_OK;
}

int ws_server_request_awaits_body(const ws_server_request *request)
{
    return request != NULL && request->http->state == HTTP_HEAD_DONE;
}

const char *ws_server_request_body(const ws_server_request *request, size_t *length)
{
    const struct byte_buffer *body;

    if (length != NULL)
        *length = 0;
    if (request == NULL)
        return NULL;
    body = &request->http->body;
    if (length != NULL)
        *length = byte_buffer_length(body);
    return byte_buffer_length(body) > 0 ? byte_buffer_bytes(body) : "";
}

const char *ws_server_request_scheme(const ws_server_request *request)
{
    return request != NULL ? request->http->scheme : NULL;
}

int ws_server_request_is_admin(const ws_server_request *request)
{
    return request != NULL && request->is_admin;
}

void ws_server_request_address(const ws_server_request *request, char *text, size_t size)
{
    if (request != NULL && text != NULL)
        address_write(request->client, text, size);
}

int ws_server_answer(ws_server_request *request, const ws_server_response *response)
{
    struct response *taken;
    struct response dropped;

    if (request == NULL || response == NULL)
        return WS_ERR_INVALID;
    taken = request->response;
    if (taken != NULL) {
        request->response = NULL;
        return response_take(taken, response);
    }
    response_begin(&dropped);
    response_take(&dropped, response);
    response_free(&dropped);
    return WS_ERR_ALREADY;
}

int ws_server_defer(ws_server_request *request, ws_server_ticket **ticket)
{
    int result;

    if (request == NULL || ticket == NULL)
        return WS_ERR_INVALID;
    if (request->response == NULL || request->answers == NULL)
        return WS_ERR_ALREADY;
    result = answers_begin(request->answers, &request->ticket);
    if (result != WS_OK)
        return result;
    request->response = NULL;
    *ticket = request->ticket;
    return WS_OK;
}
