/* http_feed.c: takes a request's bytes as they arrive. http_framing.c checks that the request's
 * end is unambiguous. */
#include "server/parts/http_feed.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/http_target.h"
#include "server/parts/http_framing.h"

/* A callback stops the parser with a non-zero result. */
enum { GO_ON = 0, STOP = -1, SKIP_BODY = 1, OTHER_PROTOCOL = 2 };

static int fail(struct http_request *request, int status, const char *message)
{
    request->state = HTTP_FAILED;
    request->failure_status = status;
    request->failure_message = message;
    return STOP;
}

static int append(struct http_request *request, const char *bytes, size_t length)
{
    if (!byte_buffer_append(&request->text, bytes, length))
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    return GO_ON;
}

/* Terminates the text being received with a NUL; a value loses its trailing blanks. */
static int end_part(struct http_request *request)
{
    struct byte_buffer *text = &request->text;

    if (request->part == PART_VALUE) {
        size_t start = request->fields[request->n_fields - 1].value;

        while (text->end > start &&
               (text->data[text->end - 1] == ' ' || text->data[text->end - 1] == '\t'))
            text->end--;
    }
    if (request->part == PART_NONE)
        return GO_ON;
    request->part = PART_NONE;
    return append(request, "", 1);
}

static int add_field(struct http_request *request)
{
    if (request->n_fields == HTTP_FIELD_LIMIT)
        return fail(request, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
                    "there are more than 256 headers");
    if (request->n_fields == request->fields_capacity) {
        size_t capacity = request->fields_capacity > 0 ? 2 * request->fields_capacity : 16;
        struct http_field *fields = realloc(request->fields, capacity * sizeof *fields);

        if (fields == NULL)
            return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        request->fields = fields;
        request->fields_capacity = capacity;
    }
    /* Until the value arrives, it is the empty text at the end of the name. */
    request->fields[request->n_fields].name = request->text.end;
    request->fields[request->n_fields].value = request->text.end;
    request->n_fields++;
    return GO_ON;
}

static int on_message_begin(http_parser *parser)
{
    struct http_request *request = parser->data;

    request->state = HTTP_IN_HEAD;
    return GO_ON;
}

static int on_url(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    request->part = PART_TARGET;
    return append(request, at, length);
}

static int on_header_field(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    if (request->state != HTTP_IN_HEAD)
        return GO_ON; /* a trailer of a chunked body; trailers are ignored */
    if (request->part != PART_NAME) {
        if (end_part(request) != GO_ON || add_field(request) != GO_ON)
            return STOP;
        request->part = PART_NAME;
    }
    return append(request, at, length);
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    if (request->state != HTTP_IN_HEAD)
        return GO_ON;
    if (request->part != PART_VALUE) {
        if (end_part(request) != GO_ON)
            return STOP;
        request->fields[request->n_fields - 1].value = request->text.end;
        request->part = PART_VALUE;
    }
    return append(request, at, length);
}

/* Appends a copy of bytes of the text, and a NUL. */
static int append_copy(struct http_request *request, size_t offset, size_t length)
{
    if (!byte_buffer_reserve(&request->text, length + 1))
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    append(request, request->text.data + offset, length);
    return append(request, "", 1);
}

/* The offset of the path in the target; the path may be empty. */
static int find_path(struct http_request *request, size_t *offset)
{
    const char *target = http_request_target(request);
    const char *path = http_target_path(target, http_request_header(request, "Host"));

    if (request->parser.method == HTTP_CONNECT)
        return fail(request, HTTP_STATUS_NOT_IMPLEMENTED, "this server is not a proxy");
    if (request->parser.method == HTTP_OPTIONS && strcmp(target, "*") == 0)
        path = target;
    if (path == NULL)
        return fail(request, HTTP_STATUS_BAD_REQUEST,
                    "the target is not a path, or names a host other than the Host header");
    *offset = (size_t)(path - target);
    return GO_ON;
}

