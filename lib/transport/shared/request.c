/* request.c: a client's request head, parsed by http-parser or passed by the host. */
#include "transport/shared/request.h"

#include <string.h>
#include <strings.h>

#include "base/http_target.h"
#include "base/http_text.h"

struct request *request_new(const ws_allocator *memory)
{
    struct request *request = memory_zalloc(memory, sizeof *request);

    if (request == NULL)
        return NULL;
    buffer_init(&request->text, memory);
    http_head_begin(&request->head);
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
    return request;
}

void request_free(struct request *request)
{
    const ws_allocator *memory;

    if (request == NULL)
        return;
    memory = request->text.memory;
    buffer_free(&request->text);
    memory_free(memory, request->headers);
    memory_free(memory, request);
}

size_t request_bytes(const struct request *request)
{
    return sizeof *request + request->text.capacity +
           request->headers_capacity * sizeof *request->headers;
}

/* --- http-parser's callbacks (a piece may come in several parts) -------------------------- */

/* Removes the white space after a header's value, which is not part of it (RFC 9110 §5.5);
 * http-parser removes only the white space before it. */
static void trim_value(struct request *request)
{
    struct buffer *text = &request->text;
    size_t start = request->headers[request->n_headers - 1].value;

    while (text->length > start &&
           (text->data[text->length - 1] == ' ' || text->data[text->length - 1] == '\t'))
        text->length--;
}

static void end_piece(struct request *request)
{
    if (request->piece == REQUEST_VALUE)
        trim_value(request);
    if (request->piece != REQUEST_START)
        buffer_add(&request->text, "", 1);
}

static int on_target(http_parser *parser, const char *at, size_t length)
{
    struct request *request = parser->data;

    request->piece = REQUEST_TARGET;
    buffer_add(&request->text, at, length);
    return request->text.failed;
}

static bool add_header(struct request *request)
{
    struct request_header *headers;

    if (request->n_headers == REQUEST_MAX_HEADERS) {
        request->has_too_many = true;
        return false;
    }
    headers = memory_grow(request->text.memory, request->headers, sizeof *headers,
                          request->n_headers, 16, &request->headers_capacity);
    if (headers == NULL) {
        request->text.failed = true;
        return false;
    }
    request->headers = headers;
    request->headers[request->n_headers++] =
        (struct request_header){request->text.length, request->text.length};
    return true;
}

static int on_name(http_parser *parser, const char *at, size_t length)
{
    struct request *request = parser->data;

    if (request->piece != REQUEST_NAME) {
        end_piece(request);
        if (!add_header(request))
            return 1;
        request->piece = REQUEST_NAME;
    }
    buffer_add(&request->text, at, length);
    return request->text.failed;
}

static int on_value(http_parser *parser, const char *at, size_t length)
{
    struct request *request = parser->data;

    if (request->piece != REQUEST_VALUE) {
        end_piece(request);
        request->headers[request->n_headers - 1].value = request->text.length;
        request->piece = REQUEST_VALUE;
    }
    buffer_add(&request->text, at, length);
    return request->text.failed;
}

/* Returns 2 (what follows the head is not HTTP), or -1 (stop with an error). */
static int on_head(http_parser *parser)
{
    struct request *request = parser->data;

    end_piece(request);
    if (request->text.failed) /* a name or value may lack its NUL */
        return -1;
    request->piece = REQUEST_COMPLETE;
    request->is_get = parser->method == HTTP_GET;
    request->http_major = parser->http_major;
    request->http_minor = parser->http_minor;
    return 2;
}

static enum request_result failure(struct request *request)
{
    if (request->text.failed)
        return REQUEST_NO_MEMORY;
    if (request->has_too_many)
        return REQUEST_TOO_LARGE;
    switch (HTTP_PARSER_ERRNO(&request->parser)) {
    case HPE_INVALID_VERSION:
        return REQUEST_BAD_VERSION;
    case HPE_HEADER_OVERFLOW:
        return REQUEST_TOO_LARGE;
    case HPE_INVALID_METHOD: /* reported at the first byte that matches no method */
        request->head.problem = "the request method is unknown";
        return REQUEST_BAD;
    default:
        return REQUEST_BAD;
    }
}

/* Keeps the beginning of the request line. Empty lines before it are not part of it (RFC 9112
 * §2.2). */
static void keep_line(struct request *request, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !request->line_complete; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\n')
            request->line[request->line_length++] = bytes[i];
        request->line_complete =
            request->line_length == REQUEST_LINE_KEPT ||
            (request->line_length > 0 && (bytes[i] == '\r' || bytes[i] == '\n'));
    }
}

