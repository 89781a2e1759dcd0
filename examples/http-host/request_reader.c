/* request_reader.c: reads a client's HTTP requests from its bytes. */
#include "request_reader.h"

#include <string.h>

static struct request_reader *reader_of(http_parser *parser)
{
    return parser->data;
}

/* Adds to the text that is arriving; nonzero, which ends the parsing, if the head is too large. */
static int add(struct request_reader *reader, const char *bytes, size_t length)
{
    if (length >= sizeof reader->text - reader->length)
        return 1;
    memcpy(reader->text + reader->length, bytes, length);
    reader->length += length;
    return 0;
}

static int finish(struct request_reader *reader)
{
    return add(reader, "", 1);
}

static int on_begin(http_parser *parser)
{
    struct request_reader *reader = reader_of(parser);

    reader->length = 0;
    reader->n_headers = 0;
    reader->piece = READER_TARGET;
    return 0;
}

static int on_url(http_parser *parser, const char *bytes, size_t length)
{
    return add(reader_of(parser), bytes, length);
}

static int on_field(http_parser *parser, const char *bytes, size_t length)
{
    struct request_reader *reader = reader_of(parser);

    if (reader->piece != READER_NAME) {
        if (reader->n_headers == READER_HEADERS || finish(reader) != 0)
            return 1;
        reader->names[reader->n_headers++] = reader->length;
        reader->piece = READER_NAME;
    }
    return add(reader, bytes, length);
}

static int on_value(http_parser *parser, const char *bytes, size_t length)
{
    struct request_reader *reader = reader_of(parser);

    if (reader->n_headers == 0) /* of no header: not HTTP */
        return 1;
    if (reader->piece != READER_VALUE) {
        if (finish(reader) != 0)
            return 1;
        reader->values[reader->n_headers - 1] = reader->length;
        reader->piece = READER_VALUE;
    }
    return add(reader, bytes, length);
}

/* Trailers arrive after it, and are thrown away. */
static int on_headers_complete(http_parser *parser)
{
    struct request_reader *reader = reader_of(parser);

    if (finish(reader) != 0)
        return -1;
    for (size_t i = 0; i < reader->n_headers; i++)
        reader->headers[i] =
            (ws_header){reader->text + reader->names[i], reader->text + reader->values[i]};
    reader->method = http_method_str((enum http_method)parser->method);
    return reader->on_head(reader) ? 0 : -1;
}

static int on_body(http_parser *parser, const char *bytes, size_t length)
{
    struct request_reader *reader = reader_of(parser);

    reader->on_body(reader, bytes, length);
    return 0;
}

/* The next request is read when this one was answered. */
static int on_complete(http_parser *parser)
{
    struct request_reader *reader = reader_of(parser);

    http_parser_pause(parser, 1);
    reader->on_end(reader);
    return 0;
}

void request_reader_init(struct request_reader *reader)
{
    http_parser_init(&reader->parser, HTTP_REQUEST);
    reader->parser.data = reader;
}

ptrdiff_t request_reader_feed(struct request_reader *reader, const char *bytes, size_t length)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_begin,
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers_complete,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    size_t used;

    if (HTTP_PARSER_ERRNO(&reader->parser) == HPE_PAUSED)
        http_parser_pause(&reader->parser, 0);
    used = http_parser_execute(&reader->parser, &settings, bytes, length);
    if (HTTP_PARSER_ERRNO(&reader->parser) == HPE_OK ||
        HTTP_PARSER_ERRNO(&reader->parser) == HPE_PAUSED)
        return (ptrdiff_t)used;
    return -1;
}