/* Finds path and query of the target, and appends copies of them to the headers. */
static int split_target(struct http_request *request)
{
    size_t offset;
    size_t path_length;
    size_t query_length = 0;
    const char *path;

    if (find_path(request, &offset) != GO_ON)
        return STOP;
    path = http_request_target(request) + offset;
    path_length = strcspn(path, "?#");
    if (path[path_length] == '?')
        query_length = strcspn(path + path_length + 1, "#");

    request->path = request->text.end;
    if (path_length == 0 ? append(request, "/", 2) != GO_ON
                         : append_copy(request, offset, path_length) != GO_ON)
        return STOP;
    request->query = request->text.end;
    return append_copy(request, offset + path_length + 1, query_length);
}

/* Checks a head that this server answers itself. */
static int check_head(struct http_request *request)
{
    const char *expectation = http_request_header(request, "Expect");
    const char *message;
    int status = http_framing_check(request, &message);

    if (status != 0)
        return fail(request, status, message);
    if (expectation != NULL && strcasecmp(expectation, "100-continue") != 0)
        return fail(request, HTTP_STATUS_EXPECTATION_FAILED, "unknown expectation");
    request->expects_continue = expectation != NULL && request->parser.http_minor > 0;
    return GO_ON;
}

static bool has_body(const http_parser *parser)
{
    return (parser->flags & F_CHUNKED) != 0 ||
           ((parser->flags & F_CONTENTLENGTH) != 0 && parser->content_length > 0);
}

/* A client that sends both keep-alive and close wants the connection to end (RFC 9112 §9.3). */
static bool keeps_alive(const http_parser *parser)
{
    return http_should_keep_alive(parser) != 0 && (parser->flags & F_CONNECTION_CLOSE) == 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_request *request = parser->data;

    if (end_part(request) != GO_ON)
        return STOP;
    if (parser->http_major != 1)
        return fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
                    "only HTTP/1.0 and HTTP/1.1 are supported");
    if (split_target(request) != GO_ON)
        return STOP;
    request->keep_alive = keeps_alive(parser);
    if (request->hands_over(request, request->user_data)) {
        request->state = HTTP_HANDED_OVER;
        return OTHER_PROTOCOL;
    }
    if (check_head(request) != GO_ON)
        return STOP;
    /* An unknown upgrade is ignored (RFC 9110 §7.8). */
    parser->upgrade = 0;
    request->state = has_body(parser) ? HTTP_HEAD_DONE : HTTP_IN_BODY;
    return GO_ON;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    if (length > HTTP_BODY_LIMIT - byte_buffer_length(&request->body))
        return fail(request, HTTP_STATUS_PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB");
    if (!byte_buffer_append(&request->body, at, length))
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    return GO_ON;
}

static int on_message_complete(http_parser *parser)
{
    struct http_request *request = parser->data;

    if (request->state == HTTP_IN_BODY)
        request->state = HTTP_COMPLETE;
    http_parser_pause(parser, 1);
    return GO_ON;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static void fail_by_parser(struct http_request *request)
{
    enum http_errno error = HTTP_PARSER_ERRNO(&request->parser);

    if (request->state == HTTP_FAILED)
        return; /* by a callback, which gave the reason */
    switch (error) {
    case HPE_INVALID_METHOD:
        /* The rest will tell whether this is a request of an unknown method or not HTTP. */
        request->state = HTTP_IN_HEAD;
        break;
    case HPE_INVALID_VERSION:
        fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
             "only HTTP/1.0 and HTTP/1.1 are supported");
        break;
    default:
        fail(request, HTTP_STATUS_BAD_REQUEST, http_errno_description(error));
    }
}

/* Gives the reason if the bytes are another well-known protocol. */
static void name_protocol(struct http_request *request)
{
    switch (first_line_protocol(&request->first_line)) {
    case FIRST_LINE_TLS:
        fail(request, HTTP_STATUS_BAD_REQUEST,
             "these bytes are TLS, but this port speaks plain HTTP; connect with http:// or "
             "ws://");
        break;
    case FIRST_LINE_HTTP_2:
        fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
             "these bytes are HTTP/2; only HTTP/1.0 and HTTP/1.1 are supported");
        break;
    case FIRST_LINE_OTHER:
        break;
    }
}