enum request_result request_feed(struct request *request, const char *data, size_t length,
                                 size_t max_head_bytes, size_t *used)
{
    static const http_parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
    };
    size_t room = max_head_bytes - request->head_bytes;
    enum http_scan result =
        http_head_scan(&request->head, data, length < room ? length : room, used);

    keep_line(request, data, length < room ? length : room);
    request->head_bytes += *used;
    /* http-parser takes a length of 0 for the end of the connection. */
    if (*used > 0)
        http_parser_execute(&request->parser, &settings, data, *used);
    if (HTTP_PARSER_ERRNO(&request->parser) != HPE_OK || request->text.failed)
        return failure(request);
    /* http_head_scan() and http-parser must have found the same end. */
    if (result == HTTP_SCAN_BAD ||
        (result == HTTP_SCAN_DONE) != (request->piece == REQUEST_COMPLETE))
        return REQUEST_BAD;
    if (result == HTTP_SCAN_DONE)
        return REQUEST_DONE;
    return request->head_bytes >= max_head_bytes ? REQUEST_TOO_LARGE : REQUEST_MORE;
}

/* Subtracts the text's length and `more`, for what surrounds the text, from the room that is
 * left; false if they do not fit. Reads no more than that of the text, which may be of any
 * length. */
static bool take_room(size_t *room, const char *text, size_t more)
{
    size_t length = strnlen(text, *room);

    if (length + more > *room)
        return false;
    *room -= length + more;
    return true;
}

/* Whether a head of these texts, written as "NAME:VALUE", fits in `room` bytes. */
static bool fits(const char *method, const char *target, const ws_header *headers,
                 size_t n_headers, size_t room)
{
    if (n_headers > REQUEST_MAX_HEADERS || !take_room(&room, method, strlen(" ")) ||
        !take_room(&room, target, strlen(" HTTP/1.1\r\n") + strlen("\r\n")))
        return false;
    for (size_t i = 0; i < n_headers; i++)
        if (!take_room(&room, headers[i].name, strlen(":")) ||
            !take_room(&room, headers[i].value, strlen("\r\n")))
            return false;
    return true;
}

enum request_result request_fill(struct request *request, const char *method,
                                 uint32_t http_major, uint32_t http_minor, const char *target,
                                 const ws_header *headers, size_t n_headers,
                                 size_t max_head_bytes)
{
    keep_line(request, method, strnlen(method, REQUEST_LINE_KEPT));
    keep_line(request, " ", 1);
    keep_line(request, target, strnlen(target, REQUEST_LINE_KEPT));
    if (!fits(method, target, headers, n_headers, max_head_bytes))
        return REQUEST_TOO_LARGE;
    if (!http_target_valid(target))
        return REQUEST_BAD;
    request->is_get = strcmp(method, "GET") == 0;
    request->http_major = http_major;
    request->http_minor = http_minor;
    buffer_add(&request->text, target, strlen(target) + 1);
    for (size_t i = 0; i < n_headers && add_header(request); i++) {
        const char *value;

        if (!http_token_valid(headers[i].name) || !http_value_valid(headers[i].value))
            return REQUEST_BAD;
        buffer_add(&request->text, headers[i].name, strlen(headers[i].name) + 1);
        request->headers[i].value = request->text.length;
        value = headers[i].value + strspn(headers[i].value, " \t");
        buffer_add(&request->text, value, strlen(value));
        trim_value(request);
        buffer_add(&request->text, "", 1);
    }
    if (request->text.failed)
        return REQUEST_NO_MEMORY;
    request->piece = REQUEST_COMPLETE;
    return REQUEST_DONE;
}

bool request_is_head(const struct request *request)
{
    return strncmp(request->line, "HEAD ", strlen("HEAD ")) == 0;
}

const char *request_problem(const struct request *request)
{
    return request->head.problem;
}

const char *request_target(const struct request *request)
{
    return request->text.data;
}

const char *request_path(const struct request *request)
{
    return http_target_path(request_target(request), request_header(request, "Host", 0));
}

const char *request_next_header(const struct request *request, const char *name, size_t *at)
{
    for (; *at < request->n_headers; ++*at)
        if (strcasecmp(request->text.data + request->headers[*at].name, name) == 0)
            return request->text.data + request->headers[*at].value;
    return NULL;
}

const char *request_header(const struct request *request, const char *name, size_t n)
{
    for (size_t at = 0;; at++) {
        const char *value = request_next_header(request, name, &at);

        if (value == NULL || n-- == 0)
            return value;
    }
}

static bool list_holds(const char *list, const char *token, bool any_case)
{
    size_t length = strlen(token);

    while (*list != '\0') {
        size_t word;

        list += strspn(list, " \t,");
        word = strcspn(list, " \t,");
        if (word == length &&
            (any_case ? strncasecmp(list, token, length) : strncmp(list, token, length)) == 0)
            return true;
        list += word;
    }
    return false;
}

bool request_header_lists(const struct request *request, const char *name, const char *token,
                          bool any_case)
{
    for (size_t at = 0;; at++) {
        const char *value = request_next_header(request, name, &at);

        if (value == NULL || list_holds(value, token, any_case))
            return value != NULL;
    }
}
