/* http_request.c: one HTTP/1.x request, parsed as its bytes come in.
 * No sockets and no routes; answering is http_response.c. */
#include "http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEPT_FIELDS = 64 };

enum head_part { PART_NONE, PART_TARGET, PART_NAME, PART_VALUE };

/* The callbacks stop the parser by a non-zero result. */
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
    if (!byte_buffer_append(&request->text, bytes, length)) {
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    }
    return GO_ON;
}

/* Ends the text that comes in with a NUL; a value loses the blanks at its end. */
static int end_part(struct http_request *request)
{
    struct byte_buffer *text = &request->text;

    if (request->part == PART_VALUE) {
        size_t start = request->fields[request->n_fields - 1].value;

        while (text->end > start &&
               (text->data[text->end - 1] == ' ' || text->data[text->end - 1] == '\t')) {
            text->end--;
        }
    }
    if (request->part == PART_NONE) {
        return GO_ON;
    }
    request->part = PART_NONE;
    return append(request, "", 1);
}

static int add_field(struct http_request *request)
{
    if (request->n_fields == request->fields_capacity) {
        size_t capacity = request->fields_capacity > 0 ? 2 * request->fields_capacity : 16;
        struct http_field *fields = realloc(request->fields, capacity * sizeof *fields);

        if (fields == NULL) {
            return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
        }
        request->fields = fields;
        request->fields_capacity = capacity;
    }
    /* Until its value comes, it is the empty text at the end of the name. */
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

    if (request->state != HTTP_IN_HEAD) {
        return GO_ON; /* a trailer of a chunked body, of which none has a meaning here */
    }
    /* A blank in a name is how requests are smuggled past other servers (RFC 9112, 5.1). */
    if (memchr(at, ' ', length) != NULL) {
        return fail(request, HTTP_STATUS_BAD_REQUEST, "a header name has a blank");
    }
    if (request->part != PART_NAME) {
        if (end_part(request) != GO_ON || add_field(request) != GO_ON) {
            return STOP;
        }
        request->part = PART_NAME;
    }
    return append(request, at, length);
}

static int on_header_value(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    if (request->state != HTTP_IN_HEAD) {
        return GO_ON;
    }
    if (memchr(at, '\0', length) != NULL) {
        return fail(request, HTTP_STATUS_BAD_REQUEST, "a header value has a NUL");
    }
    if (request->part != PART_VALUE) {
        if (end_part(request) != GO_ON) {
            return STOP;
        }
        request->fields[request->n_fields - 1].value = request->text.end;
        request->part = PART_VALUE;
    }
    return append(request, at, length);
}

/* Appends a copy of bytes that are in the text already, and a NUL. */
static int append_copy(struct http_request *request, size_t offset, size_t length)
{
    if (!byte_buffer_reserve(&request->text, length + 1)) {
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    }
    append(request, request->text.data + offset, length);
    return append(request, "", 1);
}

/* Finds path and query of the target, in origin-form or absolute-form (RFC 9112, 3.2), and
 * keeps copies of them behind the headers. */
static int split_target(struct http_request *request)
{
    const char *target = http_request_target(request);
    size_t offset = 0;
    size_t path_length;
    size_t query_length = 0;
    struct http_parser_url url;

    if (target[0] != '/') {
        http_parser_url_init(&url);
        if (request->parser.method != HTTP_CONNECT &&
            http_parser_parse_url(target, strlen(target), 0, &url) == 0 &&
            (url.field_set & (1 << UF_SCHEMA)) != 0) {
            offset = (size_t)(strstr(target, "://") - target) + 3;
            offset += strcspn(target + offset, "/?#");
        }
    }
    path_length = strcspn(target + offset, "?#");
    if (target[offset + path_length] == '?') {
        query_length = strcspn(target + offset + path_length + 1, "#");
    }

    request->path = request->text.end;
    if (path_length == 0 ? append(request, "/", 2) != GO_ON
                         : append_copy(request, offset, path_length) != GO_ON) {
        return STOP;
    }
    request->query = request->text.end;
    return append_copy(request, offset + path_length + 1, query_length);
}