static bool has_unknown_method(const struct http_request *request)
{
    return HTTP_PARSER_ERRNO(&request->parser) == HPE_INVALID_METHOD;
}

/* Hands valid bytes to the parser; returns how many it used: all, unless the request ends or
 * fails. */
static size_t parse(struct http_request *request, const char *data, size_t length)
{
    size_t used;
    enum http_errno error;

    /* The parser takes zero bytes for the end of the input. */
    if (length == 0 || has_unknown_method(request))
        return length;
    used = http_parser_execute(&request->parser, &settings, data, length);
    error = HTTP_PARSER_ERRNO(&request->parser);
    if (error != HPE_OK && error != HPE_PAUSED)
        fail_by_parser(request);
    return used;
}

/* Judges the head, complete or not, if the parser has not failed. */
static void judge_head(struct http_request *request, enum http_scan result)
{
    bool is_complete = request->state > HTTP_IN_HEAD;

    if (result == HTTP_SCAN_BAD)
        fail(request, HTTP_STATUS_BAD_REQUEST, request->head.problem);
    else if (result == HTTP_SCAN_DONE && has_unknown_method(request))
        fail(request, HTTP_STATUS_NOT_IMPLEMENTED, "unknown method");
    else if (is_complete != (result == HTTP_SCAN_DONE))
        fail(request, HTTP_STATUS_BAD_REQUEST, "the end of the head is ambiguous");
    else if (!is_complete && request->head_bytes == HTTP_HEAD_LIMIT)
        fail(request, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
             "the head is larger than 16 KiB");
}

static size_t feed_head(struct http_request *request, const char *data, size_t length)
{
    size_t room = HTTP_HEAD_LIMIT - request->head_bytes;
    size_t used;
    enum http_scan result =
        http_head_scan(&request->head, data, length < room ? length : room, &used);

    request->head_bytes += used;
    parse(request, data, used);
    if (request->state != HTTP_FAILED)
        judge_head(request, result);
    return used;
}

static size_t feed_chunks(struct http_request *request, const char *data, size_t length)
{
    size_t used;
    enum http_chunks_result result = http_chunks_scan(&request->chunks, data, length, &used);

    parse(request, data, used);
    if (request->state == HTTP_FAILED)
        return used;
    switch (result) {
    case HTTP_CHUNKS_BAD:
        fail(request, HTTP_STATUS_BAD_REQUEST, request->chunks.problem);
        break;
    case HTTP_CHUNKS_TOO_MUCH_DATA:
        fail(request, HTTP_STATUS_PAYLOAD_TOO_LARGE, request->chunks.problem);
        break;
    case HTTP_CHUNKS_TOO_MUCH_EXTRA:
        fail(request, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE, request->chunks.problem);
        break;
    default:
        if ((result == HTTP_CHUNKS_DONE) != (request->state == HTTP_COMPLETE))
            fail(request, HTTP_STATUS_BAD_REQUEST, "the end of the body is ambiguous");
    }
    return used;
}

static size_t feed_body(struct http_request *request, const char *data, size_t length)
{
    return (request->parser.flags & F_CHUNKED) != 0 ? feed_chunks(request, data, length)
                                                    : parse(request, data, length);
}

static size_t feed(struct http_request *request, const char *data, size_t length)
{
    size_t used;

    if (request->state <= HTTP_IN_HEAD) {
        used = feed_head(request, data, length);
    } else {
        request->state = HTTP_IN_BODY;
        used = feed_body(request, data, length);
    }
    /* Readers of the body need a NUL after it; the parser is done with this request. */
    if (request->state == HTTP_COMPLETE) {
        if (!byte_buffer_append(&request->body, "", 1)) {
            fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
            return used;
        }
        request->body.end--;
    }
    return used;
}

size_t http_request_feed(struct http_request *request, const char *data, size_t length)
{
    size_t used;

    first_line_add(&request->first_line, data, length);
    used = feed(request, data, length);
    if (request->state == HTTP_FAILED)
        name_protocol(request);
    return used;
}