static size_t count_headers(const struct http_request *request, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < request->n_fields; i++) {
        count += strcasecmp(http_request_field_name(request, i), name) == 0;
    }
    return count;
}

/* What this server demands of a head that it answers itself. */
static int check_head(struct http_request *request)
{
    const http_parser *parser = &request->parser;
    const char *expectation = http_request_header(request, "Expect");
    size_t n_hosts = count_headers(request, "Host");

    if (parser->http_major != 1) {
        return fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
                    "only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    if (n_hosts > 1 || (n_hosts == 0 && parser->http_minor > 0)) {
        return fail(request, HTTP_STATUS_BAD_REQUEST, "exactly one Host header is needed");
    }
    if (expectation != NULL && strcasecmp(expectation, "100-continue") != 0) {
        return fail(request, HTTP_STATUS_EXPECTATION_FAILED, "unknown expectation");
    }
    if ((parser->flags & F_CONTENTLENGTH) != 0 && parser->content_length > HTTP_BODY_LIMIT) {
        return fail(request, HTTP_STATUS_PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB");
    }
    request->expects_continue = expectation != NULL && parser->http_minor > 0;
    return GO_ON;
}

static bool has_body(const http_parser *parser)
{
    return (parser->flags & F_CHUNKED) != 0 ||
           ((parser->flags & F_CONTENTLENGTH) != 0 && parser->content_length > 0);
}

static int on_headers_complete(http_parser *parser)
{
    struct http_request *request = parser->data;

    if (end_part(request) != GO_ON || split_target(request) != GO_ON) {
        return STOP;
    }
    request->keep_alive = http_should_keep_alive(parser) != 0;
    if (request->hands_over(request, request->user_data)) {
        request->state = HTTP_HANDED_OVER;
        return OTHER_PROTOCOL;
    }
    if (check_head(request) != GO_ON) {
        return STOP;
    }
    /* An upgrade that nobody here knows is ignored (RFC 9110, 7.8). */
    parser->upgrade = 0;
    request->state = HTTP_IN_BODY;
    if (has_body(parser)) {
        request->state = HTTP_HEAD_DONE;
        http_parser_pause(parser, 1);
    }
    return GO_ON;
}

static int on_body(http_parser *parser, const char *at, size_t length)
{
    struct http_request *request = parser->data;

    if (length > HTTP_BODY_LIMIT - byte_buffer_length(&request->body)) {
        return fail(request, HTTP_STATUS_PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB");
    }
    if (!byte_buffer_append(&request->body, at, length)) {
        return fail(request, HTTP_STATUS_SERVICE_UNAVAILABLE, "out of memory");
    }
    return GO_ON;
}

static int on_message_complete(http_parser *parser)
{
    struct http_request *request = parser->data;

    if (request->state == HTTP_IN_BODY) {
        request->state = HTTP_COMPLETE;
    }
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

/* True if the rest of a request line, from where the parser gave up in the method, still looks
 * like one: then the method is unknown, otherwise this is not HTTP. */
static bool is_request_line(const char *rest, size_t length)
{
    const char *end = memchr(rest, '\n', length);
    const char *space = memchr(rest, ' ', length);
    size_t line_length;

    if (end == NULL || space == NULL || space > end) {
        return false;
    }
    line_length = (size_t)(end - rest);
    if (line_length > 0 && rest[line_length - 1] == '\r') {
        line_length--;
    }
    for (const char *at = rest; at < space; at++) {
        if (*at == '\0' ||
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                   "!#$%&'*+-.^_`|~",
                   *at) == NULL) {
            return false;
        }
    }
    return line_length > strlen(" HTTP/1.1") &&
           strncmp(rest + line_length - strlen(" HTTP/1.1"), " HTTP/", strlen(" HTTP/")) == 0;
}

static void fail_by_parser(struct http_request *request, const char *rest, size_t length)
{
    enum http_errno error = HTTP_PARSER_ERRNO(&request->parser);

    if (request->state == HTTP_FAILED) {
        return; /* by a callback, which has said more */
    }
    switch (error) {
    case HPE_INVALID_VERSION:
        fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
             "only HTTP/1.0 and HTTP/1.1 are spoken here");
        break;
    case HPE_HEADER_OVERFLOW:
        fail(request, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE,
             "the head is larger than 16 KiB");
        break;
    case HPE_INVALID_METHOD:
        if (is_request_line(rest, length)) {
            fail(request, HTTP_STATUS_NOT_IMPLEMENTED, "unknown method");
            break;
        }
        fail(request, HTTP_STATUS_BAD_REQUEST, "this is not an HTTP request");
        break;
    default:
        fail(request, HTTP_STATUS_BAD_REQUEST, http_errno_description(error));
    }
}

/* Says so if this is no HTTP/1 because it is something else that is well known. */
static void name_protocol(struct http_request *request)
{
    switch (first_line_protocol(&request->first_line)) {
    case FIRST_LINE_TLS:
        fail(request, HTTP_STATUS_BAD_REQUEST,
             "these bytes are TLS, but this port speaks plain HTTP; connect by http:// or "
             "ws://");
        break;
    case FIRST_LINE_HTTP_2:
        fail(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED,
             "these bytes are HTTP/2; only HTTP/1.0 and HTTP/1.1 are spoken here");
        break;
    case FIRST_LINE_OTHER:
        break;
    }
}

static size_t feed(struct http_request *request, const char *data, size_t length)
{
    size_t used;
    enum http_errno error;

    if (request->state == HTTP_HEAD_DONE) {
        request->state = HTTP_IN_BODY;
        http_parser_pause(&request->parser, 0);
    }
    used = http_parser_execute(&request->parser, &settings, data, length);
    error = HTTP_PARSER_ERRNO(&request->parser);
    if (error != HPE_OK && error != HPE_PAUSED) {
        fail_by_parser(request, data + used, length - used);
    }
    /* The body's users want a NUL behind it; the parser is done with this request. */
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
    if (request->state == HTTP_FAILED) {
        name_protocol(request);
    }
    return used;
}

void http_request_setup(void)
{
    http_parser_set_max_header_size(HTTP_HEAD_LIMIT);
}

void http_request_init(struct http_request *request,
                       bool (*hands_over)(const struct http_request *request, void *user_data),
                       void *user_data)
{
    *request = (struct http_request){.hands_over = hands_over, .user_data = user_data};
    request->parser.data = request;
    http_parser_init(&request->parser, HTTP_REQUEST);
}

void http_request_reset(struct http_request *request)
{
    byte_buffer_reset(&request->text);
    byte_buffer_reset(&request->body);
    if (request->fields_capacity > KEPT_FIELDS) {
        free(request->fields);
        request->fields = NULL;
        request->fields_capacity = 0;
    }
    request->state = HTTP_AWAITING;
    request->first_line = (struct first_line){0};
    request->path = 0;
    request->part = PART_NONE;
    request->n_fields = 0;
    request->keep_alive = false;
    request->is_admitted = false;
    request->expects_continue = false;
    http_parser_init(&request->parser, HTTP_REQUEST);
}

void http_request_free(struct http_request *request)
{
    byte_buffer_free(&request->text);
    byte_buffer_free(&request->body);
    free(request->fields);
    request->fields = NULL;
}

/* The path is found at the end of the head, and stands behind the target. */
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
    for (size_t i = 0; i < request->n_fields; i++) {
        if (strcasecmp(http_request_field_name(request, i), name) == 0) {
            return http_request_field_value(request, i);
        }
    }
    return NULL;
}
